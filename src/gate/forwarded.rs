//! Requests that went on with a key of n8n's that the gate put in.

use super::{Action, Settled};
use crate::decide::{Decision, DecisionRecord, Outcome};
use crate::http::RequestHead;
use crate::policy::principal_label;
use crate::reply::problem;
use crate::time::UnixMillis;

/// A request that went on with a key of n8n's that the gate put in, and what of it is needed once
/// n8n has answered. It is kept as long as n8n takes, so it is little.
#[derive(Debug)]
pub struct ForwardedRequest {
    record: DecisionRecord,
    request: RequestHead,
}

impl Settled {
    /// What to keep of this request until n8n answers. `None`: it does not matter what n8n answers,
    /// because the credential is the caller's own, or there is none.
    pub fn into_forwarded(self) -> Option<Box<ForwardedRequest>> {
        match &self.decision.outcome {
            Outcome::Forward(forward) if forward.has_api_key() => {
                Some(Box::new(ForwardedRequest {
                    record: self.decision.record,
                    request: self.request.for_reports(),
                }))
            }
            _ => None,
        }
    }

    /// The principal whose key n8n did not accept, or found too narrow, and n8n's status.
    pub fn upstream_refusal(&self) -> Option<(u16, String)> {
        let record = &self.decision.record;
        let principal = record.principal.as_deref()?;
        let name = principal_label(record.instance.as_deref(), principal);
        Some((record.upstream_status?, name))
    }
}

impl ForwardedRequest {
    /// n8n has answered with this status. `None`: there is nothing to do and nothing to say. Only else
    /// is the clock asked.
    pub fn responded(self, status: u16, now: impl FnOnce() -> UnixMillis) -> Option<Settled> {
        let Self { record, request } = self;
        let sent = Decision {
            outcome: Outcome::Answered,
            record,
        };
        let decision = sent.after_answer(status)?;
        let action = match &decision.outcome {
            Outcome::Reject(reason) => Action::Reply(Vec::new(), problem(reason, None, &request)),
            _ => Action::Continue(Vec::new()),
        };
        Some(Settled {
            action,
            decision,
            request,
            now: now(),
        })
    }
}
