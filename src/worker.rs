//! A worker: one thread of the host with one configuration. It knows no host, only what a [`Host`]
//! promises.
//!
//! The host reports events, and the worker decides what the host does about them. The worker owns
//! every call, because a host gives the response to the context that made the call, and drops it
//! when that was a request which has ended.

mod call;
mod current;
mod host;
mod kept;
mod load;
mod metrics;
mod report;
mod request;
mod resumed;
mod root;
mod state;
#[cfg(test)]
mod tests;

pub use host::{Attribute, Flow, Headers, Host, HostCall, MetricKind, NotDone};
pub use load::load;
pub use request::Request;
pub use root::Worker;
