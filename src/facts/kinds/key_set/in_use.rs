//! The keys that are in use: what the provider publishes, and for a while what it published before.

use std::rc::Rc;
use std::time::Duration;

use crate::crypto::{KeySet, PublicKey, MAX_CANDIDATES};
use crate::facts::shared::Snapshot;
use crate::time::UnixMillis;

/// The most keys that are kept after they left the published set. A provider that changes its
/// keys with every fetch must not fill the memory.
pub(in crate::facts) const MAX_RETIRED: usize = 100;

/// What a provider publishes and published, as workers tell each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::facts) struct Published {
    /// The usable keys of the newest document; none where it had none.
    pub(in crate::facts) keys: Vec<Rc<PublicKey>>,
    /// Keys that left it, oldest first.
    pub(in crate::facts) retired: Vec<Retired>,
}

/// A key that left the published set.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::facts) struct Retired {
    pub(in crate::facts) key: Rc<PublicKey>,
    /// When it was first missing.
    pub(in crate::facts) since: UnixMillis,
}

impl Published {
    /// Whether there is no key, neither published nor retired.
    pub(in crate::facts) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.retired.is_empty()
    }

    /// What is known after `newer` keys were published at `now`.
    pub(in crate::facts) fn succeeded_by(&self, newer: &[Rc<PublicKey>], now: UnixMillis) -> Self {
        let mut keys = newer.to_vec();
        for key in &mut keys {
            // Keys that stay are the very same ones, so that comparing them costs nothing.
            if let Some(old) = self.keys.iter().find(|old| *old == key) {
                *key = Rc::clone(old);
            }
        }
        let mut retired = self.retired.clone();
        for key in &self.keys {
            retired.push(Retired {
                key: Rc::clone(key),
                since: now,
            });
        }
        retired.retain(|old| !keys.contains(&old.key));
        let mut retired = few_of_each_key_id(&keys, retired);
        let surplus = retired.len().saturating_sub(MAX_RETIRED);
        retired.drain(..surplus);
        Self { keys, retired }
    }
}

/// Of the keys that left, the newest of each key id: a provider that replaces its key again and again
/// under one id would else have more of them than one token is tried with, and no token would be good.
fn few_of_each_key_id(keys: &[Rc<PublicKey>], retired: Vec<Retired>) -> Vec<Retired> {
    let mut kept: Vec<Retired> = Vec::new();
    for old in retired.into_iter().rev() {
        let is_same =
            |key: &Rc<PublicKey>| key.key_id().is_some() && key.key_id() == old.key.key_id();
        let published = keys.iter().filter(|key| is_same(key)).count();
        let newer = kept.iter().filter(|newer| is_same(&newer.key)).count();
        if published.saturating_add(newer) < MAX_CANDIDATES {
            kept.push(old);
        }
    }
    kept.reverse();
    kept
}

/// The keys that are in use.
#[derive(Debug)]
pub(in crate::facts) struct Held {
    published: Published,
    in_use: KeySet,
    revoked: Vec<String>,
    fetched: UnixMillis,
    max_age: Option<Duration>,
}

impl Held {
    /// The keys that a snapshot tells of.
    pub(in crate::facts) fn new(snapshot: &Snapshot, revoked: &[String]) -> Self {
        let mut held = Self {
            published: snapshot.published.clone(),
            in_use: KeySet::default().without(snapshot.skipped.clone()),
            revoked: revoked.to_vec(),
            fetched: snapshot.fetched,
            max_age: snapshot.max_age,
        };
        held.choose();
        held
    }

    /// Lets go of keys that left the published set longer than `grace` ago, and of what a clock
    /// that was set back says about the future. Returns the keys as they were, if some are gone.
    pub(in crate::facts) fn expire(&mut self, now: UnixMillis, grace: Duration) -> Option<KeySet> {
        self.fetched = self.fetched.min(now);
        let retired = &mut self.published.retired;
        let before = retired.len();
        retired.retain_mut(|old| {
            old.since = old.since.min(now);
            now < old.since.saturating_add(grace)
        });
        (retired.len() != before).then(|| self.choose())
    }

    /// Puts together what is in use, and returns what was.
    fn choose(&mut self) -> KeySet {
        let mut keys = self.published.keys.clone();
        for old in &self.published.retired {
            keys.push(Rc::clone(&old.key));
        }
        let skipped = self.in_use.skipped().to_vec();
        let chosen = KeySet::of(keys, &self.revoked).without(skipped);
        std::mem::replace(&mut self.in_use, chosen)
    }

    /// The keys that may check a token now.
    pub(in crate::facts) const fn keys(&self) -> &KeySet {
        &self.in_use
    }

    /// What the provider publishes and published.
    pub(in crate::facts) const fn published(&self) -> &Published {
        &self.published
    }

    /// When the published set was fetched.
    pub(in crate::facts) const fn fetched(&self) -> UnixMillis {
        self.fetched
    }

    /// How long the provider said that it would be fresh.
    pub(in crate::facts) const fn max_age(&self) -> Option<Duration> {
        self.max_age
    }
}
