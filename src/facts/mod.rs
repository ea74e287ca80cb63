//! Facts: what a decision needs and the gate fetches, such as key sets and token statuses.
//!
//! Events drive the store (a tick, a response, a request that waits), and it returns effects, so that a
//! test can run years of it. It reads no clock and makes no call.
//!
//! What all facts have in common is here once: [`call`], [`schedule`], [`waiting`], [`shared`] and the
//! store. Each kind of fact is one folder in [`kinds`], and implements [`source::Kind`].

mod call;
mod demand;
mod fault;
mod kinds;
mod peer;
mod response_headers;
mod schedule;
mod shared;
mod slots;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod waiting;

pub use call::{Body, Call, CallFault, CallId, CallRequest, CallResponse, Method, MAX_DOCUMENT};
pub use demand::SourceId;
pub use fault::{Advice, FactKind, FaultCode};
pub use kinds::event::Event;
pub use kinds::key_set::{read_discovery, KeyIdDigest, KeysFault};
pub use kinds::store::{FactStore, KeyCount};
pub use kinds::token_status::{
    read_token_status, status_request, TokenStatus, TokenStatusFault, MAX_CALLS,
};
pub use peer::Peer;
pub use response_headers::ResponseHeaders;
pub use shared::{SharedKey, SharedMemory};
pub use store::{Effect, Origin};
pub use waiting::{WaitFault, WaiterId};

use std::time::Duration;

use crate::crypto::KeySet;
use crate::policy::ProviderId;
use crate::token::{TokenDigest, TokenFault};

/// Something that a decision needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The keys of a provider.
    KeySet(ProviderId),
    /// The keys of a provider, refetched because a token names a key that is not among them. The digest
    /// is that of the token's `kid`, or of the token, where it has none.
    NewerKeySet(ProviderId, KeyIdDigest),
    /// The keys of a provider, refetched because the signature of a token is good under none of the keys
    /// that it names. The digest is that of the token. If the new keys do not help either, the token is
    /// refused for this fault.
    ChangedKeySet(ProviderId, KeyIdDigest, TokenFault),
    /// What a provider says about a token.
    Introspection(ProviderId, TokenDigest),
    /// The same for a token whose signature is good: no attacker made it up.
    Confirmation(ProviderId, TokenDigest),
}

impl Fact {
    /// The provider that it is fetched from.
    pub const fn provider(self) -> ProviderId {
        match self {
            Self::KeySet(provider)
            | Self::NewerKeySet(provider, _)
            | Self::ChangedKeySet(provider, ..)
            | Self::Introspection(provider, _)
            | Self::Confirmation(provider, _) => provider,
        }
    }

    /// Whether it is about a single token.
    pub const fn is_of_a_token(self) -> bool {
        matches!(self, Self::Introspection(..) | Self::Confirmation(..))
    }
}

/// The facts as a decision sees them.
pub trait Facts {
    /// The keys of a provider.
    fn key_set(&self, provider: ProviderId) -> Availability<&KeySet>;

    /// Whether fetching the provider's keys again may bring a key that is not among them: the one
    /// with this `kid`, or that of this token, where it names none.
    fn newer_keys(&self, provider: ProviderId, key_id: KeyIdDigest) -> NewerKeys;

    /// Whether a fetch may bring another key under the `kid` of this token, which names one that is
    /// known and did not make its signature.
    fn may_have_changed(&self, provider: ProviderId, token: KeyIdDigest) -> bool;

    /// What a provider says of a token.
    fn introspection(&self, provider: ProviderId, token: &TokenDigest)
        -> Availability<TokenStatus>;

    /// The same of a token whose signature is good.
    fn confirmation(&self, provider: ProviderId, token: &TokenDigest) -> Availability<TokenStatus> {
        self.introspection(provider, token)
    }
}

/// Whether fetching a provider's keys again may bring a key that is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewerKeys {
    /// It may: they are worth waiting for.
    MayCome,
    /// No: the provider does not publish it. The keys were fetched after the request came, or several
    /// times for this key, or it left the set.
    Unlikely,
    /// That is not known before this time has passed: they were fetched a moment ago for another key, or
    /// for this one, and may have changed since. For unknown keys they are fetched a few times in a
    /// cooldown, and less and less often for the same one. Otherwise an attacker could make the gate call
    /// the provider without limit.
    NotYet(Duration),
    /// The last attempt failed, so that is not known.
    Unavailable(Outage),
}

/// Why a fact is not available now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the next attempt is due.
    pub retry_after: Duration,
    /// The code of the last fault; `None`: there was none yet.
    pub fault: Option<&'static str>,
}

/// Whether a fact is available.
#[derive(Clone, Copy, Debug)]
pub enum Availability<T> {
    /// It is.
    Known(T),
    /// It is being fetched, or will be now.
    Pending,
    /// It could not be fetched, and is not fetched again before this time has passed.
    Unavailable(Outage),
}
