//! Key ids that tokens named and no fetch brought.

use std::time::Duration;

use hmac_sha256::Hash;

use crate::crypto::KeySet;
use crate::time::UnixMillis;

/// The most key ids of a provider that are remembered.
const MAX_REMEMBERED: usize = 256;

/// Stands for a `kid`, which is a stranger's text of any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyIdDigest([u8; 16]);

impl KeyIdDigest {
    /// The digest of a `kid`. Nobody finds another text with the digest of a key id that he wants
    /// to be thought unknown.
    pub fn of(key_id: &str) -> Self {
        let mut digest = [0; 16];
        let whole = Hash::hash(key_id.as_bytes());
        digest
            .iter_mut()
            .zip(whole)
            .for_each(|(kept, byte)| *kept = byte);
        Self(digest)
    }
}

/// The key ids that requests wait for, and those that were waited for in vain.
///
/// The cooldown bounds what strangers can cause with ever new key ids. This memory bounds what one
/// and the same key id can: a client that holds on to an old token would else make the gate ask
/// once in every cooldown for ever. Each fetch that did not bring a key doubles the time until it
/// may cause the next one. Whatever is published in between is found by the regular fetch.
#[derive(Debug, Default)]
pub(super) struct UnknownKeyIds {
    wanted: bool,
    asked: Vec<KeyIdDigest>,
    missing: Vec<Missing>,
}

#[derive(Debug)]
struct Missing {
    key_id: KeyIdDigest,
    fetches: u32,
    last: UnixMillis,
}

impl UnknownKeyIds {
    /// A request waits for this key, or, without a `kid`, for any new one.
    pub(super) fn ask(&mut self, key_id: Option<KeyIdDigest>) {
        self.wanted = true;
        if let Some(key_id) = key_id {
            if self.asked.len() < MAX_REMEMBERED && !self.asked.contains(&key_id) {
                self.asked.push(key_id);
            }
        }
    }

    /// Whether a request waits for a key.
    pub(super) const fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether it is too early to fetch keys for this `kid` alone once more.
    pub(super) fn rests(&self, key_id: &str, now: UnixMillis, cooldown: Duration) -> bool {
        if self.missing.is_empty() {
            return false;
        }
        let key_id = KeyIdDigest::of(key_id);
        let mut missing = self.missing.iter();
        missing.find(|one| one.key_id == key_id).is_some_and(|one| {
            let doublings = one.fetches.saturating_sub(1);
            let rest = cooldown.saturating_mul(2_u32.saturating_pow(doublings));
            now < one.last.saturating_add(rest)
        })
    }

    /// Keys were fetched, with or without those that were asked for.
    pub(super) fn fetched(&mut self, keys: &KeySet, now: UnixMillis) {
        let asked = self.forget_who_asked();
        if asked.is_empty() {
            return;
        }
        let mut there = Vec::new();
        for key_id in keys.keys().iter().filter_map(|key| key.key_id()) {
            there.push(KeyIdDigest::of(key_id));
        }
        for key_id in asked {
            if !there.contains(&key_id) {
                self.note(key_id, now);
            }
        }
    }

    /// A fetch failed: nobody knows whether the keys that were asked for exist.
    pub(super) fn forget_who_asked(&mut self) -> Vec<KeyIdDigest> {
        self.wanted = false;
        std::mem::take(&mut self.asked)
    }

    /// The clock may have been set back.
    pub(super) fn clamp(&mut self, now: UnixMillis) {
        for one in &mut self.missing {
            one.last = one.last.min(now);
        }
    }

    fn note(&mut self, key_id: KeyIdDigest, now: UnixMillis) {
        if let Some(one) = self.missing.iter_mut().find(|one| one.key_id == key_id) {
            one.fetches = one.fetches.saturating_add(1);
            one.last = now;
            return;
        }
        if self.missing.len() >= MAX_REMEMBERED {
            // Made-up key ids come once. Those that came again are the ones to remember, so a
            // flood pushes out its own.
            let numbered = self.missing.iter().enumerate();
            let least = numbered.min_by_key(|(_, one)| (one.fetches, one.last));
            if let Some(place) = least.map(|(place, _)| place) {
                self.missing.swap_remove(place);
            }
        }
        self.missing.push(Missing {
            key_id,
            fetches: 1,
            last: now,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis(seconds.saturating_mul(1000))
    }

    fn miss(unknown: &mut UnknownKeyIds, key_id: &str, seconds: u64) {
        unknown.ask(Some(KeyIdDigest::of(key_id)));
        unknown.fetched(&KeySet::default(), at(seconds));
    }

    #[test]
    fn a_key_id_rests_twice_as_long_after_each_fetch_that_did_not_bring_it() {
        let mut unknown = UnknownKeyIds::default();
        assert!(!unknown.rests("old", at(0), COOLDOWN));
        for (fetched, over) in [(0, 30), (30, 90), (90, 210), (210, 450)] {
            miss(&mut unknown, "old", fetched);
            assert!(unknown.rests("old", at(over - 1), COOLDOWN));
            assert!(!unknown.rests("old", at(over), COOLDOWN));
        }
        assert!(!unknown.rests("new", at(211), COOLDOWN));
    }

    #[test]
    fn a_fetch_that_failed_says_nothing_about_a_key_id() {
        let mut unknown = UnknownKeyIds::default();
        unknown.ask(Some(KeyIdDigest::of("old")));
        assert!(unknown.is_wanted());
        unknown.forget_who_asked();
        assert!(!unknown.is_wanted());
        unknown.fetched(&KeySet::default(), at(0));
        assert!(!unknown.rests("old", at(1), COOLDOWN));
    }

    #[test]
    fn a_flood_of_key_ids_fills_no_memory_and_pushes_out_its_own() {
        let mut unknown = UnknownKeyIds::default();
        miss(&mut unknown, "old", 0);
        miss(&mut unknown, "old", 30);
        for round in 0..20_u64 {
            for number in 0..1000 {
                let made_up = format!("{round}-{number}");
                unknown.ask(Some(KeyIdDigest::of(&made_up)));
            }
            unknown.fetched(&KeySet::default(), at(31));
        }
        assert_eq!(unknown.missing.len(), MAX_REMEMBERED);
        assert!(unknown.asked.capacity() <= MAX_REMEMBERED);
        assert!(unknown.rests("old", at(32), COOLDOWN));
    }
}
