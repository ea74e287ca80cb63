//! The gate of one configuration: policy, facts and waiting requests together.
//!
//! It turns what the host reports into what the host must do, and knows no host.

mod bodies;
mod body;
mod connection;
mod descriptions;
mod ended_jobs;
mod forwarded;
mod held_bodies;
mod jobs;
mod report;
mod responses;
mod revocations;
mod settled;
mod source;
mod used_ids;
mod waiting;

pub use body::{HeldBodies, RequestBody};
pub use connection::Connections;
pub use forwarded::{ForwardedRequest, UpstreamFailure};
pub use held_bodies::{LONGEST_BODY, MAX_HELD_BODIES, MAX_HELD_BYTES};
pub use settled::{Action, ResponseEdits, Settled, Step};
pub use source::Source;

use connection::ConnectionOf;
use descriptions::Descriptions;
use held_bodies::BodyWaiters;
use jobs::{Jobs, State, UnderWay};
use revocations::{PushedRevocations, RevocationsAt};
use settled::NO_REFUSAL;
use used_ids::{Use, UsedIds};
use waiting::{origin, refusal_without, unavailable, End, WaitingRequest, Woken};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::crypto::SignatureVerifier;
use crate::decide::{
    decide, without_made_up_identity, Caller, Decision, DecisionContext, Judge, Need,
    NoRevocations, Outcome, Request, Revocations, TokenCache, UpstreamCredential,
};
use crate::facts::{
    Call, CallId, CallResponse, Effect, Event, FactStore, SharedKey, SharedMemory, SourceId,
    WaiterId,
};
use crate::http::RequestHead;
use crate::policy::Policy;
use crate::reply::{problem, Reason, Resource};
use crate::time::UnixMillis;
use crate::token::{NonceKey, ProofFault};

/// How often the gate looks for due facts while no request waits.
const QUIET_TICK: Duration = Duration::from_millis(500);

/// The same while a request waits: a fetch begins with the next tick.
const BUSY_TICK: Duration = Duration::from_millis(2);

/// The same while an operation that the gate carries out pauses.
const JOB_TICK: Duration = Duration::from_millis(20);

/// The most requests that are settled in one event of the host.
///
/// The host does what the module asked for after the event, one request inside the other: each local
/// reply or resumed request leads to further events before the next request. Some hundreds of them
/// exhaust the stack of the virtual machine, and it stops. So a crowd that waits for one fetch is
/// settled over several ticks. A request that must wait again counts as well: its token may have cost
/// a signature check.
pub const MAX_SETTLED: usize = 16;

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

    /// Settles requests whose wait is over, at most [`MAX_SETTLED`] of them. To be called once in each
    /// event, after all of its [`Work`] was done. The rest follows with later ticks.
    pub fn settle_woken(&mut self, host: &HostView<'_>) -> Vec<(WaiterId, Box<Settled>)> {
        let mut done = Vec::new();
        let mut taken = 0_usize;
        while taken < MAX_SETTLED {
            let Some(Woken { waiter, end }) = self.woken.pop_front() else {
                break;
            };
            if let End::JobDone = end {
                if let Some((under_way, job)) = self.jobs.take_ended(waiter) {
                    taken = taken.saturating_add(1);
                    done.push((waiter, self.end_job(under_way, job, host.now)));
                }
                continue;
            }
            // It may have ended since it was woken, or wait for something else.
            let Some(waiting) = self.take_if(waiter, end) else {
                continue;
            };
            taken = taken.saturating_add(1);
            let reason = match end {
                End::Decide { last_chance } => {
                    let source = waiting.source.clone();
                    let request = (waiting.request, waiting.body);
                    let step =
                        self.settle(waiter, request, waiting.since, host, || source, last_chance);
                    if let Step::Settled(mut settled) = step {
                        settled.set_source(|| waiting.source);
                        done.push((waiter, settled));
                    }
                    continue;
                }
                End::Displaced => match &waiting.decision.outcome {
                    Outcome::Await(need) => refusal_without(need, Reason::TooManyWaiting),
                    _ => Reason::TooManyWaiting,
                },
                End::JobDone => continue,
                End::BodyDisplaced => Reason::TooManyBodies,
                End::BodyOverdue => self.late_body(&waiting),
            };
            let mut waiting = waiting;
            waiting.decision.outcome = Outcome::Reject(reason);
            done.push((waiter, self.settle_as_is(waiting, host.now)));
        }
        done
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

    /// Decides, or lets the request wait. Its first wait began at `since`.
    fn settle(
        &mut self,
        id: WaiterId,
        (request, body): (RequestHead, RequestBody),
        since: UnixMillis,
        host: &HostView<'_>,
        source: impl FnOnce() -> Option<Source>,
        last_chance: bool,
    ) -> Step {
        let now = host.now;
        let mut decision = self.decide(id, (&request, body), since, host);
        self.revoke(&mut decision, host);
        self.use_once(&mut decision, host);
        self.descriptions.recall(&mut decision, now);
        if let Outcome::Job(job) = decision.outcome {
            if self.jobs.has_room_for(&job) == Ok(()) {
                if let Some((user, _)) = job.session() {
                    self.store.mark_session_used(user, now);
                }
                let edits = without_made_up_identity(&request);
                // The job may be large: there is one of it.
                decision.outcome = Outcome::UnderWay;
                let under_way = UnderWay {
                    job,
                    request,
                    source: source(),
                    decision,
                    since: now,
                    state: State::Due(now),
                };
                self.jobs.insert(id, under_way);
                return Step::Waits { need: None, edits };
            }
            let otherwise = decision.otherwise.take();
            decision.record.shadow = None;
            decision.outcome =
                otherwise.map_or(Outcome::Reject(Reason::TooManyRuns), |outcome| *outcome);
        } else if let Outcome::Await(need) = &decision.outcome {
            let need = need.clone();
            let reason = if last_chance && matches!(need, Need::Fact(_)) {
                unavailable(&need)
            } else {
                let source = source();
                let peer = source.as_ref().and_then(Source::peer);
                let admitted = match &need {
                    Need::Fact(fact) => {
                        let origin = origin(&decision.record, peer);
                        let admitted = self.store.admit(id, fact, since, origin, now);
                        admitted.map_err(|fault| refusal_without(&need, Reason::from(fault)))
                    }
                    Need::Body { .. } => self.hold_for_body(id, body, peer, now),
                };
                match admitted {
                    Ok(()) => {
                        let edits = without_made_up_identity(&request);
                        let waiting = WaitingRequest {
                            request,
                            body,
                            since,
                            source,
                            decision,
                        };
                        self.waiting.insert(id, waiting);
                        let need = Some(need);
                        return Step::Waits { need, edits };
                    }
                    Err(reason) => {
                        decision.record.address = source.map(Source::into_address);
                        reason
                    }
                }
            };
            decision.outcome = Outcome::Reject(reason);
        }
        self.mark_used(&decision.outcome, now);
        Step::Settled(self.settled(decision, request, now))
    }

    /// Notes that what the gate made for a request is in use.
    fn mark_used(&mut self, outcome: &Outcome, now: UnixMillis) {
        let Outcome::Forward(forward) = outcome else {
            return;
        };
        match forward.credential() {
            Some(UpstreamCredential::MintedKey(request, _)) => {
                self.store.mark_minted_used(request, now);
            }
            Some(UpstreamCredential::Session(request, _)) => {
                self.store.mark_session_used(request, now);
            }
            Some(UpstreamCredential::StaticKey(_)) | None => {}
        }
    }

    /// Decides, with the body if the decision needs it and it is there.
    fn decide(
        &mut self,
        id: WaiterId,
        (head, body): (&RequestHead, RequestBody),
        since: UnixMillis,
        host: &HostView<'_>,
    ) -> Decision {
        let connection = ConnectionOf {
            connections: host.connections,
            request: id,
        };
        let mut request = Request {
            head,
            body: (body == RequestBody::None).then_some(&[][..]),
            connection: &connection,
        };
        let mut decision = self.decide_with(request, since, host);
        let Outcome::Await(Need::Body { max_bytes }) = decision.outcome else {
            return decision;
        };
        let announced = head.content_length().unwrap_or_default();
        if body.size().max(announced) > max_bytes {
            decision.outcome = Outcome::Reject(Reason::BodyTooLarge);
        } else if let RequestBody::Whole(size) = body {
            let bytes = host.bodies.read(id, size);
            match bytes.filter(|bytes| bytes.len() == size) {
                Some(bytes) => {
                    request.body = Some(&bytes);
                    decision = self.decide_with(request, since, host);
                }
                None => decision.outcome = Outcome::Reject(Reason::BodyUnavailable),
            }
        }
        decision
    }

    fn decide_with(
        &mut self,
        request: Request<'_>,
        since: UnixMillis,
        host: &HostView<'_>,
    ) -> Decision {
        let now = host.now;
        let revocations = self.revocations.as_ref().map(|pushed| RevocationsAt {
            pushed,
            memory: host.memory,
            now: now.to_seconds(),
        });
        let revocations = revocations.as_ref();
        let revocations = revocations.map_or(&NoRevocations as &dyn Revocations, |pushed| pushed);
        let context = DecisionContext {
            policy: &self.policy,
            facts: &self.store.at(now).of_request(since),
            token_cache: &self.token_cache,
            revocations,
            crypto: &*self.crypto,
            nonces: self.nonces.as_ref(),
            is_recorded: self.leaves_records(),
            now: now.to_seconds(),
        };
        #[cfg(test)]
        if let Some(decide) = self.decide {
            return decide(request);
        }
        let mut decision = decide(context, request);
        if let (Some(judge), Some(shadow)) = (&mut self.judge, &self.policy.shadow) {
            decision.record.shadow = judge.compare(shadow, context, request, &decision);
        }
        if let Some(remember) = decision.remember.take() {
            self.token_cache.apply(remember);
        }
        decision
    }

    /// Refuses a request with an id that was used before.
    fn use_once(&mut self, decision: &mut Decision, host: &HostView<'_>) {
        let Some(used) = decision.use_once.as_ref() else {
            return;
        };
        let (now, memory) = (host.now.to_seconds(), host.memory);
        // An id is used by a request that goes on. One that is refused for something else may come again,
        // and for a replay nothing is fetched.
        match &decision.outcome {
            Outcome::Await(_) if self.used_ids.knows(used, now, memory) => {
                decision.outcome = Outcome::Reject(used.replayed.clone());
                return;
            }
            Outcome::Reject(_) | Outcome::Await(_) => return,
            _ => {}
        }
        let reason = match self.used_ids.remember(used, now, memory) {
            Use::First => return,
            Use::Again => used.replayed.clone(),
            Use::NotRemembered => Reason::TooManyUsedIds,
        };
        // By no policy, so that there is nothing to compare.
        decision.record.shadow = None;
        decision.outcome = Outcome::Reject(reason);
    }

    /// Stores what a provider revokes. The provider must not believe that it is, if it is not: it would not
    /// say so again. This is before the use of its id, which a failure would use up, and a repeated event changes
    /// nothing.
    fn revoke(&self, decision: &mut Decision, host: &HostView<'_>) {
        let (Outcome::Respond(_), Some(revocation)) = (&decision.outcome, &decision.revocation)
        else {
            return;
        };
        let now = host.now.to_seconds();
        let pushed = self.revocations.as_ref();
        if pushed.is_some_and(|pushed| pushed.add(revocation, host.memory, now)) {
            return;
        }
        decision.outcome = Outcome::Reject(Reason::RevocationNotShared);
    }

    /// Takes out a request that waits.
    fn take(&mut self, id: WaiterId) -> Option<WaitingRequest> {
        self.bodies.forget(id);
        self.waiting.remove(&id)
    }

    /// The same, if it waits for what has ended.
    fn take_if(&mut self, id: WaiterId, end: End) -> Option<WaitingRequest> {
        let waiting = self.waiting.get(&id)?;
        let waits_for_body = matches!(waiting.decision.outcome, Outcome::Await(Need::Body { .. }));
        if waits_for_body == end.is_of_body() {
            self.take(id)
        } else {
            None
        }
    }

    /// Settles a request that does not wait any more.
    fn settle_as_is(&self, waiting: WaitingRequest, now: UnixMillis) -> Box<Settled> {
        let mut decision = waiting.decision;
        decision.record.address = waiting.source.map(Source::into_address);
        self.settled(decision, waiting.request, now)
    }

    fn settled(&self, decision: Decision, request: RequestHead, now: UnixMillis) -> Box<Settled> {
        let refuse = |reason: &Reason| {
            let resource = self.policy.instances.of(&request).and_then(|instance| {
                Resource::asked_for(instance, decision.record.surface, &request)
                    .map(|resource| resource.requiring_proofs(decision.record.requires_proof))
            });
            let told = decision.record.told(reason, &self.policy);
            let mut refusal = problem(reason, resource.as_ref(), &request, told);
            let nonces = self.nonces.as_ref();
            if let (Reason::Proof(ProofFault::OtherNonce), Some(nonces)) = (reason, nonces) {
                let nonce = nonces.current(now.to_seconds());
                refusal.headers.push(("dpop-nonce", nonce.into()));
            }
            refusal
        };
        let (is_reply, refusal) = match &decision.outcome {
            Outcome::Forward(_) | Outcome::Pass(_) | Outcome::UpstreamResponse => {
                (false, NO_REFUSAL)
            }
            Outcome::Reject(reason) => (true, refuse(reason)),
            // The client of a job left while the gate carried it out.
            Outcome::Respond(_) | Outcome::Job(_) | Outcome::UnderWay => (true, NO_REFUSAL),
            // A request whose client left while it waited. If it were still there, it would be refused.
            Outcome::Await(need) => (true, refuse(&unavailable(need))),
        };
        let log_edits = is_reply.then(|| without_made_up_identity(&request));
        Box::new(Settled {
            decision,
            refusal,
            log_edits: log_edits.unwrap_or_default(),
            request,
            now,
            credential: None,
            is_kept: false,
        })
    }
}

#[cfg(test)]
mod tests;
