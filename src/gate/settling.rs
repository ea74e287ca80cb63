//! How a request is settled: at once, or after a wait.

use super::jobs::{State, UnderWay};
use super::settled::NO_REFUSAL;
use super::waiting::{origin, refusal_without, unavailable, End, WaitingRequest, Woken};
use super::{Gate, HostView, RequestBody, Settled, Source, Step};
use crate::decide::{without_made_up_identity, Decision, Need, Outcome};
use crate::facts::WaiterId;
use crate::http::RequestHead;
use crate::reply::{problem, Reason, Resource};
use crate::time::UnixMillis;
use crate::token::ProofFault;

/// The most requests that are settled in one event of the host.
///
/// The host does what the module asked for after the event, one request inside the other: each local
/// reply or resumed request leads to further events before the next request. Some hundreds of them
/// exhaust the stack of the virtual machine, and it stops. So a crowd that waits for one fetch is
/// settled over several ticks. A request that must wait again counts as well: its token may have cost
/// a signature check.
pub const MAX_SETTLED: usize = 16;

impl Gate {
    /// Settles requests whose wait is over, at most [`MAX_SETTLED`] of them. To be called once in each
    /// event, after all of its [`Work`](super::Work) was done. The rest follows with later ticks.
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

    /// Decides, or lets the request wait. Its first wait began at `since`.
    pub(super) fn settle(
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
                return self.begin(id, under_way);
            }
            let otherwise = decision.otherwise.take();
            decision.record.shadow = None;
            decision.outcome =
                otherwise.map_or(Outcome::Reject(Reason::TooManyRuns), |outcome| *outcome);
        } else if let Outcome::Await(need) = &decision.outcome {
            let need = need.clone();
            if !last_chance || matches!(need, Need::Body { .. }) {
                let waiting = WaitingRequest {
                    request,
                    body,
                    since,
                    source: source(),
                    decision,
                };
                return self.wait(id, waiting, need, now);
            }
            decision.outcome = Outcome::Reject(unavailable(&need));
        }
        self.mark_used(&decision.outcome, now);
        Step::Settled(self.settled(decision, request, now))
    }

    /// Begins an operation that the gate carries out.
    fn begin(&mut self, id: WaiterId, under_way: UnderWay) -> Step {
        if let Some((user, _)) = under_way.job.session() {
            self.store.mark_session_used(user, under_way.since);
        }
        let edits = without_made_up_identity(&under_way.request);
        self.jobs.insert(id, under_way);
        Step::Waits { need: None, edits }
    }

    /// Lets a request wait, or refuses it if there is no room.
    fn wait(
        &mut self,
        id: WaiterId,
        mut waiting: WaitingRequest,
        need: Need,
        now: UnixMillis,
    ) -> Step {
        let peer = waiting.source.as_ref().and_then(Source::peer);
        let admitted = match &need {
            Need::Fact(fact) => {
                let origin = origin(&waiting.decision.record, peer);
                let admitted = self.store.admit(id, fact, waiting.since, origin, now);
                admitted.map_err(|fault| refusal_without(&need, Reason::from(fault)))
            }
            Need::Body { .. } => self.hold_for_body(id, waiting.body, peer, now),
        };
        if let Err(reason) = admitted {
            waiting.decision.outcome = Outcome::Reject(reason);
            return Step::Settled(self.settle_as_is(waiting, now));
        }
        let edits = without_made_up_identity(&waiting.request);
        self.waiting.insert(id, waiting);
        let need = Some(need);
        Step::Waits { need, edits }
    }

    /// Takes out a request that waits.
    pub(super) fn take(&mut self, id: WaiterId) -> Option<WaitingRequest> {
        self.bodies.forget(id);
        self.waiting.remove(&id)
    }

    /// The same, if it waits for what has ended.
    pub(super) fn take_if(&mut self, id: WaiterId, end: End) -> Option<WaitingRequest> {
        let waiting = self.waiting.get(&id)?;
        let waits_for_body = matches!(waiting.decision.outcome, Outcome::Await(Need::Body { .. }));
        if waits_for_body == end.is_of_body() {
            self.take(id)
        } else {
            None
        }
    }

    /// Settles a request that does not wait any more.
    pub(super) fn settle_as_is(&self, waiting: WaitingRequest, now: UnixMillis) -> Box<Settled> {
        let mut decision = waiting.decision;
        decision.record.address = waiting.source.map(Source::into_address);
        self.settled(decision, waiting.request, now)
    }

    pub(super) fn settled(
        &self,
        decision: Decision,
        request: RequestHead,
        now: UnixMillis,
    ) -> Box<Settled> {
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
