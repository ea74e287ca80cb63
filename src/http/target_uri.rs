//! The URI of a request as its client called it.

use std::fmt;

use crate::http::Address;

/// Scheme, host and port under which clients call an n8n, in normal form (RFC 3986 §6.2.2, §6.2.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin, such as `https://n8n.example.com`; `None`: it is none, or has a path.
    pub fn parse(text: &str) -> Option<Self> {
        let address = Address::parse(text).ok()?;
        let origin = address.path.is_empty().then(|| origin_and_path(text))??;
        Some(Self(origin.0))
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Whether `uri` is that of a request for `path` under this origin. Query and fragment of the URI are
    /// ignored (RFC 9449 §4.3), and both are compared in normal form: case of scheme and host, the
    /// default port, an empty path, dot segments, and percent-encoding that is not needed do not count.
    pub fn has(&self, path: &[u8], uri: &str) -> bool {
        let asked = std::str::from_utf8(path).ok().and_then(normal_path);
        let named = origin_and_path(uri);
        asked.zip(named).is_some_and(|(asked, (origin, path))| {
            origin == self.0 && normal_path(path).is_some_and(|path| path == asked)
        })
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The origin of an absolute `http` or `https` URI in normal form, and its path as it is. `None`: it is
/// another URI.
fn origin_and_path(uri: &str) -> Option<(String, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    let path_end = rest.find(['?', '#']).unwrap_or(rest.len());
    let path = rest.get(..path_end)?;
    let host_end = authority.rfind(']').unwrap_or_default();
    let (host, port) = match authority.get(host_end..)?.rfind(':') {
        Some(colon) => {
            let (host, port) = authority.split_at_checked(host_end.checked_add(colon)?)?;
            (host, port.get(1..)?)
        }
        None => (authority, ""),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~[]:".contains(&byte);
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    // No user name, no percent-encoding and no other script: no host of an origin has them.
    if host.is_empty() || !host.bytes().all(is_plain) || !is_port {
        return None;
    }
    let mut origin = [scheme.as_str(), "://", &host.to_ascii_lowercase()].concat();
    if !port.is_empty() && port != default_port {
        origin.push(':');
        origin.push_str(port);
    }
    Some((origin, path))
}

/// A path in normal form (RFC 3986 §6.2.2.2, §6.2.2.3, §6.2.3). `None`: it is none, or has a character
/// that no path has.
fn normal_path(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("/".to_owned());
    }
    let decoded = normal_encoding(path)?;
    let segments = decoded.strip_prefix('/')?.split('/');
    let mut kept: Vec<&str> = Vec::new();
    // A dot segment at the end leaves the slash before it.
    let mut ends_with_dots = false;
    for segment in segments {
        ends_with_dots = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            other => kept.push(other),
        }
    }
    let mut normal = String::with_capacity(decoded.len());
    for segment in &kept {
        normal.push('/');
        normal.push_str(segment);
    }
    if ends_with_dots {
        normal.push('/');
    }
    Some(normal)
}

/// Percent-encoding in normal form: capital digits, and none for letters, digits, `-`, `.`, `_`, `~`.
fn normal_encoding(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            byte.is_ascii_graphic().then_some(())?;
            normal.push(char::from(byte));
            continue;
        }
        let (high, low) = (char::from(bytes.next()?), char::from(bytes.next()?));
        let value = high.to_digit(16)? << 4 | low.to_digit(16)?;
        let value = char::from(u8::try_from(value).ok()?);
        if value.is_ascii_alphanumeric() || "-._~".contains(value) {
            normal.push(value);
        } else {
            normal.push('%');
            normal.push(high.to_ascii_uppercase());
            normal.push(low.to_ascii_uppercase());
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn an_origin_has_one_normal_form() {
        for text in ["https://n8n.example.com", "https://N8N.example.com:443"] {
            assert_eq!(
                Origin::parse(text).map(|origin| origin.0).as_deref(),
                Some("https://n8n.example.com"),
                "{text}"
            );
        }
        assert_eq!(
            origin("http://[2001:DB8::1]:8080").0,
            "http://[2001:db8::1]:8080"
        );
        for text in [
            "",
            "n8n.example.com",
            "https://n8n.example.com/",
            "https://",
            "ftp://a",
            "https://u@a",
            "https://a?b",
        ] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
        assert!(origin("https://a").is_secure() && !origin("http://a").is_secure());
    }

    #[test]
    fn a_uri_is_compared_in_normal_form() {
        let own = origin("https://n8n.example.com");
        for (path, uri) in [
            (
                "/api/v1/workflows",
                "https://n8n.example.com/api/v1/workflows",
            ),
            (
                "/api/v1/workflows",
                "HTTPS://N8N.Example.COM:443/api/v1/workflows",
            ),
            (
                "/api/v1/workflows",
                "https://n8n.example.com:/api/v1/workflows",
            ),
            (
                "/api/v1/workflows",
                "https://n8n.example.com/api/v1/workflows?a=/b#c",
            ),
            (
                "/api/v1/workflows",
                "https://n8n.example.com/api/./v2/../v1/workflows",
            ),
            (
                "/api/v1/workflows",
                "https://n8n.example.com/%61pi/v1/%77orkflows",
            ),
            ("/webhook/a%2fb", "https://n8n.example.com/webhook/a%2Fb"),
            ("/webhook/%7Ea", "https://n8n.example.com/webhook/~a"),
            ("/", "https://n8n.example.com"),
            ("/", "https://n8n.example.com?a"),
            ("/", "https://n8n.example.com/a/.."),
            ("/a/", "https://n8n.example.com/a/."),
            ("/a/", "https://n8n.example.com/a/b/.."),
            ("/a//b", "https://n8n.example.com/a//b"),
            ("/a//", "https://n8n.example.com/a//."),
            ("/a/b//", "https://n8n.example.com/a/b//"),
        ] {
            assert!(own.has(path.as_bytes(), uri), "{path} {uri}");
        }
    }

    #[test]
    fn another_uri_is_another_one() {
        let own = origin("https://n8n.example.com");
        for uri in [
            "",
            "/api/v1/workflows",
            "api/v1/workflows",
            "//n8n.example.com/api/v1/workflows",
            "http://n8n.example.com/api/v1/workflows",
            "http://n8n.example.com:443/api/v1/workflows",
            "https://n8n.example.com:8443/api/v1/workflows",
            "https://n8n.example.com:0443/api/v1/workflows",
            "https://n8n.example.com:+443/api/v1/workflows",
            "https://n8n.example.com./api/v1/workflows",
            "https://n8n.example.com.evil.example/api/v1/workflows",
            "https://evil.example/n8n.example.com/api/v1/workflows",
            "https://user@n8n.example.com/api/v1/workflows",
            "https://n8n.example.com@evil.example/api/v1/workflows",
            "https://n8n.example.com\\@evil.example/api/v1/workflows",
            "https://n8n%2Eexample.com/api/v1/workflows",
            "https://n8n.example.com/api/v1/users",
            "https://n8n.example.com/api/v1/Workflows",
            "https://n8n.example.com/api/v1/workflows/",
            "https://n8n.example.com/api/v1//workflows",
            "https://n8n.example.com/api/v1/workflows/a",
            "https://n8n.example.com/api/v1/workflows%2F",
            "https://n8n.example.com/api/v1/workflows%",
            "https://n8n.example.com/api/v1/workflows%zz",
            "https://n8n.example.com/api/v1/workflows ",
            " https://n8n.example.com/api/v1/workflows",
            "https://n8n.example.com/api/v1/workflow\u{17f}",
            "https://[::1/api/v1/workflows",
        ] {
            assert!(!own.has(b"/api/v1/workflows", uri), "{uri}");
        }
        assert!(!own.has(b"/a\xff", "https://n8n.example.com/a%FF"));
    }
}
