//! A provider's published keys (RFC 7517 §5), reduced to those that can check a token.

use std::sync::Arc;

use serde_json::value::RawValue;
use thiserror::Error;

use super::{jwk, Algorithm, PublicKey, SkipReason};
use crate::formats::json::{self, Document, JsonFault, Value};
use crate::formats::printable::quoted;

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
    keys: Vec<Arc<PublicKey>>,
    skipped: Vec<SkippedKey>,
    revoked: Vec<String>,
}

/// A key of a set that is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its index in the set.
    pub index: usize,
    /// Its `kid`, if it can be found.
    pub key_id: Option<String>,
    /// Why.
    pub reason: SkipReason,
}

/// The most keys that a message names.
const MAX_TOLD: usize = 10;

/// Skipped keys, for a log: their `kid` is the provider's text.
pub fn skipped_in_words(skipped: &[SkippedKey]) -> String {
    let mut words: Vec<_> = skipped.iter().take(MAX_TOLD).map(in_words).collect();
    let more = skipped.len().saturating_sub(MAX_TOLD);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join("; ")
}

fn in_words(skipped: &SkippedKey) -> String {
    let SkippedKey { index, reason, .. } = skipped;
    let key_id = skipped.key_id.as_deref();
    let key_id = key_id.map_or_else(String::new, |id| format!(" (kid {})", quoted(id)));
    format!("keys[{index}]{key_id}: {reason}")
}

/// Which keys of a set may have signed a token.
#[derive(Debug, PartialEq)]
pub enum Candidates<'k> {
    /// These may have; a signature must be good under one of them.
    Keys(Vec<&'k Arc<PublicKey>>),
    /// The operator revoked keys with the token's `kid`, whatever is published.
    Revoked,
    /// No key has the token's `kid`: the set may be out of date.
    UnknownKeyId,
    /// There is a key with that `kid`, but not for that `alg`, or too many keys fit.
    NoneFits,
}

/// Why a document is not a key set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeySetFault {
    /// Longer than [`MAX_KEY_SET_BYTES`], or with more than [`MAX_KEYS`] keys.
    #[error("the document is too large for a JWK set")]
    TooLarge,
    /// Not JSON in UTF-8: most often half a document.
    #[error("the document is not JSON in UTF-8")]
    NotJson,
    /// HTML or XML: most often a page for people.
    #[error("the document is a page (HTML or XML), not JSON")]
    Page,
    /// Something else, or a member `keys` that is no array.
    #[error("the document is not a JWK set")]
    NotAKeySet,
    /// An object without `keys`.
    #[error("the document is a JSON object without `keys`")]
    KeysMissing,
    /// An array: RFC 7517 §5 wants it in `keys` of an object.
    #[error("the document is a JSON array, not an object with `keys`")]
    List,
    /// Certificates, as a map of key ids or as PEM.
    #[error("the document holds certificates, not JWKs")]
    Certificates,
    /// One JWK.
    #[error("the document is a single JWK, not a set with `keys`")]
    SingleKey,
    /// A discovery document.
    #[error("the document is a discovery document, not a JWK set")]
    DiscoveryDocument,
    /// Two members of one name outside the keys: two programs could find two sets in it.
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
    /// The stable name in logs and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::Page => "page",
            Self::NotAKeySet => "not_a_key_set",
            Self::KeysMissing => "keys_missing",
            Self::List => "list",
            Self::Certificates => "certificates",
            Self::SingleKey => "single_key",
            Self::DiscoveryDocument => "discovery_document",
            Self::DuplicateMember => "duplicate_member",
            Self::Empty => "empty",
            Self::NoUsableKey(_) => "no_usable_key",
        }
    }
}

impl KeySet {
    /// Reads a JWK set. Each key is read for itself: one that cannot be used, for any reason, is in
    /// [`Self::skipped`].
    pub fn parse(document: &[u8]) -> Result<Self, KeySetFault> {
        let mut set = Self::default();
        for (index, jwk) in jwks(document)?.into_iter().enumerate() {
            match jwk::parse(jwk.get()) {
                Ok(key) => set.keys.push(Arc::new(key)),
                Err(unusable) => set.skipped.push(SkippedKey {
                    index,
                    key_id: unusable.key_id,
                    reason: unusable.reason,
                }),
            }
        }
        match (set.keys.is_empty(), set.skipped.is_empty()) {
            (false, _) => Ok(set),
            (true, true) => Err(KeySetFault::Empty),
            (true, false) => Err(KeySetFault::NoUsableKey(set.skipped)),
        }
    }

    /// The usable keys, in the order of the set.
    pub fn keys(&self) -> &[Arc<PublicKey>] {
        &self.keys
    }

    /// Whether this key, or one that is equal to it, is in the set. A token that it verified is good no
    /// longer than that.
    pub fn contains(&self, key: &Arc<PublicKey>) -> bool {
        let same = |other: &Arc<PublicKey>| Arc::ptr_eq(other, key);
        // Keys that stay through a refresh are the very same ones.
        self.keys.iter().any(same) || self.keys.contains(key)
    }

    /// A set of these keys, but for those with a `kid` that is revoked.
    pub fn of(mut keys: Vec<Arc<PublicKey>>, revoked: &[String]) -> Self {
        keys.retain(|key| !key.key_id().is_some_and(|id| is_among(id, revoked)));
        Self {
            keys,
            skipped: Vec::new(),
            revoked: revoked.to_vec(),
        }
    }

    /// The same set without the keys that the operator revoked.
    #[must_use]
    pub fn revoking(self, revoked: &[String]) -> Self {
        Self::of(self.keys, revoked).without(self.skipped)
    }

    /// The same set, with these skipped keys.
    #[must_use]
    pub fn without(mut self, skipped: Vec<SkippedKey>) -> Self {
        self.skipped = skipped;
        self
    }

    /// Why the key with this `kid` is skipped, if it is.
    pub fn skip_reason(&self, key_id: &str) -> Option<SkipReason> {
        let mut skipped = self.skipped.iter();
        let skipped = skipped.find(|skipped| skipped.key_id.as_deref() == Some(key_id));
        skipped.map(|skipped| skipped.reason)
    }

    /// The skipped keys, in the order of the set.
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
    keys: impl IntoIterator<Item = &'k Arc<PublicKey>>,
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
    let document = json::without_mark(document);
    let jwks = json::items(document, "keys", MAX_DEPTH)
        .map_err(|fault| match fault {
            JsonFault::NotJson => no_json(document),
            JsonFault::DuplicateMember => KeySetFault::DuplicateMember,
            JsonFault::NotAnObject if starts_with(document, b"[") => KeySetFault::List,
            JsonFault::NotAnObject | JsonFault::TooDeep => KeySetFault::NotAKeySet,
        })?
        .ok_or_else(|| no_keys(document))?;
    match jwks.len() {
        ..=MAX_KEYS => Ok(jwks),
        _ => Err(KeySetFault::TooLarge),
    }
}

/// What a document is that is no JSON.
fn no_json(document: &[u8]) -> KeySetFault {
    if json::is_page(document) {
        KeySetFault::Page
    } else if starts_with(document, PEM) {
        KeySetFault::Certificates
    } else {
        KeySetFault::NotJson
    }
}

/// What an object is that has no array `keys`.
fn no_keys(document: &[u8]) -> KeySetFault {
    let Ok(document) = Document::read(document, MAX_DEPTH) else {
        return KeySetFault::NotAKeySet;
    };
    let members = document.object();
    let has = |name| members.contains_key(name);
    let is_certificate = |value: Value<'_>| {
        let text = value.as_str();
        text.is_some_and(|text| starts_with(text.as_bytes(), PEM))
    };
    if has("keys") {
        KeySetFault::NotAKeySet
    } else if has("kty") {
        KeySetFault::SingleKey
    } else if has("jwks_uri") {
        KeySetFault::DiscoveryDocument
    } else if members.members().any(|(_, value)| is_certificate(value)) {
        KeySetFault::Certificates
    } else {
        KeySetFault::KeysMissing
    }
}

/// How certificates and keys begin in PEM (RFC 7468 §2).
const PEM: &[u8] = b"-----BEGIN ";

fn starts_with(document: &[u8], beginning: &[u8]) -> bool {
    document.trim_ascii_start().starts_with(beginning)
}

#[cfg(test)]
mod tests;
