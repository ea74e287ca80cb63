//! A verified token: verified by its signature, or by the introspection response of its provider.
//! Only [`VerifiedToken::verify`] and [`VerifiedToken::introspected`] make one.

#[cfg(not(target_arch = "wasm32"))]
mod checks;
mod introspected;
mod signed;

#[cfg(not(target_arch = "wasm32"))]
pub use checks::TokenCheck;
pub(super) use signed::{allowed_algorithm, check_signature};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::claims::{audiences, text};
use super::times::Times;
use super::{Binding, ResponseKind, TokenFault, TokenRules};
use crate::crypto::{Algorithm, CryptoPath, KeySet, PublicKey};
use crate::formats::json::{Document, Object, Value};
use crate::time::UnixSeconds;

/// A token that passed all checks, of its signature or of its provider's introspection response.
#[derive(Clone)]
pub struct VerifiedToken {
    issuer: Arc<str>,
    claims: Arc<Document>,
    /// Whether its `jti` shows an opaque token, or a part of it.
    id_shows_token: bool,
    /// What it is bound to; `None`: it is a bearer token.
    binding: Option<Binding>,
    times: Times,
    clock_skew: Duration,
    /// The kind of the response that the claims come from; `None`: they are signed.
    response_kind: Option<ResponseKind>,
    /// `None`: it was verified by introspection.
    signature: Option<Signature>,
    /// From when to when the token status of the provider counts, if it was asked.
    status_term: Option<(UnixSeconds, UnixSeconds)>,
    /// What the introspection response about a signed token adds to its claims.
    confirmation: Option<Arc<Confirmation>>,
    keeps_rfc_9068: bool,
    hint: Option<&'static str>,
}

/// What the introspection response about a signed token says about the caller (RFC 7662 §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// `client_id`.
    pub client: Option<String>,
    /// It names a resource owner (`username`).
    pub has_owner: bool,
}

/// A signature that is good.
#[derive(Clone, Debug)]
struct Signature {
    algorithm: Algorithm,
    key: Arc<PublicKey>,
    /// Whether the token names that very key.
    names_its_key: bool,
    crypto_path: CryptoPath,
}

impl VerifiedToken {
    /// Whether the token is still good: the key of its signature is still in use, the token status of
    /// the provider still counts, and its times still hold. Nothing else that was checked can change.
    pub fn still_holds(&self, keys: Option<&KeySet>, now: UnixSeconds) -> bool {
        // Without a key id in the token and in the key, the key that fits depends on the others.
        let in_use = |signature: &Signature| {
            signature.names_its_key && keys.is_some_and(|keys| keys.contains(&signature.key))
        };
        self.signature.as_ref().is_none_or(in_use)
            && self
                .status_term
                .is_none_or(|(since, until)| since <= now && now < until)
            && self.times.check(self.clock_skew, now).is_ok()
    }

    /// Drops the claims, which take more memory than everything else.
    #[must_use]
    pub fn without_claims(mut self) -> Self {
        self.claims = Document::empty();
        self.confirmation = None;
        self
    }

    /// `iss`.
    pub const fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// What the token is bound to; `None`: it is a bearer token. A bound token alone proves nothing.
    pub const fn binding(&self) -> Option<&Binding> {
        self.binding.as_ref()
    }

    /// Every claim.
    pub const fn claims(&self) -> &Arc<Document> {
        &self.claims
    }

    /// Whether `jti` shows an opaque token, or a part of it: it tells which token is meant, and must be
    /// neither kept nor logged.
    pub const fn id_shows_token(&self) -> bool {
        self.id_shows_token
    }

    /// Whether the token's `typ` says that it keeps RFC 9068.
    pub const fn keeps_rfc_9068(&self) -> bool {
        self.keeps_rfc_9068
    }

    /// What may be wrong with the token, for the audit record.
    pub const fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    /// The kind of the response that the claims come from; `None`: the token is signed, and they are
    /// its own.
    pub const fn response_kind(&self) -> Option<ResponseKind> {
        self.response_kind
    }

    /// What the introspection response about a signed token says about the caller.
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_deref()
    }

    /// `iat`.
    pub const fn issued(&self) -> Option<UnixSeconds> {
        self.times.issued
    }

    /// `sid`: the session at the provider (OpenID Connect Back-Channel Logout 1.0 §2.1).
    pub fn session(&self) -> Option<&str> {
        self.claims.get("sid").and_then(Value::as_str)
    }

    /// `exp`. The token holds until then, plus the allowed clock skew.
    pub const fn expires(&self) -> UnixSeconds {
        self.times.expires
    }

    /// The algorithm of the signature, if there is one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.signature.as_ref().map(|signature| signature.algorithm)
    }

    /// `kid` of the key that the signature was good under.
    pub fn key_id(&self) -> Option<&str> {
        self.signature.as_ref()?.key.key_id()
    }

    /// What checked the signature, if there is one.
    pub fn crypto_path(&self) -> Option<CryptoPath> {
        self.signature
            .as_ref()
            .map(|signature| signature.crypto_path)
    }
}

/// Leaves the claims out: they are a person's data, and long.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifiedToken")
            .field("issuer", &self.issuer)
            .field("expires", &self.times.expires)
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id())
            .field("crypto_path", &self.crypto_path())
            .field("status_term", &self.status_term)
            .finish_non_exhaustive()
    }
}

/// `aud` is a string or an array of strings, and one of them must be an audience of the provider
/// (RFC 7519 §4.1.3). Only if it names no audience is the claim read that the configuration names
/// for that case. Ory Hydra writes an empty array for clients that ask for no audience; an empty
/// string and `null` name none either.
fn check_audience(claims: Object<'_>, rules: &TokenRules) -> Result<(), TokenFault> {
    let is_ours = |audience: &str| rules.audiences.contains(audience);
    let named = audiences(claims);
    let found = if named.iter().all(|audience| audience == "") {
        let name = rules.audience_claim.ok_or(TokenFault::AudienceMissing)?;
        is_ours(text(claims, name)?.ok_or(TokenFault::AudienceMissing)?)
    } else {
        let mut found = false;
        for value in named.iter() {
            let wrong_type = TokenFault::ClaimOfWrongType("aud");
            found |= is_ours(value.as_str().ok_or(wrong_type)?);
        }
        found
    };
    found.then_some(()).ok_or(TokenFault::WrongAudience)
}

#[cfg(test)]
mod tests;
