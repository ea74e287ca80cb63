//! What is remembered of tokens that were verified, so that the next request with the same token
//! costs no signature check.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use crate::policy::InstanceId;
use crate::token::{CompactToken, TokenDigest};

/// The most tokens that one worker remembers.
pub const MAX_CACHED_TOKENS: usize = 4096;

/// The most bytes that they may take. The memory of a module never shrinks.
pub const MAX_CACHED_BYTES: usize = 5 * 1024 * 1024;

/// The most bytes that one of them may take.
const MAX_WEIGHT: usize = MAX_CACHED_BYTES / 64;

/// The share of the places that tokens have to begin with, until they are seen again.
const ON_PROBATION: usize = MAX_CACHED_TOKENS / 4;

/// How often a token is spared at most before it must go, if nobody sends it any more.
const MAX_CREDIT: u8 = 3;

/// What is remembered under: a token at one instance of n8n. The same token stands for another
/// principal, with another API key, at another instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenCacheKey {
    instance: InstanceId,
    digest: TokenDigest,
}

impl TokenCacheKey {
    /// The key of this token at this instance.
    pub fn of(instance: InstanceId, token: &CompactToken) -> Self {
        Self {
            instance,
            digest: TokenDigest::of(token),
        }
    }

    /// The digest of the token.
    pub const fn digest(&self) -> &TokenDigest {
        &self.digest
    }
}

/// A bounded memory of verified tokens.
///
/// Who may get tokens may get any number of them, and must not thereby push out those of others.
/// So a new token is on probation: it has a place in a small queue of its own, and only one that
/// was sent again before its turn came moves on to the greater queue, where it is spared up to
/// three times for having been sent in between. Tokens that are sent once push out each other.
pub struct TokenCache<V> {
    places: HashMap<TokenCacheKey, Place<V>>,
    /// In the order of their coming.
    on_probation: VecDeque<TokenCacheKey>,
    /// In the order of their turns.
    proven: VecDeque<TokenCacheKey>,
    bytes: usize,
}

struct Place<V> {
    value: Rc<V>,
    weight: usize,
    credit: Cell<u8>,
}

impl<V> Place<V> {
    /// Whether it may stay for once, for having been recalled.
    fn is_spared(&self) -> bool {
        let rest = self.credit.get().checked_sub(1);
        self.credit.set(rest.unwrap_or_default());
        rest.is_some()
    }
}

impl<V> Default for TokenCache<V> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            on_probation: VecDeque::new(),
            proven: VecDeque::new(),
            bytes: 0,
        }
    }
}

impl<V> TokenCache<V> {
    /// What was remembered of a token.
    pub fn recall(&self, key: &TokenCacheKey) -> Option<&Rc<V>> {
        let place = self.places.get(key)?;
        let credit = place.credit.get().saturating_add(1);
        place.credit.set(credit.min(MAX_CREDIT));
        Some(&place.value)
    }

    /// Remembers something of a token, which takes `weight` bytes. What is too large is not
    /// remembered, and what was remembered of the same token before is replaced.
    pub fn remember(&mut self, key: TokenCacheKey, value: Rc<V>, weight: usize) {
        if weight > MAX_WEIGHT {
            return;
        }
        if let Some(place) = self.places.get_mut(&key) {
            let others = self.bytes.saturating_sub(place.weight);
            self.bytes = others.saturating_add(weight);
            place.value = value;
            place.weight = weight;
        } else {
            let place = Place {
                value,
                weight,
                credit: Cell::new(0),
            };
            self.places.insert(key, place);
            self.on_probation.push_back(key);
            self.bytes = self.bytes.saturating_add(weight);
        }
        while self.places.len() > MAX_CACHED_TOKENS || self.bytes > MAX_CACHED_BYTES {
            if !self.forget_one() {
                return;
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.places.clear();
        self.on_probation.clear();
        self.proven.clear();
        self.bytes = 0;
    }

    /// How many tokens are remembered.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Forgets the token whose turn it is. `false`: there is none.
    fn forget_one(&mut self) -> bool {
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
            let spared = self.places.get(&key).is_some_and(Place::is_spared);
            if spared {
                self.proven.push_back(key);
                continue;
            }
            let gone = self.places.remove(&key);
            let weight = gone.map_or(0, |place| place.weight);
            self.bytes = self.bytes.saturating_sub(weight);
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> TokenCacheKey {
        TokenCacheKey {
            instance: InstanceId(0),
            digest: TokenDigest::of_bytes(&number.to_be_bytes()),
        }
    }

    fn remember(token_cache: &mut TokenCache<usize>, numbers: std::ops::Range<usize>) {
        for number in numbers {
            token_cache.remember(key(number), Rc::new(number), 1000);
        }
    }

    fn knows(token_cache: &TokenCache<usize>, number: usize) -> bool {
        token_cache.recall(&key(number)).is_some()
    }

    #[test]
    fn what_was_remembered_is_recalled_for_that_token_alone() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 7..8);
        assert_eq!(token_cache.recall(&key(7)).map(|value| **value), Some(7));
        assert_eq!(token_cache.recall(&key(8)), None);
        token_cache.clear();
        assert_eq!(token_cache.recall(&key(7)), None);
        assert!(token_cache.is_empty());
    }

    #[test]
    fn what_was_remembered_at_one_instance_is_unknown_at_another() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 7..8);
        let elsewhere = TokenCacheKey {
            instance: InstanceId(1),
            ..key(7)
        };
        assert_eq!(token_cache.recall(&elsewhere), None);
        token_cache.remember(elsewhere, Rc::new(8), 1000);
        assert_eq!(token_cache.recall(&key(7)).map(|value| **value), Some(7));
        assert_eq!(token_cache.recall(&elsewhere).map(|value| **value), Some(8));
    }

    #[test]
    fn a_newer_value_takes_the_place_of_the_older() {
        let mut token_cache = TokenCache::default();
        token_cache.remember(key(1), Rc::new(1), 100);
        token_cache.remember(key(1), Rc::new(2), 300);
        assert_eq!(token_cache.recall(&key(1)).map(|value| **value), Some(2));
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
        assert!(knows(&token_cache, 3 * MAX_CACHED_TOKENS - 1));
        assert!(!knows(&token_cache, 0));
    }

    #[test]
    fn their_bytes_are_bounded() {
        let mut token_cache = TokenCache::default();
        for number in 0..1000 {
            token_cache.remember(key(number), Rc::new(number), 50_000);
        }
        assert_eq!(token_cache.len(), MAX_CACHED_BYTES / 50_000);
        assert_eq!(token_cache.bytes, token_cache.len() * 50_000);
    }

    #[test]
    fn one_that_is_too_large_is_not_remembered_and_pushes_out_nothing() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..1);
        token_cache.remember(key(1), Rc::new(1), MAX_WEIGHT + 1);
        assert!(knows(&token_cache, 0) && !knows(&token_cache, 1));
    }

    #[test]
    fn a_flood_of_tokens_that_are_sent_once_pushes_out_none_that_was_sent_again() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..1000);
        assert!((0..1000).all(|number| knows(&token_cache, number)));
        remember(&mut token_cache, 10_000..10_000 + 50 * MAX_CACHED_TOKENS);
        assert!((0..1000).all(|number| knows(&token_cache, number)));
    }

    #[test]
    fn a_token_in_use_outlives_a_flood_of_tokens_that_are_sent_twice() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..1);
        for number in 10_000..10_000 + 20 * MAX_CACHED_TOKENS {
            remember(&mut token_cache, number..number + 1);
            assert!(knows(&token_cache, number));
            if number % (MAX_CACHED_TOKENS / 2) == 0 {
                assert!(knows(&token_cache, 0), "{number}");
            }
        }
    }

    #[test]
    fn tokens_that_nobody_sends_any_more_make_room() {
        let mut token_cache = TokenCache::default();
        remember(&mut token_cache, 0..MAX_CACHED_TOKENS);
        assert!((0..MAX_CACHED_TOKENS).all(|number| knows(&token_cache, number)));
        for number in 10_000..10_000 + 5 * MAX_CACHED_TOKENS {
            remember(&mut token_cache, number..number + 1);
            assert!(knows(&token_cache, number));
        }
        assert!(!(0..MAX_CACHED_TOKENS).any(|number| token_cache.places.contains_key(&key(number))));
    }
}
