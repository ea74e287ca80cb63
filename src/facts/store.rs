//! The mechanism that all kinds of facts share: every source, the requests that wait, and the calls that are under way.

mod exchange;
mod stored_source;

use exchange::Workers;
use stored_source::StoredSource;

use super::demand::{Demand, FactKey, SourceId};
use super::peer::Peer;
use super::schedule::Schedule;
use super::shared::Lease;
use super::slots::Holder;
use super::source::{CallIds, Received, Room, Source, Start};
use super::waiting::{Waiter, Waiting};
use super::{Call, CallId, CallResponse, Effect, SharedKey, SharedMemory, WaitFault, WaiterId};
use crate::time::UnixMillis;
use crate::token::CompactToken;

/// The most displaced requests that no tick has named yet.
const MAX_DISPLACED: usize = 64;

/// How many of them one tick names: fewer than are refused in that time.
const DISPLACED_AT_ONCE: usize = 8;

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
    sources: Vec<StoredSource<S>>,
    waiting: Waiting,
    /// Requests that have lost their slots.
    displaced: Vec<WaiterId>,
    shared_key: Option<SharedKey>,
    ids: CallIds,
}

impl<S: AsRef<dyn Source> + AsMut<dyn Source>> Store<S> {
    /// A store of these sources.
    pub(super) fn new(sources: Vec<S>, shared_key: Option<SharedKey>) -> Self {
        let slot = |source| StoredSource::new(source, shared_key.as_ref());
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
        let workers = self.workers(memory);
        for slot in &self.sources {
            slot.exchange.lay_out(workers);
        }
    }

    fn workers<'m>(&'m self, memory: &'m dyn SharedMemory) -> Workers<'m> {
        Workers {
            memory,
            key: self.shared_key.as_ref(),
        }
    }

    /// A source and its schedule.
    pub(super) fn source(&self, id: SourceId) -> Option<(&S, &Schedule)> {
        let slot = self.sources.get(id.0)?;
        Some((&slot.source, &slot.schedule))
    }

    /// A source.
    pub(super) fn source_mut(&mut self, id: SourceId) -> Option<&mut S> {
        self.sources.get_mut(id.0).map(|slot| &mut slot.source)
    }

    /// How requests wait for a source, and how many slots it has: each source of a kind has slots of its
    /// own, so that one that is down does not take them all.
    fn room(&self, slot: &StoredSource<S>) -> Room {
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

    /// The number of a call that no fact needs.
    pub(super) fn new_call(&mut self) -> CallId {
        self.ids.next()
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
            let latest = now.saturating_add(slot.room.longest);
            self.waiting.clamp(id, latest);
        }
        while let Some(call) = self.lost_call(id, now) {
            effects.extend(self.received(call, CallResponse::NoResponse, now, memory));
        }
        for about in self.due(id, now, memory, effects) {
            self.fetch(id, about, now, memory, effects);
        }
    }

    /// What of a source should be fetched now.
    fn due(
        &mut self,
        id: SourceId,
        now: UnixMillis,
        memory: &dyn SharedMemory,
        effects: &mut Vec<Effect>,
    ) -> Vec<FactKey> {
        let Some(slot) = self.sources.get_mut(id.0) else {
            return Vec::new();
        };
        let workers = Workers {
            memory,
            key: self.shared_key.as_ref(),
        };
        if slot.is_by_fact {
            for about in slot.kind().facts_wanted(now) {
                if slot.catch_up(&about, workers, now) {
                    let waiters = self.waiting.take(id, &|key| *key == about);
                    wake(waiters, false, effects);
                }
            }
            return slot.kind().facts_due(&slot.schedule, now);
        }
        if slot.catch_up(&FactKey::ONLY, workers, now) {
            wake(self.waiting.take(id, &|_| true), false, effects);
        }
        let waiters = &mut self.waiting.for_source(id);
        let is_due = slot.kind().is_due(&slot.schedule, waiters, now);
        is_due.then_some(FactKey::ONLY).into_iter().collect()
    }

    /// Begins what is due, if no other worker does.
    fn fetch(
        &mut self,
        id: SourceId,
        about: FactKey,
        now: UnixMillis,
        memory: &dyn SharedMemory,
        effects: &mut Vec<Effect>,
    ) {
        let Some(slot) = self.sources.get_mut(id.0) else {
            return;
        };
        let workers = Workers {
            memory,
            key: self.shared_key.as_ref(),
        };
        let length = slot.room.longest;
        match slot.exchange.lease(&about, length, workers, now) {
            Lease::Ours(_) => {}
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
        let begun = source.begin(about, &mut slot.schedule, &mut self.ids, waiters, now);
        if begun.is_empty() {
            slot.exchange.give_back(&about, workers);
        }
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
        token: &CompactToken<'_>,
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
        let calls = self.sources.iter().enumerate();
        let mut calls = calls.filter_map(|(index, slot)| {
            let call = slot.schedule.calls.find(call)?;
            Some((index, slot.unit(call.key)))
        });
        let Some((index, unit)) = calls.next() else {
            // The response to a call that was given up.
            return Vec::new();
        };
        let id = SourceId(index);
        let Some(slot) = self.sources.get_mut(index) else {
            return Vec::new();
        };
        let workers = Workers {
            memory,
            key: self.shared_key.as_ref(),
        };
        // A fetch that took long must not undo what another worker shared since.
        slot.expire(now);
        slot.catch_up(&unit, workers, now);
        let (source, ids) = (slot.source.as_mut(), &mut self.ids);
        let ended = match source.received(&mut slot.schedule, call, response, ids, now) {
            Some(Received::Ended(about, ended)) => (about, ended),
            Some(Received::Next(call)) => return vec![Effect::Call(call)],
            None => return Vec::new(),
        };
        let (about, ended) = ended;
        if let Some(value) = &ended.share {
            slot.exchange.publish(&unit, value, workers, now);
        }
        // Another worker must not begin a fetch that this one still has under way.
        if slot.is_by_fact || slot.schedule.calls.is_empty() {
            let pause = slot.own_pause();
            slot.exchange.release(&unit, pause, workers, now);
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
        let workers = self.workers(memory);
        for slot in &self.sources {
            slot.exchange.give_back_all(workers);
        }
    }
}

fn wake(waiters: Vec<WaiterId>, last_chance: bool, effects: &mut Vec<Effect>) {
    for waiter in waiters {
        effects.push(Effect::Wake {
            waiter,
            last_chance,
        });
    }
}
