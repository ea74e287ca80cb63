//! A provider's published keys (RFC 7517 §5), reduced to those that can check a token.

use thiserror::Error;

use super::Algorithm;

/// The usable keys of one JWK set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

/// One key that can check signatures.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey {}

/// Which keys of a set may have signed a token.
#[derive(Debug)]
pub enum Candidates<'k> {
    /// These may have; a signature must be good under one of them.
    Keys(Vec<&'k PublicKey>),
    /// No key has the token's `kid`: the set may be out of date.
    UnknownKeyId,
    /// There is a key with that `kid`, but not for that `alg`, or too many keys fit.
    NoneFits,
}

/// Why a document is no key set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeySetFault {
    /// Not JSON, or not an object with an array `keys`.
    #[error("the document is not a JWK set")]
    NotAKeySet,
}

impl KeySet {
    /// Reads a JWK set.
    pub fn parse(_document: &[u8]) -> Result<Self, KeySetFault> {
        Err(KeySetFault::NotAKeySet)
    }

    /// The keys that may have signed a token with this header.
    pub fn candidates(&self, _algorithm: Algorithm, _key_id: Option<&str>) -> Candidates<'_> {
        let _ = &self.keys;
        Candidates::UnknownKeyId
    }
}
