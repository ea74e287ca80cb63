//! Ids that were used, over all workers of one Envoy.
//!
//! They are in shared memory, in a fixed number of buckets, so that memory is bounded and one id is found
//! with one read. A bucket is written only if no other worker has written it since it was read: of two
//! requests with one id in two workers, one is the first.

use crate::decide::{IdDigest, UseOnce};
use crate::facts::{SharedKey, SharedMemory};
use crate::time::UnixSeconds;

/// How many buckets there are. An id belongs to one of them.
const BUCKETS: u16 = 1024;

/// The most ids in one bucket: 131,072 in all, in 3 MiB. A request beyond that is refused, because it could
/// be a replay.
const MAX_IN_BUCKET: usize = 128;

/// How often a bucket is read again that another worker has written in between.
const TRIES: usize = 16;

/// The length of one entry, in bytes: the digest, and until when it is remembered.
const ENTRY: usize = 24;

/// Ids that were used.
pub(super) struct UsedIds {
    /// Seals what is shared. `None`: the configuration has no secret, and a worker remembers for itself.
    key: Option<SharedKey>,
    own: Vec<(u16, Vec<Entry>)>,
}

/// What came of the use of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is the first one.
    First,
    /// The id was used before.
    Again,
    /// It cannot be remembered: too many ids are, or other workers write all the time.
    NotRemembered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    digest: IdDigest,
    until: UnixSeconds,
}

impl UsedIds {
    pub(super) const fn new(key: Option<SharedKey>) -> Self {
        Self {
            key,
            own: Vec::new(),
        }
    }

    /// Remembers the use of an id, unless it was used before.
    pub(super) fn remember(
        &mut self,
        used: &UseOnce,
        now: UnixSeconds,
        memory: &dyn SharedMemory,
    ) -> Use {
        self.change(&used.digest, memory, |entries| {
            entries.retain(|entry| now <= entry.until);
            if entries.iter().any(|entry| entry.digest == used.digest) {
                return Err(Use::Again);
            }
            if entries.len() >= MAX_IN_BUCKET {
                return Err(Use::NotRemembered);
            }
            entries.push(Entry {
                digest: used.digest,
                until: used.until,
            });
            Ok(Use::First)
        })
    }

    /// Whether an id was used before.
    pub(super) fn knows(
        &mut self,
        used: &UseOnce,
        now: UnixSeconds,
        memory: &dyn SharedMemory,
    ) -> bool {
        let is_it = |entry: &Entry| entry.digest == used.digest && now <= entry.until;
        let known = self.change(&used.digest, memory, |entries| {
            // Nothing is written.
            Err(if entries.iter().any(is_it) {
                Use::Again
            } else {
                Use::First
            })
        });
        known == Use::Again
    }

    /// Forgets the use of an id: the request with it came to nothing.
    pub(super) fn forget(&mut self, digest: &IdDigest, memory: &dyn SharedMemory) {
        self.change(digest, memory, |entries| {
            entries.retain(|entry| entry.digest != *digest);
            Ok(Use::First)
        });
    }

    /// The bucket of an id. No client can compute it: it would fill the bucket of another one's id.
    fn bucket_of(&self, digest: &IdDigest) -> u16 {
        let code = self
            .key
            .as_ref()
            .map(|key| key.code_of("bucket", &digest.0));
        let code = code
            .as_ref()
            .map_or(digest.0.as_slice(), |code| code.as_slice());
        let first = code.first_chunk().copied().unwrap_or_default();
        u16::from_be_bytes(first) % BUCKETS
    }

    /// Changes the bucket of an id. `Err`: it stays as it is.
    fn change(
        &mut self,
        digest: &IdDigest,
        memory: &dyn SharedMemory,
        change: impl Fn(&mut Vec<Entry>) -> Result<Use, Use>,
    ) -> Use {
        let bucket = self.bucket_of(digest);
        let Some(key) = &self.key else {
            let index = self.own.iter().position(|(known, _)| *known == bucket);
            let index = index.unwrap_or_else(|| {
                self.own.push((bucket, Vec::new()));
                self.own.len().saturating_sub(1)
            });
            let entries = self.own.get_mut(index).map(|(_, entries)| entries);
            let result = entries.map(change);
            return result.map_or(Use::NotRemembered, |result| {
                result.unwrap_or_else(|kept| kept)
            });
        };
        let name = key.name("used_ids", &bucket.to_be_bytes());
        for _ in 0..TRIES {
            let known = memory.read(&name);
            // A value that another module wrote is no bucket. It is written anew, because it would
            // otherwise keep all later requests out.
            let sealed = known.as_ref().map(|(sealed, _)| sealed.as_slice());
            let mut entries = decode(sealed.and_then(|sealed| key.open(&name, sealed)));
            let result = match change(&mut entries) {
                Ok(result) => result,
                Err(result) => return result,
            };
            let sealed = key.seal(&name, &encode(&entries));
            let is_written = match known {
                Some((_, version)) => memory.write(&name, &sealed, Some(version)),
                None => memory.create(&name, &sealed),
            };
            if is_written {
                return result;
            }
        }
        Use::NotRemembered
    }
}

fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len().saturating_mul(ENTRY));
    for entry in entries {
        bytes.extend_from_slice(&entry.digest.0);
        bytes.extend_from_slice(&entry.until.0.to_be_bytes());
    }
    bytes
}

fn decode(bytes: Option<&[u8]>) -> Vec<Entry> {
    let (entries, _) = bytes.unwrap_or_default().as_chunks::<ENTRY>();
    let entry = |bytes: &[u8; ENTRY]| {
        let (digest, until) = bytes.split_first_chunk()?;
        Some(Entry {
            digest: IdDigest(*digest),
            until: UnixSeconds(u64::from_be_bytes(until.try_into().ok()?)),
        })
    };
    let entries = entries.iter().filter_map(entry);
    entries.take(MAX_IN_BUCKET).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;
    use crate::reply::Reason;
    use crate::secret::Secret;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    /// Shared memory of several workers, in which another one may come first.
    #[derive(Default)]
    struct Memory {
        values: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
        lost: Cell<usize>,
        last: Cell<u32>,
    }

    impl Memory {
        fn put(&self, name: &str, value: &[u8]) {
            self.last.set(self.last.get().saturating_add(1));
            let value = (value.to_vec(), self.last.get());
            self.values.borrow_mut().insert(name.to_owned(), value);
        }

        fn loses(&self) -> bool {
            let left = self.lost.get();
            self.lost.set(left.saturating_sub(1));
            left > 0
        }
    }

    impl SharedMemory for Memory {
        fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
            self.values.borrow().get(name).cloned()
        }

        fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
            let known = self.read(name).map(|(_, version)| version);
            let may = version.is_none() || version == known;
            if may && !self.loses() {
                self.put(name, value);
                return true;
            }
            false
        }

        fn create(&self, name: &str, value: &[u8]) -> bool {
            let may = self.read(name).is_none() && !self.loses();
            if may {
                self.put(name, value);
            }
            may
        }
    }

    fn key(secret: &str) -> Option<SharedKey> {
        SharedKey::derive([&Secret::new(secret.to_owned())])
    }

    fn used(id: u32) -> UseOnce {
        UseOnce {
            digest: IdDigest::of(&[&id.to_be_bytes()]),
            until: NOW.saturating_add(std::time::Duration::from_secs(60)),
            replayed: Reason::WebhookDenied,
            free_after_failure: false,
        }
    }

    #[test]
    fn an_id_is_used_once_in_all_workers_of_one_configuration() {
        let memory = Memory::default();
        let [mut one, mut two] = [(); 2].map(|()| UsedIds::new(key("a secret")));
        assert_eq!(one.remember(&used(1), NOW, &memory), Use::First);
        assert_eq!(two.remember(&used(1), NOW, &memory), Use::Again);
        assert_eq!(one.remember(&used(1), NOW, &memory), Use::Again);
        assert_eq!(two.remember(&used(2), NOW, &memory), Use::First);
        let mut other = UsedIds::new(key("another secret"));
        assert_eq!(other.remember(&used(1), NOW, &memory), Use::First);
    }

    #[test]
    fn an_id_is_remembered_until_its_end_and_no_longer() {
        let memory = Memory::default();
        let mut ids = UsedIds::new(key("a secret"));
        let used = used(1);
        ids.remember(&used, NOW, &memory);
        assert_eq!(ids.remember(&used, used.until, &memory), Use::Again);
        let later = used.until.saturating_add(std::time::Duration::from_secs(1));
        assert_eq!(ids.remember(&used, later, &memory), Use::First);
    }

    #[test]
    fn an_id_that_is_forgotten_can_be_used_again() {
        let memory = Memory::default();
        for key in [key("a secret"), None] {
            let mut ids = UsedIds::new(key);
            ids.remember(&used(1), NOW, &memory);
            ids.remember(&used(2), NOW, &memory);
            ids.forget(&used(1).digest, &memory);
            assert_eq!(ids.remember(&used(1), NOW, &memory), Use::First);
            assert_eq!(ids.remember(&used(2), NOW, &memory), Use::Again);
        }
    }

    #[test]
    fn without_a_secret_a_worker_remembers_for_itself() {
        let memory = Memory::default();
        let [mut one, mut two] = [(); 2].map(|()| UsedIds::new(None));
        assert_eq!(one.remember(&used(1), NOW, &memory), Use::First);
        assert_eq!(one.remember(&used(1), NOW, &memory), Use::Again);
        assert_eq!(two.remember(&used(1), NOW, &memory), Use::First);
        assert!(memory.values.borrow().is_empty());
    }

    /// Both have read the bucket before one of them writes it.
    #[test]
    fn a_worker_that_was_overtaken_looks_again() {
        for lost in [1, TRIES - 1] {
            let memory = Memory::default();
            let mut ids = UsedIds::new(key("a secret"));
            memory.lost.set(lost);
            assert_eq!(ids.remember(&used(1), NOW, &memory), Use::First);
            memory.lost.set(lost);
            assert_eq!(ids.remember(&used(1), NOW, &memory), Use::Again);
        }
        let memory = Memory::default();
        let mut ids = UsedIds::new(key("a secret"));
        memory.lost.set(TRIES);
        assert_eq!(ids.remember(&used(1), NOW, &memory), Use::NotRemembered);
    }

    /// A full bucket must not forget an id to make room: an attacker would fill it, and then replay.
    #[test]
    fn a_full_bucket_refuses_ids_until_others_end() {
        let memory = Memory::default();
        for key in [key("a secret"), None] {
            let mut ids = UsedIds::new(key);
            let same = |id: &u32| ids.bucket_of(&used(*id).digest) == 7;
            let all: Vec<u32> = (0..).filter(same).take(MAX_IN_BUCKET + 1).collect();
            let (last, full) = all.split_last().unwrap();
            for id in full {
                assert_eq!(ids.remember(&used(*id), NOW, &memory), Use::First);
            }
            assert_eq!(ids.remember(&used(*last), NOW, &memory), Use::NotRemembered);
            assert_eq!(ids.remember(&used(full[0]), NOW, &memory), Use::Again);
            let later = NOW.saturating_add(std::time::Duration::from_secs(61));
            assert_eq!(ids.remember(&used(*last), later, &memory), Use::First);
        }
    }

    #[test]
    fn what_another_module_wrote_is_no_bucket() {
        let memory = Memory::default();
        let mut ids = UsedIds::new(key("a secret"));
        ids.remember(&used(1), NOW, &memory);
        let name = memory.values.borrow().keys().next().unwrap().clone();
        memory.put(&name, &[0; 500]);
        assert_eq!(ids.remember(&used(1), NOW, &memory), Use::First);
        assert_eq!(ids.remember(&used(1), NOW, &memory), Use::Again);
        let (sealed, _) = memory.read(&name).unwrap();
        let digest = used(1).digest.0;
        assert!(sealed.windows(16).any(|part| part == digest));
    }
}
