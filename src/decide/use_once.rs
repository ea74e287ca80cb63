//! Ids that may be used once.

use hmac_sha256::Hash;

use crate::reply::Reason;
use crate::time::UnixSeconds;

/// An id that may be used once, such as the `jti` of a proof of possession or the id of a delivery. The
/// request goes on only if it is the first one with this id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UseOnce {
    /// Stands for the id.
    pub digest: IdDigest,
    /// Until when it is remembered. After that a request with it must be refused for its age.
    pub until: UnixSeconds,
    /// The refusal of a second request with it.
    pub replayed: Reason,
    /// Whether the id is free again if n8n fails at the request (a status of 500 or higher), because the
    /// sender repeats it then.
    pub free_after_failure: bool,
}

/// Stands for an id: 128 bits of SHA-256. To find another id with the digest of a given one takes 2^128
/// tries, and two ids with one digest only hinder each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdDigest(pub [u8; 16]);

impl IdDigest {
    /// Of an id that is unique within these names, such as the kind of the id, the instance, and the issuer
    /// or sender. Each part is hashed by itself, so that moving bytes from one to the next gives another
    /// digest.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Hash::new();
        for part in parts {
            hash.update(Hash::hash(part));
        }
        Self(hash.finalize().first_chunk().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_all_parts_in_their_order() {
        let digest = IdDigest::of(&[b"dpop", b"issuer", b"id"]);
        assert_eq!(digest, IdDigest::of(&[b"dpop", b"issuer", b"id"]));
        for other in [
            &[&b"dpop"[..], b"issueri", b"d"][..],
            &[b"dpop", b"id", b"issuer"],
            &[b"dpop", b"issuer"],
            &[b"dpop", b"issuer", b"id", b""],
        ] {
            assert_ne!(digest, IdDigest::of(other));
        }
    }
}
