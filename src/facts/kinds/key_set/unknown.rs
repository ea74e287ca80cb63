//! Key ids that tokens named and no fetch brought.

use std::collections::VecDeque;
use std::time::Duration;

use super::key_id::KeyIdDigest;
use super::refetch;
use crate::crypto::KeySet;
use crate::time::UnixMillis;

/// The most key ids of a provider that are remembered, of each kind.
const MAX_CACHED_TOKENS: usize = 256;

/// What is known of key ids that are not in the set.
///
/// The bound on refetches in a cooldown limits what an attacker can cause with ever new key ids. This
/// limits what one key id can cause: otherwise a client with an old token would make the gate fetch
/// without end. Each fetch that did not bring a key doubles the time until it may cause the next one.
/// The regular fetch finds what is published in between.
#[derive(Debug, Default)]
pub(super) struct UnknownKeyIds {
    missing: Vec<Missing>,
    /// Those that left the set, the oldest first.
    withdrawn: VecDeque<KeyIdDigest>,
}

#[derive(Debug)]
struct Missing {
    key_id: KeyIdDigest,
    fetches: u32,
    last: UnixMillis,
}

impl Missing {
    fn rest(&self, cooldown: Duration) -> Duration {
        let doublings = self.fetches.saturating_sub(1);
        refetch::gap(cooldown).saturating_mul(2_u32.saturating_pow(doublings))
    }
}

impl UnknownKeyIds {
    /// Until when no fetch is made for this key id alone; zero: it may be made.
    pub(super) fn rests_until(&self, key_id: KeyIdDigest, cooldown: Duration) -> UnixMillis {
        self.missing(key_id).map_or(UnixMillis(0), |one| {
            one.last.saturating_add(one.rest(cooldown))
        })
    }

    /// Whether a key id that rests is known not to exist: its key left the set, or was not brought
    /// by fetches over more than a cooldown.
    pub(super) fn is_settled(&self, key_id: KeyIdDigest, cooldown: Duration) -> bool {
        let missed = self.missing(key_id);
        self.withdrawn.contains(&key_id) || missed.is_some_and(|one| one.rest(cooldown) > cooldown)
    }

    fn missing(&self, key_id: KeyIdDigest) -> Option<&Missing> {
        self.missing.iter().find(|one| one.key_id == key_id)
    }

    /// Keys were fetched, with or without those that the fetch was for.
    pub(super) fn fetched(&mut self, asked: &[KeyIdDigest], keys: &KeySet, now: UnixMillis) {
        let there = digests(keys);
        for key_id in asked {
            if !there.contains(key_id) {
                self.note(*key_id, now);
            }
        }
    }

    /// The set was replaced.
    pub(super) fn replaced(&mut self, old: &KeySet, new: &KeySet) {
        let there = digests(new);
        self.withdrawn.retain(|key_id| !there.contains(key_id));
        for key_id in digests(old) {
            if !there.contains(&key_id) && !self.withdrawn.contains(&key_id) {
                self.withdrawn.push_back(key_id);
            }
        }
        let surplus = self.withdrawn.len().saturating_sub(MAX_CACHED_TOKENS);
        self.withdrawn.drain(..surplus);
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
        if self.missing.len() >= MAX_CACHED_TOKENS {
            // Made-up key ids come once. Those that came again are the ones to remember, so a
            // flood pushes out its own.
            let numbered = self.missing.iter().enumerate();
            let least = numbered.min_by_key(|(_, one)| (one.fetches, one.last));
            if let Some(index) = least.map(|(index, _)| index) {
                self.missing.swap_remove(index);
            }
        }
        self.missing.push(Missing {
            key_id,
            fetches: 1,
            last: now,
        });
    }
}

fn digests(keys: &KeySet) -> Vec<KeyIdDigest> {
    let key_ids = keys.keys().iter().filter_map(|key| key.key_id());
    key_ids.map(KeyIdDigest::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis(seconds.saturating_mul(1000))
    }

    fn miss(unknown: &mut UnknownKeyIds, key_id: &str, seconds: u64) {
        let asked = [KeyIdDigest::of(key_id)];
        unknown.fetched(&asked, &KeySet::default(), at(seconds));
    }

    fn until(unknown: &UnknownKeyIds, key_id: &str) -> UnixMillis {
        unknown.rests_until(KeyIdDigest::of(key_id), COOLDOWN)
    }

    #[test]
    fn a_key_id_rests_twice_as_long_after_each_fetch_that_did_not_bring_it() {
        let mut unknown = UnknownKeyIds::default();
        let is_settled =
            |unknown: &UnknownKeyIds| unknown.is_settled(KeyIdDigest::of("old"), COOLDOWN);
        assert_eq!(until(&unknown, "old"), UnixMillis(0));
        for (fetched, over, settled) in [
            (10, 13, false),
            (13, 19, false),
            (19, 31, false),
            (31, 55, false),
            (55, 103, true),
            (103, 199, true),
        ] {
            miss(&mut unknown, "old", fetched);
            assert_eq!(until(&unknown, "old"), at(over));
            assert_eq!(is_settled(&unknown), settled, "{fetched}");
        }
        assert_eq!(until(&unknown, "new"), UnixMillis(0));
        unknown.clamp(at(20));
        assert_eq!(until(&unknown, "old"), at(116));
    }

    #[test]
    fn a_key_id_that_left_the_set_is_known_to_be_gone_until_it_comes_back() {
        let mut unknown = UnknownKeyIds::default();
        let set = |key_ids: &[&str]| {
            let keys: Vec<_> = key_ids
                .iter()
                .map(|key_id| crate::mint::mint(crate::mint::KeyKind::Ed25519).jwk(key_id))
                .collect();
            KeySet::parse(&crate::mint::jwk_set(&keys)).unwrap()
        };
        let gone = |unknown: &UnknownKeyIds| {
            ["one", "two", "three"].map(|id| unknown.is_settled(KeyIdDigest::of(id), COOLDOWN))
        };
        let (first, second) = (set(&["one", "two"]), set(&["two", "three"]));
        unknown.replaced(&first, &second);
        assert_eq!(gone(&unknown), [true, false, false]);
        unknown.replaced(&second, &first);
        assert_eq!(gone(&unknown), [false, false, true]);
        for number in 0..=MAX_CACHED_TOKENS {
            unknown.replaced(&set(&[&number.to_string()]), &KeySet::default());
        }
        assert_eq!(unknown.withdrawn.len(), MAX_CACHED_TOKENS);
        assert_eq!(gone(&unknown), [false; 3]);
    }

    #[test]
    fn a_flood_of_key_ids_fills_no_memory_and_pushes_out_its_own() {
        let mut unknown = UnknownKeyIds::default();
        miss(&mut unknown, "old", 10);
        miss(&mut unknown, "old", 13);
        for round in 0..20_u64 {
            for number in 0..1000 {
                miss(&mut unknown, &format!("{round}-{number}"), 14);
            }
        }
        assert_eq!(unknown.missing.len(), MAX_CACHED_TOKENS);
        assert_eq!(until(&unknown, "old"), at(19));
    }
}
