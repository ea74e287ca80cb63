//! The gate of one configuration: policy, facts and waiting requests together.
//!
//! It turns what the host reports into what the host must do, and knows no host.

mod bodies;
mod body;
mod connection;
mod deciding;
mod descriptions;
mod ended_jobs;
mod forwarded;
mod held_bodies;
mod jobs;
mod report;
mod responses;
mod revocations;
mod settled;
mod settling;
mod source;
mod used_ids;
mod waiting;

pub use body::{HeldBodies, RequestBody};
pub use connection::Connections;
pub use forwarded::{ForwardedRequest, UpstreamFailure};
pub use held_bodies::{LONGEST_BODY, MAX_HELD_BODIES, MAX_HELD_BYTES};
pub use settled::{Action, ResponseEdits, Settled, Step};
pub use settling::MAX_SETTLED;
pub use source::Source;

use descriptions::Descriptions;
use held_bodies::BodyWaiters;
use jobs::Jobs;
use revocations::PushedRevocations;
use used_ids::UsedIds;
use waiting::{End, WaitingRequest, Woken};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::crypto::SignatureVerifier;
use crate::decide::{Caller, Judge, TokenCache};
#[cfg(test)]
use crate::decide::{Decision, Request};
use crate::facts::{
    Call, CallId, CallResponse, Effect, Event, FactStore, SharedKey, SharedMemory, SourceId,
    WaiterId,
};
use crate::http::RequestHead;
use crate::policy::Policy;
use crate::time::UnixMillis;
use crate::token::NonceKey;

/// How often the gate looks for due facts while no request waits.
const QUIET_TICK: Duration = Duration::from_millis(500);

/// The same while a request waits: a fetch begins with the next tick.
const BUSY_TICK: Duration = Duration::from_millis(2);

/// The same while an operation that the gate carries out pauses.
const JOB_TICK: Duration = Duration::from_millis(20);

/// The gate of one configuration in one worker.
pub struct Gate {
    policy: Arc<Policy>,
    store: FactStore,
    token_cache: TokenCache<Caller>,
    used_ids: UsedIds,
    /// `None`: no provider pushes revocations.
    revocations: Option<PushedRevocations>,
    /// Makes the nonces of proofs.
    nonces: Option<NonceKey>,
    crypto: Box<dyn SignatureVerifier>,
    /// Judges requests by the policy that is only judged, if there is one.
    judge: Option<Box<Judge>>,
    waiting: BTreeMap<WaiterId, WaitingRequest>,
    /// Those of them that wait for their bodies.
    bodies: BodyWaiters,
    /// Requests that wait for operations that the gate carries out.
    jobs: Jobs,
    /// What the gate shows of n8n's description of its public API.
    descriptions: Descriptions,
    /// Whether the host has ever reported a part of a body while it held the head.
    has_seen_bodies: bool,
    /// Waiting requests whose wait is over, in their order.
    woken: VecDeque<Woken>,
    has_ticked: bool,
    /// Whether the host writes audit records to its log.
    logs_records: bool,
    #[cfg(test)]
    decide: Option<fn(Request<'_>) -> Decision>,
}

/// What the gate needs of the host while it settles requests.
#[derive(Clone, Copy)]
pub struct HostView<'h> {
    /// The time.
    pub now: UnixMillis,
    /// What all workers share.
    pub memory: &'h dyn SharedMemory,
    /// The bodies of requests that are held.
    pub bodies: &'h dyn HeldBodies,
    /// The connections of requests that are not settled.
    pub connections: &'h dyn Connections,
}

/// What the worker must do when time has passed or a call has ended.
#[derive(Debug)]
pub enum Work {
    /// Make a call.
    Call(Call),
    /// Count and log this.
    Report(Event),
}

impl Gate {
    /// A gate without any fetched fact.
    pub fn new(policy: impl Into<Arc<Policy>>, crypto: Box<dyn SignatureVerifier>) -> Self {
        let policy = policy.into();
        let shared = SharedKey::derive(policy.secrets());
        Self {
            store: FactStore::new(&policy),
            nonces: shared
                .as_ref()
                .filter(|_| policy.proofs.nonces)
                .map(|key| NonceKey::new(key.secret_for("nonces of proofs"))),
            used_ids: UsedIds::new(shared),
            revocations: PushedRevocations::of(&policy),
            judge: policy.shadow.is_some().then(Box::default),
            policy,
            token_cache: TokenCache::default(),
            crypto,
            waiting: BTreeMap::new(),
            bodies: BodyWaiters::default(),
            jobs: Jobs::default(),
            descriptions: Descriptions::default(),
            has_seen_bodies: false,
            woken: VecDeque::new(),
            has_ticked: false,
            logs_records: true,
            #[cfg(test)]
            decide: None,
        }
    }

    /// A request has come. If it waits, a later [`Gate::settle_woken`] or [`Gate::body_part`] settles it.
    /// Only then is its source asked for.
    pub fn request_from(
        &mut self,
        id: WaiterId,
        (request, body): (RequestHead, RequestBody),
        host: &HostView<'_>,
        source: impl FnOnce() -> Option<Source>,
    ) -> Step {
        self.settle(id, (request, body), host.now, host, source, false)
    }

    #[cfg(test)]
    pub(crate) fn request(&mut self, id: WaiterId, request: RequestHead, now: UnixMillis) -> Step {
        let host = tests::host_view(now);
        self.request_from(id, (request, RequestBody::None), &host, || None)
    }

    /// Whether this request waits.
    pub fn is_waiting(&self, id: WaiterId) -> bool {
        self.waiting.contains_key(&id) || self.jobs.contains(id)
    }

    /// A request has ended. If it still waited, it was abandoned, and this is to be reported.
    pub fn abandon(&mut self, id: WaiterId, now: UnixMillis) -> Option<Box<Settled>> {
        if let Some(under_way) = self.jobs.take(id) {
            return Some(self.settle_job(under_way, now));
        }
        let waiting = self.take(id)?;
        self.store.forget(id);
        Some(self.settle_as_is(waiting, now))
    }

    /// Time has passed.
    pub fn tick(&mut self, now: UnixMillis, memory: &dyn SharedMemory) -> Vec<Work> {
        self.has_ticked = true;
        let effects = self.store.tick(now, memory);
        let mut overdue = self.bodies.overdue(now, LONGEST_BODY);
        overdue.extend(self.unreported_bodies(now));
        let overdue = overdue.into_iter();
        self.woken.extend(overdue.map(Woken::body_overdue));
        let mut work = self.work(effects);
        let steps = self.jobs.tick(now, &mut || self.store.new_call());
        for step in steps {
            work.extend(self.job_work(step));
        }
        work
    }

    /// A call has ended, or could not be sent.
    pub fn received(
        &mut self,
        call: CallId,
        response: CallResponse,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) -> Vec<Work> {
        let jobs = &mut self.jobs;
        let step = jobs.received(call, response, now, &mut || self.store.new_call());
        match step {
            Ok(step) => self.job_work(step).into_iter().collect(),
            Err(response) => {
                let effects = self.store.received(call, response, now, memory);
                self.work(effects)
            }
        }
    }

    /// Whether the wait of a request is over that is not settled yet.
    pub fn has_woken(&self) -> bool {
        !self.woken.is_empty()
    }

    /// The configuration is loaded.
    pub fn open(&self, memory: &dyn SharedMemory) {
        self.store.open(memory);
    }

    /// The configuration goes away.
    pub fn close(&self, memory: &dyn SharedMemory) {
        self.store.close(memory);
    }

    /// How soon the next tick should come. The first one fetches the keys, before any request needs them.
    pub fn tick_period(&self) -> Duration {
        if self.has_ticked && self.woken.is_empty() && !self.store.has_waiters() {
            if self.jobs.is_busy() {
                JOB_TICK
            } else {
                QUIET_TICK
            }
        } else {
            BUSY_TICK
        }
    }

    fn work(&mut self, effects: Vec<Effect>) -> Vec<Work> {
        let mut work = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Call(request) => work.push(Work::Call(request)),
                Effect::Report(event) => work.push(Work::Report(event)),
                Effect::CallFor {
                    call,
                    source,
                    waiter,
                } => work.extend(self.call_for(call, source, waiter).map(Work::Call)),
                Effect::Wake {
                    waiter,
                    last_chance,
                } => self.woken.push_back(Woken {
                    waiter,
                    end: End::Decide { last_chance },
                }),
                Effect::Displace(waiter) => self.woken.push_back(Woken {
                    waiter,
                    end: End::Displaced,
                }),
            }
        }
        work
    }

    /// A call that needs the token of a waiting request.
    fn call_for(&self, call: CallId, source: SourceId, waiter: WaiterId) -> Option<Call> {
        let waiting = self.waiting.get(&waiter)?;
        let token = waiting.decision.asked_about.as_ref()?;
        self.store.call_for(call, source, token)
    }
}

#[cfg(test)]
mod tests;
