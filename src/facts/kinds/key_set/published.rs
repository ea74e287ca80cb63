//! What a provider publishes, and what it published before.

use std::sync::Arc;

use crate::crypto::{PublicKey, MAX_CANDIDATES};
use crate::time::UnixMillis;

/// The most keys that are kept after they left the published set. A provider that changes its
/// keys with every fetch must not fill the memory.
pub(super) const MAX_REMOVED: usize = 100;

/// What a provider publishes and published, as workers tell each other.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Published {
    /// The usable keys of the newest document; none where it had none.
    pub(super) keys: Vec<Arc<PublicKey>>,
    /// Keys that left it, oldest first.
    pub(super) removed: Vec<Removed>,
}

/// A key that left the published set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Removed {
    pub(super) key: Arc<PublicKey>,
    /// When it was first missing.
    pub(super) since: UnixMillis,
}

impl Published {
    /// Whether there is no key, neither published nor removed.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.removed.is_empty()
    }

    /// What is known after `newer` keys were published at `now`.
    pub(super) fn succeeded_by(&self, newer: &[Arc<PublicKey>], now: UnixMillis) -> Self {
        let mut keys = newer.to_vec();
        for key in &mut keys {
            // Keys that stay are the very same ones, so that comparing them costs nothing.
            if let Some(old) = self.keys.iter().find(|old| *old == key) {
                *key = Arc::clone(old);
            }
        }
        let mut removed = self.removed.clone();
        for key in &self.keys {
            removed.push(Removed {
                key: Arc::clone(key),
                since: now,
            });
        }
        removed.retain(|old| !keys.contains(&old.key));
        let mut removed = few_of_each_key_id(&keys, removed);
        let surplus = removed.len().saturating_sub(MAX_REMOVED);
        removed.drain(..surplus);
        Self { keys, removed }
    }
}

/// Of the keys that left, the newest of each key id: a provider that replaces its key again and again
/// under one id would else have more of them than one token is tried with, and no token would be good.
fn few_of_each_key_id(keys: &[Arc<PublicKey>], removed: Vec<Removed>) -> Vec<Removed> {
    let mut kept: Vec<Removed> = Vec::new();
    for old in removed.into_iter().rev() {
        let is_same =
            |key: &Arc<PublicKey>| key.key_id().is_some() && key.key_id() == old.key.key_id();
        let published = keys.iter().filter(|key| is_same(key)).count();
        let newer = kept.iter().filter(|newer| is_same(&newer.key)).count();
        if published.saturating_add(newer) < MAX_CANDIDATES {
            kept.push(old);
        }
    }
    kept.reverse();
    kept
}
