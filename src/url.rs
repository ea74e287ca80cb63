//! The few parts of an `http(s)` address that a call through Envoy needs.

use thiserror::Error;

/// An absolute `http` or `https` address, cut into what becomes `:scheme`, `:authority` and
/// `:path` (RFC 9110 §4.2, RFC 3986 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Host, and port if the address names one.
    pub authority: String,
    /// Path and query; `/` where the address has no path.
    pub path: String,
}

/// Why a text is no address that this filter would call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UrlFault {
    /// Neither `https://` nor `http://`.
    #[error("not an absolute http or https address")]
    Scheme,
    /// No host, user information, or bytes that no host has.
    #[error("the host is missing or malformed")]
    Authority,
    /// A fragment, white space, control bytes or non-ASCII characters.
    #[error("the path has characters that an address cannot have")]
    Path,
}

impl HttpUrl {
    /// Reads an address. Stricter than RFC 3986 where leniency would let two readers disagree:
    /// no user information (`https://idp.example@evil.example/`), no backslash, no fragment.
    pub fn parse(address: &str) -> Result<Self, UrlFault> {
        let (scheme, rest) = if let Some(rest) = address.strip_prefix("https://") {
            ("https", rest)
        } else if let Some(rest) = address.strip_prefix("http://") {
            ("http", rest)
        } else {
            return Err(UrlFault::Scheme);
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or(UrlFault::Authority)?;
        if !is_authority(authority) {
            return Err(UrlFault::Authority);
        }
        if path.contains('#') || !path.bytes().all(is_path_byte) {
            return Err(UrlFault::Path);
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Ok(Self {
            scheme,
            authority: authority.to_owned(),
            path,
        })
    }
}

fn is_authority(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            if port.parse::<u16>().is_err() {
                return false;
            }
            host
        }
        _ => authority,
    };
    let named = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    let literal = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .is_some_and(|host| host.parse::<std::net::Ipv6Addr>().is_ok());
    !host.is_empty() && (named || literal)
}

const fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_cut_into_its_parts() {
        let cases = [
            ("https://idp.example", ("https", "idp.example", "/")),
            (
                "http://127.0.0.1:9400/jwks",
                ("http", "127.0.0.1:9400", "/jwks"),
            ),
            (
                "https://[::1]:8443/a?b=c",
                ("https", "[::1]:8443", "/a?b=c"),
            ),
            ("https://idp.example?x", ("https", "idp.example", "/?x")),
        ];
        for (address, (scheme, authority, path)) in cases {
            let url = HttpUrl::parse(address);
            let expected = HttpUrl {
                scheme,
                authority: authority.to_owned(),
                path: path.to_owned(),
            };
            assert_eq!(url, Ok(expected), "{address}");
        }
    }

    #[test]
    fn addresses_that_readers_could_disagree_on_are_refused() {
        let cases = [
            ("ftp://idp.example/", UrlFault::Scheme),
            ("HTTPS://idp.example/", UrlFault::Scheme),
            ("//idp.example/", UrlFault::Scheme),
            ("https://", UrlFault::Authority),
            ("https:///x", UrlFault::Authority),
            ("https://idp.example@evil.example/", UrlFault::Authority),
            ("https://idp.example\\@evil.example/", UrlFault::Authority),
            ("https://idp.example:port/", UrlFault::Authority),
            ("https://idp.example:99999/", UrlFault::Authority),
            ("https://[::1/", UrlFault::Authority),
            ("https://idp example/", UrlFault::Authority),
            ("https://idp.example/#x", UrlFault::Path),
            ("https://idp.example/a b", UrlFault::Path),
            ("https://idp.example/a\r\nb", UrlFault::Path),
            ("https://idp.example/\u{e4}", UrlFault::Path),
            ("https://idp.example/a\\b", UrlFault::Path),
        ];
        for (address, fault) in cases {
            assert_eq!(HttpUrl::parse(address), Err(fault), "{address}");
        }
    }
}
