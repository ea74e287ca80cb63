//! What the workers of one Envoy process tell each other.
//!
//! Shared data belongs to every module of the process that has the same VM id, and Istio gives
//! all of them the same: so names carry a prefix, and what is read is believed only under a
//! message authentication code. No token and no secret is ever put there.

use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::{Hash, HMAC};

use super::backoff;
use crate::policy::{KeySource, Provider};
use crate::secret::Secret;
use crate::time::UnixMillis;

/// The shared memory of the host.
pub trait SharedMemory {
    /// A value and its version.
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)>;

    /// Writes a value: whatever is there where `version` is `None`, or only if the version has
    /// not changed. `false` when it has, or when the host refuses.
    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool;
}

/// Proves to one worker that a value was written by another worker of the same configuration.
#[derive(Clone)]
pub struct SharedKey([u8; MAC]);

const MAC: usize = 32;
const PREFIX: &str = "n8n-idp-gate/1";

impl SharedKey {
    /// Made of the secrets that only workers with this configuration have. `None` when there are
    /// none: then nothing is shared, since nothing read could be believed.
    pub fn derive<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Option<Self> {
        let mut hash = HMAC::new("n8n-idp-gate shared data key, version 1");
        let mut any = false;
        for secret in secrets {
            any = true;
            // Each secret is hashed by itself, so that moving bytes from one to the next gives
            // another key.
            hash.update(Hash::hash(secret.expose().as_bytes()));
        }
        any.then(|| Self(hash.finalize()))
    }

    fn seal(&self, name: &str, payload: &[u8]) -> Vec<u8> {
        let mut sealed = self.code(name, payload).finalize().to_vec();
        sealed.extend_from_slice(payload);
        sealed
    }

    /// The payload, if it was sealed with this key under this very name: a value that was copied
    /// from one name to another does not open.
    fn open<'v>(&self, name: &str, sealed: &'v [u8]) -> Option<&'v [u8]> {
        let (code, payload) = sealed.split_first_chunk::<MAC>()?;
        self.code(name, payload)
            .finalize_verify(code)
            .then_some(payload)
    }

    fn code(&self, name: &str, payload: &[u8]) -> HMAC {
        let mut code = HMAC::new(self.0);
        code.update(Hash::hash(name.as_bytes()));
        code.update(payload);
        code
    }
}

/// Key sets that the workers of this process share.
pub(super) struct SharedKeySet<'m> {
    pub(super) memory: &'m dyn SharedMemory,
    pub(super) key: &'m SharedKey,
    pub(super) names: &'m Names,
}

/// Under which names a provider's facts are shared.
#[derive(Debug)]
pub(super) struct Names {
    snapshot: String,
    lease: String,
}

/// A key set as one worker fetched it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// When it was fetched.
    pub(super) fetched: UnixMillis,
    /// When a key set was last fetched because of an unknown `kid`; zero: never.
    pub(super) missed: UnixMillis,
    /// The document, as the provider sent it.
    pub(super) document: Vec<u8>,
}

impl Names {
    /// Named after where the keys come from and who can read them, so that a changed configuration
    /// of the same provider finds the keys that are there, and workers with other secrets, who
    /// could not open them, do not overwrite them.
    pub(super) fn of(provider: &Provider, key: Option<&SharedKey>) -> Self {
        let mut hash = HMAC::new(key.map_or(&[][..], |key| &key.0));
        let mut part = |text: &str| hash.update(Hash::hash(text.as_bytes()));
        provider.issuers.iter().for_each(|issuer| part(issuer));
        match &provider.keys {
            KeySource::Discovery {
                document,
                jwks_cluster,
            } => {
                part("discovery");
                part(&format!("{document:?} {jwks_cluster:?}"));
            }
            KeySource::Jwks(endpoint) => part(&format!("jwks {endpoint:?}")),
            KeySource::Inline(_) => part("inline"),
        }
        let id = URL_SAFE_NO_PAD.encode(hash.finalize());
        Self {
            snapshot: format!("{PREFIX}/keys/{id}"),
            lease: format!("{PREFIX}/lease/{id}"),
        }
    }
}

impl SharedKeySet<'_> {
    /// The newest key set that any worker fetched.
    pub(super) fn read(&self) -> Option<Snapshot> {
        let (sealed, _) = self.memory.read(&self.names.snapshot)?;
        Snapshot::decode(self.key.open(&self.names.snapshot, &sealed)?)
    }

    /// Hands a key set to the other workers. When the host refuses, they fetch for themselves.
    pub(super) fn publish(&self, snapshot: &Snapshot) {
        let sealed = self.key.seal(&self.names.snapshot, &snapshot.encode());
        self.memory.write(&self.names.snapshot, &sealed, None);
    }

    /// Tries to become the one worker that fetches, for `length` or until a snapshot is there.
    ///
    /// The lease is not authenticated: whoever forges one delays a fetch by a little more than a
    /// minute at most, since a later end is not believed.
    pub(super) fn try_lease(&self, now: UnixMillis, length: Duration) -> Lease {
        let end = now.saturating_add(length);
        let ours = Entry::Fetching(end).encode();
        let name = &self.names.lease;
        let Some((value, version)) = self.memory.read(name) else {
            // A host that refuses the write has no workers that could read it: fetch all the same.
            self.memory.write(name, &ours, None);
            return Lease::Ours(end);
        };
        let believed = end.saturating_add(backoff::LONGEST);
        let is_in_force = |end: UnixMillis| end > now && end <= believed;
        match Entry::decode(&value) {
            Some(Entry::Fetching(end)) if is_in_force(end) => Lease::Theirs,
            Some(Entry::Pausing(pause)) if is_in_force(pause.until) => Lease::Paused(pause),
            _ if self.memory.write(name, &ours, Some(version)) => Lease::Ours(end),
            _ => Lease::Theirs,
        }
    }

    /// Ends the lease after a fetch: the next one, whichever worker makes it, may begin when the
    /// pause is over.
    pub(super) fn release(&self, pause: Pause) {
        let value = Entry::Pausing(pause).encode();
        self.memory.write(&self.names.lease, &value, None);
    }

    /// Gives back the lease that ends at `end`, because its fetch will not come to an end. A lease
    /// that is another worker's by now stays.
    pub(super) fn give_back(&self, end: UnixMillis) {
        let name = &self.names.lease;
        let Some((value, version)) = self.memory.read(name) else {
            return;
        };
        if value == Entry::Fetching(end).encode() {
            let free = Entry::Fetching(UnixMillis(0)).encode();
            self.memory.write(name, &free, Some(version));
        }
    }
}

/// Who may fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// This worker, until then.
    Ours(UnixMillis),
    /// Another worker does; its snapshot will be here with a later tick.
    Theirs,
    /// Nobody for a while: a fetch failed.
    Paused(Pause),
}

/// A pause after a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    /// When it is over.
    pub(super) until: UnixMillis,
    /// How many fetches in a row have failed, so that the next pause is longer whoever fetches.
    pub(super) failures: u32,
}

/// A lease as it lies in shared memory.
enum Entry {
    Fetching(UnixMillis),
    Pausing(Pause),
}

impl Entry {
    fn encode(&self) -> Vec<u8> {
        let (kind, end, failures) = match self {
            Self::Fetching(end) => (0_u8, end, 0),
            Self::Pausing(pause) => (1, &pause.until, pause.failures),
        };
        let mut value = vec![kind];
        value.extend_from_slice(&end.0.to_be_bytes());
        value.extend_from_slice(&failures.to_be_bytes());
        value
    }

    fn decode(value: &[u8]) -> Option<Self> {
        let (kind, rest) = value.split_first()?;
        let (end, failures) = rest.split_first_chunk::<8>()?;
        let until = UnixMillis(u64::from_be_bytes(*end));
        let failures = u32::from_be_bytes(failures.try_into().ok()?);
        match kind {
            0 => Some(Self::Fetching(until)),
            1 => Some(Self::Pausing(Pause { until, failures })),
            _ => None,
        }
    }
}

impl Snapshot {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.document.len().saturating_add(16));
        bytes.extend_from_slice(&self.fetched.0.to_be_bytes());
        bytes.extend_from_slice(&self.missed.0.to_be_bytes());
        bytes.extend_from_slice(&self.document);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (fetched, rest) = bytes.split_first_chunk::<8>()?;
        let (missed, document) = rest.split_first_chunk::<8>()?;
        Some(Self {
            fetched: UnixMillis(u64::from_be_bytes(*fetched)),
            missed: UnixMillis(u64::from_be_bytes(*missed)),
            document: document.to_vec(),
        })
    }
}
