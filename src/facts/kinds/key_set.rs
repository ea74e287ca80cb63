//! The key set of one provider: where it stands and what it needs next.

mod discovery;
mod fault;
mod in_use;
mod refetch;
mod unknown;

pub use discovery::read_discovery;
pub(in crate::facts) use in_use::{Published, Retired};
pub(in crate::facts) use refetch::{Cause, Look, Looks, Wanted};
pub use unknown::KeyIdDigest;

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use discovery::jwks_endpoint;
use in_use::Held;
use unknown::UnknownKeyIds;

use crate::crypto::{KeySet, KeySetFault, PublicKey, SkippedKey};
use crate::facts::peer::Peer;
use crate::facts::shared::{Discovered, Pause, Snapshot};
use crate::facts::{schedule, Availability, CallId, CallResponse, FetchFault, NewerKeys, Outage};
use crate::http::Endpoint;
use crate::policy::{Freshness, KeySource, Provider};
use crate::time::UnixMillis;

/// Added to a call's own time limit before it is given up as lost.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// The most key ids that one fetch looks for by name.
const MAX_LOOKED_FOR: usize = 256;

/// The key set of one provider.
#[derive(Debug)]
pub(in crate::facts) struct KeySetFact {
    issuer: String,
    source: KeySource,
    freshness: Freshness,
    revoked: Vec<String>,
    held: Option<Held>,
    /// The keys of the newest document that are left out.
    skipped: Vec<SkippedKey>,
    /// When this worker first looked at it.
    started: Option<UnixMillis>,
    /// When the newest document was fetched that is known here, an empty one included.
    newest: UnixMillis,
    /// The keys came from another worker and were due then: what lies in shared memory may be older
    /// than what the workers knew, put back by another module. They do not serve before this worker
    /// has tried to fetch them.
    is_overdue: bool,
    /// When keys were last fetched, whatever became of them since.
    last_good: Option<UnixMillis>,
    discovered: Option<Discovered>,
    call: Option<Call>,
    unknown: UnknownKeyIds,
    /// When the set was fetched for tokens that named a key which is not in it.
    looks: Looks,
    /// The same for tokens whose signature is good under no key that they name.
    changes: Looks,
    /// When the last fetch began that brought keys and looked for them wherever they may be: what a
    /// token named that was here by then, and is not in the set, is not published.
    looked: UnixMillis,
    failures: u32,
    last_fault: Option<&'static str>,
    not_before: UnixMillis,
}

#[derive(Debug)]
struct Call {
    id: CallId,
    begun: UnixMillis,
    step: Step,
    fetch: Fetch,
}

/// What the calls of one fetch have in common.
#[derive(Clone, Debug, Default)]
struct Fetch {
    begun: UnixMillis,
    /// Nothing of it rests on what was known before.
    is_whole: bool,
    /// Made for tokens that named keys which are not there or did not sign them.
    look: Option<Cause>,
    /// Whose token caused it.
    peer: Option<Peer>,
    /// What stands for those keys.
    asked: Vec<KeyIdDigest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Document,
    Keys,
}

/// What an answer led to.
#[derive(Debug, PartialEq)]
pub(in crate::facts) enum Progress {
    /// The next call must be made.
    Next(Endpoint),
    /// There is a new key set, for the other workers too.
    Fetched(Snapshot),
    /// The provider publishes no usable key any more, which the other workers must know too.
    Emptied(KeySetFault, Snapshot),
    /// The fetch failed. Where it was for an unknown key, the other workers must know that too.
    Failed(FetchFault, Option<Snapshot>),
}

impl KeySetFact {
    pub(in crate::facts) fn new(provider: &Provider) -> Self {
        Self {
            issuer: provider.token.issuers.discovery.clone(),
            source: provider.keys.clone(),
            freshness: provider.freshness.clone(),
            revoked: provider.revoked_kids.clone(),
            held: None,
            skipped: match &provider.keys {
                KeySource::Inline(set) => set.skipped().to_vec(),
                _ => Vec::new(),
            },
            started: None,
            newest: UnixMillis(0),
            is_overdue: false,
            last_good: None,
            discovered: None,
            call: None,
            unknown: UnknownKeyIds::default(),
            looks: Looks::of(Cause::Unknown),
            changes: Looks::of(Cause::Changed),
            looked: UnixMillis(0),
            failures: 0,
            last_fault: None,
            not_before: UnixMillis(0),
        }
    }

    pub(in crate::facts) fn availability(&self, now: UnixMillis) -> Availability<'_> {
        if let KeySource::Inline(set) = &self.source {
            return Availability::Known(set);
        }
        if let Some(held) = self.held.as_ref().filter(|held| self.serves(held, now)) {
            return Availability::Known(held.keys());
        }
        if self.call.is_none() && now < self.not_before {
            return Availability::Unavailable(self.outage(now));
        }
        Availability::Pending
    }

    fn serves(&self, held: &Held, now: UnixMillis) -> bool {
        !self.is_overdue && self.counts(held, now)
    }

    fn counts(&self, held: &Held, now: UnixMillis) -> bool {
        now.since(held.fetched()) <= self.freshness.max_stale
    }

    /// Whether a fetch may bring this key, for a request that came at `since`.
    pub(in crate::facts) fn newer_keys(
        &self,
        key_id: KeyIdDigest,
        since: UnixMillis,
        now: UnixMillis,
    ) -> NewerKeys {
        if matches!(self.source, KeySource::Inline(_)) || since <= self.looked {
            return NewerKeys::Unlikely;
        }
        if self.call.is_some() {
            return NewerKeys::MayCome;
        }
        let cooldown = self.freshness.cooldown;
        let rests = self.unknown.rests_until(key_id, cooldown);
        let next = rests.max(self.looks.next(now, cooldown));
        if now >= self.not_before && now >= next {
            NewerKeys::MayCome
        } else if self.failures > 0 {
            NewerKeys::Unavailable(Outage {
                retry_after: self.not_before.max(next).since(now),
                fault: self.last_fault,
            })
        } else if self.unknown.is_settled(key_id, cooldown) {
            NewerKeys::Unlikely
        } else {
            NewerKeys::NotYet(next.since(now))
        }
    }

    /// Whether a fetch may bring another key under the key id that this token names, for a request
    /// that came at `since`.
    pub(in crate::facts) fn may_have_changed(
        &self,
        token: KeyIdDigest,
        since: UnixMillis,
        now: UnixMillis,
    ) -> bool {
        if matches!(self.source, KeySource::Inline(_)) || since <= self.looked {
            return false;
        }
        let cooldown = self.freshness.cooldown;
        // In this order: forged tokens come by the thousand, and most are refused here.
        self.call.is_some()
            || (now >= self.not_before
                && now >= self.changes.next(now, cooldown)
                && now >= self.looks.rested(cooldown)
                && now >= self.unknown.rests_until(token, cooldown))
    }

    fn outage(&self, now: UnixMillis) -> Outage {
        Outage {
            retry_after: self.not_before.since(now),
            fault: self.last_fault,
        }
    }

    /// How long this token may not cause a look; zero: it may, or a fetch is under way.
    pub(in crate::facts) fn before_look(&self, wanted: Wanted, now: UnixMillis) -> Duration {
        let Wanted {
            cause,
            key_id,
            peer,
        } = wanted;
        let cooldown = self.freshness.cooldown;
        let next = if self.call.is_some() {
            UnixMillis(0)
        } else if cause == Cause::Changed {
            let next = self.changes.next_of(peer, now, cooldown);
            // Never the other way round: what forged signatures cause delays no look for a new key id.
            next.max(self.looks.rested(cooldown))
        } else if self.unknown.is_settled(key_id, cooldown) {
            // It was a key once, or rests for long: nobody makes up many of these.
            self.looks.next(now, cooldown)
        } else {
            self.looks.next_of(peer, now, cooldown)
        };
        next.since(now)
    }

    /// How long one whole fetch may take: the discovery document and the key set.
    pub(in crate::facts) const fn longest_fetch(&self) -> Duration {
        self.freshness.timeout.saturating_mul(2)
    }

    pub(in crate::facts) const fn timeout(&self) -> Duration {
        self.freshness.timeout
    }

    /// Lets go of what is over. A clock that was set back must not keep old keys in use, a pause in
    /// force or a lost call awaited for as long as it was ahead.
    pub(in crate::facts) fn expire(&mut self, now: UnixMillis) {
        self.newest = self.newest.min(now);
        self.started.get_or_insert(now);
        self.started = self.started.map(|started| started.min(now));
        self.looks.clamp(now);
        self.changes.clamp(now);
        self.looked = self.looked.min(now);
        let longest = now.saturating_add(schedule::LONGEST_ASKED_FOR);
        self.not_before = self.not_before.min(longest);
        self.unknown.clamp(now);
        if let Some(call) = &mut self.call {
            call.begun = call.begun.min(now);
            call.fetch.begun = call.fetch.begun.min(now);
        }
        if let Some(discovered) = &mut self.discovered {
            discovered.read = discovered.read.min(now);
        }
        if let Some(held) = &mut self.held {
            if let Some(before) = held.expire(now, self.freshness.grace) {
                self.unknown.replaced(&before, held.keys());
            }
        }
        self.held = self.held.take().filter(|held| !held.published().is_empty());
    }

    /// How long nobody is to fetch after the last one; over at once when that one succeeded.
    pub(in crate::facts) const fn pause_after_fetch(&self) -> Pause {
        Pause {
            until: self.not_before,
            failures: self.failures,
            fault: self.last_fault,
            moved: self.discovered.is_none(),
        }
    }

    /// Whether a call is under way.
    pub(in crate::facts) const fn is_fetching(&self) -> bool {
        self.call.is_some()
    }

    /// How long ago keys were last fetched, though they may have been withdrawn or given up since;
    /// where none ever were, how long they are missed. `None`: they are not fetched.
    pub(in crate::facts) fn age(&self, now: UnixMillis) -> Option<Duration> {
        if matches!(self.source, KeySource::Inline(_)) {
            return None;
        }
        let since = self.last_good.or(self.started);
        since.map(|since| now.since(since))
    }

    /// The keys of the newest document that are left out.
    pub(in crate::facts) fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Whether a fetch should begin now, where this is wanted to be looked for.
    pub(in crate::facts) fn is_due(
        &self,
        now: UnixMillis,
        mut wanted: impl Iterator<Item = Wanted>,
    ) -> bool {
        let stale = match (&self.source, &self.held) {
            (KeySource::Inline(_), _) => return false,
            (_, None) => true,
            // Keys under grace alone: the provider has no others at the moment.
            (_, Some(held)) => held.published().keys.is_empty() || now >= self.next_fetch(held),
        };
        let cooldown = self.freshness.cooldown;
        let next = |looks: &Looks| looks.next(now, cooldown);
        let may_look = || now >= next(&self.looks).min(next(&self.changes));
        let mut is_wanted = || wanted.any(|wanted| self.before_look(wanted, now).is_zero());
        self.call.is_none() && now >= self.not_before && (stale || (may_look() && is_wanted()))
    }

    /// When keys are due: what the provider says of its document counts within bounds. It is the
    /// same moment in every worker, since all that it depends on is shared.
    fn next_fetch(&self, held: &Held) -> UnixMillis {
        let Freshness {
            ttl,
            min_ttl,
            max_ttl,
            ..
        } = self.freshness;
        let length = held
            .max_age()
            .map_or(ttl, |max_age| max_age.max(min_ttl).min(max_ttl));
        let fetched = held.fetched();
        fetched.saturating_add(schedule::rhythm(length, fetched.0))
    }

    /// Begins a fetch, which looks for the keys that are wanted, too.
    pub(in crate::facts) fn begin(
        &mut self,
        id: CallId,
        now: UnixMillis,
        wanted: &[Wanted],
    ) -> Option<Endpoint> {
        let may_cause = |wanted: &&_| self.before_look(**wanted, now).is_zero();
        let cause = wanted.iter().find(may_cause).or(wanted.first());
        let look = cause.map(|wanted| wanted.cause);
        // A key that is not there may be at a new address: for it, the document is read anew too.
        let discovered = self.discovered.as_ref().filter(|discovered| {
            look.is_none() && now.since(discovered.read) < self.freshness.discovery_ttl
        });
        let (step, endpoint) = match (&self.source, discovered) {
            (KeySource::Inline(_), _) => return None,
            (KeySource::Jwks(endpoint), _) => (Step::Keys, endpoint),
            (KeySource::Discovery { .. }, Some(discovered)) => (Step::Keys, &discovered.keys),
            (KeySource::Discovery { document, .. }, None) => (Step::Document, document),
        };
        let endpoint = endpoint.clone();
        let mut seen = HashSet::new();
        let asked = wanted.iter().map(|wanted| wanted.key_id);
        let asked = asked.filter(|key_id| seen.insert(*key_id));
        let is_known_place = matches!(self.source, KeySource::Jwks(_));
        self.call = Some(Call {
            id,
            begun: now,
            step,
            fetch: Fetch {
                begun: now,
                is_whole: is_known_place || step == Step::Document,
                look,
                peer: cause.and_then(|wanted| wanted.peer),
                asked: asked.take(MAX_LOOKED_FOR).collect(),
            },
        });
        Some(endpoint)
    }

    /// Whether this call's answer is still waited for. A call that was given up is not.
    pub(in crate::facts) fn awaits(&self, id: CallId) -> bool {
        self.call.as_ref().is_some_and(|call| call.id == id)
    }

    /// Takes the answer of the call that is awaited; `next` names the call that may follow.
    pub(in crate::facts) fn answered(
        &mut self,
        id: CallId,
        answer: CallResponse,
        next: CallId,
        now: UnixMillis,
    ) -> Progress {
        let (step, fetch) = self.call.take().map_or_else(
            || (Step::Keys, Fetch::default()),
            |call| (call.step, call.fetch),
        );
        // The low bits of clock and call number differ from gate to gate.
        let seed = now.0 ^ id.0;
        let (max_age, asked_for) = (answer.max_age(), answer.retry_after());
        let document = answer.document();
        if step == Step::Keys {
            self.note_look(&fetch, now);
        }
        let read = document.and_then(|document| self.read((step, &fetch), &document, max_age, now));
        match read {
            Ok(Progress::Emptied(fault, snapshot)) => {
                self.failed(step, &fault.clone().into(), asked_for, seed, now);
                Progress::Emptied(fault, snapshot)
            }
            Ok(Progress::Next(endpoint)) => {
                self.call = Some(Call {
                    id: next,
                    begun: now,
                    step: Step::Keys,
                    fetch,
                });
                Progress::Next(endpoint)
            }
            Ok(progress) => {
                let keys = self.held.as_ref().map(Held::keys);
                if let Some(keys) = keys {
                    self.unknown.fetched(&fetch.asked, keys, now);
                }
                progress
            }
            Err(fault) => {
                if step == Step::Document {
                    self.note_look(&fetch, now);
                }
                self.failed(step, &fault, asked_for, seed, now);
                let held = self.held.as_ref().filter(|_| fetch.look.is_some());
                let known = held.map(|held| {
                    let published = held.published().clone();
                    self.snapshot(published, held.fetched(), held.max_age())
                });
                Progress::Failed(fault, known)
            }
        }
    }

    fn note_look(&mut self, fetch: &Fetch, now: UnixMillis) {
        if let Some(cause) = fetch.look {
            let took = now.since(fetch.begun);
            let looks = match cause {
                Cause::Unknown => &mut self.looks,
                Cause::Changed => &mut self.changes,
            };
            looks.note(Look {
                at: now,
                took,
                peer: fetch.peer,
            });
        }
    }

    fn read(
        &mut self,
        (step, fetch): (Step, &Fetch),
        document: &[u8],
        max_age: Option<Duration>,
        now: UnixMillis,
    ) -> Result<Progress, FetchFault> {
        if let (
            Step::Document,
            KeySource::Discovery {
                document: place,
                jwks_cluster,
            },
        ) = (step, &self.source)
        {
            let cluster = jwks_cluster.as_ref().unwrap_or(&place.cluster);
            let keys = jwks_endpoint(document, &self.issuer, cluster)?;
            self.discovered = Some(Discovered {
                keys: keys.clone(),
                read: now,
            });
            return Ok(Progress::Next(keys));
        }
        let (keys, skipped, fault) = match KeySet::parse(document) {
            Ok(set) => (set.keys().to_vec(), set.skipped().to_vec(), None),
            // The provider publishes none of the keys that are known any more, whatever it
            // publishes instead. Every other fault says nothing about them.
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
        Ok(match fault {
            Some(fault) => Progress::Emptied(fault, snapshot),
            None => Progress::Fetched(snapshot),
        })
    }

    /// What stands after these keys were published. Where the old ones were withdrawn or given up,
    /// nothing of them stays, whatever the grace.
    fn published(&self, keys: &[Rc<PublicKey>], withdrawn: bool, now: UnixMillis) -> Published {
        let mut published = match self.held.as_ref() {
            Some(held) if !withdrawn && self.counts(held, now) => {
                held.published().succeeded_by(keys, now)
            }
            _ => Published {
                keys: keys.to_vec(),
                retired: Vec::new(),
            },
        };
        if self.freshness.grace.is_zero() {
            published.retired.clear();
        }
        published
    }

    /// What the other workers are told, with these keys.
    fn snapshot(
        &self,
        published: Published,
        fetched: UnixMillis,
        max_age: Option<Duration>,
    ) -> Snapshot {
        Snapshot {
            fetched,
            begun: self.looked,
            looks: self.looks.clone(),
            changes: self.changes.clone(),
            skipped: self.skipped.clone(),
            max_age,
            discovered: self.discovered.clone(),
            published,
        }
    }

    /// The call whose answer the host should have brought long ago.
    pub(in crate::facts) fn lost_call(&self, now: UnixMillis) -> Option<CallId> {
        let limit = self.freshness.timeout.saturating_add(LOST_AFTER);
        let lost = self.call.as_ref();
        lost.filter(|call| now.since(call.begun) > limit)
            .map(|call| call.id)
    }

    fn failed(
        &mut self,
        step: Step,
        fault: &FetchFault,
        asked_for: Option<Duration>,
        seed: u64,
        now: UnixMillis,
    ) {
        self.is_overdue = false;
        self.failures = self.failures.saturating_add(1);
        let pause = schedule::pause(self.failures, asked_for, seed);
        self.not_before = now.saturating_add(pause);
        self.last_fault = Some(fault.as_str());
        // Keys that are not where they were may have moved; a document that was not to be had
        // says nothing about where they are.
        let may_have_moved = match step {
            Step::Keys => !fault.is_rate_limit(),
            Step::Document => fault.is_in_document(),
        };
        if may_have_moved {
            self.discovered = None;
        }
    }

    /// Another worker could not fetch the keys: nobody does until the pause is over.
    ///
    /// Returns whether that is news.
    pub(in crate::facts) fn pause(&mut self, pause: Pause) -> bool {
        let news = pause.until > self.not_before;
        self.is_overdue &= !news;
        if news {
            self.not_before = pause.until;
            self.failures = self.failures.max(pause.failures).max(1);
            self.last_fault = pause.fault;
            if pause.moved {
                self.discovered = None;
            }
        }
        news
    }

    /// Takes over what another worker fetched, if it is newer than what is here.
    ///
    /// Returns whether there are keys, or looks that were not known here.
    pub(in crate::facts) fn adopt(&mut self, snapshot: &Snapshot, now: UnixMillis) -> bool {
        let age = now.since(snapshot.fetched);
        let looked =
            self.looks.join(&snapshot.looks, now) | self.changes.join(&snapshot.changes, now);
        let newer = snapshot.fetched > self.newest && snapshot.fetched <= now;
        if !newer || age > self.freshness.max_stale {
            return looked;
        }
        let is_first = self.newest == UnixMillis(0);
        self.take_over(snapshot);
        let is_due = |held: &Held| now >= self.next_fetch(held);
        self.is_overdue = is_first && self.held.as_ref().is_some_and(is_due);
        self.expire(now);
        looked || self.held.is_some()
    }

    /// Takes keys into use. What a worker shares is the whole of what is known, so that nothing of
    /// what was here before is added to it.
    fn take_over(&mut self, snapshot: &Snapshot) {
        let fetched = snapshot.fetched;
        self.newest = fetched;
        if snapshot.discovered.is_some() {
            self.discovered.clone_from(&snapshot.discovered);
        }
        self.looked = self.looked.max(snapshot.begun);
        self.is_overdue = false;
        self.skipped.clone_from(&snapshot.skipped);
        let published = &snapshot.published;
        let before = self.held.take();
        let before = before.as_ref().map(Held::keys);
        let held = (!published.is_empty()).then(|| Held::new(snapshot, &self.revoked));
        let none = KeySet::default();
        let keys = held.as_ref().map_or(&none, Held::keys);
        self.unknown.replaced(before.unwrap_or(&none), keys);
        self.held = held;
        if published.keys.is_empty() {
            return;
        }
        self.last_good = Some(fetched);
        self.failures = 0;
        self.last_fault = None;
        self.not_before = UnixMillis(0);
    }
}
