//! `NumericDate`: times in claims (RFC 7519 §2).

use super::TokenFault;
use crate::formats::json::Object;
use crate::time::UnixSeconds;

/// 9999-12-31T23:59:59Z. Later times are mistakes, such as milliseconds for seconds, or attempts to make
/// sums overflow.
const LATEST: u64 = 253_402_300_799;

/// Reads the claim `name`; `None` if it is absent. A fraction is cut off, which makes a token end
/// up to a second early.
pub(super) fn numeric_date(
    claims: Object<'_>,
    name: &'static str,
) -> Result<Option<UnixSeconds>, TokenFault> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    value
        .as_u64()
        .or_else(|| value.as_f64().and_then(whole_seconds))
        .filter(|seconds| *seconds <= LATEST)
        .map(|seconds| Some(UnixSeconds(seconds)))
        .ok_or(TokenFault::ClaimOfWrongType(name))
}

fn whole_seconds(seconds: f64) -> Option<u64> {
    /// Below it, a double has every whole number exactly.
    const TWO_TO_53: f64 = 9_007_199_254_740_992.0;
    let in_range = (0.0..TWO_TO_53).contains(&seconds);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked, and cutting the fraction off is what is wanted"
    )]
    in_range.then_some(seconds as u64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::formats::json::Document;

    /// Goes through the JSON reader, so that numbers are what a token's would be.
    fn read(number: &str) -> Result<Option<UnixSeconds>, TokenFault> {
        let claims = Document::read(format!(r#"{{"exp":{number}}}"#).as_bytes(), 4);
        numeric_date(claims.unwrap().object(), "exp")
    }

    #[test]
    fn numbers_of_seconds_are_dates() {
        for (number, seconds) in [
            ("0", 0),
            ("-0.0", 0),
            ("1700000000", 1_700_000_000),
            ("1700000000.0", 1_700_000_000),
            ("1700000000.999", 1_700_000_000),
            ("1.7e9", 1_700_000_000),
            ("253402300799", LATEST),
        ] {
            assert_eq!(read(number), Ok(Some(UnixSeconds(seconds))), "{number}");
        }
    }

    #[test]
    fn everything_else_is_of_a_wrong_type() {
        for value in [
            "-1",
            "-0.5",
            "253402300800",
            "1700000000000",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
            r#""1700000000""#,
            "null",
            "true",
            "[1700000000]",
            "{}",
        ] {
            let expected = Err(TokenFault::ClaimOfWrongType("exp"));
            assert_eq!(read(value), expected, "{value}");
        }
    }

    #[test]
    fn an_absent_claim_is_absent() {
        let claims = json!({"nbf": 1});
        assert_eq!(
            numeric_date(Document::from(&claims).object(), "exp"),
            Ok(None)
        );
    }
}
