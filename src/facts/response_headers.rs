//! The headers of a response: what it is, and when to call again.

use std::time::Duration;

use crate::formats::printable::printable_bytes;

/// The longest text of a provider that a message quotes, in characters: addresses are long.
pub(super) const LONGEST_SHOWN: usize = 256;

/// The most of a `Content-Encoding` that is shown, in characters.
const LONGEST_CODING: usize = 40;

/// The headers of a response, as the host gave them: their names are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders(Vec<(String, Vec<u8>)>);

/// How a gzip file begins (RFC 1952 §2.3.1).
const GZIP: &[u8] = b"\x1f\x8b";

impl ResponseHeaders {
    /// All of them, in their order.
    pub const fn new(headers: Vec<(String, Vec<u8>)>) -> Self {
        Self(headers)
    }

    /// The values of all headers of this name, in their order. `Set-Cookie` is the one header whose
    /// values must not be joined (RFC 9110 §5.3).
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_slice())
    }

    /// The value of a header. Where there are several, they are one list (RFC 9110 §5.3).
    pub fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let values: Vec<_> = self.all(name).collect();
        (!values.is_empty()).then(|| values.join(&b","[..]))
    }

    /// Whether the response is `application/json`, whatever its parameters.
    pub(super) fn is_json(&self) -> bool {
        let field = self.joined("content-type").unwrap_or_default();
        let kind = field.split(|byte| *byte == b';').next();
        kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/json"))
    }

    /// How a body is encoded, if it is: as the header says, or as it begins, where a file was put on
    /// a server as it was packed.
    pub(super) fn coding(&self, body: &[u8]) -> Option<String> {
        let field = self.joined("content-encoding").unwrap_or_default();
        let field = field.trim_ascii();
        if !field.is_empty() && !field.eq_ignore_ascii_case(b"identity") {
            return Some(printable_bytes(field, LONGEST_CODING));
        }
        body.starts_with(GZIP).then(|| "gzip".to_owned())
    }

    /// Where a redirect leads to, escaped and cut.
    pub(super) fn location(&self) -> Option<String> {
        let location = self.joined("location")?;
        Some(printable_bytes(&location, LONGEST_SHOWN))
    }

    /// How long the provider says that its response is fresh; zero where it wants a call each time. What
    /// cannot be read says nothing. `s-maxage` is for shared caches and not read.
    pub(super) fn max_age(&self) -> Option<Duration> {
        let field = self.joined("cache-control")?;
        directives(&field).filter_map(directive).min()
    }

    /// How long the provider wants to be left alone. Only seconds are read. A date would
    /// only help if the provider's clock and that of Envoy were the same.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        seconds(self.joined("retry-after")?.trim_ascii())
    }
}

/// Cuts at the commas, but for those in quoted strings.
fn directives(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    field.split(move |byte| {
        if escaped {
            escaped = false;
            return false;
        }
        match byte {
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
        *byte == b',' && !quoted
    })
}

fn directive(text: &[u8]) -> Option<Duration> {
    let mut parts = text.splitn(2, |byte| *byte == b'=');
    let name = parts.next()?.trim_ascii().to_ascii_lowercase();
    match (name.as_slice(), parts.next()) {
        (b"max-age", Some(value)) => seconds(value.trim_ascii_end()),
        // `no-cache` with a list speaks of single header fields.
        (b"no-store" | b"no-cache", None) => Some(Duration::ZERO),
        _ => None,
    }
}

/// `delta-seconds` (RFC 9111 §1.2.2): digits, and nothing else.
fn seconds(text: &[u8]) -> Option<Duration> {
    let digits = text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| digits)?;
    number.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> ResponseHeaders {
        let pairs = pairs.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        ResponseHeaders::new(pairs.collect())
    }

    #[test]
    fn headers_of_one_name_are_a_list_and_cookies_are_not() {
        let headers = headers(&[
            ("cache-control", "public"),
            ("set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
            ("cache-control", "max-age=9"),
            ("set-cookie", "b=2"),
        ]);
        assert_eq!(headers.max_age(), Some(Duration::from_secs(9)));
        let cookies: Vec<_> = headers.all("set-cookie").collect();
        assert_eq!(
            cookies,
            [&b"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"[..], b"b=2"]
        );
    }

    fn max_age(field: &str) -> Option<u64> {
        let headers = headers(&[("cache-control", field)]);
        headers.max_age().map(|age| age.as_secs())
    }

    #[test]
    fn max_age_is_read_from_cache_control() {
        for (field, seconds) in [
            ("max-age=300", 300),
            (
                "public, max-age=19800, must-revalidate, no-transform",
                19800,
            ),
            ("MAX-AGE=7", 7),
            (" max-age=7 ,", 7),
            ("private=\"a, max-age=1\", max-age=60", 60),
            ("x=\"\\\", max-age=1\", max-age=60", 60),
            ("max-age=60, max-age=30", 30),
            ("max-age=60, no-cache", 0),
            ("no-store", 0),
            ("No-Store, max-age=junk", 0),
            ("no-cache=\"set-cookie\", max-age=5", 5),
        ] {
            assert_eq!(max_age(field), Some(seconds), "{field}");
        }
    }

    #[test]
    fn what_is_no_max_age_says_nothing() {
        for field in [
            "",
            "public",
            "max-age",
            "max-age=",
            "max-age=\"60\"",
            "max-age=-1",
            "max-age=+1",
            "max-age=1.5",
            "max-age=60s",
            "max-age= 60",
            "max-age=18446744073709551616",
            "max-age=٣",
            "s-maxage=60",
            "x-max-age=60",
            "ext=\"max-age=60",
            "max-age=60\u{0}",
        ] {
            assert_eq!(max_age(field), None, "{field}");
        }
    }

    #[test]
    fn retry_after_is_read_in_seconds_alone() {
        for (field, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("", None),
            ("-1", None),
            ("1e3", None),
            ("99999999999999999999", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ] {
            let headers = headers(&[("retry-after", field)]);
            let read = headers.retry_after().map(|pause| pause.as_secs());
            assert_eq!(read, seconds, "{field}");
        }
    }
}
