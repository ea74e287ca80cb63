//! Revocations that providers pushed, over all workers of one Envoy.
//!
//! The list is one sealed value in shared memory, and each worker has a copy. A second value, the turn,
//! is written after the list. Its version shows a worker with one short read whether its copy is the
//! newest.
//!
//! Other modules can overwrite both values. They cannot seal one, and what they can do is answered so that
//! no revocation is forgotten: a worker joins what it reads with what it knows, and writes it back where
//! something is missing. A worker that knows nothing yet, and finds a list that is damaged or older than
//! its turn, takes all tokens that were issued until now for revoked.

use std::cell::RefCell;
use std::time::Duration;

use crate::decide::{IdDigest, Revocable, Revocation, Revocations};
use crate::facts::{SharedKey, SharedMemory};
use crate::policy::Policy;
use crate::time::UnixSeconds;

/// The most entries. A log-out has two: for tokens with its session, and for those without any.
pub(super) const MAX_ENTRIES: usize = 4096;

/// How often the list is read again that another worker has written in between.
const TRIES: usize = 16;

/// The length of a digest, in bytes.
const DIGEST: usize = 16;

/// Stands in place of an id for all tokens of a provider, and in place of a provider for all of them.
const ALL: IdDigest = IdDigest([0; DIGEST]);

/// What a revocation is about: the provider, and what its tokens have in common.
type Key = [u8; 2 * DIGEST];

/// The length of one entry, in bytes.
const ENTRY: usize = 40;

/// The revocations that one worker knows.
pub(super) struct PushedRevocations {
    key: SharedKey,
    list: String,
    turn: String,
    /// How long each is kept.
    keep: Duration,
    known: RefCell<Known>,
}

#[derive(Default)]
struct Known {
    /// In the order of their keys, each with the time of the event.
    entries: Vec<(Key, UnixSeconds)>,
    /// How often the list was written.
    number: u64,
    /// Whether the host did not store what is known.
    is_unshared: bool,
    /// Whether the list was read at all.
    is_read: bool,
    /// The version of the turn that was seen last.
    seen: Option<u32>,
}

/// The revocations at one moment.
pub(super) struct RevocationsAt<'g> {
    pub(super) pushed: &'g PushedRevocations,
    pub(super) memory: &'g dyn SharedMemory,
    pub(super) now: UnixSeconds,
}

impl Revocations for RevocationsAt<'_> {
    fn is_revoked(&self, token: &Revocable) -> bool {
        self.pushed.refresh(self.memory, self.now);
        let known = self.pushed.known.borrow();
        let is_ended = |provider: IdDigest, id: IdDigest, at_any_time: bool| {
            let at = known.at(&key(provider, id));
            at.is_some_and(|at| at_any_time || token.is_ended_by(at))
        };
        let mut ids = token.ids.iter();
        ids.any(|(id, at_any_time)| is_ended(token.provider, *id, *at_any_time))
            || is_ended(token.provider, ALL, false)
            || is_ended(ALL, ALL, false)
    }
}

impl PushedRevocations {
    pub(super) fn new(key: SharedKey, keep: Duration) -> Self {
        Self {
            list: key.name("revocations", b"list"),
            turn: key.name("revocations", b"turn"),
            key,
            keep,
            known: RefCell::default(),
        }
    }

    /// `None`: no provider pushes any. Workers with other API keys of n8n, before and after one was replaced,
    /// share what they know: the key is made of `sharing_secret` alone.
    pub(super) fn of(policy: &Policy) -> Option<Self> {
        let pushes = policy
            .providers
            .iter()
            .flat_map(|provider| &provider.pushes);
        let keep = pushes.map(|push| push.rules.keep).max()?;
        let key = SharedKey::derive(&policy.sharing_secret)?;
        Some(Self::new(key, keep))
    }

    /// Adds a revocation, for all workers. `false`: other workers may not know it. This one does.
    pub(super) fn add(
        &self,
        revocation: &Revocation,
        memory: &dyn SharedMemory,
        now: UnixSeconds,
    ) -> bool {
        self.refresh(memory, now);
        let mut known = self.known.borrow_mut();
        let mut is_new = known.is_unshared;
        for id in &revocation.ids {
            let key = key(revocation.provider, *id);
            let mut wider = [key, for_all(&key), [0; 2 * DIGEST]].into_iter();
            if !wider.any(|key| known.at(&key) >= Some(revocation.at)) {
                known.insert(key, revocation.at);
                is_new = true;
            }
        }
        // An event that is sent again and again must not cost each worker a list each time.
        !is_new || self.publish(&mut known, memory, now)
    }

    /// Reads the list, if it was written since.
    fn refresh(&self, memory: &dyn SharedMemory, now: UnixSeconds) {
        let mut known = self.known.borrow_mut();
        let turn = memory.read(&self.turn);
        let version = turn.as_ref().map(|(_, version)| *version);
        if known.is_read && known.seen == version {
            return;
        }
        let is_first = !known.is_read;
        known.is_read = true;
        known.seen = version;
        let turn = turn.and_then(|(sealed, _)| number(self.key.open(&self.turn, &sealed)?));
        let written = turn.unwrap_or_default().max(known.number);
        let read = self.read(memory);
        let is_whole = read.number >= written;
        known.join(&read);
        known.tidy(now.saturating_sub(self.keep));
        if is_whole && read.has_all_of(&known) {
            return;
        }
        if is_first && !is_whole {
            known.insert(key(ALL, ALL), now);
        }
        known.number = written;
        self.publish(&mut known, memory, now);
    }

    /// The list as it is shared. One that another module damaged is empty, and was never written.
    fn read(&self, memory: &dyn SharedMemory) -> Known {
        let shared = memory.read(&self.list);
        let sealed = shared.as_ref().map(|(sealed, _)| sealed);
        let read = sealed.and_then(|sealed| self.key.open(&self.list, sealed));
        read.and_then(Known::decode).unwrap_or_default()
    }

    fn publish(&self, known: &mut Known, memory: &dyn SharedMemory, now: UnixSeconds) -> bool {
        known.is_unshared = true;
        for _ in 0..TRIES {
            let shared = memory.read(&self.list);
            let read = shared.as_ref();
            let read = read.and_then(|(sealed, _)| self.key.open(&self.list, sealed));
            if let Some(read) = read.and_then(Known::decode) {
                known.join(&read);
            }
            known.tidy(now.saturating_sub(self.keep));
            for _ in 0..u64::BITS {
                if known.entries.len() > MAX_ENTRIES {
                    known.fold();
                }
            }
            known.number = known.number.saturating_add(1);
            let sealed = self.key.seal(&self.list, &known.encode());
            let is_written = match shared {
                Some((_, version)) => memory.write(&self.list, &sealed, Some(version)),
                None => memory.create(&self.list, &sealed),
            };
            if is_written {
                let turn = self.key.seal(&self.turn, &known.number.to_be_bytes());
                known.is_unshared = !memory.write(&self.turn, &turn, None);
                break;
            }
        }
        !known.is_unshared
    }
}

impl Known {
    fn at(&self, key: &Key) -> Option<UnixSeconds> {
        let index = self.index(key).ok()?;
        self.entries.get(index).map(|(_, at)| *at)
    }

    fn index(&self, key: &Key) -> Result<usize, usize> {
        self.entries.binary_search_by(|(own, _)| own.cmp(key))
    }

    /// Adds an entry. Of two times, the later one revokes more.
    fn insert(&mut self, key: Key, at: UnixSeconds) {
        match self.index(&key) {
            Ok(index) => {
                if let Some((_, own)) = self.entries.get_mut(index) {
                    *own = at.max(*own);
                }
            }
            Err(index) => self.entries.insert(index, (key, at)),
        }
    }

    /// Adds the entries of another list.
    fn join(&mut self, other: &Self) {
        for (key, at) in &other.entries {
            self.insert(*key, *at);
        }
        self.number = self.number.max(other.number);
    }

    fn has_all_of(&self, other: &Self) -> bool {
        let mut others = other.entries.iter();
        others.all(|(key, at)| self.at(key) >= Some(*at))
    }

    /// Removes entries that are older than this, and those that an entry for all tokens has in it.
    fn tidy(&mut self, oldest: UnixSeconds) {
        let mut all = Vec::new();
        for (key, at) in &self.entries {
            if is_for_all(key) {
                all.push((*key, *at));
            }
        }
        self.entries.retain(|(key, at)| {
            let is_in = |(own, until): &(Key, UnixSeconds)| {
                (*own == for_all(key) || *own == [0; 2 * DIGEST]) && at <= until
            };
            *at >= oldest && (is_for_all(key) || !all.iter().any(is_in))
        });
    }

    /// Makes room: the older ones are joined to one entry for each provider, for all tokens of that time.
    /// So nothing is forgotten, and only tokens that are old already are revoked besides.
    fn fold(&mut self) {
        let (mut oldest, mut newest) = (u64::MAX, 0);
        for (key, at) in &self.entries {
            if !is_for_all(key) {
                oldest = oldest.min(at.0);
                newest = newest.max(at.0);
            }
        }
        let middle = newest.midpoint(oldest);
        for (key, at) in std::mem::take(&mut self.entries) {
            let key = if at.0 <= middle { for_all(&key) } else { key };
            self.insert(key, at);
        }
        self.tidy(UnixSeconds(0));
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.number.to_be_bytes().to_vec();
        for (key, at) in &self.entries {
            bytes.extend_from_slice(key);
            bytes.extend_from_slice(&at.0.to_be_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first_chunk()?;
        let mut known = Self {
            number: u64::from_be_bytes(*first),
            ..Self::default()
        };
        let (entries, _) = rest.as_chunks::<ENTRY>();
        for entry in entries.iter().take(MAX_ENTRIES.saturating_mul(2)) {
            let (key, at) = entry.split_first_chunk()?;
            known.insert(*key, UnixSeconds(number(at)?));
        }
        Some(known)
    }
}

fn key(provider: IdDigest, id: IdDigest) -> Key {
    let mut key = [0; 2 * DIGEST];
    let bytes = provider.0.iter().chain(&id.0);
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    key
}

/// The key for all tokens of the provider of this one.
fn for_all(key: &Key) -> Key {
    let mut all = *key;
    all.iter_mut().skip(DIGEST).for_each(|byte| *byte = 0);
    all
}

fn is_for_all(key: &Key) -> bool {
    *key == for_all(key)
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
