//! What one source exchanges with the other workers: values, and leases for fetches.

use std::borrow::Cow;
use std::time::Duration;

use crate::facts::demand::FactKey;
use crate::facts::schedule::Pause;
use crate::facts::shared::{Encryption, Lease, Names, Shared, SharedFact, TooLarge};
use crate::facts::source::Sharing;
use crate::facts::{SharedKey, SharedMemory};
use crate::time::UnixMillis;

/// How long a worker goes on by itself after it found a shared value that is too large.
const ALONE: Duration = Duration::from_secs(60);

/// The most facts of which the version that was last read is remembered.
const MAX_SEEN: usize = 2048;

/// What workers share, and the secret by which they know each other.
#[derive(Clone, Copy)]
pub(super) struct Workers<'m> {
    pub(super) memory: &'m dyn SharedMemory,
    pub(super) key: Option<&'m SharedKey>,
}

/// What one source exchanges with the other workers.
pub(super) struct Exchange {
    form: Form,
    /// The versions of the values that were last read.
    seen: Vec<(FactKey, u32)>,
    /// The leases that this worker has, and their ends.
    leases: Vec<(FactKey, UnixMillis)>,
    /// Until when this worker goes on by itself.
    alone_until: UnixMillis,
}

enum Form {
    /// Nothing is shared.
    None,
    /// All facts are one value.
    Whole(Names),
    /// Each fact is a value.
    EachFact {
        kind: &'static str,
        parts: Vec<String>,
        encryption: Box<Encryption>,
    },
}

impl Exchange {
    pub(super) fn new(kind: &'static str, sharing: Sharing, key: Option<&SharedKey>) -> Self {
        let form = match (sharing, key) {
            (Sharing::None, _) | (_, None) => Form::None,
            (Sharing::Whole(parts), Some(key)) => Form::Whole(Names::of(kind, &parts, key)),
            (Sharing::EachFactEncrypted(parts), Some(key)) => Form::EachFact {
                kind,
                parts,
                encryption: Box::new(key.encryption()),
            },
        };
        Self {
            form,
            seen: Vec::new(),
            leases: Vec::new(),
            alone_until: UnixMillis(0),
        }
    }

    /// A clock that was set back must not make this worker go on by itself for long.
    pub(super) fn clamp(&mut self, now: UnixMillis) {
        self.alone_until = self.alone_until.min(now.saturating_add(ALONE));
    }

    /// Writes free leases where the workers will look for them.
    pub(super) fn lay_out(&self, workers: Workers<'_>) {
        match &self.form {
            Form::None => {}
            Form::Whole(_) => {
                if let Some(shared) = self.shared(&FactKey::ONLY, workers) {
                    shared.lay_out_lease();
                }
            }
            Form::EachFact { .. } => {
                for stripe in Names::stripes() {
                    if let Some(shared) = self.shared(&stripe, workers) {
                        shared.lay_out_lease();
                    }
                }
            }
        }
    }

    /// The newest value of another worker, unless it was read before.
    pub(super) fn read(
        &mut self,
        about: &FactKey,
        workers: Workers<'_>,
        now: UnixMillis,
    ) -> Option<Shared> {
        let seen = self.seen.iter().find(|(key, _)| key == about);
        let seen = seen.map(|(_, version)| *version);
        let shared = self.shared_at(now, about, workers)?.read(seen);
        if let Err(TooLarge) = shared {
            self.alone_until = now.saturating_add(ALONE);
        }
        shared.ok().flatten()
    }

    /// The value of this version is not read again.
    pub(super) fn mark_seen(&mut self, about: FactKey, version: u32) {
        if let Some((_, seen)) = self.seen.iter_mut().find(|(key, _)| *key == about) {
            *seen = version;
            return;
        }
        if self.seen.len() >= MAX_SEEN {
            self.seen.clear();
        }
        self.seen.push((about, version));
    }

    /// Whether this worker may fetch now.
    pub(super) fn lease(
        &mut self,
        about: &FactKey,
        length: Duration,
        workers: Workers<'_>,
        now: UnixMillis,
    ) -> Lease {
        let shared = self.shared_at(now, about, workers);
        let lease = shared.map_or(Lease::Ours(now), |shared| shared.try_lease(now, length));
        if let Lease::Ours(end) = lease {
            self.leases.push((*about, end));
        }
        lease
    }

    /// Hands a value to the other workers.
    pub(super) fn publish(
        &self,
        about: &FactKey,
        value: &[u8],
        workers: Workers<'_>,
        now: UnixMillis,
    ) {
        if let Some(shared) = self.shared_at(now, about, workers) {
            shared.publish(value);
        }
    }

    /// Ends a lease after its fetch. Before the pause is over, no worker fetches.
    pub(super) fn release(
        &mut self,
        about: &FactKey,
        pause: Pause,
        workers: Workers<'_>,
        now: UnixMillis,
    ) {
        self.leases.retain(|(key, _)| key != about);
        if let Some(shared) = self.shared_at(now, about, workers) {
            shared.release(pause);
        }
    }

    /// The lease of a fetch is not needed.
    pub(super) fn give_back(&mut self, about: &FactKey, workers: Workers<'_>) {
        let ends = self.leases.iter().filter(|(key, _)| key == about);
        for (_, end) in ends {
            if let Some(shared) = self.shared(about, workers) {
                shared.give_back(*end);
            }
        }
        self.leases.retain(|(key, _)| key != about);
    }

    /// No fetch of this worker will end.
    pub(super) fn give_back_all(&self, workers: Workers<'_>) {
        for (about, end) in &self.leases {
            if let Some(shared) = self.shared(about, workers) {
                shared.give_back(*end);
            }
        }
    }

    fn shared_at<'s>(
        &'s self,
        now: UnixMillis,
        about: &FactKey,
        workers: Workers<'s>,
    ) -> Option<SharedFact<'s>> {
        (now >= self.alone_until).then(|| self.shared(about, workers))?
    }

    fn shared<'s>(&'s self, about: &FactKey, workers: Workers<'s>) -> Option<SharedFact<'s>> {
        let Workers { memory, key } = workers;
        let key = key?;
        let (names, encryption) = match &self.form {
            Form::None => return None,
            Form::Whole(names) => (Cow::Borrowed(names), None),
            Form::EachFact {
                kind,
                parts,
                encryption,
            } => {
                let names = Names::of_fact(kind, parts, about, key);
                (Cow::Owned(names), Some(&**encryption))
            }
        };
        Some(SharedFact {
            memory,
            key,
            names,
            encryption,
        })
    }
}
