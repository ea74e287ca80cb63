//! Which host a request is for.

use super::RequestHead;

/// The longest name of a host (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

/// The name of the host that a request is for: in lower case, without its port and without the dot of
/// the root. So each host has one name here, in every spelling.
///
/// Only `:authority` counts, or `Host` if a test has no other: any client can write
/// `X-Forwarded-Host`. `None`: the request names no host, several, an IPv6 address, or something that
/// is not the name of a host.
pub fn requested(request: &RequestHead) -> Option<String> {
    as_written(request).map(str::to_ascii_lowercase)
}

/// The same, in the spelling of the client.
pub fn as_written(request: &RequestHead) -> Option<&str> {
    let mut named = request.values(":authority").chain(request.values("host"));
    let authority = named.next()?;
    if named.any(|other| other != authority) {
        return None;
    }
    let authority = std::str::from_utf8(authority).ok()?;
    let name = match authority.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) => return None,
        None => authority,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    is_name(name).then_some(name)
}

/// Whether this is the name of a host, or an IPv4 address: labels of letters, digits, hyphens and
/// underscores, with dots between them.
pub fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.len() <= MAX_NAME
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(is_plain))
}

/// A host, or all hosts below a domain (`*.example.com`, which is not `example.com` itself).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// In lower case; a domain begins with its dot.
    name: String,
}

impl HostPattern {
    /// Reads a pattern; `None`: it is none. It has no port.
    pub fn parse(text: &str) -> Option<Self> {
        let dotted = text.strip_prefix('*').filter(|rest| rest.starts_with('.'));
        let host = dotted.map_or(text, |domain| domain.get(1..).unwrap_or_default());
        let name = dotted.unwrap_or(text).to_ascii_lowercase();
        is_name(host).then_some(Self { name })
    }

    /// Whether a name, as [`requested`] gives it, is this host or one below this domain.
    pub fn matches(&self, host: &str) -> bool {
        host == self.name || (self.is_domain() && host.ends_with(&self.name))
    }

    /// Whether every host that `other` matches is matched by this too.
    pub fn covers(&self, other: &Self) -> bool {
        self.matches(&other.name)
    }

    /// Its name in lower case. That of a domain begins with a dot.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn is_domain(&self) -> bool {
        self.name.starts_with('.')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(headers: &[(&str, &[u8])]) -> Option<String> {
        let pairs = headers.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), value.to_vec()));
        requested(&RequestHead::new(pairs))
    }

    #[test]
    fn every_spelling_of_a_host_has_one_name() {
        for authority in [
            "n8n.example.com",
            "N8N.Example.COM",
            "n8n.example.com.",
            "n8n.example.com:443",
            "n8n.example.com.:8443",
            "n8n.example.com:",
        ] {
            let name = named(&[(":authority", authority.as_bytes())]);
            assert_eq!(name.as_deref(), Some("n8n.example.com"), "{authority}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_host() {
        for authority in [
            &b""[..],
            b".",
            b":443",
            b"user@n8n.example.com",
            b"n8n.example.com:443@other.example",
            b"n8n.example.com:x",
            b"n8n.example.com:443:443",
            b"n8n.example.com..",
            b"n8n..example.com",
            b" n8n.example.com",
            b"n8n.example.com, other.example",
            b"n8n.example.com/x",
            b"n8n%2eexample.com",
            b"n8n.example.com\0",
            b"n8n.exampl\xc3\xa9.com",
            b"\xff",
            b"[::1]:443",
        ] {
            assert_eq!(named(&[(":authority", authority)]), None, "{authority:?}");
        }
        assert_eq!(named(&[(":authority", &[b'a'; 254])]), None);
    }

    #[test]
    fn two_hosts_are_none_and_what_a_proxy_forwarded_is_not_looked_at() {
        let authority = (":authority", &b"a.example"[..]);
        let forwarded = ("x-forwarded-host", &b"b.example"[..]);
        assert_eq!(named(&[authority, ("host", b"b.example")]), None);
        assert_eq!(named(&[authority, authority]).as_deref(), Some("a.example"));
        assert_eq!(named(&[authority, forwarded]).as_deref(), Some("a.example"));
        assert_eq!(named(&[forwarded]), None);
        assert_eq!(named(&[]), None);
    }

    #[test]
    fn a_pattern_matches_a_host_or_all_below_a_domain() {
        let matches = |pattern, host| HostPattern::parse(pattern).unwrap().matches(host);
        assert!(matches("N8N.example.com", "n8n.example.com"));
        assert!(!matches("n8n.example.com", "x.n8n.example.com"));
        assert!(!matches("n8n.example.com", "xn8n.example.com"));
        assert!(matches("*.Example.com", "n8n.example.com"));
        assert!(matches("*.example.com", "a.b.example.com"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(!matches("*.example.com", "badexample.com"));
        assert!(!matches("*.example.com", "example.com.evil.test"));
    }

    #[test]
    fn what_is_no_host_is_no_pattern() {
        for text in [
            "",
            "*",
            "*.",
            "a.*",
            "*a.example",
            "a.example:443",
            "a..b",
            "https://a.b",
        ] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_domain_covers_the_hosts_and_domains_below_it() {
        let covers = |wide, narrow| {
            let [wide, narrow] = [wide, narrow].map(|text| HostPattern::parse(text).unwrap());
            wide.covers(&narrow)
        };
        assert!(covers("*.example.com", "n8n.example.com"));
        assert!(covers("*.example.com", "*.a.example.com"));
        assert!(covers("*.example.com", "*.EXAMPLE.com"));
        assert!(!covers("*.a.example.com", "*.example.com"));
        assert!(!covers("n8n.example.com", "*.n8n.example.com"));
        assert!(!covers("*.n8n.example.com", "n8n.example.com"));
    }

    #[test]
    fn a_name_may_have_hyphens_and_underscores_and_253_bytes() {
        for name in ["my-n8n_1.example.com", "_", "-", "a"] {
            let found = named(&[(":authority", name.as_bytes())]);
            assert_eq!(found.as_deref(), Some(name));
        }
        let of_length = |length: usize| {
            let mut name = "a.".repeat(length / 2);
            name.push_str(if length.is_multiple_of(2) { "aa" } else { "a" });
            name.truncate(length);
            name
        };
        let longest = of_length(MAX_NAME);
        assert_eq!(longest.len(), MAX_NAME);
        let found = named(&[(":authority", longest.as_bytes())]);
        assert_eq!(found, Some(longest));
        let longer = format!("a{}", of_length(MAX_NAME));
        assert_eq!(named(&[(":authority", longer.as_bytes())]), None);
    }

    /// `*example.com` would be every host whose name ends so, `evilexample.com` among them.
    #[test]
    fn a_star_stands_for_whole_labels() {
        assert!(HostPattern::parse("*.example.com").is_some());
        for text in [
            "*example.com",
            "*",
            "*.",
            "*.*",
            "a*.example.com",
            "*.*.example.com",
        ] {
            assert_eq!(HostPattern::parse(text), None, "{text}");
        }
    }
}
