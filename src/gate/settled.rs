//! Requests that were decided.

use std::borrow::Cow;

use super::Source;
use crate::decide::{
    Decision, EmbedEdits, HeaderEdit, Need, Outcome, ResponseEdit, UpstreamCredential,
};
use crate::http::RequestHead;
use crate::observe::audit_line;
use crate::policy::CallerProperties;
use crate::reply::{LocalReply, Reason};
use crate::time::UnixMillis;

/// What happens to a request now.
#[derive(Debug)]
pub enum Step {
    /// It was decided.
    Settled(Box<Settled>),
    /// It waits.
    Waits {
        /// What it waits for; `None`: for an operation that the gate carries out.
        need: Option<Need>,
        /// Edits of its head, to be made at once: an access log may show it before it is decided.
        edits: Vec<HeaderEdit>,
    },
}

/// A request that was decided.
#[derive(Debug)]
pub struct Settled {
    /// What was decided.
    pub decision: Decision,
    /// The local reply if the request is refused.
    pub(super) refusal: LocalReply,
    /// Edits of the head of a request that gets a local reply: an access log may show it.
    pub(super) log_edits: Vec<HeaderEdit>,
    pub(super) request: RequestHead,
    pub(super) now: UnixMillis,
    /// The upstream credential to which n8n has responded.
    pub(super) credential: Option<UpstreamCredential>,
    /// Whether the host keeps its audit record for access logs.
    pub is_kept: bool,
}

/// The edits of the head of n8n's response.
#[derive(Clone, Debug, Default)]
pub struct ResponseEdits {
    /// Those that do not depend on it.
    pub fixed: &'static [ResponseEdit],
    /// Those that let pages of other origins show it.
    pub embed: Option<EmbedEdits>,
}

/// The local reply to a request that was not to be refused. It is sent if the host fails.
pub(super) const NO_REFUSAL: LocalReply = LocalReply {
    status: 503,
    headers: Vec::new(),
    cookies: Vec::new(),
    body: String::new(),
};

impl Settled {
    /// What the worker must do. A request goes on only by a forward or a pass, or if n8n had it before.
    pub fn action(&self) -> Action<'_> {
        match &self.decision.outcome {
            Outcome::Forward(forward) => Action::Continue(forward.edits()),
            Outcome::Pass(edits) => Action::Continue(edits),
            Outcome::UpstreamResponse => Action::Continue(&[]),
            Outcome::Respond(document) => Action::Reply(&self.log_edits, document),
            Outcome::Reject(_) | Outcome::Await(_) | Outcome::Job(_) | Outcome::UnderWay => {
                Action::Reply(&self.log_edits, &self.refusal)
            }
        }
    }

    /// The edits of n8n's response, if n8n gets the request.
    pub fn response_edits(&self) -> ResponseEdits {
        ResponseEdits {
            fixed: self.decision.outcome.response_edits(),
            embed: self.decision.embed.clone(),
        }
    }

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
    pub fn caller_properties(
        &self,
        wanted: CallerProperties,
    ) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        self.decision.record.caller_properties(wanted)
    }

    /// Whether it was refused because the host did not give its body.
    pub const fn lacks_body(&self) -> bool {
        matches!(
            self.decision.outcome,
            Outcome::Reject(Reason::BodyUnavailable)
        )
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
        self.decision.record.shadow = None;
        self.decision.outcome = Outcome::Reject(Reason::ProxyFailure);
    }
}

/// What the worker must do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'s> {
    /// Edit its head in this order, then let it go on.
    Continue(&'s [HeaderEdit]),
    /// Edit its head, which an access log may show, then send a local reply.
    Reply(&'s [HeaderEdit], &'s LocalReply),
}
