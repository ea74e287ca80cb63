//! Requests that were forwarded with an upstream API key.

use super::settled::NO_REFUSAL;
use super::Settled;
use crate::decide::{ApiKeyInUse, Decision, DecisionRecord, Outcome};
use crate::facts::MintRequest;
use crate::http::RequestHead;
use crate::policy::principal_label;
use crate::reply::problem;
use crate::secret::Secret;
use crate::time::UnixMillis;

/// A request that was forwarded with an upstream API key, as it is needed when n8n responds. It is
/// kept until then, so it is small.
#[derive(Debug)]
pub struct ForwardedRequest {
    record: DecisionRecord,
    request: RequestHead,
    api_key: ApiKeyInUse,
}

impl Settled {
    /// What to keep of this request until n8n responds. `None`: the response says nothing about the
    /// gate, because the credential is the caller's own, or there is none.
    pub fn into_forwarded(self) -> Option<Box<ForwardedRequest>> {
        let Outcome::Forward(forward) = &self.decision.outcome else {
            return None;
        };
        let api_key = forward.api_key()?.clone();
        Some(Box::new(ForwardedRequest {
            api_key,
            record: self.decision.record,
            request: self.request.for_reports(),
        }))
    }

    /// The status of n8n that refused an upstream API key, and the principal of the key.
    pub fn upstream_refusal(&self) -> Option<(u16, String)> {
        let record = &self.decision.record;
        let principal = record.principal.as_deref()?;
        let name = principal_label(record.instance.as_deref(), principal);
        Some((record.upstream_status?, name))
    }
}

impl ForwardedRequest {
    /// The key in it, if the gate made it.
    pub(super) fn minted_key(&self) -> Option<(&MintRequest, &Secret)> {
        let minted = self.api_key.minted.as_deref()?;
        Some((minted, &self.api_key.key))
    }

    /// n8n has responded with this status. `None`: there is nothing to do and nothing to report, and
    /// the clock is not read.
    pub fn responded(self, status: u16, now: impl FnOnce() -> UnixMillis) -> Option<Settled> {
        let Self {
            record,
            request,
            api_key,
        } = self;
        let decision = Decision::after_response(record, status)?;
        let refusal = match &decision.outcome {
            Outcome::Reject(reason) => problem(reason, None, &request),
            _ => NO_REFUSAL,
        };
        Some(Settled {
            decision,
            refusal,
            log_edits: Vec::new(),
            request,
            now: now(),
            api_key: Some(api_key),
        })
    }
}
