//! A token that was verified. Only [`VerifiedToken::verify`] makes one.

use serde_json::{Map, Value};

use super::{TokenFault, UntrustedToken};
use crate::crypto::{CryptoPath, KeySet, SignatureVerifier};
use crate::policy::TokenRules;
use crate::time::UnixSeconds;

/// A token whose signature and claims hold.
#[derive(Clone, Debug)]
pub struct VerifiedToken {
    issuer: String,
    claims: Map<String, Value>,
    expires: UnixSeconds,
    crypto_path: CryptoPath,
}

impl VerifiedToken {
    /// Verifies a token against the rules and keys of the provider that its issuer belongs to.
    pub fn verify(
        _token: &UntrustedToken<'_>,
        _rules: &TokenRules,
        _keys: &KeySet,
        _crypto: &dyn SignatureVerifier,
        _now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        Err(TokenFault::NotAJws)
    }

    /// `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Every claim.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `exp`.
    pub const fn expires(&self) -> UnixSeconds {
        self.expires
    }

    /// Who checked the signature.
    pub const fn crypto_path(&self) -> CryptoPath {
        self.crypto_path
    }
}
