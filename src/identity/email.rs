//! E-mail addresses.

/// The domain of an address with exactly one `@`. `a@evil.example@example.com` has none: readers
/// disagree on where it belongs, and that disagreement is an attack.
pub fn domain_of(address: &str) -> Option<&str> {
    let (local, domain) = address.split_once('@')?;
    let sound = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
    sound.then_some(domain)
}
