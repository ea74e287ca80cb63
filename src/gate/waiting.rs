//! Requests that wait.

use std::time::Duration;

use super::{RequestBody, Source};
use crate::decide::{Decision, DecisionRecord, Need};
use crate::facts::{Fact, KeyIdDigest, Origin, Outage, Peer, WaitFault, WaiterId};
use crate::http::RequestHead;
use crate::reply::Reason;
use crate::time::UnixMillis;

/// A request whose wait is over.
pub(super) struct Woken {
    pub(super) waiter: WaiterId,
    pub(super) end: End,
}

/// How the wait ended.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// The decision can be taken again.
    Decide { last_chance: bool },
    /// Another request has its slot.
    Displaced,
    /// Another request is held for its body in its place.
    BodyDisplaced,
    /// Its body did not come in time.
    BodyOverdue,
    /// The gate has carried out its operation.
    JobDone,
}

impl Woken {
    pub(super) const fn body_displaced(waiter: WaiterId) -> Self {
        Self {
            waiter,
            end: End::BodyDisplaced,
        }
    }

    pub(super) const fn job_done(waiter: WaiterId) -> Self {
        Self {
            waiter,
            end: End::JobDone,
        }
    }

    pub(super) const fn body_overdue(waiter: WaiterId) -> Self {
        Self {
            waiter,
            end: End::BodyOverdue,
        }
    }
}

impl End {
    /// Whether it is the end of a wait for a body, and not for a fact.
    pub(super) const fn is_of_body(self) -> bool {
        matches!(self, Self::BodyDisplaced | Self::BodyOverdue)
    }
}

/// A request that waits, and the decision so far.
pub(super) struct WaitingRequest {
    pub(super) request: RequestHead,
    /// What has come of its body, though it may wait for something else.
    pub(super) body: RequestBody,
    pub(super) since: UnixMillis,
    pub(super) source: Option<Source>,
    pub(super) decision: Decision,
}

/// The refusal of a request whose fact is not available after the wait.
pub(super) fn unavailable(need: &Need) -> Reason {
    let outage = Outage {
        retry_after: Duration::from_secs(1),
        fault: None,
    };
    match need {
        Need::Body { .. } => Reason::BodyTimeout,
        Need::Fact(Fact::KeySet(_) | Fact::NewerKeySet(..) | Fact::ChangedKeySet(..)) => {
            refusal_without(need, Reason::KeysUnavailable(outage))
        }
        Need::Fact(Fact::TokenStatusToDecide(..) | Fact::TokenStatusToConfirm(..)) => {
            Reason::IntrospectionUnavailable(outage)
        }
        Need::Fact(Fact::MintedKey(_)) => Reason::UpstreamKeyUnavailable(outage),
        Need::Fact(Fact::Session(_) | Fact::BrowserLogin(_)) => {
            Reason::UpstreamSessionUnavailable(outage)
        }
    }
}

/// The refusal of a request that cannot wait. A token whose signature is not good under the known keys
/// is refused for that, and each other one for the reason given.
pub(super) fn refusal_without(need: &Need, otherwise: Reason) -> Reason {
    match need {
        Need::Fact(Fact::ChangedKeySet(_, _, fault)) => Reason::Token(*fault),
        _ => otherwise,
    }
}

/// What a request counts against while it waits.
pub(super) fn origin(record: &DecisionRecord, peer: Option<Peer>) -> Origin {
    let claimed = record.claimed.as_ref();
    let key_id = claimed.and_then(|claimed| claimed.key_id.as_deref());
    Origin {
        peer,
        key_id: key_id.map(KeyIdDigest::of),
        was_verified: record.was_verified,
    }
}

impl From<WaitFault> for Reason {
    fn from(fault: WaitFault) -> Self {
        match fault {
            WaitFault::TooMany => Self::TooManyWaiting,
            WaitFault::NotYet(wait) => Self::KeysNotCurrent(wait),
        }
    }
}
