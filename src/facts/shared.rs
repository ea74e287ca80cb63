//! What the workers of one Envoy process share.
//!
//! Every module of the process that has the same VM id can read and write shared data, and Istio gives
//! all of them the same one. So names have a prefix, and a value is accepted only with a message
//! authentication code. No token is ever written there, and a secret only in encrypted form.

pub(super) mod codec;
mod encryption;

pub(super) use encryption::Encryption;

use std::borrow::Cow;
use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::{Hash, HMAC};

use codec::{moment, put, take};

use super::demand::FactKey;
use super::fault::FaultCode;
use super::peer::Peer;
use super::schedule::{Pause, LONGEST_ASKED_FOR};
use crate::secret::Secret;
use crate::time::UnixMillis;

/// The shared memory of the host.
pub trait SharedMemory {
    /// A value and its version.
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)>;

    /// Writes a value: over any value where `version` is `None`, else only if the version has not
    /// changed. `false` when it has, or when the host refuses.
    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool;

    /// Writes a value where there is none. `false` when there is one, or when the host refuses.
    fn create(&self, name: &str, value: &[u8]) -> bool;
}

/// Proves to one worker that a value was written by another worker of the same configuration.
#[derive(Clone)]
pub struct SharedKey([u8; MAC]);

const MAC: usize = 32;

/// The longest value that workers share is a key set of some 600 KiB: 200 keys with long names. The gate
/// writes no longer value, and each read of one fills the memory of the module.
const MAX_SHARED: usize = 1024 * 1024;

/// How many leases a source has that is shared fact by fact.
const STRIPES: u8 = 64;

/// The number stands for the form of what is shared: versions that differ in it share nothing.
const PREFIX: &str = "n8n-idp-gate/4";

impl SharedKey {
    /// Derived from the secrets that only workers with this configuration have. `None` when there are
    /// none: then nothing is shared, because no value could be checked.
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

    /// Stands for an address in what workers share, because other modules can read that.
    pub(super) fn blind(&self, peer: Peer) -> Peer {
        let mut code = HMAC::new(self.0);
        code.update("peer");
        code.update(peer.bits().to_be_bytes());
        let bytes = code.finalize();
        let first = bytes.first_chunk().copied().unwrap_or_default();
        Peer::blinded(u64::from_be_bytes(first))
    }

    /// A secret for another purpose.
    pub fn secret_for(&self, purpose: &str) -> [u8; MAC] {
        HMAC::mac(purpose, self.0)
    }

    /// Encrypts what workers share, if it holds secrets.
    pub(super) fn encryption(&self) -> Encryption {
        Encryption::derive(&self.0)
    }

    /// The name of a shared value of this kind, which only workers with this configuration know.
    pub fn name(&self, kind: &str, part: &[u8]) -> String {
        let code = self.code_of(kind, part);
        format!("{PREFIX}/{kind}/{}", URL_SAFE_NO_PAD.encode(code))
    }

    /// A code of this part that only workers with this configuration can compute.
    pub fn code_of(&self, kind: &str, part: &[u8]) -> [u8; MAC] {
        let mut hash = HMAC::new(self.0);
        hash.update(Hash::hash(kind.as_bytes()));
        hash.update(Hash::hash(part));
        hash.finalize()
    }

    /// A value as it is shared under this name.
    pub fn seal(&self, name: &str, payload: &[u8]) -> Vec<u8> {
        let mut sealed = self.code(name, payload).finalize().to_vec();
        sealed.extend_from_slice(payload);
        sealed
    }

    /// The payload, if it was sealed with this key under this name: a value that was copied from one
    /// name to another does not open.
    pub fn open<'v>(&self, name: &str, sealed: &'v [u8]) -> Option<&'v [u8]> {
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

/// What the workers of this process share of one source.
pub(super) struct SharedFact<'m> {
    pub(super) memory: &'m dyn SharedMemory,
    pub(super) key: &'m SharedKey,
    pub(super) names: Cow<'m, Names>,
    /// For values that hold secrets.
    pub(super) encryption: Option<&'m Encryption>,
}

/// Under which names the facts of a source are shared.
#[derive(Clone, Debug)]
pub(super) struct Names {
    value: String,
    lease: String,
}

impl Names {
    /// Named after the kind of fact, where the facts come from and which workers can read them. So a changed
    /// configuration of the same source finds the facts that are there, and workers with other secrets,
    /// which could not open them, do not overwrite them.
    pub(super) fn of(kind: &str, parts: &[String], key: &SharedKey) -> Self {
        let mut hash = HMAC::new(key.0);
        hash.update(Hash::hash(kind.as_bytes()));
        for part in parts {
            hash.update(Hash::hash(part.as_bytes()));
        }
        let id = URL_SAFE_NO_PAD.encode(hash.finalize());
        Self {
            value: format!("{PREFIX}/{kind}/{id}"),
            lease: format!("{PREFIX}/lease/{id}"),
        }
    }

    /// The same for one fact of a source. Facts are many, and the leases must be there before any of them is
    /// asked for. So several facts have one lease.
    pub(super) fn of_fact(kind: &str, parts: &[String], about: &FactKey, key: &SharedKey) -> Self {
        let hash = |parts: &[&[u8]]| {
            let mut hash = HMAC::new(key.0);
            hash.update(Hash::hash(kind.as_bytes()));
            for part in parts {
                hash.update(Hash::hash(part));
            }
            URL_SAFE_NO_PAD.encode(hash.finalize())
        };
        let source = parts.iter().map(String::as_bytes);
        let with = |last: &'_ [u8]| {
            let parts: Vec<_> = source.clone().chain([last]).collect();
            hash(&parts)
        };
        Self {
            value: format!("{PREFIX}/{kind}/{}", with(&about.0)),
            lease: format!("{PREFIX}/lease/{}", with(&[stripe(about)])),
        }
    }

    /// One fact for each lease of a source that is shared fact by fact.
    pub(super) fn stripes() -> impl Iterator<Item = FactKey> {
        (0..STRIPES).map(|stripe| {
            let mut key = FactKey::ONLY;
            if let Some(first) = key.0.first_mut() {
                *first = stripe;
            }
            key
        })
    }
}

/// The lease that a fact belongs to.
fn stripe(about: &FactKey) -> u8 {
    about.0.first().copied().unwrap_or_default() % STRIPES
}

/// A value that another worker shared.
pub(super) struct Shared {
    /// The version under which it is there.
    pub(super) version: u32,
    /// What that worker wrote; `None`: no worker with the same secrets wrote it.
    pub(super) payload: Option<Vec<u8>>,
}

impl SharedFact<'_> {
    /// The newest value that any worker fetched. `None`: nothing, or nothing else than at version
    /// `seen`.
    pub(super) fn read(&self, seen: Option<u32>) -> Result<Option<Shared>, TooLarge> {
        let name = &self.names.value;
        let Some((sealed, version)) = self.memory.read(name) else {
            return Ok(None);
        };
        if sealed.len() > MAX_SHARED {
            return Err(TooLarge);
        }
        if seen == Some(version) {
            return Ok(None);
        }
        let payload = match self.encryption {
            Some(encryption) => encryption.open(name, &sealed),
            None => self.key.open(name, &sealed).map(<[u8]>::to_vec),
        };
        Ok(Some(Shared { version, payload }))
    }

    /// Hands a value to the other workers. When the host refuses, they fetch for themselves.
    pub(super) fn publish(&self, payload: &[u8]) {
        let name = &self.names.value;
        match self.encryption {
            Some(encryption) => {
                if let Some(sealed) = encryption.encrypt(name, payload) {
                    self.memory.write(name, &sealed, None);
                }
            }
            None => {
                self.write(name, payload, None);
            }
        }
    }

    /// Writes a free lease where the workers will look for it.
    ///
    /// The host writes a name either at a version or over any value. Two workers that find nothing
    /// would both write, and both hold the lease. So it must be there before the second worker starts.
    pub(super) fn lay_out_lease(&self) {
        if self.memory.read(&self.names.lease).is_none() {
            self.write(&self.names.lease, &Entry::FREE.encode(), None);
        }
    }

    /// Tries to become the one worker that fetches, for `length` or until a value is there.
    ///
    /// A lease that no worker with the same secrets wrote does not count. Neither does one that ends
    /// later than a lease can: a clock that was set back must not make it last.
    pub(super) fn try_lease(&self, now: UnixMillis, length: Duration) -> Lease {
        let end = now.saturating_add(length);
        let ours = Entry::Fetching(end).encode();
        let name = &self.names.lease;
        let Some((value, version)) = self.memory.read(name) else {
            // The host refused the first write, at load. No other worker can read one, so this one
            // fetches for itself.
            self.write(name, &ours, None);
            return Lease::Ours(end);
        };
        let believed = end.saturating_add(LONGEST_ASKED_FOR);
        let is_in_force = |end: UnixMillis| end > now && end <= believed;
        let is_ours = value.len() <= MAX_SHARED;
        let entry = is_ours.then(|| self.key.open(name, &value)).flatten();
        match entry.and_then(Entry::decode) {
            Some(Entry::Fetching(end)) if is_in_force(end) => Lease::Theirs,
            Some(Entry::Pausing(pause)) if is_in_force(pause.until) => Lease::Paused(pause),
            _ if self.write(name, &ours, Some(version)) => Lease::Ours(end),
            _ => Lease::Theirs,
        }
    }

    /// Ends the lease after a fetch: the next fetch of any worker may begin when the pause is over.
    pub(super) fn release(&self, pause: Pause) {
        self.write(&self.names.lease, &Entry::Pausing(pause).encode(), None);
    }

    /// Gives back the lease that ends at `end`, because its fetch will not end. If another worker has
    /// the lease by now, it stays.
    pub(super) fn give_back(&self, end: UnixMillis) {
        let name = &self.names.lease;
        let Some((value, version)) = self.memory.read(name) else {
            return;
        };
        let ours = Entry::Fetching(end).encode();
        if self.key.open(name, &value) == Some(&*ours) {
            self.write(name, &Entry::FREE.encode(), Some(version));
        }
    }

    fn write(&self, name: &str, payload: &[u8], version: Option<u32>) -> bool {
        let sealed = self.key.seal(name, payload);
        self.memory.write(name, &sealed, version)
    }
}

/// Another module overwrote the value with one that is longer than any of the gate can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Which worker may fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lease {
    /// This worker, until then.
    Ours(UnixMillis),
    /// Another worker does; its value will be here with a later tick.
    Theirs,
    /// None until the pause is over: a fetch failed.
    Paused(Pause),
}

/// A lease as it is written in shared memory.
enum Entry {
    Fetching(UnixMillis),
    Pausing(Pause),
}

impl Entry {
    /// A fetch that ended long ago.
    const FREE: Self = Self::Fetching(UnixMillis(0));

    fn encode(&self) -> Vec<u8> {
        let mut value = Vec::new();
        match self {
            Self::Fetching(end) => put(&mut value, &end.0.to_be_bytes()),
            Self::Pausing(pause) => {
                put(&mut value, &pause.until.0.to_be_bytes());
                put(&mut value, &pause.failures.to_be_bytes());
                put(
                    &mut value,
                    &[
                        FaultCode::number_of(pause.fault),
                        u8::from(pause.from_start),
                    ],
                );
            }
        }
        value
    }

    fn decode(mut value: &[u8]) -> Option<Self> {
        let rest = &mut value;
        let until = moment(rest)?;
        if rest.is_empty() {
            return Some(Self::Fetching(until));
        }
        let failures = u32::from_be_bytes(take(rest)?.try_into().ok()?);
        let [fault, from_start] = *take(rest)? else {
            return None;
        };
        Some(Self::Pausing(Pause {
            until,
            failures,
            fault: FaultCode::numbered(fault),
            from_start: from_start != 0,
        }))
    }
}
