//! The mechanism that all kinds of facts share: every source, the requests that wait, and the calls that are under way.

use std::time::Duration;

use super::demand::{Demand, FactKey, SourceId};
use super::peer::Peer;
use super::schedule::{Pause, Schedule};
use super::shared::{Lease, Names, SharedFact, TooLarge};
use super::slots::Holder;
use super::source::{CallIds, Kind, Received, Room, Source, Start};
use super::waiting::{Waiter, Waiting};
use super::{Call, CallId, CallResponse, Event, SharedKey, SharedMemory, WaitFault, WaiterId};
use crate::time::UnixMillis;
use crate::token::CompactToken;

/// The most displaced requests that no tick has named yet.
const MAX_DISPLACED: usize = 64;

/// How many of them one tick names: fewer than are refused in that time.
const DISPLACED_AT_ONCE: usize = 8;

/// How long a worker goes on by itself after it found a shared value that is too large.
const ALONE: Duration = Duration::from_secs(60);

/// Something that the worker must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a call.
    Call(Call),
    /// Make a call that needs the token of a request that waits. The store has no token.
    CallFor {
        /// Names the call.
        call: CallId,
        /// The source.
        source: SourceId,
        /// The request.
        waiter: WaiterId,
    },
    /// Take the decision of this request again.
    Wake {
        /// The request.
        waiter: WaiterId,
        /// It has waited long enough: it does not wait again for what is still missing now.
        last_chance: bool,
    },
    /// Refuse this request: another one has its slot.
    Displace(WaiterId),
    /// Tell the operators.
    Report(Event),
}

/// What a request asks of a source.
pub(super) struct Admission {
    pub(super) source: SourceId,
    pub(super) demand: Demand,
    /// No attacker can have made up its token. Where the fact was good before, that is known without it.
    pub(super) is_proven: bool,
    /// Stands for the key id that its token names, or for the token.
    pub(super) group: u128,
}

/// Sources of facts. `S` is the type that holds a source of any kind.
pub(super) struct Store<S> {
    sources: Vec<Slot<S>>,
    waiting: Waiting,
    /// Requests that have lost their slots.
    displaced: Vec<WaiterId>,
    shared_key: Option<SharedKey>,
    ids: CallIds,
}

/// A source, and where it stands with the other workers.
struct Slot<S> {
    source: S,
    schedule: Schedule,
    /// The name of its kind.
    kind: &'static str,
    room: Room,
    /// How long one call may take.
    timeout: Duration,
    /// Under which names it is shared. `None`: it is not.
    names: Option<Names>,
    /// When the lease of the fetch that is under way ends.
    lease_end: UnixMillis,
    /// The version of the shared value that was last read.
    seen: Option<u32>,
    /// Until when this worker goes on by itself.
    alone_until: UnixMillis,
}

impl<S: AsRef<dyn Source> + AsMut<dyn Source>> Slot<S> {
    fn new(source: S, key: Option<&SharedKey>) -> Self {
        let profile = source.as_ref().kind().profile();
        let names = key.and_then(|key| {
            let parts = profile.shared_as?;
            Some(Names::of(profile.name, &parts, key))
        });
        Self {
            source,
            schedule: Schedule::new(profile.most_failures),
            kind: profile.name,
            room: profile.room,
            timeout: profile.timeout,
            names,
            lease_end: UnixMillis(0),
            seen: None,
            alone_until: UnixMillis(0),
        }
    }

    fn kind(&self) -> &dyn Kind {
        self.source.as_ref().kind()
    }

    fn expire(&mut self, now: UnixMillis) {
        self.schedule.clamp(now);
        self.source.as_mut().kind_mut().expire(now);
    }

    /// Another worker could not fetch. Returns whether its pause is news.
    fn pause(&mut self, pause: &Pause, now: UnixMillis) -> bool {
        let is_news = self.schedule.pauses.adopt(pause, now);
        if is_news {
            self.source.as_mut().kind_mut().paused(pause);
        }
        is_news
    }

    /// Its own pause, for the other workers.
    fn own_pause(&self) -> Pause {
        let pauses = &self.schedule.pauses;
        Pause {
            until: pauses.until(),
            failures: pauses.failures(),
            fault: pauses.last_fault(),
            from_start: self.kind().begins_from_start(),
        }
    }

    /// What workers share of it.
    fn shared<'s>(
        &'s self,
        key: Option<&'s SharedKey>,
        memory: &'s dyn SharedMemory,
    ) -> Option<SharedFact<'s>> {
        let (key, names) = (key?, self.names.as_ref()?);
        Some(SharedFact { memory, key, names })
    }

    /// The same, unless this worker goes on by itself.
    fn shared_at<'s>(
        &'s self,
        now: UnixMillis,
        key: Option<&'s SharedKey>,
        memory: &'s dyn SharedMemory,
    ) -> Option<SharedFact<'s>> {
        self.shared(key, memory).filter(|_| now >= self.alone_until)
    }

    /// Takes over what another worker shared since this one last read. Returns whether that is news.
    fn catch_up(
        &mut self,
        key: Option<&SharedKey>,
        memory: &dyn SharedMemory,
        now: UnixMillis,
    ) -> Result<bool, TooLarge> {
        let Some(shared) = self.shared_at(now, key, memory) else {
            return Ok(false);
        };
        let Some(shared) = shared.read(self.seen)? else {
            return Ok(false);
        };
        let kind = self.source.as_mut().kind_mut();
        let payload = shared.payload.as_deref();
        let adopted = payload.map(|payload| kind.adopt(&mut self.schedule, payload, now));
        let adopted = adopted.unwrap_or_default();
        if !adopted.is_of_future {
            self.seen = Some(shared.version);
        }
        Ok(adopted.is_news)
    }
}

impl<S: AsRef<dyn Source> + AsMut<dyn Source>> Store<S> {
    /// A store of these sources.
    pub(super) fn new(sources: Vec<S>, shared_key: Option<SharedKey>) -> Self {
        let slot = |source| Slot::new(source, shared_key.as_ref());
        Self {
            sources: sources.into_iter().map(slot).collect(),
            waiting: Waiting::default(),
            displaced: Vec::new(),
            shared_key,
            ids: CallIds::default(),
        }
    }

    /// This worker's configuration is loaded. The host loads it on its main thread before any worker
    /// does. So what the workers must find in shared memory is written there once.
    pub(super) fn open(&self, memory: &dyn SharedMemory) {
        for slot in &self.sources {
            if let Some(shared) = slot.shared(self.shared_key.as_ref(), memory) {
                shared.lay_out_lease();
            }
        }
    }

    /// A source and its schedule.
    pub(super) fn source(&self, id: SourceId) -> Option<(&S, &Schedule)> {
        let slot = self.sources.get(id.0)?;
        Some((&slot.source, &slot.schedule))
    }

    /// How requests wait for a source, and how many slots it has: each source of a kind has slots of its
    /// own, so that one that is down does not take them all.
    fn room(&self, slot: &Slot<S>) -> Room {
        let alike = self.sources.iter();
        let alike = alike.filter(|other| other.kind == slot.kind);
        let slots = slot.room.slots.checked_div(alike.count());
        Room {
            slots: slots.unwrap_or_default(),
            ..slot.room
        }
    }

    /// Lets a request wait. It is woken when the fact has come, when fetching it has failed, or when as
    /// much time has passed `since` it began to wait as one fetch may take, however often it was woken
    /// in between. If another one must leave for it, the next tick names that one.
    pub(super) fn admit_to(
        &mut self,
        id: WaiterId,
        admission: &Admission,
        since: UnixMillis,
        peer: Option<Peer>,
        now: UnixMillis,
    ) -> Result<(), WaitFault> {
        let Admission { source, demand, .. } = *admission;
        let slot = self.sources.get(source.0).ok_or(WaitFault::TooMany)?;
        let room = self.room(slot);
        let key = self.shared_key.as_ref();
        let holder = Holder {
            is_proven: admission.is_proven || slot.kind().was_good(demand.key()),
            peer: peer.map(|peer| key.map_or(peer, |key| key.blind(peer))),
            group: admission.group,
        };
        if let Demand::Newer(_, refetch) = demand {
            let kind = slot.kind();
            let wait = kind.before_refetch(&slot.schedule, refetch, holder.peer, now);
            if !wait.is_zero() {
                return Err(WaitFault::NotYet(wait));
            }
        }
        if self.displaced.len() >= MAX_DISPLACED {
            return Err(WaitFault::TooMany);
        }
        let waiter = Waiter {
            id,
            source,
            demand,
            holder,
            until: since.saturating_add(room.longest),
        };
        let displaced = self.waiting.add(waiter, room.slots, room.proven_apart)?;
        self.displaced.extend(displaced);
        Ok(())
    }

    /// Forgets a request that is gone.
    pub(super) fn forget(&mut self, waiter: WaiterId) {
        self.waiting.remove(waiter);
        self.displaced.retain(|displaced| *displaced != waiter);
    }

    /// Whether any request waits: then ticks must come quickly.
    pub(super) fn has_waiters(&self) -> bool {
        !self.waiting.is_empty() || !self.displaced.is_empty()
    }

    /// Time passes.
    pub(super) fn tick(&mut self, now: UnixMillis, memory: &dyn SharedMemory) -> Vec<Effect> {
        let displaced = self.displaced.len().min(DISPLACED_AT_ONCE);
        let displaced = self.displaced.drain(..displaced);
        let mut effects: Vec<_> = displaced.map(Effect::Displace).collect();
        for index in 0..self.sources.len() {
            self.tick_source(SourceId(index), now, memory, &mut effects);
        }
        wake(self.waiting.take_overdue(now), true, &mut effects);
        effects
    }

    fn tick_source(
        &mut self,
        id: SourceId,
        now: UnixMillis,
        memory: &dyn SharedMemory,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(slot) = self.sources.get_mut(id.0) {
            slot.expire(now);
            slot.alone_until = slot.alone_until.min(now.saturating_add(ALONE));
            let latest = now.saturating_add(slot.room.longest);
            self.waiting.clamp(id, latest);
        }
        while let Some(call) = self.lost_call(id, now) {
            effects.extend(self.received(call, CallResponse::NoResponse, now, memory));
        }
        let Some(slot) = self.sources.get_mut(id.0) else {
            return;
        };
        let key = self.shared_key.as_ref();
        match slot.catch_up(key, memory, now) {
            Ok(true) => wake(self.waiting.take(id, &|_| true), false, effects),
            Ok(false) => {}
            Err(TooLarge) => slot.alone_until = now.saturating_add(ALONE),
        }
        let is_due = {
            let waiters = &mut self.waiting.for_source(id);
            slot.kind().is_due(&slot.schedule, waiters, now)
        };
        if !is_due {
            return;
        }
        match lease(slot, key, memory, now) {
            Lease::Ours(end) => slot.lease_end = end,
            Lease::Theirs => return,
            Lease::Paused(pause) => {
                if slot.pause(&pause, now) {
                    wake(self.waiting.take(id, &|_| true), false, effects);
                }
                return;
            }
        }
        let waiters = &mut self.waiting.for_source(id);
        let source = slot.source.as_mut();
        let begun = source.begin(&mut slot.schedule, &mut self.ids, waiters, now);
        effects.extend(begun.into_iter().map(|start| match start {
            Start::Call(call) => Effect::Call(call),
            Start::CallFor(call, waiter) => Effect::CallFor {
                call,
                source: id,
                waiter,
            },
        }));
    }

    /// The call of [`Effect::CallFor`], with the token that it is about.
    pub(super) fn call_for(
        &self,
        call: CallId,
        source: SourceId,
        token: &CompactToken,
    ) -> Option<Call> {
        let slot = self.sources.get(source.0)?;
        let request = slot.kind().call_about(token)?;
        Some(Call { id: call, request })
    }

    fn lost_call(&self, id: SourceId, now: UnixMillis) -> Option<CallId> {
        let slot = self.sources.get(id.0)?;
        slot.schedule.calls.lost(slot.timeout, now)
    }

    /// The response to a call has come, or the call could not be made.
    pub(super) fn received(
        &mut self,
        call: CallId,
        response: CallResponse,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) -> Vec<Effect> {
        let mut slots = self.sources.iter_mut().enumerate();
        let Some((index, slot)) = slots.find(|(_, slot)| slot.schedule.calls.awaits(call)) else {
            // The response to a call that was given up.
            return Vec::new();
        };
        let id = SourceId(index);
        let key = self.shared_key.as_ref();
        // A fetch that took long must not undo what another worker shared since.
        slot.expire(now);
        let _ = slot.catch_up(key, memory, now);
        let (source, ids) = (slot.source.as_mut(), &mut self.ids);
        let ended = match source.received(&mut slot.schedule, call, response, ids, now) {
            Some(Received::Ended(about, ended)) => (about, ended),
            Some(Received::Next(call)) => return vec![Effect::Call(call)],
            None => return Vec::new(),
        };
        let (about, ended) = ended;
        if let Some(shared) = slot.shared_at(now, key, memory) {
            if let Some(payload) = &ended.share {
                shared.publish(payload);
            }
            shared.release(slot.own_pause());
        }
        let mut effects: Vec<_> = ended.events.into_iter().map(Effect::Report).collect();
        let calls = &slot.schedule.calls;
        let is_over = |key: &FactKey| {
            // In a pause, only those whose call is under way may still get a fact.
            *key == about || (ended.pauses && !calls.is_about(key))
        };
        wake(self.waiting.take(id, &is_over), false, &mut effects);
        effects
    }

    /// This worker's configuration goes away, and its calls with it. Another worker must not wait for
    /// them.
    pub(super) fn close(&self, memory: &dyn SharedMemory) {
        for slot in &self.sources {
            let key = self.shared_key.as_ref();
            let shared = slot.shared(key, memory);
            if let Some(shared) = shared.filter(|_| !slot.schedule.calls.is_empty()) {
                shared.give_back(slot.lease_end);
            }
        }
    }
}

/// Whether this worker may fetch now.
fn lease<S: AsRef<dyn Source> + AsMut<dyn Source>>(
    slot: &Slot<S>,
    key: Option<&SharedKey>,
    memory: &dyn SharedMemory,
    now: UnixMillis,
) -> Lease {
    let length = slot.room.longest;
    slot.shared_at(now, key, memory)
        .map_or(Lease::Ours(now), |shared| shared.try_lease(now, length))
}

fn wake(waiters: Vec<WaiterId>, last_chance: bool, effects: &mut Vec<Effect>) {
    for waiter in waiters {
        effects.push(Effect::Wake {
            waiter,
            last_chance,
        });
    }
}
