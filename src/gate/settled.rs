//! Requests that were decided.

use std::borrow::Cow;

use super::Source;
use crate::decide::{Decision, HeaderEdit, Need, Outcome};
use crate::http::RequestHead;
use crate::observe::audit_line;
use crate::reply::{LocalReply, Reason};
use crate::time::UnixMillis;

/// What happens to a request now.
#[derive(Debug)]
pub enum Step {
    /// It was decided.
    Settled(Box<Settled>),
    /// It waits.
    Waits {
        /// What it waits for.
        need: Need,
        /// Edits of its head, to be made at once: an access log may show it before it is decided.
        edits: Vec<HeaderEdit>,
    },
}

/// A request that was decided.
#[derive(Debug)]
pub struct Settled {
    /// What the worker must do.
    pub action: Action,
    /// What was decided.
    pub decision: Decision,
    pub(super) request: RequestHead,
    pub(super) now: UnixMillis,
}

impl Settled {
    /// The audit record.
    pub fn audit(&self) -> String {
        audit_line(&self.decision, &self.request, self.now)
    }

    /// Adds the source of the request to the record, unless it is there.
    pub fn set_source(&mut self, source: impl FnOnce() -> Option<Source>) {
        let address = &mut self.decision.record.address;
        if address.is_none() {
            *address = source().map(Source::into_address);
        }
    }

    /// The properties of the request that name its verified caller.
    pub fn caller_properties(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        self.decision.record.caller_properties()
    }

    /// When it was decided.
    pub const fn now(&self) -> UnixMillis {
        self.now
    }

    /// The head of the request as it came.
    pub const fn request(&self) -> &RequestHead {
        &self.request
    }

    /// Makes this a refusal, because the host did not do what was decided.
    pub fn host_failed(&mut self) {
        self.decision.outcome = Outcome::Reject(Reason::ProxyFailure);
    }
}

/// What the worker must do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Edit its head in this order, then let it go on.
    Continue(Vec<HeaderEdit>),
    /// Edit its head, which an access log may show, then send a local reply.
    Reply(Vec<HeaderEdit>, LocalReply),
}
