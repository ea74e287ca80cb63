//! Requests that were forwarded, and whose response says something about the gate.

use super::settled::NO_REFUSAL;
use super::Settled;
use crate::decide::{Decision, DecisionRecord, IdDigest, Outcome, UpstreamCredential};
use crate::facts::MintRequest;
use crate::http::RequestHead;
use crate::policy::{principal_label, Policy};
use crate::reply::problem;
use crate::secret::Secret;
use crate::time::UnixMillis;

/// A request that was forwarded, as it is needed when n8n responds. It is kept until then, so it is
/// small.
#[derive(Debug)]
pub struct ForwardedRequest {
    record: Box<DecisionRecord>,
    request: RequestHead,
    /// The upstream credential in it.
    credential: Option<UpstreamCredential>,
    /// The id that is free again if n8n fails.
    used_id: Option<IdDigest>,
}

/// The response is one of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamFailure {
    /// Its status: 500 or higher, or 429 (RFC 6585 §4).
    pub status: u16,
    /// The host or another filter made it, because none came from n8n.
    pub is_local: bool,
}

/// n8n sends it for a key after its secret was changed, and for any failure of its own.
const SERVER_ERROR: u16 = 500;

const GATEWAY_TIMEOUT: u16 = 504;

impl Settled {
    /// What to keep of this request until n8n responds. `None`: the response says nothing about the
    /// gate, because the credential is the caller's own, or there is none.
    pub fn into_forwarded(self: Box<Self>) -> Option<Box<ForwardedRequest>> {
        let Outcome::Forward(forward) = &self.decision.outcome else {
            return None;
        };
        let credential = forward.credential().cloned();
        let used = self.decision.use_once.as_ref();
        let used_id = used.filter(|used| used.free_after_failure);
        let used_id = used_id.map(|used| used.digest);
        if credential.is_none() && used_id.is_none() {
            return None;
        }
        Some(Box::new(ForwardedRequest {
            credential,
            used_id,
            record: self.decision.record,
            request: self.request.for_reports(),
        }))
    }

    /// The status of n8n that refused an upstream credential, and its principal.
    pub fn upstream_refusal(&self) -> Option<(u16, String)> {
        let record = &self.decision.record;
        let principal = record.principal.as_deref()?;
        let name = principal_label(record.instance.as_deref(), principal);
        Some((record.upstream_status?, name))
    }
}

impl Settled {
    /// What n8n refused, in words.
    pub fn refused_credential(&self) -> &'static str {
        match &self.credential {
            Some(UpstreamCredential::Session(..)) => "session",
            _ => "API key",
        }
    }
}

impl ForwardedRequest {
    /// The key in it that may be good no more: the gate made it.
    pub(super) fn doubted_key(&self, failure: UpstreamFailure) -> Option<(&MintRequest, &Secret)> {
        let is_doubted = failure.status == SERVER_ERROR && !failure.is_local;
        match self.credential.as_ref().filter(|_| is_doubted)? {
            UpstreamCredential::MintedKey(request, key) => Some((request, key)),
            UpstreamCredential::StaticKey(_) | UpstreamCredential::Session(..) => None,
        }
    }

    /// The id that is free again after a failure. After a timeout n8n may still be at work on the request,
    /// and Envoy itself responds with 504.
    pub(super) fn freed_id(&self, failure: UpstreamFailure) -> Option<&IdDigest> {
        let is_timeout = failure.status == GATEWAY_TIMEOUT && failure.is_local;
        self.used_id.as_ref().filter(|_| !is_timeout)
    }

    /// n8n has responded with this status. `None`: there is nothing to do and nothing to report, and
    /// the clock is not read.
    pub(super) fn responded(
        self,
        status: u16,
        policy: &Policy,
        now: impl FnOnce() -> UnixMillis,
    ) -> Option<Settled> {
        let Self {
            record,
            request,
            credential,
            ..
        } = self;
        let credential = credential?;
        let decision = Decision::after_response(record, &credential, status)?;
        let refusal = match &decision.outcome {
            Outcome::Reject(reason) => {
                let told = decision.record.told(reason, policy);
                problem(reason, None, &request, told)
            }
            _ => NO_REFUSAL,
        };
        Some(Settled {
            decision,
            refusal,
            log_edits: Vec::new(),
            request,
            now: now(),
            credential: Some(credential),
            is_kept: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_free_again_if_n8n_did_not_take_the_request() {
        let used = IdDigest::of(&[b"id"]);
        let forwarded = ForwardedRequest {
            record: Box::default(),
            request: RequestHead::default(),
            credential: None,
            used_id: Some(used),
        };
        for (status, is_local, is_free) in [
            (500, false, true),
            (502, false, true),
            (504, false, true),
            (429, false, true),
            // Envoy has no connection to n8n, or lost it.
            (503, true, true),
            // n8n may be at work on it.
            (504, true, false),
        ] {
            let failure = UpstreamFailure { status, is_local };
            let freed = forwarded.freed_id(failure);
            assert_eq!(freed.is_some(), is_free, "{status} {is_local}");
        }
    }
}
