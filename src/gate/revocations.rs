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

/// Stands in place of an id for all tokens of a provider.
const ALL: IdDigest = IdDigest([0; 16]);

/// Stands in place of a provider for all of them.
const EVERY_PROVIDER: IdDigest = IdDigest([0; 16]);

/// What a revocation is about: the provider, and what its tokens have in common.
type Key = [IdDigest; 2];

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
        let at = |provider, id| known.at([provider, id]);
        let ends = |at: Option<UnixSeconds>| at.is_some_and(|at| token.is_ended_by(at));
        let of_provider = |id: &IdDigest| at(token.provider, *id);
        token.at_any_time.iter().any(|id| of_provider(id).is_some())
            || token.when_issued.iter().any(|id| ends(of_provider(id)))
            || ends(at(token.provider, ALL))
            || ends(at(EVERY_PROVIDER, ALL))
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
        for id in &revocation.ids {
            known.insert([revocation.provider, *id], revocation.at);
        }
        self.publish(&mut known, memory, now)
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
            known.insert([EVERY_PROVIDER, ALL], now);
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
        for _ in 0..TRIES {
            let shared = memory.read(&self.list);
            let read = shared.as_ref();
            let read = read.and_then(|(sealed, _)| self.key.open(&self.list, sealed));
            if let Some(read) = read.and_then(Known::decode) {
                known.join(&read);
            }
            known.tidy(now.saturating_sub(self.keep));
            while known.entries.len() > MAX_ENTRIES {
                known.fold();
            }
            known.number = known.number.saturating_add(1);
            let sealed = self.key.seal(&self.list, &known.encode());
            let is_written = match shared {
                Some((_, version)) => memory.write(&self.list, &sealed, Some(version)),
                None => memory.create(&self.list, &sealed),
            };
            if is_written {
                let turn = self.key.seal(&self.turn, &known.number.to_be_bytes());
                return memory.write(&self.turn, &turn, None);
            }
        }
        false
    }
}

impl Known {
    fn at(&self, key: Key) -> Option<UnixSeconds> {
        let index = self.index(&key).ok()?;
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
        others.all(|(key, at)| self.at(*key) >= Some(*at))
    }

    /// Removes entries that are older than this, and those that an entry for all tokens has in it.
    fn tidy(&mut self, oldest: UnixSeconds) {
        let is_for_all = |key: &Key| matches!(key, [_, ALL]);
        let all = self.entries.iter().filter(|(key, _)| is_for_all(key));
        let all: Vec<_> = all.copied().collect();
        let is_in = |provider: IdDigest, at: UnixSeconds| {
            let mut all = all.iter();
            all.any(|([own, _], until)| {
                (*own == provider || *own == EVERY_PROVIDER) && at <= *until
            })
        };
        self.entries.retain(|(key, at)| {
            let [provider, _] = *key;
            *at >= oldest && (is_for_all(key) || !is_in(provider, *at))
        });
    }

    /// Makes room: the older ones are joined to one entry for each provider, for all tokens of that time.
    /// So nothing is forgotten, and only tokens that are old already are revoked besides.
    fn fold(&mut self) {
        let is_single = |(key, _): &&(Key, UnixSeconds)| !matches!(key, [_, ALL]);
        let times = self.entries.iter().filter(is_single).map(|(_, at)| at.0);
        let oldest = times.clone().min().unwrap_or_default();
        let middle = times.max().unwrap_or_default().midpoint(oldest);
        let all = std::mem::take(&mut self.entries);
        for ([provider, id], at) in all {
            let id = if at.0 <= middle { ALL } else { id };
            self.insert([provider, id], at);
        }
        self.tidy(UnixSeconds(0));
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.number.to_be_bytes().to_vec();
        for ([provider, id], at) in &self.entries {
            bytes.extend_from_slice(&provider.0);
            bytes.extend_from_slice(&id.0);
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
            let (provider, rest) = entry.split_first_chunk()?;
            let (id, at) = rest.split_first_chunk()?;
            let key = [IdDigest(*provider), IdDigest(*id)];
            known.insert(key, UnixSeconds(number(at)?));
        }
        Some(known)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests;
