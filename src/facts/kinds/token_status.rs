//! What one provider says about single tokens: calls for requests that wait, and the statuses that are
//! kept.

mod call;
mod fault;
mod queues;
mod read;
mod statuses;

pub use call::status_request;
pub use fault::TokenStatusFault;
pub use read::{read_token_status, TokenStatus};
pub(in crate::facts) use statuses::TokenStatuses;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use fault::scope;
use queues::Queues;
use statuses::Known;

use crate::facts::call::CallResponse;
use crate::facts::demand::{FactKey, SourceId};
use crate::facts::fault::FaultScope;
use crate::facts::schedule::{Calls, Failure, Schedule, UnderWay, LONGEST_ASKED_FOR};
use crate::facts::source::{CallEnd, Ended, Kind, NewCalls, Profile, Progress, Room, Sharing};
use crate::facts::waiting::Waiter;
use crate::facts::{Availability, CallRequest, Event, Outage};
use crate::policy::{Introspection, ProviderId};
use crate::time::UnixMillis;
use crate::token::{CompactToken, Term, TokenDigest};

/// The most requests of one worker that wait for token statuses. An attacker can make up tokens, and
/// send long heads.
const MAX_WAITERS: usize = 256;

/// The most calls of one worker and provider that are under way at a time, because an attacker can make
/// up any number of tokens. As many more may be about proven tokens: signed ones, and those that were
/// active when their status was last fetched.
pub const MAX_CALLS: usize = 48;

/// How many calls one caller may have for each that is left for others: alone it has two thirds.
const SHARE: usize = 2;

/// How long a token rests after a call about it failed.
const REST: Duration = Duration::from_secs(5);

/// In a pause, how long no call is made after one about a proven token failed.
const BETWEEN_PROBES: Duration = Duration::from_secs(1);

/// The most failures in a row that count: no request waits longer than eight seconds for a provider
/// that responds again.
const MOST_FAILURES: u32 = 4;

/// What one provider says about tokens.
#[derive(Debug)]
pub(in crate::facts) struct TokenStatusSource {
    id: SourceId,
    provider: ProviderId,
    rules: Introspection,
    /// In a pause, no call is made before this.
    probe_after: UnixMillis,
    /// Those of all sources in the worker: their number is bounded together.
    statuses: Rc<RefCell<TokenStatuses>>,
}

impl TokenStatusSource {
    pub(in crate::facts) fn new(
        id: SourceId,
        provider: ProviderId,
        rules: Introspection,
        statuses: Rc<RefCell<TokenStatuses>>,
    ) -> Self {
        Self {
            id,
            provider,
            rules,
            probe_after: UnixMillis(0),
            statuses,
        }
    }

    /// What is known of a token at `now`. A proven one is known to be no attacker's invention.
    pub(in crate::facts) fn availability(
        &self,
        schedule: &Schedule,
        token: TokenDigest,
        is_proven: bool,
        now: UnixMillis,
    ) -> Availability<TokenStatus> {
        let key = FactKey::from(token);
        let statuses = self.statuses.borrow();
        match statuses.of(self.id, &key, now) {
            Some((Known::Status(status), _)) => Availability::Known(status.clone()),
            Some((Known::Fault(fault), term)) => Availability::Unavailable(Outage {
                retry_after: term.until.since(now),
                fault: Some(fault.as_str()),
            }),
            None => {
                let is_proven = is_proven || statuses.was_active(self.id, &key);
                self.outage(schedule, &key, is_proven, now)
                    .map_or(Availability::Pending, Availability::Unavailable)
            }
        }
    }

    /// Why no call about this token is made now.
    fn outage(
        &self,
        schedule: &Schedule,
        key: &FactKey,
        is_proven: bool,
        now: UnixMillis,
    ) -> Option<Outage> {
        let Schedule { calls, pauses } = schedule;
        let rests = !pauses.is_over(now) && !self.may_probe(schedule, is_proven, now);
        (rests && !calls.is_about(key)).then(|| pauses.outage(pauses.until(), now))
    }

    /// Whether a call is made in a pause: about one proven token at a time, and once in a while. The
    /// cause of the pause may be a made-up token, and that must not keep the others out.
    fn may_probe(&self, schedule: &Schedule, is_proven: bool, now: UnixMillis) -> bool {
        let Schedule { calls, pauses } = schedule;
        let is_probed = calls.iter().any(|call| call.is_probe);
        is_proven && !is_probed && now >= pauses.closed_until().max(self.probe_after)
    }

    /// A caller that has fewer calls than this may have one more. Those about proven tokens do not
    /// count with the others, and the more calls a caller has, the more must be left.
    fn most_calls(&self, schedule: &Schedule, is_proven: bool, now: UnixMillis) -> usize {
        if schedule.pauses.is_over(now) {
            free(&schedule.calls, is_proven).saturating_mul(SHARE)
        } else if self.may_probe(schedule, is_proven, now) {
            usize::MAX
        } else {
            0
        }
    }

    /// Keeps what a call about a token led to.
    fn keep(&self, key: FactKey, known: Known, length: Duration, now: UnixMillis) {
        let term = Term {
            since: now,
            until: now.saturating_add(length),
        };
        let mut statuses = self.statuses.borrow_mut();
        statuses.remember(self.id, key, known, term);
    }
}

/// How many more calls may be made about proven tokens, or about others.
fn free(calls: &Calls, is_proven: bool) -> usize {
    let proven = |call: &&UnderWay| call.holder.is_some_and(|holder| holder.is_proven);
    let alike = calls.iter().filter(|call| proven(call) == is_proven);
    MAX_CALLS.saturating_sub(alike.count())
}

impl From<TokenDigest> for FactKey {
    fn from(token: TokenDigest) -> Self {
        Self(*token.bytes())
    }
}

impl Kind for TokenStatusSource {
    type Fault = TokenStatusFault;
    /// A fetch is one call.
    type Step = ();

    fn profile(&self) -> Profile {
        Profile {
            name: "token_status",
            room: Room {
                slots: MAX_WAITERS,
                proven_apart: true,
                // A request may have to wait for its turn, too.
                longest: self.rules.timeout.saturating_mul(2),
            },
            timeout: self.rules.timeout,
            most_failures: MOST_FAILURES,
            sharing: Sharing::None,
        }
    }

    fn expire(&mut self, now: UnixMillis) {
        self.probe_after = self.probe_after.min(now.saturating_add(BETWEEN_PROBES));
    }

    /// Whether one more call may begin about any token.
    fn is_due(
        &self,
        schedule: &Schedule,
        _: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> bool {
        let Schedule { calls, pauses } = schedule;
        let has_room = free(calls, true) > 0 || free(calls, false) > 0;
        has_room && now >= pauses.closed_until()
    }

    /// Begins calls about the tokens for which requests wait, one for each token.
    fn begin(&mut self, calls: &mut NewCalls<'_, ()>, waiters: &mut dyn Iterator<Item = &Waiter>) {
        let mut queues = Queues::of(waiters, &calls.schedule.calls);
        loop {
            let most = |is_proven| self.most_calls(calls.schedule, is_proven, calls.now);
            let Some(waiter) = queues.next(most(true), most(false)) else {
                return;
            };
            calls.begin_for(&waiter, ());
        }
    }

    fn read(
        &mut self,
        end: &mut CallEnd<'_, ()>,
        response: CallResponse,
    ) -> Result<Progress<()>, TokenStatusFault> {
        let term = Term {
            since: end.now,
            until: end.now.saturating_add(self.rules.ttl),
        };
        let status = read::read(&self.rules.protocol, response, term)?;
        if end.schedule.pauses.succeeded(end.now) {
            self.probe_after = UnixMillis(0);
        }
        let is_active = matches!(status, TokenStatus::Active(_));
        let length = if is_active {
            self.rules.ttl
        } else {
            self.rules.inactive_ttl
        };
        self.keep(end.call.key, Known::Status(status), length, end.now);
        Ok(Progress::Ended(Ended {
            events: vec![Event::TokenStatusReceived(self.provider, is_active)],
            share: None,
            pauses: false,
        }))
    }

    fn failed(&mut self, end: &mut CallEnd<'_, ()>, fault: TokenStatusFault) -> Ended {
        let CallEnd {
            call,
            asked_for,
            now,
            ..
        } = *end;
        let code = fault.code();
        let scope = scope(code, &self.rules.protocol);
        let length = if scope == FaultScope::Fact {
            REST.max(asked_for.unwrap_or_default().min(LONGEST_ASKED_FOR))
        } else {
            if call.is_probe {
                self.probe_after = now.saturating_add(BETWEEN_PROBES);
            }
            let failure = Failure {
                is_of_all: scope == FaultScope::Source,
                ..end.failure(code)
            };
            end.pause_source(failure)
        };
        self.keep(call.key, Known::Fault(code), length, now);
        Ended {
            events: vec![Event::TokenStatusFailed(self.provider, fault)],
            share: None,
            pauses: scope != FaultScope::Fact,
        }
    }

    fn call_about(&self, token: &CompactToken<'_>) -> Option<CallRequest> {
        Some(status_request(&self.rules, token))
    }

    fn was_good(&self, key: &FactKey) -> bool {
        self.statuses.borrow().was_active(self.id, key)
    }
}
