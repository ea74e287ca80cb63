//! The keys that are in use: what the provider publishes, and for a while what it published before.

use std::rc::Rc;
use std::time::Duration;

use crate::crypto::{KeySet, PublicKey};
use crate::time::UnixMillis;

/// The most keys that are kept after they left the published set. A provider that changes its
/// keys with every fetch must not fill the memory.
const MAX_RETIRED: usize = 100;

/// The keys that are in use.
#[derive(Debug)]
pub(super) struct Held {
    in_use: KeySet,
    published: KeySet,
    retired: Vec<Retired>,
    fetched: UnixMillis,
}

/// A key that left the published set.
#[derive(Debug)]
struct Retired {
    key: Rc<PublicKey>,
    until: UnixMillis,
}

impl Held {
    /// The keys that were published at `fetched`.
    pub(super) fn new(published: KeySet, fetched: UnixMillis) -> Self {
        Self {
            in_use: published.clone(),
            published,
            retired: Vec::new(),
            fetched,
        }
    }

    /// The same after a newer set was published: keys that are not in it any more stay for
    /// `grace`.
    pub(super) fn succeeded_by(
        self,
        published: KeySet,
        fetched: UnixMillis,
        grace: Duration,
    ) -> Self {
        let until = fetched.saturating_add(grace);
        let left = self.published.keys().iter().map(|key| Retired {
            key: Rc::clone(key),
            until,
        });
        let mut retired: Vec<Retired> = self.retired.into_iter().chain(left).collect();
        retired.retain(|old| !published.keys().contains(&old.key));
        let surplus = retired.len().saturating_sub(MAX_RETIRED);
        retired.drain(..surplus);
        let mut held = Self {
            retired,
            ..Self::new(published, fetched)
        };
        held.expire(fetched);
        held
    }

    /// Lets go of keys whose grace is over.
    pub(super) fn expire(&mut self, now: UnixMillis) {
        self.retired.retain(|old| old.until > now);
        let expected = self
            .published
            .keys()
            .len()
            .saturating_add(self.retired.len());
        if self.in_use.keys().len() != expected {
            let kept = self.retired.iter().map(|old| &old.key);
            self.in_use = self.published.with(kept);
        }
    }

    /// The keys that may check a token now.
    pub(super) const fn keys(&self) -> &KeySet {
        &self.in_use
    }

    /// When the published set was fetched.
    pub(super) const fn fetched(&self) -> UnixMillis {
        self.fetched
    }
}
