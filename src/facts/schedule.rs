//! The calls of one source of facts that are under way, and when the next one may be made.

mod backoff;

pub(super) use backoff::{rhythm, LONGEST_ASKED_FOR};

use std::time::Duration;

use super::call::CallId;
use super::demand::FactKey;
use super::fault::FaultCode;
use super::slots::Holder;
use super::Outage;
use crate::time::UnixMillis;

/// Added to a call's own time limit before it is given up as lost.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// When one source is called: its calls that are under way, and its pauses.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) calls: Calls,
    pub(super) pauses: Pauses,
}

impl Schedule {
    pub(super) const fn new(most_failures: u32) -> Self {
        Self {
            calls: Calls(Vec::new()),
            pauses: Pauses::new(most_failures),
        }
    }

    /// The first call of a fetch begins.
    pub(super) fn begin(
        &mut self,
        id: CallId,
        key: FactKey,
        holder: Option<Holder>,
        now: UnixMillis,
    ) {
        self.calls.0.push(UnderWay {
            id,
            key,
            begun: now,
            fetch_begun: now,
            holder,
            is_probe: !self.pauses.is_over(now),
        });
    }

    /// A clock that was set back must not let a lost call be awaited for long, nor make a pause last.
    pub(super) fn clamp(&mut self, now: UnixMillis) {
        for call in &mut self.calls.0 {
            call.begun = call.begun.min(now);
            call.fetch_begun = call.fetch_begun.min(now);
        }
        self.pauses.clamp(now);
    }
}

/// A call that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnderWay {
    pub(super) id: CallId,
    /// The fact that it is about.
    pub(super) key: FactKey,
    pub(super) begun: UnixMillis,
    /// When the first call of its fetch began.
    pub(super) fetch_begun: UnixMillis,
    /// The request whose token it needs.
    pub(super) holder: Option<Holder>,
    /// Its fetch began in a pause.
    pub(super) is_probe: bool,
}

/// The calls of one source that are under way.
#[derive(Debug)]
pub(super) struct Calls(Vec<UnderWay>);

impl Calls {
    /// The next call of a fetch begins.
    pub(super) fn go_on(&mut self, last: UnderWay, id: CallId, now: UnixMillis) {
        let begun = now;
        self.0.push(UnderWay { id, begun, ..last });
    }

    /// Takes out the call whose response has come, if it is awaited. One that was given up is not.
    pub(super) fn take(&mut self, id: CallId) -> Option<UnderWay> {
        let index = self.0.iter().position(|call| call.id == id)?;
        Some(self.0.swap_remove(index))
    }

    /// A call that is awaited.
    pub(super) fn find(&self, id: CallId) -> Option<&UnderWay> {
        self.0.iter().find(|call| call.id == id)
    }

    /// Whether a call about this fact is under way.
    pub(super) fn is_about(&self, key: &FactKey) -> bool {
        self.0.iter().any(|call| call.key == *key)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &UnderWay> {
        self.0.iter()
    }

    /// A call whose response the host should have delivered long ago.
    pub(super) fn lost(&self, timeout: Duration, now: UnixMillis) -> Option<CallId> {
        let limit = timeout.saturating_add(LOST_AFTER);
        let lost = self.0.iter().find(|call| now.since(call.begun) > limit);
        lost.map(|call| call.id)
    }
}

/// The pauses of one source after its failures.
#[derive(Debug)]
pub(super) struct Pauses {
    /// The most failures in a row that count.
    most_failures: u32,
    failures: u32,
    last_fault: Option<FaultCode>,
    /// When the last failure came.
    failed: UnixMillis,
    /// When the pause is over.
    until: UnixMillis,
    /// How long it was when it began.
    length: Duration,
    /// Until when no call at all is made: the provider asked for that, or it is at fault whatever it
    /// is asked about.
    closed_until: UnixMillis,
}

/// A failure, as it makes a source pause.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    /// Its fault.
    pub(super) fault: FaultCode,
    /// How long the provider wants to be left alone.
    pub(super) asked_for: Option<Duration>,
    /// It is one more in a row. One of several calls that failed together is not.
    pub(super) is_new: bool,
    /// No fact of this source is available, whatever it is about.
    pub(super) is_of_all: bool,
    /// Differs from gate to gate.
    pub(super) seed: u64,
}

impl Pauses {
    pub(super) const fn new(most_failures: u32) -> Self {
        Self {
            most_failures,
            failures: 0,
            last_fault: None,
            failed: UnixMillis(0),
            until: UnixMillis(0),
            length: Duration::ZERO,
            closed_until: UnixMillis(0),
        }
    }

    /// Notes a failure, and says how long it makes the source pause.
    pub(super) fn failed(&mut self, failure: Failure, now: UnixMillis) -> Duration {
        if failure.is_new {
            self.failures = self.failures.saturating_add(1).min(self.most_failures);
        }
        self.failed = now;
        self.last_fault = Some(failure.fault);
        let pause = backoff::pause(self.failures, failure.asked_for, failure.seed);
        let until = now.saturating_add(pause);
        // What the provider asked for stands, though a call from before that fails otherwise.
        if failure.asked_for.is_some() || failure.is_of_all {
            self.closed_until = self.closed_until.max(until);
        }
        self.until = self.until.max(until);
        self.length = self.until.since(now);
        pause
    }

    /// The source responds, so the pause is over, and this returns `true`. What it asked for stands,
    /// though a call from before that ends well.
    pub(super) fn succeeded(&mut self, now: UnixMillis) -> bool {
        let is_over = now >= self.closed_until;
        if is_over {
            self.reset();
        }
        is_over
    }

    /// No failure counts any more.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.most_failures);
    }

    /// Another worker failed. Returns whether its pause is longer than the one that is known here.
    pub(super) fn adopt(&mut self, pause: &Pause, now: UnixMillis) -> bool {
        let is_news = pause.until > self.until;
        if is_news {
            self.until = pause.until;
            self.length = pause.until.since(now);
            self.failures = self.failures.max(pause.failures).max(1);
            self.last_fault = pause.fault;
        }
        is_news
    }

    pub(super) fn clamp(&mut self, now: UnixMillis) {
        self.until = self.until.min(now.saturating_add(self.length));
        self.closed_until = self.closed_until.min(self.until);
        self.failed = self.failed.min(now);
    }

    pub(super) fn is_over(&self, now: UnixMillis) -> bool {
        now >= self.until
    }

    pub(super) const fn until(&self) -> UnixMillis {
        self.until
    }

    pub(super) const fn closed_until(&self) -> UnixMillis {
        self.closed_until
    }

    /// When the last failure came: calls that were under way by then say nothing new.
    pub(super) const fn last_failure(&self) -> UnixMillis {
        self.failed
    }

    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) const fn last_fault(&self) -> Option<FaultCode> {
        self.last_fault
    }

    /// Why no call is made before `until`.
    pub(super) fn outage(&self, until: UnixMillis, now: UnixMillis) -> Outage {
        Outage {
            retry_after: until.since(now),
            fault: self.last_fault.map(FaultCode::as_str),
        }
    }
}

impl Pause {
    /// No pause.
    pub(super) const NONE: Self = Self {
        until: UnixMillis(0),
        failures: 0,
        fault: None,
        from_start: false,
    };
}

/// A pause, as workers share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    /// When it is over.
    pub(super) until: UnixMillis,
    /// How many fetches in a row have failed, so that the next pause is longer in every worker.
    pub(super) failures: u32,
    /// The last fault.
    pub(super) fault: Option<FaultCode>,
    /// The next fetch must begin with its first step: what an earlier one found out may be wrong.
    pub(super) from_start: bool,
}
