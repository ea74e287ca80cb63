//! What a kind of fact must say of itself, and a source of it.

use std::time::Duration;

use super::call::{Call, CallId, CallRequest, CallResponse};
use super::demand::{FactKey, Refetch};
use super::fault::FaultCode;
use super::peer::Peer;
use super::schedule::{Failure, Pause, Schedule, UnderWay};
use super::slots::Holder;
use super::waiting::Waiter;
use super::{Event, WaiterId};
use crate::time::UnixMillis;
use crate::token::CompactToken;

/// A kind of fact, as one source of it. How a decision reads a fact is up to the kind.
///
/// The store does the rest: it keeps the calls and pauses, bounds and wakes the requests that wait, gives
/// up lost calls, takes the lease, seals what is shared, and keeps clocks that were set back from doing
/// harm.
pub(super) trait Kind: 'static {
    /// Why a fact is not available.
    type Fault
    where
        Self: Sized;

    /// Which call of a fetch this is, and what the fetch knows by then.
    type Step
    where
        Self: Sized;

    /// What never changes. It is asked for once.
    fn profile(&self) -> Profile;

    /// Time passes: what is over is removed. The schedule was looked after.
    fn expire(&mut self, now: UnixMillis);

    /// Whether a fetch should begin now, for its own sake or for these requests. Not asked of a kind that
    /// is shared fact by fact.
    fn is_due(&self, _: &Schedule, _: &mut dyn Iterator<Item = &Waiter>, _: UnixMillis) -> bool {
        false
    }

    /// Of a kind that is shared fact by fact: those of which another worker may have a newer one that is of
    /// use, also while no fetch may begin.
    fn facts_wanted(&self, _: UnixMillis) -> Vec<FactKey> {
        Vec::new()
    }

    /// Of a kind that is shared fact by fact: those of which a fetch should begin now.
    fn facts_due(&self, _: &Schedule, _: UnixMillis) -> Vec<FactKey> {
        Vec::new()
    }

    /// Begins the fetches that are due: all, or that of [`NewCalls::about`] if the kind is shared fact by
    /// fact.
    fn begin(
        &mut self,
        calls: &mut NewCalls<'_, Self::Step>,
        waiters: &mut dyn Iterator<Item = &Waiter>,
    ) where
        Self: Sized;

    /// Reads the response to a call that was awaited: the fetch goes on or has ended.
    fn read(
        &mut self,
        end: &mut CallEnd<'_, Self::Step>,
        response: CallResponse,
    ) -> Result<Progress<Self::Step>, Self::Fault>
    where
        Self: Sized;

    /// Notes that a fetch failed at this call.
    fn failed(&mut self, end: &mut CallEnd<'_, Self::Step>, fault: Self::Fault) -> Ended
    where
        Self: Sized;

    /// The call of [`NewCalls::begin_for`] about this token. `None`: it begins none.
    fn call_about(&self, _: &CompactToken<'_>) -> Option<CallRequest> {
        None
    }

    /// Whether a fact was good before, so that no attacker can have made up the request for it.
    fn was_good(&self, _: &FactKey) -> bool {
        false
    }

    /// How long a request may not wait for a newer fact; zero: it may.
    fn before_refetch(&self, _: &Schedule, _: Refetch, _: Option<Peer>, _: UnixMillis) -> Duration {
        Duration::ZERO
    }

    /// Takes over what another worker shared, sealed by a worker with the same secrets: all facts, or this
    /// one.
    fn adopt(&mut self, _: &mut Schedule, _: &FactKey, _: &[u8], _: UnixMillis) -> Adopted {
        Adopted::default()
    }

    /// Another worker could not fetch.
    fn paused(&mut self, _: &Pause) {}

    /// Whether the next fetch must begin with its first step, in other workers too.
    fn begins_from_start(&self) -> bool {
        false
    }
}

/// What never changes of a source.
pub(super) struct Profile {
    /// The name of its kind, which is that of what is shared, too. No two kinds have the same.
    pub(super) name: &'static str,
    /// How requests wait for it.
    pub(super) room: Room,
    /// How long one call may take.
    pub(super) timeout: Duration,
    /// The most failures in a row that count.
    pub(super) most_failures: u32,
    /// How workers share it.
    pub(super) sharing: Sharing,
}

/// How workers share the facts of a source. The texts identify it among the sources of its kind: where
/// its facts come from. A changed configuration of the same source finds what is there.
pub(super) enum Sharing {
    /// Each worker fetches for itself.
    None,
    /// All facts as one value. Every module of the process can read it.
    Whole(Vec<String>),
    /// Each fact by itself, encrypted, because facts are secrets.
    EachFactEncrypted(Vec<String>),
}

/// How requests wait for the facts of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// The most that wait in one worker for all sources of the kind together.
    pub(super) slots: usize,
    /// Requests with a proven token have as many slots of their own.
    pub(super) proven_apart: bool,
    /// How long one waits at most.
    pub(super) longest: Duration,
}

/// Begins calls of one source.
pub(super) struct NewCalls<'c, S> {
    /// The fact to fetch. [`FactKey::ONLY`]: all that are due.
    pub(super) about: FactKey,
    pub(super) schedule: &'c mut Schedule,
    pub(super) now: UnixMillis,
    steps: &'c mut Steps<S>,
    ids: &'c mut CallIds,
    begun: Vec<Start>,
}

impl<S> NewCalls<'_, S> {
    /// Begins a fetch of this fact.
    pub(super) fn begin(&mut self, key: FactKey, step: S, request: CallRequest) {
        let id = self.enter(key, None, step);
        self.begun.push(Start::Call(Call { id, request }));
    }

    /// Begins a fetch of the fact for which this request waits, by a call that needs its token. See
    /// [`Kind::call_about`].
    pub(super) fn begin_for(&mut self, waiter: &Waiter, step: S) {
        let id = self.enter(*waiter.demand.key(), Some(waiter.holder), step);
        self.begun.push(Start::CallFor(id, waiter.id));
    }

    /// The number that the next call gets.
    pub(super) const fn next_id(&self) -> u64 {
        self.ids.0.saturating_add(1)
    }

    fn enter(&mut self, key: FactKey, holder: Option<Holder>, step: S) -> CallId {
        let id = self.ids.next();
        self.schedule.begin(id, key, holder, self.now);
        self.steps.push((id, step));
        id
    }
}

/// A call whose response has come, or that is given up.
pub(super) struct CallEnd<'c, S> {
    pub(super) call: UnderWay,
    pub(super) step: S,
    /// How long the provider wants to be left alone.
    pub(super) asked_for: Option<Duration>,
    pub(super) schedule: &'c mut Schedule,
    pub(super) now: UnixMillis,
}

impl<S> CallEnd<'_, S> {
    /// The failure of a fetch, as one more in a row.
    pub(super) const fn failure(&self, fault: FaultCode) -> Failure {
        Failure {
            fault,
            asked_for: self.asked_for,
            is_new: true,
            is_of_all: true,
            // The low bits of clock and call number differ from gate to gate.
            seed: self.now.0 ^ self.call.id.0,
        }
    }

    /// Lets the source pause after a failure, and says how long. One of several fetches that failed
    /// together is not one more in a row.
    pub(super) fn pause_source(&mut self, failure: Failure) -> Duration {
        let pauses = &mut self.schedule.pauses;
        let is_new = self.call.begun > pauses.last_failure();
        pauses.failed(Failure { is_new, ..failure }, self.now)
    }
}

/// What a response led to.
pub(super) enum Progress<S> {
    /// One more call belongs to the fetch.
    Next(S, CallRequest),
    /// The fetch has ended.
    Ended(Ended),
}

/// A fetch that has ended.
#[derive(Default)]
pub(super) struct Ended {
    /// What operators learn of it.
    pub(super) events: Vec<Event>,
    /// What the other workers must know.
    pub(super) share: Option<Vec<u8>>,
    /// The source pauses: requests for its other facts do not wait either, unless a call about them is
    /// under way.
    pub(super) pauses: bool,
}

/// What came of a value that another worker shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Adopted {
    /// There is something new.
    pub(super) is_news: bool,
    /// By this worker's clock it is of the future, and is looked at again.
    pub(super) is_of_future: bool,
}

/// Hands out the numbers of calls.
#[derive(Debug, Default)]
pub(super) struct CallIds(u64);

impl CallIds {
    /// One that was never used.
    pub(super) fn next(&mut self) -> CallId {
        self.0 = self.0.saturating_add(1);
        CallId(self.0)
    }
}

/// A source of a kind, with the steps of its calls that are under way.
///
/// The step of a call is taken out with the call, and there is no other way to it. So a response that is
/// not awaited is never read as one of some step.
pub(super) struct SourceOf<K: Kind> {
    pub(super) kind: K,
    steps: Steps<K::Step>,
}

type Steps<S> = Vec<(CallId, S)>;

impl<K: Kind> SourceOf<K> {
    pub(super) const fn new(kind: K) -> Self {
        let steps = Vec::new();
        Self { kind, steps }
    }
}

/// A source of any kind: what of it depends on the types of its kind.
pub(super) trait Source {
    fn kind(&self) -> &dyn Kind;
    fn kind_mut(&mut self) -> &mut dyn Kind;
    /// Begins the fetches that are due: all, or that of one fact.
    fn begin(
        &mut self,
        about: FactKey,
        schedule: &mut Schedule,
        ids: &mut CallIds,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> Vec<Start>;
    /// The response to a call has come. `None`: this source does not await it.
    fn received(
        &mut self,
        schedule: &mut Schedule,
        id: CallId,
        response: CallResponse,
        ids: &mut CallIds,
        now: UnixMillis,
    ) -> Option<Received>;
}

/// A call that begins.
pub(super) enum Start {
    /// This one.
    Call(Call),
    /// One that needs the token of this waiting request.
    CallFor(CallId, WaiterId),
}

/// What a response led to, whatever the kind of fact.
pub(super) enum Received {
    Next(Call),
    Ended(FactKey, Ended),
}

impl<K: Kind> Source for SourceOf<K> {
    fn kind(&self) -> &dyn Kind {
        &self.kind
    }

    fn kind_mut(&mut self) -> &mut dyn Kind {
        &mut self.kind
    }

    fn begin(
        &mut self,
        about: FactKey,
        schedule: &mut Schedule,
        ids: &mut CallIds,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> Vec<Start> {
        let mut calls = NewCalls {
            about,
            schedule,
            now,
            steps: &mut self.steps,
            ids,
            begun: Vec::new(),
        };
        self.kind.begin(&mut calls, waiters);
        calls.begun
    }

    fn received(
        &mut self,
        schedule: &mut Schedule,
        id: CallId,
        response: CallResponse,
        ids: &mut CallIds,
        now: UnixMillis,
    ) -> Option<Received> {
        let call = schedule.calls.take(id)?;
        let index = self.steps.iter().position(|(of, _)| *of == id)?;
        let (_, step) = self.steps.swap_remove(index);
        let mut end = CallEnd {
            call,
            step,
            asked_for: response.retry_after(),
            schedule,
            now,
        };
        let ended = match self.kind.read(&mut end, response) {
            Ok(Progress::Next(step, request)) => {
                let id = ids.next();
                schedule.calls.go_on(call, id, now);
                self.steps.push((id, step));
                return Some(Received::Next(Call { id, request }));
            }
            Ok(Progress::Ended(ended)) => ended,
            Err(fault) => self.kind.failed(&mut end, fault),
        };
        Some(Received::Ended(call.key, ended))
    }
}

impl<K: Kind> AsRef<dyn Source> for SourceOf<K> {
    fn as_ref(&self) -> &(dyn Source + 'static) {
        self
    }
}

impl<K: Kind> AsMut<dyn Source> for SourceOf<K> {
    fn as_mut(&mut self) -> &mut (dyn Source + 'static) {
        self
    }
}
