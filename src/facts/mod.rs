//! Facts: what a decision needs and the gate fetches, such as key sets and token statuses.
//!
//! Events drive the store (a tick, a response, a request that waits), and it returns effects, so that a
//! test can run years of it. It reads no clock and makes no call.
//!
//! What all facts have in common is here once: [`call`], [`schedule`], [`waiting`], [`shared`] and the
//! store. Each kind of fact is one folder in [`kinds`], and implements [`source::Kind`].

mod availability;
mod call;
mod demand;
mod effect;
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

pub use availability::{Availability, Outage};
pub use call::{Body, Call, CallFault, CallId, CallRequest, CallResponse, Method, MAX_DOCUMENT};
pub use demand::SourceId;
pub use effect::Effect;
pub use fault::{Advice, FactKind, FaultCode};
pub use kinds::browser_login::LoginRequest;
pub use kinds::event::Event;
pub use kinds::fact::{Fact, Facts};
pub use kinds::key_set::{read_discovery, KeyIdDigest, KeysFault, NewerKeys};
pub use kinds::minted_key::{MintRequest, MintedKeyFault};
pub use kinds::store::{FactStore, KeyCount, Origin};
pub use kinds::token_status::{
    read_token_status, status_request, TokenStatus, TokenStatusFault, MAX_CALLS,
};
pub use peer::Peer;
pub use response_headers::ResponseHeaders;
pub use shared::{SharedKey, SharedMemory};
pub use waiting::{WaitFault, WaiterId};
