//! The token of a request (RFC 6750 §2.1, RFC 9449 §7.1).

use std::borrow::Cow;
use std::fmt;

use crate::http::RequestHead;

/// What the `Authorization` header of a request holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer<'r> {
    /// No `Authorization` header.
    Absent,
    /// Another scheme, such as `Basic`.
    OtherScheme,
    /// A bearer token. Nothing of it was read yet.
    Token(CompactToken<'r>),
    /// A token that comes with a `DPoP` proof. Nothing of it was read yet.
    Dpop(CompactToken<'r>),
}

/// A token as the client sent it. Any client that knows it can use it, so that `Debug` does not show it
/// (RFC 6750 §5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct CompactToken<'r>(Cow<'r, [u8]>);

impl<'r> CompactToken<'r> {
    /// A token from elsewhere than `Authorization`; `None`: it is no `b64token`, as it would have to be
    /// there.
    pub fn of(value: &'r [u8]) -> Option<Self> {
        is_b64token(value).then_some(Self(Cow::Borrowed(value)))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        // A `b64token` is ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The same, for those who do not read it.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same token, kept for longer than its request.
    #[must_use]
    pub fn into_owned(self) -> CompactToken<'static> {
        CompactToken(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for CompactToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CompactToken(redacted)")
    }
}

/// Why the `Authorization` header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerFault {
    /// More than one header, or one that was joined from several: programs disagree on which of them
    /// counts. That includes equal values.
    Duplicated,
    /// `Bearer` or `DPoP` without a token, or with something that is no `b64token`; or no scheme at all.
    Malformed,
}

/// Reads the `Authorization` header.
///
/// The scheme is compared without regard to case (RFC 9110 §11.1), and whitespace around the
/// value does not count (RFC 9110 §5.5).
///
/// A comma next to a `Bearer` or `DPoP` scheme is how Envoy shows two headers: `Bearer A,Bearer B`. No
/// token has a comma, so that is a duplicate, with either scheme first. Other schemes keep their commas (`Digest` lists its parameters with them).
pub fn bearer(request: &RequestHead) -> Result<Bearer<'_>, BearerFault> {
    let mut values = request.values("authorization");
    let Some(value) = values.next() else {
        return Ok(Bearer::Absent);
    };
    if values.next().is_some() {
        return Err(BearerFault::Duplicated);
    }
    let value = value.trim_ascii();
    let (scheme, rest) = split_scheme(value);
    let of_scheme = of_scheme(scheme);
    // With a token, the value has no comma: neither a scheme nor a `b64token` can have one.
    if let Some((of_scheme, token)) = of_scheme.zip(token_of(rest)) {
        return Ok(of_scheme(token));
    }
    if value.contains(&b',') && value.split(|byte| *byte == b',').any(has_token_scheme) {
        return Err(BearerFault::Duplicated);
    }
    if of_scheme.is_some() || scheme.is_empty() {
        Err(BearerFault::Malformed)
    } else {
        Ok(Bearer::OtherScheme)
    }
}

/// The token after the scheme: one space or more lies between (RFC 6750 §2.1). A tab does not
/// count, though programs that split at any whitespace would see a token there.
fn token_of(rest: &[u8]) -> Option<CompactToken<'_>> {
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    match rest.split_at_checked(spaces)? {
        ([_, ..], token) => CompactToken::of(token),
        _ => None,
    }
}

/// What a token of this scheme is; `None`: the scheme is another one.
fn of_scheme<'r>(scheme: &[u8]) -> Option<fn(CompactToken<'r>) -> Bearer<'r>> {
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(Bearer::Token);
    }
    scheme.eq_ignore_ascii_case(b"dpop").then_some(Bearer::Dpop)
}

fn has_token_scheme(value: &[u8]) -> bool {
    let (scheme, _) = split_scheme(value.trim_ascii());
    of_scheme(scheme).is_some()
}

/// Splits off the scheme at the first byte that cannot be in the name of one.
fn split_scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let length = value
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        .count();
    value.split_at_checked(length).unwrap_or((value, &[]))
}

/// RFC 6750 §2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
fn is_b64token(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let body = bytes.len().saturating_sub(padding);
    let (body, _) = bytes.split_at_checked(body).unwrap_or_default();
    let in_token = |byte: &u8| IN_B64TOKEN.get(usize::from(*byte)) == Some(&true);
    // Without a branch for each byte: tokens are long, and nearly all of them are good.
    let (fours, rest) = body.as_chunks();
    !body.is_empty()
        && fours.iter().fold(true, |good, [a, b, c, d]| {
            good & in_token(a) & in_token(b) & in_token(c) & in_token(d)
        })
        && rest.iter().all(in_token)
}

/// Which bytes a `b64token` has before its padding. A table, because every byte of every token is
/// looked up in it.
const IN_B64TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if let Some(entry) = table.split_at_mut(byte as usize).1.first_mut() {
            *entry = byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
        }
        byte = byte.saturating_add(1);
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Bearer<'static>, BearerFault> {
        let headers = values.iter().map(|value| ("authorization", value));
        Ok(match bearer(&RequestHead::new(headers))? {
            Bearer::Absent => Bearer::Absent,
            Bearer::OtherScheme => Bearer::OtherScheme,
            Bearer::Token(token) => Bearer::Token(token.into_owned()),
            Bearer::Dpop(token) => Bearer::Dpop(token.into_owned()),
        })
    }

    fn token(text: &str) -> Bearer<'_> {
        Bearer::Token(CompactToken(text.as_bytes().into()))
    }

    #[test]
    fn a_bearer_token_is_read_in_every_spelling_of_the_rfc() {
        for value in [
            "Bearer a.b.c",
            "bearer a.b.c",
            "BEARER a.b.c",
            "Bearer    a.b.c",
            " \tBearer a.b.c\t ",
        ] {
            assert_eq!(read(&[value.as_bytes()]), Ok(token("a.b.c")), "{value}");
        }
        assert_eq!(read(&[b"Bearer Az09-._~+/=="]), Ok(token("Az09-._~+/==")));
    }

    #[test]
    fn a_token_with_a_proof_is_told_from_a_bearer_token() {
        for value in ["DPoP a.b.c", "dpop a.b.c", "DPOP   a.b.c "] {
            let expected = Bearer::Dpop(CompactToken(b"a.b.c".into()));
            assert_eq!(read(&[value.as_bytes()]), Ok(expected), "{value}");
        }
    }

    #[test]
    fn a_request_without_the_header_has_no_bearer() {
        assert_eq!(read(&[]), Ok(Bearer::Absent));
    }

    #[test]
    fn other_schemes_are_left_alone() {
        for value in [
            "Basic dXNlcjpwYXNz",
            "DPoPish a.b.c",
            "Digest username=\"x\", realm=\"y\"",
            "Bearerish a.b.c",
            "Bearer-ish a.b.c",
            "Bearer_ish a.b.c",
            "Bearer.ish a.b.c",
            "Basic",
            "Basic a,Bearer-ish b",
        ] {
            assert_eq!(
                read(&[value.as_bytes()]),
                Ok(Bearer::OtherScheme),
                "{value}"
            );
        }
    }

    #[test]
    fn a_second_header_is_refused_even_if_equal() {
        let cases: [&[&[u8]]; 4] = [
            &[b"Bearer a", b"Bearer b"],
            &[b"Bearer a", b"Bearer a"],
            &[b"Basic a", b"Bearer b"],
            &[b"Basic a", b"Basic b"],
        ];
        for values in cases {
            assert_eq!(read(values), Err(BearerFault::Duplicated));
        }
    }

    #[test]
    fn headers_that_the_host_joined_are_refused() {
        for value in [
            "Bearer A,Bearer B",
            "Bearer A, Bearer A",
            "Bearer A,Basic B",
            "Basic x,Bearer y",
            "Basic x,\tbearer y",
            "Bearer A,",
            "Bearer ,",
            "a,b,BEARER",
            "DPoP A,DPoP A",
            "DPoP A,Bearer B",
            "Bearer A,DPoP B",
            "Basic x,dpop y",
        ] {
            assert_eq!(
                read(&[value.as_bytes()]),
                Err(BearerFault::Duplicated),
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_no_b64token_is_refused() {
        let refused: [&[u8]; 17] = [
            b"",
            b"   ",
            b"Bearer",
            b"Bearer ",
            b"Bearer a b",
            b"Bearer\ta",
            b"Bearer \ta",
            b"Bearer=a",
            b"Bearer ===",
            b"Bearer a=b",
            b"DPoP",
            b"DPoP ",
            b"DPoP a b",
            b"Bearer a\xff",
            b"Bearer\xa0a",
            b"\xa0Bearer a",
            b"Bearer {\"alg\":\"none\"}",
        ];
        for value in refused {
            let shown = value.escape_ascii().to_string();
            assert_eq!(read(&[value]), Err(BearerFault::Malformed), "{shown}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        let shown = format!("{:?}", read(&[b"Bearer secret"]));
        assert_eq!(shown, "Ok(Token(CompactToken(redacted)))");
    }
}
