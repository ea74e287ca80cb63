//! Web addresses: issuers, discovery documents and key sets.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::hostname::is_name;
use super::Endpoint;

/// An absolute `http` or `https` address in its parts, each exactly as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// `https` or `http`.
    pub scheme: &'a str,
    /// Host and port.
    pub authority: &'a str,
    /// Path and query; may be empty.
    pub path: &'a str,
}

/// Why a text is not an address that the gate would call or compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressFault {
    /// Another scheme, a relative reference, or a scheme in capitals.
    #[error("does not begin with https:// or http://")]
    Scheme,
    /// Blanks, control characters, `\`, quotes, non-ASCII: programs disagree on them.
    #[error("holds a character that is not allowed in an address")]
    Character,
    /// `user@host`: people easily read the part before the `@` as the host.
    #[error("holds a user name or password")]
    UserInfo,
    /// No host, or something that is not a host.
    #[error("has no host")]
    Host,
    /// A port that is not 1 to 65535.
    #[error("has a port that is not 1 to 65535")]
    Port,
    /// A fragment is never sent.
    #[error("has a fragment (#)")]
    Fragment,
}

impl<'a> Address<'a> {
    /// Reads an address (RFC 3986 §4.3). Nothing is normalised.
    pub fn parse(text: &'a str) -> Result<Self, AddressFault> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressFault::Scheme)?;
        if !matches!(scheme, "https" | "http") {
            return Err(AddressFault::Scheme);
        }
        if !rest.bytes().all(may_stand_in_an_address) {
            return Err(AddressFault::Character);
        }
        if rest.contains('#') {
            return Err(AddressFault::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or(AddressFault::Host)?;
        if authority.contains('@') {
            return Err(AddressFault::UserInfo);
        }
        let (host, port) = host_and_port(authority);
        if !is_host(host) {
            return Err(AddressFault::Host);
        }
        if !port.is_none_or(is_port) {
            return Err(AddressFault::Port);
        }
        Ok(Self {
            scheme,
            authority,
            path,
        })
    }

    /// Whether the host is this machine, so that no machine between can read or change a request.
    pub fn is_loopback(&self) -> bool {
        let (host, _) = host_and_port(self.authority);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
            || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Whether machines between can read and change what is sent there.
    pub fn is_plaintext(&self) -> bool {
        self.scheme == "http"
    }

    /// The endpoint of a call through an Envoy cluster, with `suffix` behind the path.
    pub fn endpoint(&self, cluster: &str, suffix: &str) -> Endpoint {
        let path = match (self.path, suffix) {
            ("", "") => "/".to_owned(),
            (path, _) if path.starts_with('?') => format!("/{path}{suffix}"),
            (path, _) => format!("{path}{suffix}"),
        };
        Endpoint {
            cluster: cluster.to_owned(),
            scheme: self.scheme.to_owned(),
            authority: self.authority.to_owned(),
            path,
        }
    }
}

/// Visible ASCII without the characters that RFC 3986 §2 does not allow.
fn may_stand_in_an_address(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte)
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    let bracketed = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_name(host.strip_suffix('.').unwrap_or(host)),
    }
}

fn is_port(port: &str) -> bool {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    digits && port.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_apart_and_nothing_is_normalised() {
        let address = Address::parse("https://Login.example.com:8443/a/?b=c").unwrap();
        assert_eq!(address.authority, "Login.example.com:8443");
        assert_eq!(address.path, "/a/?b=c");
        assert_eq!(address.endpoint("idp", "").path, "/a/?b=c");
        let bare = Address::parse("http://[::1]:9000").unwrap();
        assert_eq!(bare.endpoint("idp", "").path, "/");
        assert_eq!(bare.endpoint("idp", "/x").path, "/x");
        assert_eq!(bare.endpoint("idp", "/x").authority, "[::1]:9000");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_address() {
        for (text, fault) in [
            ("", AddressFault::Scheme),
            ("login.example.com", AddressFault::Scheme),
            ("HTTPS://a", AddressFault::Scheme),
            ("ftp://a", AddressFault::Scheme),
            ("https://", AddressFault::Host),
            ("https:///a", AddressFault::Host),
            ("https://:443/", AddressFault::Host),
            ("https://[::1/", AddressFault::Host),
            ("https://a%2eb/", AddressFault::Host),
            ("https://a:b@c/", AddressFault::UserInfo),
            ("https://a:0/", AddressFault::Port),
            ("https://a:65536/", AddressFault::Port),
            ("https://a:/", AddressFault::Port),
            ("https://a:+1/", AddressFault::Port),
            ("https://a/#b", AddressFault::Fragment),
            ("https://a\\b/", AddressFault::Character),
            ("https://a/{tenant}", AddressFault::Character),
            ("https://a/ b", AddressFault::Character),
            ("https://münchen.example/", AddressFault::Character),
        ] {
            assert_eq!(Address::parse(text), Err(fault), "{text}");
        }
    }

    /// What is sent in the clear stays on this machine, or the configuration is refused.
    #[test]
    fn only_this_machine_is_loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:8080", true),
            ("idp.localhost", true),
            ("127.0.0.1", true),
            ("127.9.9.9:80", true),
            ("[::1]", true),
            ("[::1]:8080", true),
            ("8.8.8.8", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("[::]", false),
            ("[2001:db8::1]", false),
            ("localhost.example.com", false),
            ("xlocalhost", false),
            ("127.0.0.1.example.com", false),
        ] {
            let text = format!("http://{host}/x");
            let address = Address::parse(&text).unwrap();
            assert_eq!(address.is_loopback(), expected, "{host}");
        }
    }

    #[test]
    fn an_address_ends_its_host_at_the_first_slash_or_question_mark() {
        let parts = |text| {
            let address = Address::parse(text).unwrap();
            (address.scheme, address.authority, address.path)
        };
        let idp = "idp.example";
        assert_eq!(parts("https://idp.example"), ("https", idp, ""));
        assert_eq!(parts("https://idp.example?x=/y"), ("https", idp, "?x=/y"));
        let nested = "https://idp.example/?to=http://x";
        assert_eq!(parts(nested), ("https", idp, "/?to=http://x"));
        let called = |text| Address::parse(text).unwrap().endpoint("c", "").path;
        assert_eq!(called("https://idp.example"), "/");
        assert_eq!(called("https://idp.example?x=1"), "/?x=1");
        assert_eq!(called("https://idp.example/a?"), "/a?");
        assert_eq!(called("https://idp.example/a"), "/a");
    }
}
