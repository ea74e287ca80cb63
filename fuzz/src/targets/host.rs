//! Reads the host that a request is for, and a host pattern.
//!
//! Two lines: the authority, and the pattern.

use n8n_idp_gate::http::hostname::requested;
use n8n_idp_gate::http::HostPattern;
use n8n_idp_gate::http::RequestHead;

/// The target.
pub fn run(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let authority = lines.next().unwrap_or_default();
    let pattern = std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let host = of(&[authority]);
    if let Some(host) = &host {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        assert!(host.len() <= 253 && host.bytes().all(is_plain), "{host:?}");
        assert!(
            !host.starts_with('.') && !host.ends_with('.') && !host.contains(".."),
            "{host}"
        );
        for spelling in [
            host.clone(),
            host.to_uppercase(),
            format!("{host}."),
            format!("{host}:8443"),
            format!("{host}.:1"),
        ] {
            assert_eq!(
                of(&[spelling.as_bytes()]).as_ref(),
                Some(host),
                "{spelling}"
            );
        }
        assert_eq!(
            of(&[authority, b"another.example"]),
            None,
            "two hosts in one request"
        );
        assert_eq!(of(&[authority, authority]).as_ref(), Some(host));
    }
    let Some(pattern) = HostPattern::parse(pattern) else {
        return;
    };
    let name = pattern.name();
    let (is_domain, domain) = (name.starts_with('.'), name.trim_start_matches('.'));
    assert!(
        pattern.covers(&pattern) || is_domain,
        "a host does not match itself"
    );
    assert!(
        !is_domain || !pattern.matches(domain),
        "a domain matches itself"
    );
    assert_eq!(pattern.matches(&format!("x.{domain}")), is_domain, "{name}");
    assert!(
        !pattern.matches(&format!("x{domain}")),
        "a name that ends alike matches"
    );
    if let Some(host) = host.filter(|host| pattern.matches(host)) {
        let below = host.strip_suffix(domain).expect("the end of the pattern");
        assert_eq!(below.ends_with('.'), is_domain, "{host} {name}");
        assert!(below.is_empty() || is_domain, "{host} {name}");
    }
}

fn of(authorities: &[&[u8]]) -> Option<String> {
    let names = [":authority", "host"].into_iter();
    let pairs = names
        .zip(authorities)
        .map(|(name, value)| (name.to_owned(), value.to_vec()));
    requested(&RequestHead::new(pairs))
}
