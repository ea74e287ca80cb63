//! A provider's published keys (RFC 7517 §5), reduced to those that can check a token.

use std::rc::Rc;

use serde_json::value::RawValue;
use thiserror::Error;

use super::{jwk, Algorithm, PublicKey, SkipReason};
use crate::json::{self, JsonFault};

/// The longest key set that is read. The longest that were seen have some 30 KiB.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// The most keys that a set may have. Checking points and moduli takes time that nothing can
/// interrupt.
pub const MAX_KEYS: usize = 100;

/// How deep what stands beside the keys may be nested.
const MAX_DEPTH: usize = 16;

/// The most keys that one token is tried with: each costs a signature check.
pub const MAX_CANDIDATES: usize = 4;

/// The usable keys of one JWK set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeySet {
    keys: Vec<Rc<PublicKey>>,
    skipped: Vec<SkippedKey>,
    revoked: Vec<String>,
}

/// A key of a set that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in the set, from 0.
    pub index: usize,
    /// Why.
    pub reason: SkipReason,
}

/// Which keys of a set may have signed a token.
#[derive(Debug, PartialEq)]
pub enum Candidates<'k> {
    /// These may have; a signature must be good under one of them.
    Keys(Vec<&'k Rc<PublicKey>>),
    /// The operator revoked keys with the token's `kid`, whatever is published.
    Revoked,
    /// No key has the token's `kid`: the set may be out of date.
    UnknownKeyId,
    /// There is a key with that `kid`, but not for that `alg`, or too many keys fit.
    NoneFits,
}

/// Why a document is no key set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeySetFault {
    /// Longer than [`MAX_KEY_SET_BYTES`], or with more than [`MAX_KEYS`] keys.
    #[error("the document is too large for a JWK set")]
    TooLarge,
    /// Not JSON: most often an error page.
    #[error("the document is not JSON")]
    NotJson,
    /// Not an object with an array `keys`.
    #[error("the document is not a JWK set")]
    NotAKeySet,
    /// Two members of one name outside the keys: two readers could find two sets in it.
    #[error("the JWK set has two members of one name")]
    DuplicateMember,
    /// A set without keys. The provider withdrew them all, so none may be used any longer.
    #[error("the JWK set is empty")]
    Empty,
    /// A set with keys, none of which can check a token.
    #[error("the JWK set has no usable key")]
    NoUsableKey(Vec<SkippedKey>),
}

impl KeySetFault {
    /// The stable name used in logs and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::NotAKeySet => "not_a_key_set",
            Self::DuplicateMember => "duplicate_member",
            Self::Empty => "empty",
            Self::NoUsableKey(_) => "no_usable_key",
        }
    }
}

impl KeySet {
    /// Reads a JWK set. Each key stands for itself: one that cannot be used is skipped and told
    /// in [`Self::skipped`], whatever is wrong with it.
    pub fn parse(document: &[u8]) -> Result<Self, KeySetFault> {
        let mut set = Self::default();
        for (index, jwk) in jwks(document)?.into_iter().enumerate() {
            match jwk::parse(jwk.get()) {
                Ok(key) => set.keys.push(Rc::new(key)),
                Err(reason) => set.skipped.push(SkippedKey { index, reason }),
            }
        }
        match (set.keys.is_empty(), set.skipped.is_empty()) {
            (false, _) => Ok(set),
            (true, true) => Err(KeySetFault::Empty),
            (true, false) => Err(KeySetFault::NoUsableKey(set.skipped)),
        }
    }

    /// The usable keys, in the order of the set.
    pub fn keys(&self) -> &[Rc<PublicKey>] {
        &self.keys
    }

    /// Whether this key, or one that is equal to it, is in the set. What a key vouched for counts
    /// no longer than that.
    pub fn contains(&self, key: &Rc<PublicKey>) -> bool {
        let same = |other: &Rc<PublicKey>| Rc::ptr_eq(other, key);
        // Keys that stay through a refresh are the very same ones.
        self.keys.iter().any(same) || self.keys.contains(key)
    }

    /// A set of these keys, but for those with a `kid` that is revoked.
    pub fn of(mut keys: Vec<Rc<PublicKey>>, revoked: &[String]) -> Self {
        keys.retain(|key| !key.key_id().is_some_and(|id| is_among(id, revoked)));
        Self {
            keys,
            skipped: Vec::new(),
            revoked: revoked.to_vec(),
        }
    }

    /// The keys that were left out, in the order of the set.
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The keys that may have signed a token with this header: those of its `kid` **and** of a
    /// type, curve, use and `alg` that fit (RFC 8725 §3.1).
    ///
    /// - The token has a `kid`: keys with exactly that `kid`. Only if there are none, keys that
    ///   have no `kid` at all, since one of them may be meant.
    /// - It has none: every key that fits. OpenID Connect Core 1.0 §10.1 wants a `kid` where
    ///   several keys are published, so more than [`MAX_CANDIDATES`] are not tried.
    pub fn candidates(&self, algorithm: Algorithm, key_id: Option<&str>) -> Candidates<'_> {
        let Some(key_id) = key_id else {
            return fitting(self.keys.iter(), algorithm);
        };
        // A key without a `kid` must not stand in for one that was revoked.
        if is_among(key_id, &self.revoked) {
            return Candidates::Revoked;
        }
        let with_key_id = |wanted: Option<&str>| {
            let keys = self.keys.iter();
            keys.filter(move |key| key.key_id() == wanted)
                .collect::<Vec<_>>()
        };
        let named = with_key_id(Some(key_id));
        if !named.is_empty() {
            return fitting(named, algorithm);
        }
        let nameless = with_key_id(None);
        if nameless.iter().any(|key| key.fits(algorithm)) {
            fitting(nameless, algorithm)
        } else {
            Candidates::UnknownKeyId
        }
    }
}

fn is_among(key_id: &str, revoked: &[String]) -> bool {
    revoked.iter().any(|one| one == key_id)
}

fn fitting<'k>(
    keys: impl IntoIterator<Item = &'k Rc<PublicKey>>,
    algorithm: Algorithm,
) -> Candidates<'k> {
    let keys: Vec<_> = keys.into_iter().filter(|key| key.fits(algorithm)).collect();
    match keys.len() {
        1..=MAX_CANDIDATES => Candidates::Keys(keys),
        _ => Candidates::NoneFits,
    }
}

/// The texts of the keys. They are read one by one later, so that a fault of one, be it in its
/// very JSON structure, is not a fault of the set.
fn jwks(document: &[u8]) -> Result<Vec<&RawValue>, KeySetFault> {
    if document.len() > MAX_KEY_SET_BYTES {
        return Err(KeySetFault::TooLarge);
    }
    let jwks = json::items(document, "keys", MAX_DEPTH)
        .map_err(|fault| match fault {
            JsonFault::NotJson => KeySetFault::NotJson,
            JsonFault::DuplicateMember => KeySetFault::DuplicateMember,
            JsonFault::NotAnObject | JsonFault::TooDeep => KeySetFault::NotAKeySet,
        })?
        .ok_or(KeySetFault::NotAKeySet)?;
    match jwks.len() {
        ..=MAX_KEYS => Ok(jwks),
        _ => Err(KeySetFault::TooLarge),
    }
}

#[cfg(test)]
mod tests;
