//! The token cache: callers of verified tokens, so that the next request with the same token needs no
//! signature check.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::policy::InstanceId;
use crate::token::CompactToken;

/// The most tokens in the cache of one worker.
pub const MAX_CACHED_TOKENS: usize = 4096;

/// The most bytes that they take. The memory of a module never shrinks.
pub const MAX_CACHED_BYTES: usize = 5 * 1024 * 1024;

/// The most bytes that one of them takes.
const MAX_WEIGHT: usize = MAX_CACHED_BYTES / 64;

/// The slots for tokens on probation, which were sent once.
const ON_PROBATION: usize = MAX_CACHED_TOKENS / 4;

/// How often a token is spared at most that no client sends any more.
const MAX_CREDIT: u8 = 3;

/// The key of an entry: a tag of a token at one instance of n8n. The same token has another principal, with
/// another API key, at another instance.
///
/// The tag is a `SipHash-2-4` of 128 bits under a random key of the worker. Without that key a client cannot
/// compute tags, so it cannot make a token that has the tag of another one: the token itself is not kept, and
/// equal tags are equal tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCacheKey([u64; 2]);

/// Gives the half of a tag: it is as good as random.
impl Hash for TokenCacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [half, _] = self.0;
        state.write_u64(half);
    }
}

/// The hash of what is random is what it is.
#[derive(Default)]
struct OfTag(u64);

impl Hasher for OfTag {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }
}

/// A bounded cache of verified tokens.
///
/// A client that can get tokens can get any number of them, and must not replace those of others
/// with them. So a new token is on probation, in a small queue. A token that was sent again before
/// its turn comes moves to the larger queue, where it is spared up to three times if it was sent in
/// between. Tokens that are sent once replace only each other.
pub struct TokenCache<V> {
    tags: SipHasher24,
    slots: HashMap<TokenCacheKey, Slot<V>, BuildHasherDefault<OfTag>>,
    /// The oldest first.
    on_probation: VecDeque<TokenCacheKey>,
    /// The next that may be removed first.
    proven: VecDeque<TokenCacheKey>,
    bytes: usize,
}

struct Slot<V> {
    value: Arc<V>,
    weight: usize,
    credit: u8,
}

impl<V> Slot<V> {
    fn add_credit(&mut self) {
        self.credit = self.credit.saturating_add(1).min(MAX_CREDIT);
    }

    /// Whether it stays this time, because its token was sent again.
    fn is_spared(&mut self) -> bool {
        let rest = self.credit.checked_sub(1);
        self.credit = rest.unwrap_or_default();
        rest.is_some()
    }
}

impl<V> Default for TokenCache<V> {
    fn default() -> Self {
        // The standard library takes its keys from the random numbers of the host.
        let random = || RandomState::new().build_hasher().finish();
        Self {
            tags: SipHasher24::new_with_keys(random(), random()),
            slots: HashMap::default(),
            on_probation: VecDeque::new(),
            proven: VecDeque::new(),
            bytes: 0,
        }
    }
}

impl<V> TokenCache<V> {
    /// The key of this token at this instance.
    pub fn key_of(&self, instance: InstanceId, token: &CompactToken<'_>) -> TokenCacheKey {
        let mut tag = self.tags;
        tag.write_usize(instance.0);
        tag.write(token.expose_bytes());
        let tag = tag.finish128();
        TokenCacheKey([tag.h1, tag.h2])
    }

    /// The value for a token. Looking changes nothing: [`Self::credit`] follows if it was used.
    pub fn get(&self, key: &TokenCacheKey) -> Option<&Arc<V>> {
        self.slots.get(key).map(|slot| &slot.value)
    }

    /// Credits an entry that was used, so that it stays longer.
    pub fn credit(&mut self, key: &TokenCacheKey) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.add_credit();
        }
    }

    /// Adds a value for a token, of `weight` bytes, or replaces the one that the token has. A value
    /// that is too large is not added.
    pub fn remember(&mut self, key: TokenCacheKey, value: Arc<V>, weight: usize) {
        if weight > MAX_WEIGHT {
            return;
        }
        if let Some(slot) = self.slots.get_mut(&key) {
            let others = self.bytes.saturating_sub(slot.weight);
            self.bytes = others.saturating_add(weight);
            slot.value = value;
            slot.weight = weight;
            slot.add_credit();
        } else {
            let slot = Slot {
                value,
                weight,
                credit: 0,
            };
            self.slots.insert(key, slot);
            self.on_probation.push_back(key);
            self.bytes = self.bytes.saturating_add(weight);
        }
        while self.slots.len() > MAX_CACHED_TOKENS || self.bytes > MAX_CACHED_BYTES {
            if !self.remove_one() {
                return;
            }
        }
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.on_probation.clear();
        self.proven.clear();
        self.bytes = 0;
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Removes the token whose turn it is. `false`: there is none.
    fn remove_one(&mut self) -> bool {
        loop {
            let newcomers = self.on_probation.len() > ON_PROBATION || self.proven.is_empty();
            let queue = if newcomers {
                &mut self.on_probation
            } else {
                &mut self.proven
            };
            let Some(key) = queue.pop_front() else {
                return false;
            };
            let spared = self.slots.get_mut(&key).is_some_and(Slot::is_spared);
            if spared {
                self.proven.push_back(key);
                continue;
            }
            let removed = self.slots.remove(&key);
            let weight = removed.map_or(0, |slot| slot.weight);
            self.bytes = self.bytes.saturating_sub(weight);
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> TokenCacheKey {
        TokenCacheKey([number as u64, 0])
    }

    fn remember(token_cache: &mut TokenCache<usize>, numbers: std::ops::Range<usize>) {
        for number in numbers {
            token_cache.remember(key(number), Arc::new(number), 1000);
        }
    }

    /// Whether a token is in the cache, which a request with it uses.
    fn knows(token_cache: &mut TokenCache<usize>, number: usize) -> bool {
        token_cache.credit(&key(number));
        token_cache.get(&key(number)).is_some()
    }

    #[test]
    fn an_entry_is_found_for_its_token_alone() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 7..8);
        assert_eq!(token_cache.get(&key(7)).map(|value| **value), Some(7));
        assert_eq!(token_cache.get(&key(8)), None);
        token_cache.clear();
        assert_eq!(token_cache.get(&key(7)), None);
        assert!(token_cache.is_empty());
    }

    #[test]
    fn an_entry_of_one_instance_is_unknown_at_another() {
        let mut token_cache = TokenCache::default();
        let token = CompactToken::of(b"a.b.c").unwrap();
        let [here, elsewhere] = [0, 1].map(|id| token_cache.key_of(InstanceId(id), &token));
        token_cache.remember(here, Arc::new(7), 1000);
        assert_eq!(token_cache.get(&elsewhere), None);
        token_cache.remember(elsewhere, Arc::new(8), 1000);
        assert_eq!(token_cache.get(&here).map(|value| **value), Some(7));
        assert_eq!(token_cache.get(&elsewhere).map(|value| **value), Some(8));
    }

    #[test]
    fn a_token_has_one_key_and_no_client_can_compute_it() {
        let caches: [TokenCache<()>; 2] = Default::default();
        let token = |text: &'static str| CompactToken::of(text.as_bytes()).unwrap();
        let [one, other] = caches.map(|cache| {
            let key = |text| cache.key_of(InstanceId(0), &token(text));
            assert_eq!(key("a.b.c"), key("a.b.c"));
            assert_ne!(key("a.b.c"), key("a.b.d"));
            assert_ne!(key("a.b.c"), key("a.b.c="));
            key("a.b.c")
        });
        assert_ne!(one, other, "each worker has a key of its own");
    }

    #[test]
    fn a_newer_value_replaces_the_older() {
        let mut token_cache = TokenCache::default();
        token_cache.remember(key(1), Arc::new(1), 100);
        token_cache.remember(key(1), Arc::new(2), 300);
        assert_eq!(token_cache.get(&key(1)).map(|value| **value), Some(2));
        assert_eq!((token_cache.len(), token_cache.bytes), (1, 300));
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..3 * MAX_CACHED_TOKENS);
        assert_eq!(token_cache.len(), MAX_CACHED_TOKENS);
        assert_eq!(
            token_cache.on_probation.len() + token_cache.proven.len(),
            token_cache.len()
        );
        assert!(knows(&mut token_cache, 3 * MAX_CACHED_TOKENS - 1));
        assert!(!knows(&mut token_cache, 0));
    }

    #[test]
    fn their_bytes_are_bounded() {
        let mut token_cache = TokenCache::default();
        for number in 0..1000 {
            token_cache.remember(key(number), Arc::new(number), 50_000);
        }
        assert_eq!(token_cache.len(), MAX_CACHED_BYTES / 50_000);
        assert_eq!(token_cache.bytes, token_cache.len() * 50_000);
    }

    #[test]
    fn a_value_that_is_too_large_is_not_added_and_replaces_nothing() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..1);
        token_cache.remember(key(1), Arc::new(1), MAX_WEIGHT + 1);
        assert!(knows(&mut token_cache, 0) && !knows(&mut token_cache, 1));
    }

    #[test]
    fn a_flood_of_tokens_that_are_sent_once_replaces_none_that_was_sent_again() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..1000);
        assert!((0..1000).all(|number| knows(&mut token_cache, number)));
        remember(&mut token_cache, 10_000..10_000 + 50 * MAX_CACHED_TOKENS);
        assert!((0..1000).all(|number| knows(&mut token_cache, number)));
    }

    #[test]
    fn a_token_in_use_outlives_a_flood_of_tokens_that_are_sent_twice() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..1);
        for number in 10_000..10_000 + 20 * MAX_CACHED_TOKENS {
            remember(&mut token_cache, number..number + 1);
            assert!(knows(&mut token_cache, number));
            if number % (MAX_CACHED_TOKENS / 2) == 0 {
                assert!(knows(&mut token_cache, 0), "{number}");
            }
        }
    }

    #[test]
    fn tokens_that_no_client_sends_any_more_make_room() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..MAX_CACHED_TOKENS);
        assert!((0..MAX_CACHED_TOKENS).all(|number| knows(&mut token_cache, number)));
        for number in 10_000..10_000 + 5 * MAX_CACHED_TOKENS {
            remember(&mut token_cache, number..number + 1);
            assert!(knows(&mut token_cache, number));
        }
        assert!(!(0..MAX_CACHED_TOKENS).any(|number| token_cache.slots.contains_key(&key(number))));
    }
}
