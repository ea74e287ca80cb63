//! The rules for the tokens of a provider.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::crypto::Algorithm;

/// The rules that every token of a provider must keep.
#[derive(Clone, Debug)]
pub struct TokenRules {
    /// Every `iss` that the provider signs for.
    pub issuers: Issuers,
    /// `aud` must hold one of these (RFC 7519 §4.1.3). Never empty.
    pub audiences: BTreeSet<String>,
    /// The claim with the audience in tokens without `aud`; `None`: those are refused.
    pub audience_claim: Option<&'static str>,
    /// `alg` must be one of these (RFC 8725 §3.1).
    pub algorithms: Vec<Algorithm>,
    /// How far the provider's clock may differ from that of Envoy.
    pub clock_skew: Duration,
    /// The `typ` of an access token of this provider.
    pub typ: TypRule,
    /// Every access token of this provider has one of these claims, and no ID token has any. Empty:
    /// the vendor does not say so.
    pub client_claims: &'static [&'static str],
}

/// How an access token differs from the provider's other JWTs (RFC 8725 §3.11, §3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypRule {
    /// `typ` must be `at+jwt` (RFC 9068 §4).
    AccessToken,
    /// `typ` may be absent, `JWT` or `at+jwt`; everything that marks another kind of token
    /// (an ID token, a log-out token, a refresh token …) is refused.
    AnyAccessToken,
    /// It may also be an ID token, for providers that have no other JWTs. `typ` may be absent or
    /// `JWT`.
    IdToken,
}

/// The issuers of one provider: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuers {
    /// The one whose discovery document is read: keys may be bound to it. It may hold [`TENANT`].
    ///
    /// [`TENANT`]: super::TENANT
    pub discovery: String,
    /// The others.
    pub others: Vec<String>,
}

impl Issuers {
    #[cfg(test)]
    pub(crate) fn one(issuer: &str) -> Self {
        Self {
            discovery: issuer.to_owned(),
            others: Vec::new(),
        }
    }

    /// Whether this is one of them, byte by byte (RFC 8725 §3.8).
    pub fn contains(&self, issuer: &str) -> bool {
        self.iter().any(|known| known == issuer)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let others = self.others.iter().map(String::as_str);
        std::iter::once(self.discovery.as_str()).chain(others)
    }
}
