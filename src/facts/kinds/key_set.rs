//! The key set of one provider.

mod discovery;
mod fault;
mod in_use;
mod refetch;
mod snapshot;
mod unknown;
mod view;

pub use discovery::read_discovery;
pub use fault::KeysFault;
pub(in crate::facts) use refetch::Refetch;
pub use unknown::KeyIdDigest;

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use discovery::jwks_endpoint;
use in_use::{InUse, Published};
use refetch::{Cause, PastRefetch, Refetches, Wanted};
use snapshot::{Discovered, Snapshot};
use unknown::UnknownKeyIds;

use crate::crypto::{KeySet, KeySetFault, PublicKey, SkippedKey};
use crate::facts::call::{Call, CallRequest, CallResponse};
use crate::facts::peer::Peer;
use crate::facts::schedule::{rhythm, Calls, Failure, Pause, Pauses, UnderWay};
use crate::facts::source::{
    Adopted, CallIds, Ended, FactKey, Kind, Need, Progress, Room, Sharing, Start,
};
use crate::facts::waiting::Waiter;
use crate::facts::{Availability, Event, FaultCode};
use crate::http::Endpoint;
use crate::policy::{Freshness, KeySource, Provider, ProviderId};
use crate::time::UnixMillis;

/// The most requests of one worker that wait for keys at a time. Each holds a connection and memory.
const MAX_WAITERS: usize = 1024;

/// The most key ids that one refetch looks for by name.
const MAX_LOOKED_FOR: usize = 256;

/// The key set of one provider.
#[derive(Debug)]
pub(in crate::facts) struct KeySetSource {
    provider: ProviderId,
    /// All issuers of the provider.
    issuers: Vec<String>,
    /// The issuer that its discovery document must name.
    issuer: String,
    source: KeySource,
    freshness: Freshness,
    revoked: Vec<String>,
    in_use: Option<InUse>,
    /// The keys of the newest document that are left out.
    skipped: Vec<SkippedKey>,
    /// When this worker first asked for it.
    started: Option<UnixMillis>,
    /// When the newest document was fetched that is known here, an empty one included.
    newest: UnixMillis,
    /// The keys came from another worker and were due then. What is in shared memory may be older than
    /// what the workers knew, written back by another module. So they do not serve before this worker
    /// has tried to fetch them.
    is_overdue: bool,
    /// When keys were last fetched, whether they are still in use or not.
    last_good: Option<UnixMillis>,
    discovered: Option<Discovered>,
    calls: Calls<Step>,
    pauses: Pauses,
    unknown: UnknownKeyIds,
    /// The fetches for tokens that named a key id which is not in the set.
    refetches: Refetches,
    /// The same for tokens whose signature is good under no key that they name.
    changes: Refetches,
    /// When the last fetch began that brought keys and rested on nothing known before. If a request
    /// came before that, and its token names a key that is not in the set, the key is not published.
    complete_since: UnixMillis,
}

/// One call of a fetch.
#[derive(Debug)]
pub(in crate::facts) enum Step {
    /// For the discovery document. The call for the keys goes to this cluster.
    Document(Fetch, String),
    /// For the key set.
    Keys(Fetch),
}

/// What the calls of one fetch have in common.
#[derive(Clone, Debug)]
pub(in crate::facts) struct Fetch {
    begun: UnixMillis,
    /// It rests on nothing that was known before.
    is_whole: bool,
    /// Why it is a refetch, if it is one.
    cause: Option<Cause>,
    /// Where the request came from that caused it.
    peer: Option<Peer>,
    /// The digests of the key ids that it is for.
    asked: Vec<KeyIdDigest>,
}

impl Step {
    const fn fetch(&self) -> &Fetch {
        match self {
            Self::Document(fetch, _) | Self::Keys(fetch) => fetch,
        }
    }
}

impl KeySetSource {
    pub(in crate::facts) fn new(id: ProviderId, provider: &Provider) -> Self {
        Self {
            provider: id,
            issuers: provider.token.issuers.iter().map(str::to_owned).collect(),
            issuer: provider.token.issuers.discovery.clone(),
            source: provider.keys.clone(),
            freshness: provider.freshness.clone(),
            revoked: provider.revoked_kids.clone(),
            in_use: None,
            skipped: match &provider.keys {
                KeySource::Inline(set) => set.skipped().to_vec(),
                _ => Vec::new(),
            },
            started: None,
            newest: UnixMillis(0),
            is_overdue: false,
            last_good: None,
            discovered: None,
            calls: Calls::default(),
            pauses: Pauses::new(u32::MAX),
            unknown: UnknownKeyIds::default(),
            refetches: Refetches::of(Cause::Unknown),
            changes: Refetches::of(Cause::Changed),
            complete_since: UnixMillis(0),
        }
    }

    /// When keys are due: what the provider says of its document counts within bounds. It is the same
    /// moment in every worker, because all that it depends on is shared.
    fn next_fetch(&self, in_use: &InUse) -> UnixMillis {
        let Freshness {
            ttl,
            min_ttl,
            max_ttl,
            ..
        } = self.freshness;
        let max_age = in_use.max_age();
        let length = max_age.map_or(ttl, |max_age| max_age.max(min_ttl).min(max_ttl));
        let fetched = in_use.fetched();
        fetched.saturating_add(rhythm(length, fetched.0))
    }

    /// The first call of a fetch, which is also for the keys that requests want.
    fn first_call(&self, wanted: &[Wanted], now: UnixMillis) -> Option<(Step, Endpoint)> {
        let may_cause = |wanted: &&_| self.before_wanted(**wanted, now).is_zero();
        let caused_by = wanted.iter().find(may_cause).or(wanted.first());
        let cause = caused_by.map(|wanted| wanted.cause);
        let mut seen = HashSet::new();
        let asked = wanted.iter().map(|wanted| wanted.key_id);
        let asked = asked.filter(|key_id| seen.insert(*key_id));
        let fetch = |is_whole| Fetch {
            begun: now,
            is_whole,
            cause,
            peer: caused_by.and_then(|wanted| wanted.peer),
            asked: asked.take(MAX_LOOKED_FOR).collect(),
        };
        // A key that is not there may be at a new address: for it, the document is read anew, too.
        let discovered = self.discovered.as_ref().filter(|discovered| {
            cause.is_none() && now.since(discovered.read) < self.freshness.discovery_ttl
        });
        Some(match (&self.source, discovered) {
            (KeySource::Inline(_), _) => return None,
            (KeySource::Jwks(endpoint), _) => (Step::Keys(fetch(true)), endpoint.clone()),
            (KeySource::Discovery { .. }, Some(discovered)) => {
                (Step::Keys(fetch(false)), discovered.keys.clone())
            }
            (
                KeySource::Discovery {
                    document,
                    jwks_cluster,
                },
                None,
            ) => {
                let cluster = jwks_cluster.as_ref().unwrap_or(&document.cluster);
                let step = Step::Document(fetch(true), cluster.clone());
                (step, document.clone())
            }
        })
    }

    fn note_refetch(&mut self, fetch: &Fetch, now: UnixMillis) {
        if let Some(cause) = fetch.cause {
            let refetches = match cause {
                Cause::Unknown => &mut self.refetches,
                Cause::Changed => &mut self.changes,
            };
            refetches.note(PastRefetch {
                at: now,
                took: now.since(fetch.begun),
                peer: fetch.peer,
            });
        }
    }

    /// Reads a discovery document: where the keys are.
    fn read_document(
        &mut self,
        document: &[u8],
        cluster: &str,
        now: UnixMillis,
    ) -> Result<Endpoint, KeysFault> {
        let keys = jwks_endpoint(document, &self.issuer, cluster)?;
        self.discovered = Some(Discovered {
            keys: keys.clone(),
            read: now,
        });
        Ok(keys)
    }

    /// Reads a key set. What the provider publishes counts at once, also where it is of no use, with
    /// the fault that it then is.
    fn read_keys(
        &mut self,
        fetch: &Fetch,
        document: &[u8],
        max_age: Option<Duration>,
        now: UnixMillis,
    ) -> Result<(Snapshot, Option<KeySetFault>), KeysFault> {
        let (keys, skipped, fault) = match KeySet::parse(document) {
            Ok(set) => (set.keys().to_vec(), set.skipped().to_vec(), None),
            // The provider publishes none of the known keys any more, whatever it publishes instead.
            // Every other fault says nothing about them.
            Err(KeySetFault::Empty) => (Vec::new(), Vec::new(), Some(KeySetFault::Empty)),
            Err(KeySetFault::NoUsableKey(skipped)) => {
                let fault = KeySetFault::NoUsableKey(skipped.clone());
                (Vec::new(), skipped, Some(fault))
            }
            Err(fault) => return Err(fault.into()),
        };
        // A set without keys means that none may be used any longer, whatever the grace.
        let withdrawn = fault == Some(KeySetFault::Empty);
        self.skipped = skipped;
        let published = self.published(&keys, withdrawn, now);
        let mut snapshot = self.snapshot(published, now, max_age);
        if fetch.is_whole {
            snapshot.begun = fetch.begun;
        }
        self.take_over(&snapshot);
        Ok((snapshot, fault))
    }

    /// What counts after these keys were published. Where the old ones were withdrawn or are stale,
    /// nothing of them stays, whatever the grace.
    fn published(&self, keys: &[Rc<PublicKey>], withdrawn: bool, now: UnixMillis) -> Published {
        let mut published = match self.in_use.as_ref() {
            Some(in_use) if !withdrawn && self.is_fresh(in_use, now) => {
                in_use.published().succeeded_by(keys, now)
            }
            _ => Published {
                keys: keys.to_vec(),
                removed: Vec::new(),
            },
        };
        if self.freshness.grace.is_zero() {
            published.removed.clear();
        }
        published
    }

    /// What the other workers learn, with these keys.
    fn snapshot(
        &self,
        published: Published,
        fetched: UnixMillis,
        max_age: Option<Duration>,
    ) -> Snapshot {
        Snapshot {
            fetched,
            begun: self.complete_since,
            refetches: self.refetches.clone(),
            changes: self.changes.clone(),
            skipped: self.skipped.clone(),
            max_age,
            discovered: self.discovered.clone(),
            published,
        }
    }

    fn note_failure(
        &mut self,
        call: &UnderWay<Step>,
        fault: &KeysFault,
        asked_for: Option<Duration>,
        now: UnixMillis,
    ) {
        self.is_overdue = false;
        let failure = Failure {
            fault: fault.code(),
            asked_for,
            is_new: true,
            is_of_all: true,
            // The low bits of clock and call number differ from gate to gate.
            seed: now.0 ^ call.id.0,
        };
        self.pauses.failed(failure, now);
        // Keys that are not at their address may have moved. A document that could not be fetched says
        // nothing about where they are.
        let may_have_moved = match call.step {
            Step::Keys(_) => fault.code() != FaultCode::RateLimited,
            Step::Document(..) => fault.is_in_document(),
        };
        if may_have_moved {
            self.discovered = None;
        }
    }

    /// What operators learn of a fetch: this, and which keys are left out if these are others than
    /// before.
    fn events(&self, event: Event, skipped_before: &[SkippedKey]) -> Vec<Event> {
        let mut events = vec![event];
        if self.skipped != skipped_before {
            events.push(Event::KeysSkipped(self.provider, self.skipped.clone()));
        }
        events
    }

    /// Takes keys into use. What a worker shares is all that it knows, so that nothing of what was here
    /// before is added to it.
    fn take_over(&mut self, snapshot: &Snapshot) {
        let fetched = snapshot.fetched;
        self.newest = fetched;
        if snapshot.discovered.is_some() {
            self.discovered.clone_from(&snapshot.discovered);
        }
        self.complete_since = self.complete_since.max(snapshot.begun);
        self.is_overdue = false;
        self.skipped.clone_from(&snapshot.skipped);
        let before = self.in_use.take();
        let before = before.as_ref().map(InUse::keys);
        let in_use = InUse::new(snapshot, &self.revoked);
        let none = KeySet::default();
        let keys = in_use.as_ref().map_or(&none, InUse::keys);
        self.unknown.replaced(before.unwrap_or(&none), keys);
        self.in_use = in_use;
        if snapshot.published.keys.is_empty() {
            return;
        }
        self.last_good = Some(fetched);
        self.pauses.reset();
    }
}

impl Kind for KeySetSource {
    const NAME: &'static str = "keys";

    type Key = OnlyKeySet;
    type Value<'k> = &'k KeySet;
    type Fault = KeysFault;
    type Step = Step;

    fn availability(&self, _: OnlyKeySet, _: bool, now: UnixMillis) -> Availability<&KeySet> {
        if let KeySource::Inline(set) = &self.source {
            return Availability::Known(set);
        }
        let in_use = self.in_use.as_ref();
        if let Some(in_use) = in_use.filter(|in_use| self.serves(in_use, now)) {
            return Availability::Known(in_use.keys());
        }
        if self.calls.is_empty() && !self.pauses.is_over(now) {
            return Availability::Unavailable(self.pauses.outage(self.pauses.until(), now));
        }
        Availability::Pending
    }

    fn calls(&self) -> &Calls<Step> {
        &self.calls
    }

    fn calls_mut(&mut self) -> &mut Calls<Step> {
        &mut self.calls
    }

    fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    fn pauses_mut(&mut self) -> &mut Pauses {
        &mut self.pauses
    }

    fn timeout(&self) -> Duration {
        self.freshness.timeout
    }

    fn room(&self) -> Room {
        Room {
            slots: MAX_WAITERS,
            proven_apart: false,
            // One whole fetch: the discovery document and the key set.
            longest: self.freshness.timeout.saturating_mul(2),
        }
    }

    /// A clock that was set back must not keep old keys in use.
    fn expire(&mut self, now: UnixMillis) {
        self.newest = self.newest.min(now);
        self.started.get_or_insert(now);
        self.started = self.started.map(|started| started.min(now));
        self.refetches.clamp(now);
        self.changes.clamp(now);
        self.complete_since = self.complete_since.min(now);
        self.unknown.clamp(now);
        for call in self.calls.iter_mut() {
            let (Step::Document(fetch, _) | Step::Keys(fetch)) = &mut call.step;
            fetch.begun = fetch.begun.min(now);
        }
        if let Some(discovered) = &mut self.discovered {
            discovered.read = discovered.read.min(now);
        }
        if let Some(in_use) = &mut self.in_use {
            if let Some(before) = in_use.expire(now, self.freshness.grace) {
                self.unknown.replaced(&before, in_use.keys());
            }
        }
        let in_use = self.in_use.take();
        self.in_use = in_use.filter(|in_use| !in_use.published().is_empty());
    }

    fn is_due(&self, waiters: &mut dyn Iterator<Item = &Waiter>, now: UnixMillis) -> bool {
        let stale = match (&self.source, &self.in_use) {
            (KeySource::Inline(_), _) => return false,
            (_, None) => true,
            // Keys under grace alone: the provider has no others at the moment.
            (_, Some(in_use)) => {
                in_use.published().keys.is_empty() || now >= self.next_fetch(in_use)
            }
        };
        let cooldown = self.freshness.cooldown;
        let next = |refetches: &Refetches| refetches.next(now, cooldown);
        let may_refetch = || now >= next(&self.refetches).min(next(&self.changes));
        let mut is_wanted = || {
            let mut wanted = waiters.filter_map(wanted);
            wanted.any(|wanted| self.before_wanted(wanted, now).is_zero())
        };
        self.calls.is_empty()
            && self.pauses.is_over(now)
            && (stale || (may_refetch() && is_wanted()))
    }

    fn begin(
        &mut self,
        ids: &mut CallIds,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> Vec<Start> {
        let wanted: Vec<_> = waiters.filter_map(wanted).collect();
        let Some((step, endpoint)) = self.first_call(&wanted, now) else {
            return Vec::new();
        };
        let id = ids.next();
        self.calls.begin(UnderWay {
            id,
            key: FactKey::ONLY,
            begun: now,
            step,
        });
        let request = CallRequest::get(endpoint, self.freshness.timeout);
        vec![Start::Call(Call { id, request })]
    }

    fn read(
        &mut self,
        call: &UnderWay<Step>,
        response: CallResponse,
        now: UnixMillis,
    ) -> Result<Progress<Step>, KeysFault> {
        let (max_age, asked_for) = (response.max_age(), response.retry_after());
        let document = response.document();
        let fetch = match &call.step {
            Step::Document(fetch, cluster) => {
                let endpoint = self.read_document(&document?, cluster, now)?;
                let request = CallRequest::get(endpoint, self.freshness.timeout);
                return Ok(Progress::Next(Step::Keys(fetch.clone()), request));
            }
            Step::Keys(fetch) => fetch,
        };
        self.note_refetch(fetch, now);
        let skipped_before = self.skipped.clone();
        let (snapshot, fault) = self.read_keys(fetch, &document?, max_age, now)?;
        let event = if let Some(fault) = fault {
            let fault = KeysFault::from(fault);
            self.note_failure(call, &fault, asked_for, now);
            Event::KeysFailed(self.provider, fault)
        } else {
            if let Some(in_use) = &self.in_use {
                self.unknown.fetched(&fetch.asked, in_use.keys(), now);
            }
            Event::KeysFetched(self.provider)
        };
        Ok(Progress::Ended(Ended {
            events: self.events(event, &skipped_before),
            share: Some(snapshot.encode()),
            pauses: false,
        }))
    }

    fn failed(
        &mut self,
        call: &UnderWay<Step>,
        fault: KeysFault,
        asked_for: Option<Duration>,
        now: UnixMillis,
    ) -> Ended {
        let fetch = call.step.fetch();
        if matches!(call.step, Step::Document(..)) {
            self.note_refetch(fetch, now);
        }
        self.note_failure(call, &fault, asked_for, now);
        // The other workers must know that it was fetched for such tokens, so as not to do it again.
        let in_use = self.in_use.as_ref().filter(|_| fetch.cause.is_some());
        let share = in_use.map(|in_use| {
            let published = in_use.published().clone();
            let snapshot = self.snapshot(published, in_use.fetched(), in_use.max_age());
            snapshot.encode()
        });
        Ended {
            events: vec![Event::KeysFailed(self.provider, fault)],
            share,
            pauses: true,
        }
    }

    fn before_refetch(&self, refetch: Refetch, peer: Option<Peer>, now: UnixMillis) -> Duration {
        self.before_wanted(refetch.by(peer), now)
    }

    fn sharing(&self) -> Option<Sharing> {
        let mut parts = self.issuers.clone();
        match &self.source {
            KeySource::Discovery {
                document,
                jwks_cluster,
            } => {
                parts.push("discovery".to_owned());
                parts.push(format!("{document:?} {jwks_cluster:?}"));
            }
            KeySource::Jwks(endpoint) => parts.push(format!("jwks {endpoint:?}")),
            KeySource::Inline(_) => return None,
        }
        Some(Sharing { parts })
    }

    fn adopt(&mut self, payload: &[u8], now: UnixMillis) -> Adopted {
        let Some(snapshot) = Snapshot::decode(payload) else {
            return Adopted::default();
        };
        let refetched = self.refetches.join(&snapshot.refetches, now)
            | self.changes.join(&snapshot.changes, now);
        let mut adopted = Adopted {
            is_news: refetched,
            is_of_future: snapshot.fetched > now,
        };
        let is_newer = snapshot.fetched > self.newest && !adopted.is_of_future;
        if is_newer && now.since(snapshot.fetched) <= self.freshness.max_stale {
            let is_first = self.newest == UnixMillis(0);
            self.take_over(&snapshot);
            let is_due = |in_use: &InUse| now >= self.next_fetch(in_use);
            self.is_overdue = is_first && self.in_use.as_ref().is_some_and(is_due);
            Kind::expire(self, now);
            adopted.is_news |= self.in_use.is_some();
        }
        adopted
    }

    fn paused(&mut self, pause: &Pause) {
        self.is_overdue = false;
        if pause.from_start {
            self.discovered = None;
        }
    }

    fn begins_from_start(&self) -> bool {
        self.discovered.is_none()
    }
}

/// A source has one key set.
#[derive(Clone, Copy, Debug)]
pub(in crate::facts) struct OnlyKeySet;

impl From<OnlyKeySet> for FactKey {
    fn from(_: OnlyKeySet) -> Self {
        Self::ONLY
    }
}

/// What a waiting request wants to be refetched.
fn wanted(waiter: &Waiter) -> Option<Wanted> {
    match waiter.need {
        Need::Any(_) => None,
        Need::Newer(_, refetch) => Some(refetch.by(waiter.holder.peer)),
    }
}
