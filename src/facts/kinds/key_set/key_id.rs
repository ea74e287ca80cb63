//! The digests of key ids.

use hmac_sha256::Hash;

use crate::token::TokenDigest;

/// Stands for the key that a token names: for its `kid`, which is a text of any length that a client
/// chose, or for the token, where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyIdDigest([u8; 16]);

impl KeyIdDigest {
    /// The digest of a `kid`. An attacker cannot find another text with the digest of a real key id, to
    /// have it taken for unknown.
    pub fn of(key_id: &str) -> Self {
        Self::of_bytes(&Hash::hash(key_id.as_bytes()))
    }

    /// What stands for the key of a token without a `kid`.
    pub fn of_token(token: &TokenDigest) -> Self {
        Self::of_bytes(token.bytes())
    }

    fn of_bytes(whole: &[u8; 32]) -> Self {
        let mut digest = [0; 16];
        digest
            .iter_mut()
            .zip(whole)
            .for_each(|(kept, byte)| *kept = *byte);
        Self(digest)
    }

    /// The same as a number.
    pub(in crate::facts) const fn number(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// The digest that is this number.
    pub(super) const fn numbered(number: u128) -> Self {
        Self(number.to_be_bytes())
    }
}
