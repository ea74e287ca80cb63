//! What the workers of one Envoy process tell each other.
//!
//! Shared data belongs to every module of the process that has the same VM id, and Istio gives
//! all of them the same: so names carry a prefix, and what is read is believed only under a
//! message authentication code. No token and no secret is ever put there.

use std::rc::Rc;
use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::{Hash, HMAC};

use super::call::{code_of, number_of};
use super::kinds::key_set::{Cause, Look, Looks, Published, Retired};
use super::peer::Peer;
use super::schedule;
use crate::crypto::{PublicKey, SkipReason, SkippedKey};
use crate::http::Endpoint;
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

/// The longest snapshot that workers share is some 600 KiB: 200 keys with long names. A longer value
/// is not ours, and each look at it fills the memory of the module.
const MAX_SHARED: usize = 1024 * 1024;

/// The number is that of the form of what is shared: versions that differ in it share nothing.
const PREFIX: &str = "n8n-idp-gate/4";

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

    /// Stands for an address in what workers tell each other, which others can read.
    pub(super) fn blind(&self, peer: Peer) -> Peer {
        let mut code = HMAC::new(self.0);
        code.update("peer");
        code.update(peer.bits().to_be_bytes());
        let bytes = code.finalize();
        let first = bytes.first_chunk().copied().unwrap_or_default();
        Peer::blinded(u64::from_be_bytes(first))
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

/// All that one worker knows after a fetch. Another one needs nothing else to go on from there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    /// When the document was fetched.
    pub(super) fetched: UnixMillis,
    /// When the fetch began that looked for it wherever it may be; zero: it did not.
    pub(super) begun: UnixMillis,
    /// When key sets were last fetched because of unknown key ids.
    pub(super) looks: Looks,
    /// When they were last because of signatures that no known key made.
    pub(super) changes: Looks,
    /// The keys of the document that are left out.
    pub(super) skipped: Vec<SkippedKey>,
    /// How long the provider said that the document is fresh.
    pub(super) max_age: Option<Duration>,
    /// What the discovery document said.
    pub(super) discovered: Option<Discovered>,
    /// The keys.
    pub(super) published: Published,
}

/// What a discovery document said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Discovered {
    /// Where the key set is.
    pub(super) keys: Endpoint,
    /// When the document was read.
    pub(super) read: UnixMillis,
}

impl Names {
    /// Named after where the keys come from and who can read them, so that a changed configuration
    /// of the same provider finds the keys that are there, and workers with other secrets, who
    /// could not open them, do not overwrite them.
    pub(super) fn of(provider: &Provider, key: Option<&SharedKey>) -> Self {
        let mut hash = HMAC::new(key.map_or(&[][..], |key| &key.0));
        let mut part = |text: &str| hash.update(Hash::hash(text.as_bytes()));
        provider.token.issuers.iter().for_each(&mut part);
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
    /// The newest key set that any worker fetched, and the version under which it lies there.
    /// `None`: nothing, or nothing else than at version `seen`.
    pub(super) fn read(
        &self,
        seen: Option<u32>,
    ) -> Result<Option<(u32, Option<Snapshot>)>, TooLarge> {
        let name = &self.names.snapshot;
        let Some((sealed, version)) = self.memory.read(name) else {
            return Ok(None);
        };
        if sealed.len() > MAX_SHARED {
            return Err(TooLarge);
        }
        if seen == Some(version) {
            return Ok(None);
        }
        let snapshot = self.key.open(name, &sealed).and_then(Snapshot::decode);
        Ok(Some((version, snapshot)))
    }

    /// Hands a key set to the other workers. When the host refuses, they fetch for themselves.
    pub(super) fn publish(&self, snapshot: &Snapshot) {
        self.write(&self.names.snapshot, &snapshot.encode(), None);
    }

    /// Puts the lease where the workers will look for it, free to be taken.
    ///
    /// The host writes either at a version or over whatever is there: of two workers that find
    /// nothing, each would write, and hold the lease. So it must lie there before the second worker
    /// starts.
    pub(super) fn lay_out_lease(&self) {
        if self.memory.read(&self.names.lease).is_none() {
            self.write(&self.names.lease, &Entry::FREE.encode(), None);
        }
    }

    /// Tries to become the one worker that fetches, for `length` or until a snapshot is there.
    ///
    /// A lease that no worker of ours wrote is not believed. The longest that one of ours can last
    /// is not exceeded either, lest a clock that was set back makes it last.
    pub(super) fn try_lease(&self, now: UnixMillis, length: Duration) -> Lease {
        let end = now.saturating_add(length);
        let ours = Entry::Fetching(end).encode();
        let name = &self.names.lease;
        let Some((value, version)) = self.memory.read(name) else {
            // The host refused the first write, at load: no other worker can read one, so this one
            // fetches by itself.
            self.write(name, &ours, None);
            return Lease::Ours(end);
        };
        let believed = end.saturating_add(schedule::LONGEST_ASKED_FOR);
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

    /// Ends the lease after a fetch: the next one, whichever worker makes it, may begin when the
    /// pause is over.
    pub(super) fn release(&self, pause: Pause) {
        self.write(&self.names.lease, &Entry::Pausing(pause).encode(), None);
    }

    /// Gives back the lease that ends at `end`, because its fetch will not come to an end. A lease
    /// that is another worker's by now stays.
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

/// Another module put a value in the place of ours that is longer than ours can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

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
    /// The code of the last fault.
    pub(super) fault: Option<&'static str>,
    /// Where the keys are must be asked anew.
    pub(super) moved: bool,
}

/// A lease as it lies in shared memory.
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
                put(&mut value, &[number_of(pause.fault), u8::from(pause.moved)]);
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
        let [fault, moved] = *take(rest)? else {
            return None;
        };
        Some(Self::Pausing(Pause {
            until,
            failures,
            fault: code_of(fault),
            moved: moved != 0,
        }))
    }
}

impl Snapshot {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, &self.fetched.0.to_be_bytes());
        put(&mut bytes, &self.begun.0.to_be_bytes());
        for looks in [&self.looks, &self.changes] {
            put_looks(&mut bytes, looks);
        }
        let mut skipped = Vec::new();
        for key in &self.skipped {
            let index = u64::try_from(key.index).unwrap_or(u64::MAX);
            put(&mut skipped, &index.to_be_bytes());
            put(
                &mut skipped,
                key.key_id.as_deref().unwrap_or_default().as_bytes(),
            );
            put(&mut skipped, key.reason.as_str().as_bytes());
        }
        put(&mut bytes, &skipped);
        let max_age = self.max_age.map(|age| age.as_secs().to_be_bytes());
        put(&mut bytes, max_age.as_ref().map_or(&[], |age| age));
        match &self.discovered {
            None => put(&mut bytes, &[]),
            Some(Discovered { keys, read }) => {
                put(&mut bytes, &read.0.to_be_bytes());
                for part in [&keys.cluster, &keys.scheme, &keys.authority, &keys.path] {
                    put(&mut bytes, part.as_bytes());
                }
            }
        }
        for key in &self.published.keys {
            put(&mut bytes, &[]);
            put(&mut bytes, key.as_jwk().as_bytes());
        }
        for old in &self.published.retired {
            put(&mut bytes, &old.since.0.to_be_bytes());
            put(&mut bytes, old.key.as_jwk().as_bytes());
        }
        bytes
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let (fetched, begun) = (moment(rest)?, moment(rest)?);
        let looks = take_looks(rest, Cause::Unknown)?;
        let changes = take_looks(rest, Cause::Changed)?;
        let mut skipped = Vec::new();
        let mut left = take(rest)?;
        while !left.is_empty() {
            let index = usize::try_from(number(take(&mut left)?)?).ok()?;
            let key_id = Some(text(&mut left)?).filter(|id| !id.is_empty());
            skipped.push(SkippedKey {
                index,
                key_id: key_id.map(str::to_owned),
                reason: SkipReason::named(text(&mut left)?)?,
            });
        }
        let max_age = match take(rest)? {
            [] => None,
            seconds => Some(Duration::from_secs(number(seconds)?)),
        };
        let discovered = match take(rest)? {
            [] => None,
            read => Some(Discovered {
                read: UnixMillis(number(read)?),
                keys: Endpoint {
                    cluster: text(rest)?.to_owned(),
                    scheme: text(rest)?.to_owned(),
                    authority: text(rest)?.to_owned(),
                    path: text(rest)?.to_owned(),
                },
            }),
        };
        let mut published = Published::default();
        while !rest.is_empty() {
            let since = take(rest)?;
            let key = Rc::new(PublicKey::from_jwk(text(rest)?).ok()?);
            if since.is_empty() {
                published.keys.push(key);
            } else {
                let since = UnixMillis(number(since)?);
                published.retired.push(Retired { key, since });
            }
        }
        Some(Self {
            fetched,
            begun,
            looks,
            changes,
            skipped,
            max_age,
            discovered,
            published,
        })
    }
}

fn put_looks(bytes: &mut Vec<u8>, looks: &Looks) {
    let looks = looks.iter().flat_map(|look| {
        let peer = look.peer.map_or(0, Peer::bits);
        let took = u64::try_from(look.took.as_millis()).unwrap_or(u64::MAX);
        [look.at.0, took, peer].map(u64::to_be_bytes)
    });
    put(bytes, &looks.flatten().collect::<Vec<_>>());
}

fn take_looks(rest: &mut &[u8], cause: Cause) -> Option<Looks> {
    let mut looks = Looks::of(cause);
    for mut look in take(rest)?.chunks(24) {
        let mut next = || {
            let (number, after) = look.split_first_chunk()?;
            look = after;
            Some(u64::from_be_bytes(*number))
        };
        let (at, took, peer) = (next()?, next()?, next()?);
        looks.note(Look {
            at: UnixMillis(at),
            took: Duration::from_millis(took),
            peer: (peer != 0).then(|| Peer::blinded(peer)),
        });
    }
    Some(looks)
}

/// Adds a part with its length before it.
fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    // Nothing that is shared comes near 4 GiB; what would is cut and does not open as anything.
    let length = u32::try_from(part.len()).unwrap_or_default();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(part);
}

/// Takes the next part.
fn take<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (part, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(part)
}

fn text<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    std::str::from_utf8(take(rest)?).ok()
}

fn number(part: &[u8]) -> Option<u64> {
    part.try_into().ok().map(u64::from_be_bytes)
}

fn moment(rest: &mut &[u8]) -> Option<UnixMillis> {
    number(take(rest)?).map(UnixMillis)
}
