//! Tokens of providers in place of an API key.

use crate::identity::Dialect;
use crate::policy::Policy;
use crate::token::{ApiKeyForm, CompactToken, UntrustedToken};

/// The issuer of Entra's tokens of version 1.0.
const ENTRA_1: &str = "sts.windows.net";

/// Whether a value is a token of a configured provider, or one that is encrypted or broken, as no
/// API key is. A JWT of an issuer that resembles no configured one is left to n8n, and so is every
/// value in an unknown form.
pub(super) fn is_token(policy: &Policy, value: &[u8]) -> bool {
    // A value with a scheme, in quotes or joined from several is no API key either, and may hold a
    // token.
    let separates = |byte: &u8| byte.is_ascii_whitespace() || b",\"'`".contains(byte);
    let texts = value.split(separates).map(std::str::from_utf8);
    texts.flatten().any(|text| match ApiKeyForm::of(text) {
        ApiKeyForm::Key(_) | ApiKeyForm::Unnamed => false,
        ApiKeyForm::Unreadable => true,
        ApiKeyForm::Token(token) => is_near(policy, &token),
        ApiKeyForm::Opaque => has_prefix(policy, text),
    })
}

/// The token of a provider in the place of an API key, if it could be sent as a bearer token as it is:
/// a JWT of a configured issuer, or an opaque token with the prefix of a provider. Nothing of it is
/// verified.
pub(super) fn token_of<'r>(policy: &Policy, value: &'r [u8]) -> Option<CompactToken<'r>> {
    let token = CompactToken::of(value.trim_ascii())?;
    let text = token.expose();
    let is_its = match ApiKeyForm::of(text) {
        ApiKeyForm::Token(token) => policy.issuers.provider_of(&token).is_some(),
        ApiKeyForm::Opaque => has_prefix(policy, text),
        ApiKeyForm::Key(_) | ApiKeyForm::Unnamed | ApiKeyForm::Unreadable => false,
    };
    is_its.then_some(token)
}

fn has_prefix(policy: &Policy, text: &str) -> bool {
    let providers = policy.providers.iter();
    let mut prefixes = providers
        .filter_map(|provider| provider.introspection.as_ref())
        .flat_map(|asked| &asked.token_prefixes);
    prefixes.any(|prefix| text.starts_with(prefix.as_str()))
}

/// Whether a token's `iss` is of a configured provider, or resembles one: another spelling, realm,
/// tenant or version at the same host. The `iss` is not trusted here: the request is only refused.
fn is_near(policy: &Policy, token: &UntrustedToken<'_>) -> bool {
    let issuer = token.claimed_issuer();
    let own = host(issuer);
    let is_at_its_host = |issuer: &str| own.eq_ignore_ascii_case(host(issuer));
    let has_entra = || {
        let mut providers = policy.providers.iter();
        providers.any(|provider| provider.identity.dialect == Dialect::Entra)
    };
    policy.issuers.contains(issuer)
        || policy
            .issuers
            .iter()
            .any(|(known, _)| is_at_its_host(known))
        || policy.issuers.hint(issuer).is_some()
        || (own.eq_ignore_ascii_case(ENTRA_1) && has_entra())
}

/// The host of an issuer with or without a scheme, its port if it is not the usual one.
fn host(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest.get(..end).unwrap_or(rest);
    let bare = host.strip_suffix(":443").or(host.strip_suffix(":80"));
    bare.unwrap_or(host).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_has_one_host_however_it_is_written() {
        for issuer in [
            "https://idp.example",
            "http://idp.example/",
            "idp.example/realms/a",
            "https://idp.example:443/a?b#c",
            "https://idp.example.",
            "https://idp.example#x",
        ] {
            assert_eq!(host(issuer), "idp.example", "{issuer}");
        }
        assert_eq!(host("https://idp.example:8443/"), "idp.example:8443");
        assert_eq!(host(""), "");
    }
}
