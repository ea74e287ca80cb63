//! Tokens that a browser sends in a cookie or in the query, where it cannot set a header.

use crate::formats::{form, percent};
use crate::http::{cookies, RequestHead};
use crate::policy::TokenFrom;
use crate::reply::Reason;
use crate::token::CompactToken;

/// The token of a request, where the rule says. An empty one is none: some browsers keep the cookie of a
/// user who logged out.
pub(super) fn read(
    from: &TokenFrom,
    request: &RequestHead,
) -> Result<Option<CompactToken<'static>>, Reason> {
    let found = match from {
        TokenFrom::Cookie(name) => in_cookies(request, name),
        TokenFrom::Query(name) => in_query(request, name),
    };
    let mut found = found.into_iter();
    let value = match (found.next(), found.next()) {
        (None, _) => return Ok(None),
        // Programs disagree on which of two counts.
        (Some(_), Some(_)) => return Err(Reason::SeveralTokens),
        (Some(value), None) => value.ok_or(Reason::MalformedBrowserToken)?,
    };
    if value.is_empty() {
        return Ok(None);
    }
    let token = CompactToken::of(&value).map(CompactToken::into_owned);
    token.map(Some).ok_or(Reason::MalformedBrowserToken)
}

/// Whether some program may take `name` for that of the token. It is then removed, whatever it holds.
pub(super) fn is_named(name: &[u8], token: &str) -> bool {
    name.eq_ignore_ascii_case(token.as_bytes())
}

/// The request target without the fields of its query that may be the token; `None`: there are none. Bytes
/// that no target may have (RFC 3986 §2) are percent-encoded, so that none of them ends a line of the head.
pub(super) fn target_without(target: &[u8], token: &str) -> Option<String> {
    let end = target.iter().position(|byte| *byte == b'#');
    let (target, fragment) = target.split_at_checked(end.unwrap_or(target.len()))?;
    let start = target.iter().position(|byte| *byte == b'?')?;
    let (path, query) = target.split_at_checked(start)?;
    let fields = || {
        query
            .get(1..)
            .unwrap_or_default()
            .split(|byte| *byte == b'&')
    };
    if !fields().any(|field| is_field(field, token)) {
        return None;
    }
    let left: Vec<&[u8]> = fields().filter(|field| !is_field(field, token)).collect();
    let query = left.join(&b'&');
    let separator: &[u8] = if left.is_empty() { b"" } else { b"?" };
    let mut whole = String::with_capacity(target.len());
    for byte in [path, separator, &query, fragment].concat() {
        if byte.is_ascii_graphic() {
            whole.push(char::from(byte));
        } else {
            percent::push(&mut whole, byte);
        }
    }
    Some(whole)
}

/// The values of the cookies that may be the token. `None` in place of one: its name is written in another
/// way.
fn in_cookies(request: &RequestHead, token: &str) -> Vec<Option<Vec<u8>>> {
    cookies(request)
        .filter(|cookie| is_named(cookie.name, token))
        .map(|cookie| {
            let is_exact = cookie.name == token.as_bytes();
            let value = cookie.value.filter(|_| is_exact)?;
            Some(value.trim_ascii().to_vec())
        })
        .collect()
}

/// The same of the query.
fn in_query(request: &RequestHead, token: &str) -> Vec<Option<Vec<u8>>> {
    let fields = request.query().split(|byte| *byte == b'&');
    fields
        .filter(|field| is_field(field, token))
        .map(|field| {
            let (name, value) = form::field(field);
            (name == token.as_bytes()).then_some(value)
        })
        .collect()
}

/// Whether some program may read this field of a query as the token: Express makes lists and objects of
/// `token[]` and `token[a]`, and decodes names.
fn is_field(field: &[u8], token: &str) -> bool {
    let (name, _) = form::field(field);
    let mut parts = name.split(|byte| matches!(byte, b'[' | b']'));
    let base = parts.find(|part| !part.is_empty()).unwrap_or_default();
    is_named(base.trim_ascii(), token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_may_be_the_token_goes_and_the_rest_stays_as_it_was() {
        for (target, expected) in [
            ("/webhook/a?token=x", Some("/webhook/a")),
            (
                "/webhook/a?a=1&token=x&b=%20&&c",
                Some("/webhook/a?a=1&b=%20&&c"),
            ),
            ("/webhook/a?t%6Fken=x&a", Some("/webhook/a?a")),
            (
                "/webhook/a?TOKEN=x&token[]=y&token%5Ba%5D=z&[token]=1&a",
                Some("/webhook/a?a"),
            ),
            ("/webhook/a?token", Some("/webhook/a")),
            ("/webhook/a?+token=x&b", Some("/webhook/a?b")),
            ("/webhook/a?token=x#f?token=y", Some("/webhook/a#f?token=y")),
            (
                "/webhook/a?\u{e9}=\r\n &token=x",
                Some("/webhook/a?%C3%A9=%0D%0A%20"),
            ),
            ("/webhook/a?a=token&tokens=1&x[token]=1", None),
            ("/webhook/token", None),
            ("/webhook/a?", None),
        ] {
            let left = target_without(target.as_bytes(), "token");
            assert_eq!(left.as_deref(), expected, "{target}");
        }
    }
}
