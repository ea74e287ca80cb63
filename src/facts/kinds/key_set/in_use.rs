//! The keys that are in use: what the provider publishes, and for a while what it published before.

use std::sync::Arc;
use std::time::Duration;

use super::published::Published;
use super::snapshot::Snapshot;
use crate::crypto::KeySet;
use crate::time::UnixMillis;

/// The keys that are in use.
#[derive(Debug)]
pub(super) struct InUse {
    published: Published,
    keys: KeySet,
    revoked: Vec<String>,
    fetched: UnixMillis,
    max_age: Option<Duration>,
}

impl InUse {
    /// The keys of a snapshot, if it has any.
    pub(super) fn new(snapshot: &Snapshot, revoked: &[String]) -> Option<Self> {
        if snapshot.published.is_empty() {
            return None;
        }
        let mut in_use = Self {
            published: snapshot.published.clone(),
            keys: KeySet::default().without(snapshot.skipped.clone()),
            revoked: revoked.to_vec(),
            fetched: snapshot.fetched,
            max_age: snapshot.max_age,
        };
        in_use.choose();
        Some(in_use)
    }

    /// Lets go of keys that left the published set longer than `grace` ago, and of what a clock
    /// that was set back says about the future. Returns the keys as they were, if some are gone.
    pub(super) fn expire(&mut self, now: UnixMillis, grace: Duration) -> Option<KeySet> {
        self.fetched = self.fetched.min(now);
        let removed = &mut self.published.removed;
        let before = removed.len();
        removed.retain_mut(|old| {
            old.since = old.since.min(now);
            now < old.since.saturating_add(grace)
        });
        (removed.len() != before).then(|| self.choose())
    }

    /// Puts together what is in use, and returns what was.
    fn choose(&mut self) -> KeySet {
        let mut keys = self.published.keys.clone();
        for old in &self.published.removed {
            keys.push(Arc::clone(&old.key));
        }
        let skipped = self.keys.skipped().to_vec();
        let chosen = KeySet::of(keys, &self.revoked).without(skipped);
        std::mem::replace(&mut self.keys, chosen)
    }

    /// The keys that may check a token now.
    pub(super) const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// What the provider publishes and published.
    pub(super) const fn published(&self) -> &Published {
        &self.published
    }

    /// When the published set was fetched.
    pub(super) const fn fetched(&self) -> UnixMillis {
        self.fetched
    }

    /// How long the provider said that it would be fresh.
    pub(super) const fn max_age(&self) -> Option<Duration> {
        self.max_age
    }
}
