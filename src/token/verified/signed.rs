//! Signed tokens: JWTs.

use std::sync::Arc;

use super::{check_audience, Signature, VerifiedToken};
use crate::crypto::{Algorithm, Candidates, KeySet, PublicKey, SignatureVerifier, Verification};
use crate::time::UnixSeconds;
use crate::token::claims::text;
use crate::token::times::Times;
use crate::token::{issuer, kind, Binding, TokenFault, TokenRules, UntrustedToken};

impl VerifiedToken {
    /// Verifies a token against the rules and keys of the provider that its issuer belongs to.
    ///
    /// This does not check that `iss` is the provider's: `rules` and `keys` must have been chosen by
    /// the exact [`UntrustedToken::claimed_issuer`] (RFC 8725 §3.8).
    ///
    /// All that needs no signature is checked first: a signature check is the one costly step, and
    /// nothing can interrupt it.
    pub fn verify(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        keys: &KeySet,
        crypto: &dyn SignatureVerifier,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let Unsigned {
            algorithm,
            kind,
            binding,
            times,
        } = check_unsigned(token, rules, now)?;
        let (key, verification) = check_signature(token, algorithm, rules, keys, crypto)?;
        Ok(Self {
            response_kind: None,
            issuer: token.claimed_issuer().into(),
            claims: Arc::clone(token.shared_claims()),
            binding,
            times,
            clock_skew: rules.clock_skew,
            signature: Some(Signature {
                algorithm,
                key: Arc::clone(key),
                names_its_key: token.key_id().is_some() && token.key_id() == key.key_id(),
                crypto_path: verification.path,
            }),
            status_term: None,
            confirmation: None,
            keeps_rfc_9068: kind.keeps_rfc_9068,
            hint: kind.hint,
            id_shows_token: false,
        })
    }

    /// Checks all that needs no key: a token that fails here would be refused with any key.
    pub fn check_without_keys(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<(), TokenFault> {
        check_unsigned(token, rules, now).map(|_| ())
    }
}

/// What is known of a token before its signature is checked.
struct Unsigned {
    algorithm: Algorithm,
    kind: kind::AccessToken,
    binding: Option<Binding>,
    times: Times,
}

/// Checks all that can be checked without a key.
fn check_unsigned(
    token: &UntrustedToken<'_>,
    rules: &TokenRules,
    now: UnixSeconds,
) -> Result<Unsigned, TokenFault> {
    let claims = token.claims();
    let algorithm = allowed_algorithm(token, rules)?;
    let kind = kind::check(token, rules)?;
    let binding = Binding::read(claims)?;
    for name in ["sub", "jti"] {
        text(claims, name)?;
    }
    check_audience(claims, rules)?;
    let times = Times::read(claims)?;
    times.check(rules.clock_skew, now)?;
    Ok(Unsigned {
        algorithm,
        kind,
        binding,
        times,
    })
}

/// The algorithm of a token, if its provider may use it.
pub(in crate::token) fn allowed_algorithm(
    token: &UntrustedToken<'_>,
    rules: &TokenRules,
) -> Result<Algorithm, TokenFault> {
    token
        .algorithm()
        .filter(|algorithm| rules.algorithms.contains(algorithm))
        .ok_or_else(|| TokenFault::AlgorithmNotAllowed(token.algorithm_name()))
}

/// Finds the key that the signature is good under.
pub(in crate::token) fn check_signature<'k>(
    token: &UntrustedToken<'_>,
    algorithm: Algorithm,
    rules: &TokenRules,
    keys: &'k KeySet,
    crypto: &dyn SignatureVerifier,
) -> Result<(&'k Arc<PublicKey>, Verification), TokenFault> {
    let candidates = match keys.candidates(algorithm, token.key_id()) {
        Candidates::Keys(candidates) => candidates,
        Candidates::Revoked => return Err(TokenFault::RevokedKey),
        Candidates::UnknownKeyId => {
            let skipped = token.key_id().and_then(|key_id| keys.skip_reason(key_id));
            return Err(TokenFault::UnknownKeyId(skipped));
        }
        Candidates::NoneFits => return Err(TokenFault::NoKeyFits),
    };
    let mut fault = TokenFault::KeyOfAnotherIssuer;
    for key in candidates {
        if !issuer::may_sign(key, token, rules) {
            continue;
        }
        let check = crypto.verify(key, algorithm, token.signing_input(), token.signature());
        if check.valid {
            return Ok((key, check));
        }
        fault = TokenFault::BadSignature;
    }
    Err(fault)
}
