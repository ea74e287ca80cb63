//! Values that a claim is compared with.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{wrong_kind, Read};
use super::shape::Shape;
use super::wire::MAX_EXACT;
use crate::identity::whole;

/// Whole numbers beyond these are no longer exact when a host hands them over as doubles.
const EXACT: RangeInclusive<i64> = -MAX_EXACT..=MAX_EXACT;

/// A value that a claim can be compared with exactly.
pub(super) struct Scalar(pub(super) Value);

impl Read for Scalar {
    fn shape() -> Shape {
        Shape::Scalar
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        match value {
            Value::String(text) if text.is_empty() => {
                path.error("must not be an empty string", "give it a value");
            }
            Value::String(text) => {
                if is_fraction(text) {
                    path.warn(
                        "looks like a number and is compared as text: no number of a token equals it",
                        "write whole numbers in plain digits, or keep it if tokens have this text",
                    );
                }
                let whole = whole(text).map(Value::from);
                return Some(Self(whole.unwrap_or_else(|| value.clone())));
            }
            Value::Bool(_) => return Some(Self(value.clone())),
            Value::Number(number) => match number.as_i64() {
                Some(whole) if EXACT.contains(&whole) => return Some(Self(whole.into())),
                _ => path.error(
                    "is no whole number in plain digits, or is too large to be exact",
                    "put it in quotes: a string is compared exactly",
                ),
            },
            _ => {
                let hint = "write one value; contains looks into arrays";
                wrong_kind(value, path, "a string, a number or a boolean", hint);
            }
        }
        None
    }
}

/// Whether a text is a number with a fraction or an exponent. Envoy makes text of such numbers, so
/// that a number may be meant.
///
/// Read by hand: the standard library's reader of floats would make the module 17 KB larger.
fn is_fraction(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let after_digits = |text: &str| text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = |length: usize| unsigned.get(unsigned.len().checked_sub(length)?..);
    let mut left = after_digits(unsigned);
    let mut digits = unsigned.len().saturating_sub(left);
    if let Some(fraction) = rest(left).and_then(|rest| rest.strip_prefix('.')) {
        left = after_digits(fraction);
        digits = digits.saturating_add(fraction.len().saturating_sub(left));
    }
    let exponent = rest(left).and_then(|rest| rest.strip_prefix(['e', 'E']));
    let ends = exponent.map_or(left == 0, |exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && after_digits(exponent) == 0
    });
    ends && digits > 0 && text.contains(['.', 'e', 'E'])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_is_one_thing_in_digits_and_as_a_number() {
        let read = |value: Value| Scalar::read(&value, &FieldPath::whole()).unwrap().0;
        for (number, text) in [
            (json!(7), "7"),
            (json!(-1), "-1"),
            (json!(0), "0"),
            (json!(2_147_483_648_i64), "2147483648"),
            (json!(9_007_199_254_740_991_i64), "9007199254740991"),
        ] {
            assert_eq!(read(json!(text)), number);
            assert_eq!(read(number.clone()), number);
        }
        for text in [
            "007",
            "+7",
            "-0",
            " 7",
            "7.0",
            "1e3",
            "99999999999999999999",
            "0x7",
            "\u{667}",
        ] {
            assert_eq!(read(json!(text)), json!(text));
        }
    }

    #[test]
    fn a_number_that_may_have_been_another_is_refused() {
        // What a double makes of 9007199254740993.
        for number in [
            json!(9_007_199_254_740_992_i64),
            json!(-9_007_199_254_740_992_i64),
            json!(9_007_199_254_740_992.0),
            json!(7.0),
            json!(0.5),
            json!(1e3),
            json!(u64::MAX),
        ] {
            let path = FieldPath::whole();
            let read = Scalar::read(&number, &path);
            assert!(read.is_none() && path.errors().len() == 1, "{number}");
        }
    }

    #[test]
    fn a_text_that_may_have_been_a_number_is_warned_of() {
        let warned = |text: &str| {
            let path = FieldPath::whole();
            Scalar::read(&json!(text), &path).unwrap();
            path.warnings().len()
        };
        for text in [
            "7.0", "7.", ".5", "-1.5", "+1.5", "1e3", "1E-3", "1.5e+3", "2.0", "1e400",
        ] {
            assert_eq!(warned(text), 1, "{text}");
        }
        for text in [
            "7",
            "-7",
            "007",
            "1.2.3",
            "1e",
            "e3",
            ".",
            "1e3e",
            "1-2",
            "2026-01-01",
            "1.0a",
            "1_0.5",
            "a",
            "0x1f",
            "12345678901234567890",
            "1e+",
            "\u{667}.0",
        ] {
            assert_eq!(warned(text), 0, "{text}");
        }
    }
}
