//! The gate of one configuration: policy, facts and waiting requests together.
//!
//! It turns what the host reports into what the host must do, and knows no host.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::crypto::SignatureVerifier;
use crate::decide::{decide, Decision, Grounds, HeaderEdit, Outcome};
use crate::facts::{
    CallId, Effect, Fact, FactStore, FetchAnswer, FetchFault, FetchRequest, SharedMemory, WaiterId,
};
use crate::observe::audit_line;
use crate::policy::{Policy, ProviderId};
use crate::reply::{problem, LocalReply, Reason, Resource};
use crate::request::RequestHead;
use crate::time::UnixMillis;

/// How often facts are looked after when nobody waits.
const QUIET_TICK: Duration = Duration::from_millis(500);

/// How often while a request waits: a fetch begins with the next tick.
const BUSY_TICK: Duration = Duration::from_millis(2);

/// What a caller is told whose token could not be checked because nobody brought the keys.
const WAITED_IN_VAIN: Reason = Reason::KeysUnavailable {
    retry_after: Duration::from_secs(1),
};

/// The gate of one configuration in one worker.
pub struct Gate {
    policy: Policy,
    store: FactStore,
    crypto: Box<dyn SignatureVerifier>,
    parked: BTreeMap<WaiterId, RequestHead>,
    has_ticked: bool,
}

/// How far a request came.
#[derive(Debug)]
pub enum Step {
    /// It was decided.
    Settled(Box<Settled>),
    /// It waits for this.
    Waits(Fact),
}

/// A request that was decided.
#[derive(Debug)]
pub struct Settled {
    /// What the host must do.
    pub action: Action,
    /// What was decided, for metrics.
    pub decision: Decision,
    /// The audit record.
    pub audit: String,
}

/// What the host must do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Change its head in this order, then let it go on.
    Continue(Vec<HeaderEdit>),
    /// Answer it.
    Reply(LocalReply),
}

/// What the host must do when time has passed or a call was answered.
#[derive(Debug)]
pub enum Work {
    /// Make a call.
    Fetch(FetchRequest),
    /// End the waiting of a request.
    Settle(WaiterId, Box<Settled>),
    /// Count and log that a provider's keys were fetched.
    Refreshed(ProviderId),
    /// Count and log that they could not be.
    Failed(ProviderId, FetchFault),
}

impl Gate {
    /// A gate that has not fetched anything yet.
    pub fn new(policy: Policy, crypto: Box<dyn SignatureVerifier>) -> Self {
        Self {
            store: FactStore::new(&policy),
            policy,
            crypto,
            parked: BTreeMap::new(),
            has_ticked: false,
        }
    }

    /// The policy that is in force.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A request has come. When it waits, a later [`Work::Settle`] names it.
    pub fn request(&mut self, id: WaiterId, request: RequestHead, now: UnixMillis) -> Step {
        self.settle(id, request, now, false)
    }

    /// A request is gone, waiting or not.
    pub fn gone(&mut self, id: WaiterId) {
        if self.parked.remove(&id).is_some() {
            self.store.forget(id);
        }
    }

    /// Time passes.
    pub fn tick(&mut self, now: UnixMillis, memory: &dyn SharedMemory) -> Vec<Work> {
        self.has_ticked = true;
        let effects = self.store.tick(now, memory);
        self.work(effects, now)
    }

    /// A call was answered, or could not be made.
    pub fn answered(
        &mut self,
        call: CallId,
        answer: FetchAnswer,
        now: UnixMillis,
        memory: &dyn SharedMemory,
    ) -> Vec<Work> {
        let effects = self.store.answered(call, answer, now, memory);
        self.work(effects, now)
    }

    /// How soon the next tick should come. The first one fetches the keys, before anybody asks.
    pub fn tick_period(&self) -> Duration {
        if self.has_ticked && !self.store.has_waiters() {
            QUIET_TICK
        } else {
            BUSY_TICK
        }
    }

    /// How old each provider's keys are.
    pub fn key_set_ages(&self, now: UnixMillis) -> impl Iterator<Item = (&str, Duration)> {
        let providers = self.policy.providers.iter().enumerate();
        providers.filter_map(move |(index, provider)| {
            let age = self.store.key_set_age(ProviderId(index), now)?;
            Some((provider.name.as_str(), age))
        })
    }

    /// The name of a provider.
    pub fn provider_name(&self, id: ProviderId) -> &str {
        self.policy
            .providers
            .get(id.0)
            .map_or("none", |provider| &provider.name)
    }

    fn work(&mut self, effects: Vec<Effect>, now: UnixMillis) -> Vec<Work> {
        let mut work = Vec::with_capacity(effects.len());
        for effect in effects {
            match effect {
                Effect::Fetch(request) => work.push(Work::Fetch(request)),
                Effect::Refreshed(provider) => work.push(Work::Refreshed(provider)),
                Effect::Failed(provider, fault) => work.push(Work::Failed(provider, fault)),
                Effect::Wake {
                    waiter,
                    last_chance,
                } => {
                    let Some(request) = self.parked.remove(&waiter) else {
                        continue;
                    };
                    if let Step::Settled(settled) = self.settle(waiter, request, now, last_chance) {
                        work.push(Work::Settle(waiter, settled));
                    }
                }
            }
        }
        work
    }

    /// Decides, or lets the request wait.
    fn settle(
        &mut self,
        id: WaiterId,
        request: RequestHead,
        now: UnixMillis,
        last_chance: bool,
    ) -> Step {
        let mut decision = self.decide(&request, now);
        if let Outcome::Await(fact) = decision.outcome {
            let reason = if last_chance {
                WAITED_IN_VAIN
            } else if self.store.wait(id, fact, now).is_ok() {
                self.parked.insert(id, request);
                return Step::Waits(fact);
            } else {
                Reason::TooManyWaiting
            };
            decision.outcome = Outcome::Reject(reason);
        }
        Step::Settled(Box::new(self.settled(decision, &request, now)))
    }

    fn decide(&self, request: &RequestHead, now: UnixMillis) -> Decision {
        let grounds = Grounds {
            policy: &self.policy,
            facts: &self.store.at(now),
            crypto: &*self.crypto,
            now: now.to_seconds(),
        };
        decide(grounds, request)
    }

    fn settled(&self, decision: Decision, request: &RequestHead, now: UnixMillis) -> Settled {
        let refuse = |reason: &Reason| {
            let resource = Resource::of(&self.policy, request);
            problem(reason, resource.as_ref(), request.first("x-request-id"))
        };
        let action = match &decision.outcome {
            Outcome::Forward(forward) => Action::Continue(forward.edits().to_vec()),
            Outcome::Pass(edits) => Action::Continue(edits.clone()),
            Outcome::Respond(reply) => Action::Reply(reply.clone()),
            Outcome::Reject(reason) => Action::Reply(refuse(reason)),
            // Taken care of by the caller; were it not, this must not become a forward.
            Outcome::Await(_) => Action::Reply(refuse(&WAITED_IN_VAIN)),
        };
        Settled {
            action,
            audit: audit_line(&decision, request, now),
            decision,
        }
    }
}

#[cfg(test)]
mod tests;
