//! What a kind of fact must say of itself, and what the store needs of each source of facts.

use std::time::Duration;

use super::call::{Call, CallId, CallRequest, CallResponse};
use super::demand::{FactKey, Refetch};
use super::peer::Peer;
use super::schedule::{Calls, Pause, Pauses, UnderWay};
use super::waiting::Waiter;
use super::{Availability, Event, WaiterId};
use crate::time::UnixMillis;
use crate::token::CompactToken;

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

/// Under which name the facts of a source are shared between workers.
pub(super) struct Sharing {
    /// What identifies it among the sources of its kind: where its facts come from. A changed
    /// configuration of the same source finds what is there.
    pub(super) parts: Vec<String>,
}

/// A kind of fact, as one source of it.
///
/// The store does the rest: it bounds and wakes the requests that wait, gives up lost calls, takes the
/// lease, seals what is shared, and keeps clocks that were set back from doing harm.
pub(super) trait Kind: 'static {
    /// Its name, which is that of what is shared, too. No two kinds have the same.
    const NAME: &'static str;

    /// What one fact is about.
    type Key: Copy + Into<FactKey>;

    /// What is known of it.
    type Value<'k>;

    /// Why it is not available.
    type Fault;

    /// Which call of a fetch this is, and what the fetch knows by then.
    type Step;

    /// A fact as it stands at `now`. A proven request is one whose token is known to be no attacker's
    /// invention.
    fn availability(
        &self,
        key: Self::Key,
        is_proven: bool,
        now: UnixMillis,
    ) -> Availability<Self::Value<'_>>;

    /// Its calls that are under way.
    fn calls(&self) -> &Calls<Self::Step>;

    /// The same.
    fn calls_mut(&mut self) -> &mut Calls<Self::Step>;

    /// Its pauses.
    fn pauses(&self) -> &Pauses;

    /// The same.
    fn pauses_mut(&mut self) -> &mut Pauses;

    /// How long one call may take.
    fn timeout(&self) -> Duration;

    /// How requests wait for it.
    fn room(&self) -> Room;

    /// Time passes: what is over is removed. Calls and pauses were looked after.
    fn expire(&mut self, now: UnixMillis);

    /// Whether a fetch should begin now, for its own sake or for these requests.
    fn is_due(&self, waiters: &mut dyn Iterator<Item = &Waiter>, now: UnixMillis) -> bool;

    /// Begins the fetches that are due.
    fn begin(
        &mut self,
        ids: &mut CallIds,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> Vec<Start>;

    /// Reads the response to a call that was awaited: the fetch goes on or has ended.
    fn read(
        &mut self,
        call: &UnderWay<Self::Step>,
        response: CallResponse,
        now: UnixMillis,
    ) -> Result<Progress<Self::Step>, Self::Fault>;

    /// Notes that a fetch failed at this call. `asked_for`: how long the provider wants to be left
    /// alone.
    fn failed(
        &mut self,
        call: &UnderWay<Self::Step>,
        fault: Self::Fault,
        asked_for: Option<Duration>,
        now: UnixMillis,
    ) -> Ended;

    /// The call of [`Start::CallFor`] about this token. `None`: it begins none.
    fn call_about(&self, _: &CompactToken) -> Option<CallRequest> {
        None
    }

    /// Whether a fact was good before, so that no attacker can have made up the request for it.
    fn was_good(&self, _: &FactKey) -> bool {
        false
    }

    /// How long a request may not wait for a newer fact; zero: it may.
    fn before_refetch(&self, _: Refetch, _: Option<Peer>, _: UnixMillis) -> Duration {
        Duration::ZERO
    }

    /// How workers share it; `None`: each worker fetches for itself.
    fn sharing(&self) -> Option<Sharing> {
        None
    }

    /// Takes over what another worker shared, sealed by a worker with the same secrets.
    fn adopt(&mut self, _: &[u8], _: UnixMillis) -> Adopted {
        Adopted::default()
    }

    /// Another worker could not fetch.
    fn paused(&mut self, _: &Pause) {}

    /// Whether the next fetch must begin with its first step, in other workers too.
    fn begins_from_start(&self) -> bool {
        false
    }
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

/// A call that begins.
pub(super) enum Start {
    /// This one.
    Call(Call),
    /// One that needs the token of this waiting request.
    CallFor(CallId, WaiterId),
}

/// What a response led to.
pub(super) enum Progress<S> {
    /// One more call belongs to the fetch.
    Next(S, CallRequest),
    /// The fetch has ended.
    Ended(Ended),
}

/// A fetch that has ended.
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

/// What the store needs of a source, whatever its kind.
pub(super) trait Source {
    fn name(&self) -> &'static str;
    fn room(&self) -> Room;
    fn expire(&mut self, now: UnixMillis);
    fn lost_call(&self, now: UnixMillis) -> Option<CallId>;
    fn awaits(&self, id: CallId) -> bool;
    fn is_called_about(&self, key: &FactKey) -> bool;
    fn is_fetching(&self) -> bool;
    fn is_due(&self, waiters: &mut dyn Iterator<Item = &Waiter>, now: UnixMillis) -> bool;
    fn begin(
        &mut self,
        ids: &mut CallIds,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> Vec<Start>;
    /// `None`: this source does not await the response.
    fn received(
        &mut self,
        id: CallId,
        response: CallResponse,
        ids: &mut CallIds,
        now: UnixMillis,
    ) -> Option<Received>;
    fn call_about(&self, token: &CompactToken) -> Option<CallRequest>;
    fn was_good(&self, key: &FactKey) -> bool;
    fn before_refetch(&self, refetch: Refetch, peer: Option<Peer>, now: UnixMillis) -> Duration;
    fn sharing(&self) -> Option<Sharing>;
    fn adopt(&mut self, payload: &[u8], now: UnixMillis) -> Adopted;
    /// Returns whether the pause of another worker is news.
    fn pause(&mut self, pause: &Pause, now: UnixMillis) -> bool;
    /// Its own pause, for the other workers.
    fn own_pause(&self) -> Pause;
}

/// What a response led to, whatever the kind of fact.
pub(super) enum Received {
    Next(Call),
    Ended(FactKey, Ended),
}

impl<K: Kind> Source for K {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn room(&self) -> Room {
        Kind::room(self)
    }

    fn expire(&mut self, now: UnixMillis) {
        self.calls_mut().clamp(now);
        self.pauses_mut().clamp(now);
        Kind::expire(self, now);
    }

    fn lost_call(&self, now: UnixMillis) -> Option<CallId> {
        self.calls().lost(self.timeout(), now)
    }

    fn awaits(&self, id: CallId) -> bool {
        self.calls().awaits(id)
    }

    fn is_called_about(&self, key: &FactKey) -> bool {
        self.calls().is_about(key)
    }

    fn is_fetching(&self) -> bool {
        !self.calls().is_empty()
    }

    fn is_due(&self, waiters: &mut dyn Iterator<Item = &Waiter>, now: UnixMillis) -> bool {
        Kind::is_due(self, waiters, now)
    }

    fn begin(
        &mut self,
        ids: &mut CallIds,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> Vec<Start> {
        Kind::begin(self, ids, waiters, now)
    }

    fn received(
        &mut self,
        id: CallId,
        response: CallResponse,
        ids: &mut CallIds,
        now: UnixMillis,
    ) -> Option<Received> {
        let call = self.calls_mut().take(id)?;
        let asked_for = response.retry_after();
        let ended = match self.read(&call, response, now) {
            Ok(Progress::Next(step, request)) => {
                let id = ids.next();
                self.calls_mut().begin(UnderWay {
                    id,
                    key: call.key,
                    begun: now,
                    step,
                });
                return Some(Received::Next(Call { id, request }));
            }
            Ok(Progress::Ended(ended)) => ended,
            Err(fault) => self.failed(&call, fault, asked_for, now),
        };
        Some(Received::Ended(call.key, ended))
    }

    fn call_about(&self, token: &CompactToken) -> Option<CallRequest> {
        Kind::call_about(self, token)
    }

    fn was_good(&self, key: &FactKey) -> bool {
        Kind::was_good(self, key)
    }

    fn before_refetch(&self, refetch: Refetch, peer: Option<Peer>, now: UnixMillis) -> Duration {
        Kind::before_refetch(self, refetch, peer, now)
    }

    fn sharing(&self) -> Option<Sharing> {
        Kind::sharing(self)
    }

    fn adopt(&mut self, payload: &[u8], now: UnixMillis) -> Adopted {
        Kind::adopt(self, payload, now)
    }

    fn pause(&mut self, pause: &Pause, now: UnixMillis) -> bool {
        let is_news = self.pauses_mut().adopt(pause, now);
        if is_news {
            self.paused(pause);
        }
        is_news
    }

    fn own_pause(&self) -> Pause {
        let pauses = self.pauses();
        Pause {
            until: pauses.until(),
            failures: pauses.failures(),
            fault: pauses.last_fault(),
            from_start: self.begins_from_start(),
        }
    }
}
