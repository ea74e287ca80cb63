//! E-mail addresses.

/// The local part and the domain of an address with exactly one `@`. `a@evil.example@example.com`
/// has none: programs disagree on its domain, and an attacker uses that.
pub fn parts(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.split_once('@')?;
    let is_sound = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
    is_sound.then_some((local, domain))
}

/// The domain of an address, if it has one.
pub fn domain_of(address: &str) -> Option<&str> {
    parts(address).map(|(_, domain)| domain)
}

/// Whether every program reads an address in the same way: visible ASCII, with exactly one `@`.
pub fn is_unambiguous(address: &str) -> bool {
    address.bytes().all(|byte| byte.is_ascii_graphic()) && parts(address).is_some()
}
