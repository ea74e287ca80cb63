//! A token that was verified. Only [`VerifiedToken::verify`] makes one.

use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::numeric_date::numeric_date;
use super::{kind, TokenFault, UntrustedToken};
use crate::crypto::{
    Algorithm, Candidates, CryptoPath, KeySet, PublicKey, SignatureVerifier, Verification,
};
use crate::policy::TokenRules;
use crate::time::UnixSeconds;

/// A token whose signature and claims hold.
#[derive(Clone)]
pub struct VerifiedToken {
    issuer: String,
    audience: String,
    claims: Map<String, Value>,
    expires: UnixSeconds,
    algorithm: Algorithm,
    key_id: Option<String>,
    crypto_path: CryptoPath,
}

impl VerifiedToken {
    /// Verifies a token against the rules and keys of the provider that its issuer belongs to.
    ///
    /// That `iss` is the provider's is the caller's part: it chose `rules` and `keys` by the exact
    /// [`UntrustedToken::claimed_issuer`] (RFC 8725 §3.8).
    ///
    /// Whatever can be known without a signature is checked first: a signature check is the one
    /// costly step, and nothing can interrupt it.
    pub fn verify(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        keys: &KeySet,
        crypto: &dyn SignatureVerifier,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let claims = token.claims();
        let algorithm = allowed_algorithm(token, rules)?;
        kind::check(token, rules.typ)?;
        if claims.contains_key("cnf") {
            return Err(TokenFault::SenderConstrained);
        }
        for name in ["sub", "jti"] {
            text(claims, name)?;
        }
        let audience = our_audience(claims, rules)?;
        let expires = check_times(claims, rules, now)?;
        let (key, verification) = check_signature(token, algorithm, keys, crypto)?;
        Ok(Self {
            issuer: token.claimed_issuer().to_owned(),
            audience: audience.to_owned(),
            claims: claims.clone(),
            expires,
            algorithm,
            key_id: key.key_id().map(str::to_owned),
            crypto_path: verification.path,
        })
    }

    /// `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The one of the allowed audiences that `aud` holds; the first of several.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Every claim.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `exp`. The token holds until then, plus the allowed clock skew.
    pub const fn expires(&self) -> UnixSeconds {
        self.expires
    }

    /// The algorithm of the signature.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `kid` of the key that the signature was good under.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Who checked the signature.
    pub const fn crypto_path(&self) -> CryptoPath {
        self.crypto_path
    }
}

/// Leaves the claims out: they are a person's data, and long.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifiedToken")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("expires", &self.expires)
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .field("crypto_path", &self.crypto_path)
            .finish_non_exhaustive()
    }
}

fn allowed_algorithm(
    token: &UntrustedToken<'_>,
    rules: &TokenRules,
) -> Result<Algorithm, TokenFault> {
    let claimed = token.algorithm();
    claimed
        .filter(|algorithm| rules.algorithms.contains(algorithm))
        .ok_or(TokenFault::AlgorithmNotAllowed(claimed))
}

/// A claim that is a string where it is present.
fn text<'c>(
    claims: &'c Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'c str>, TokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenFault::ClaimOfWrongType(name)),
    }
}

/// `aud` is a string or an array of strings, and one of them must be ours (RFC 7519 §4.1.3).
fn our_audience<'c>(
    claims: &'c Map<String, Value>,
    rules: &TokenRules,
) -> Result<&'c str, TokenFault> {
    let wrong_type = TokenFault::ClaimOfWrongType("aud");
    let named = match claims.get("aud") {
        None => return Err(TokenFault::AudienceMissing),
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
    };
    let mut ours = None;
    for value in named {
        let audience = value.as_str().ok_or(wrong_type)?;
        if rules.audiences.contains(audience) {
            ours = ours.or(Some(audience));
        }
    }
    ours.ok_or(TokenFault::WrongAudience)
}

/// Checks `exp`, `nbf` and `iat` (RFC 7519 §4.1.4 to §4.1.6) and returns the expiry.
fn check_times(
    claims: &Map<String, Value>,
    rules: &TokenRules,
    now: UnixSeconds,
) -> Result<UnixSeconds, TokenFault> {
    let expires = numeric_date(claims, "exp")?.ok_or(TokenFault::ExpiryMissing)?;
    let not_before = numeric_date(claims, "nbf")?;
    let issued = numeric_date(claims, "iat")?;
    let latest_now = now.saturating_add(rules.clock_skew);
    if now >= expires.saturating_add(rules.clock_skew) {
        return Err(TokenFault::Expired);
    }
    if not_before.is_some_and(|moment| moment > latest_now) {
        return Err(TokenFault::NotYetValid);
    }
    if issued.is_some_and(|moment| moment > latest_now) {
        return Err(TokenFault::IssuedInTheFuture);
    }
    if issued.is_some_and(|moment| moment > expires) {
        return Err(TokenFault::IssuedAfterExpiry);
    }
    Ok(expires)
}

/// Finds the key that the signature is good under.
fn check_signature<'k>(
    token: &UntrustedToken<'_>,
    algorithm: Algorithm,
    keys: &'k KeySet,
    crypto: &dyn SignatureVerifier,
) -> Result<(&'k Rc<PublicKey>, Verification), TokenFault> {
    let candidates = match keys.candidates(algorithm, token.key_id()) {
        Candidates::Keys(candidates) => candidates,
        Candidates::UnknownKeyId => return Err(TokenFault::UnknownKeyId),
        Candidates::NoneFits => return Err(TokenFault::NoKeyFits),
    };
    candidates
        .into_iter()
        .map(|key| {
            let check = crypto.verify(key, algorithm, token.signing_input(), token.signature());
            (key, check)
        })
        .find(|(_, verification)| verification.valid)
        .ok_or(TokenFault::BadSignature)
}

#[cfg(test)]
mod tests;
