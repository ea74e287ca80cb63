//! The key set of one provider, as a kind of fact.

mod discovery;
mod fault;
mod fetch;
mod in_use;
mod key_id;
mod published;
mod refetch;
mod snapshot;
mod state;
mod step;
mod unknown;
mod view;

pub use discovery::read_discovery;
pub use fault::KeysFault;
pub use key_id::KeyIdDigest;
pub(in crate::facts) use refetch::{for_changed, for_unknown};
pub(in crate::facts) use state::KeySetSource;
pub use view::NewerKeys;

use std::time::Duration;

use in_use::InUse;
use refetch::{Refetches, Wanted};
use snapshot::Snapshot;
use step::Step;

use crate::crypto::KeySet;
use crate::facts::call::{CallRequest, CallResponse};
use crate::facts::demand::{Demand, FactKey, Refetch};
use crate::facts::peer::Peer;
use crate::facts::schedule::{Pause, Schedule};
use crate::facts::source::{
    Adopted, CallEnd, Ended, Kind, NewCalls, Profile, Progress, Room, Sharing,
};
use crate::facts::waiting::Waiter;
use crate::facts::{Availability, Event};
use crate::policy::KeySource;
use crate::time::UnixMillis;

/// The most requests of one worker that wait for keys at a time. Each holds a connection and memory.
const MAX_WAITERS: usize = 1024;

impl KeySetSource {
    /// The key set as it stands at `now`.
    pub(in crate::facts) fn availability(
        &self,
        schedule: &Schedule,
        now: UnixMillis,
    ) -> Availability<&KeySet> {
        if let KeySource::Inline(set) = &self.source {
            return Availability::Known(set);
        }
        let in_use = self.in_use.as_ref();
        if let Some(in_use) = in_use.filter(|in_use| self.serves(in_use, now)) {
            return Availability::Known(in_use.keys());
        }
        let pauses = &schedule.pauses;
        if schedule.calls.is_empty() && !pauses.is_over(now) {
            return Availability::Unavailable(pauses.outage(pauses.until(), now));
        }
        Availability::Pending
    }

    /// Where the keys come from. `None`: workers share none that are in the configuration.
    fn sharing(&self) -> Sharing {
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
            KeySource::Inline(_) => return Sharing::None,
        }
        Sharing::Whole(parts)
    }
}

impl Kind for KeySetSource {
    type Fault = KeysFault;
    type Step = Step;

    fn profile(&self) -> Profile {
        Profile {
            name: "keys",
            room: Room {
                slots: MAX_WAITERS,
                proven_apart: false,
                // One whole fetch: the discovery document and the key set.
                longest: self.freshness.timeout.saturating_mul(2),
            },
            timeout: self.freshness.timeout,
            most_failures: u32::MAX,
            sharing: self.sharing(),
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

    fn is_due(
        &self,
        schedule: &Schedule,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> bool {
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
            wanted.any(|wanted| self.before_wanted(schedule, wanted, now).is_zero())
        };
        schedule.calls.is_empty()
            && schedule.pauses.is_over(now)
            && (stale || (may_refetch() && is_wanted()))
    }

    fn begin(
        &mut self,
        calls: &mut NewCalls<'_, Step>,
        waiters: &mut dyn Iterator<Item = &Waiter>,
    ) {
        let wanted: Vec<_> = waiters.filter_map(wanted).collect();
        if let Some((step, endpoint)) = self.first_call(calls.schedule, &wanted, calls.now) {
            let request = CallRequest::get(endpoint, self.freshness.timeout);
            calls.begin(FactKey::ONLY, step, request);
        }
    }

    fn read(
        &mut self,
        end: &mut CallEnd<'_, Step>,
        response: CallResponse,
    ) -> Result<Progress<Step>, KeysFault> {
        let max_age = response.max_age();
        let document = response.document();
        if let Step::Document(fetch, cluster) = &end.step {
            let endpoint = self.read_document(&document?, cluster, end.now)?;
            let request = CallRequest::get(endpoint, self.freshness.timeout);
            return Ok(Progress::Next(Step::Keys(fetch.clone()), request));
        }
        self.note_refetch(end);
        let skipped_before = self.skipped.clone();
        let (snapshot, fault) = self.read_keys(end, &document?, max_age)?;
        let event = if let Some(fault) = fault {
            let fault = KeysFault::from(fault);
            self.note_failure(end, &fault);
            Event::KeysFailed(self.provider, fault)
        } else {
            if let Some(in_use) = &self.in_use {
                let asked = &end.step.fetch().asked;
                self.unknown.fetched(asked, in_use.keys(), end.now);
            }
            Event::KeysFetched(self.provider)
        };
        Ok(Progress::Ended(Ended {
            events: self.events(event, &skipped_before),
            share: Some(snapshot.encode()),
            pauses: false,
        }))
    }

    fn failed(&mut self, end: &mut CallEnd<'_, Step>, fault: KeysFault) -> Ended {
        if matches!(end.step, Step::Document(..)) {
            self.note_refetch(end);
        }
        self.note_failure(end, &fault);
        // The other workers must know that it was fetched for such tokens, so as not to do it again.
        let is_refetch = end.step.fetch().cause.is_some();
        let in_use = self.in_use.as_ref().filter(|_| is_refetch);
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

    fn before_refetch(
        &self,
        schedule: &Schedule,
        refetch: Refetch,
        peer: Option<Peer>,
        now: UnixMillis,
    ) -> Duration {
        self.before_wanted(schedule, Wanted::of(refetch, peer), now)
    }

    fn adopt(
        &mut self,
        schedule: &mut Schedule,
        _: &FactKey,
        payload: &[u8],
        now: UnixMillis,
    ) -> Adopted {
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
            self.take_over(&snapshot, schedule);
            let is_due = |in_use: &InUse| now >= self.next_fetch(in_use);
            self.is_overdue = is_first && self.in_use.as_ref().is_some_and(is_due);
            self.expire(now);
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

/// What a waiting request wants to be refetched.
fn wanted(waiter: &Waiter) -> Option<Wanted> {
    match waiter.demand {
        Demand::Any(_) => None,
        Demand::Newer(_, refetch) => Some(Wanted::of(refetch, waiter.holder.peer)),
    }
}
