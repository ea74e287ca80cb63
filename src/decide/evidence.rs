//! The proof that a caller was verified.

use std::sync::Arc;

use super::possession::{check_possession, Sender};
use super::{Caller, DecisionContext, UseOnce};
use crate::facts::Availability;
use crate::policy::Instance;
use crate::reply::Reason;

/// The proof that a caller was verified for this decision. Without it there is no
/// [`Forward`](super::Forward):
///
/// ```
/// use n8n_idp_gate::decide::{Evidence, Forward};
/// use n8n_idp_gate::http::RequestHead;
///
/// fn forward(request: &RequestHead, evidence: &Evidence) -> Forward {
///     Forward::to_webhook(request, evidence, false, None)
/// }
/// ```
///
/// Only the verification of a credential makes one. A caller that was verified at some time, such as
/// one in the token cache, is none:
///
/// ```compile_fail
/// use n8n_idp_gate::decide::{Caller, Forward};
/// use n8n_idp_gate::http::RequestHead;
///
/// fn forward(request: &RequestHead, evidence: &Caller) -> Forward {
///     Forward::to_webhook(request, evidence, false, None)
/// }
/// ```
///
/// Nor can other code make one of a caller, or a second one:
///
/// ```compile_fail
/// use n8n_idp_gate::decide::{Caller, Evidence};
///
/// fn forge(caller: std::sync::Arc<Caller>) -> Evidence {
///     Evidence { caller, use_once: None }
/// }
/// ```
///
/// ```compile_fail
/// use n8n_idp_gate::decide::Evidence;
///
/// fn copy(evidence: &Evidence) -> Evidence {
///     evidence.clone()
/// }
/// ```
#[derive(Debug)]
pub struct Evidence {
    caller: Arc<Caller>,
    use_once: Option<Box<UseOnce>>,
}

impl Evidence {
    /// By a token that was verified for this decision, and a client that has what the token is bound to. It
    /// takes the caller itself: one of the token cache is shared, and could not be passed by mistake.
    pub(super) fn of_token(
        context: DecisionContext<'_>,
        instance: &Instance,
        sender: &Sender<'_>,
        caller: Caller,
    ) -> Result<Self, Reason> {
        Self::of_sender(context, instance, sender, Arc::new(caller))
    }

    /// By a token that was verified before, if it is still good, with the keys that are known now. The
    /// client must have what the token is bound to.
    pub(super) fn of_cached(
        context: DecisionContext<'_>,
        instance: &Instance,
        sender: &Sender<'_>,
        caller: &Arc<Caller>,
    ) -> Option<Result<Self, Reason>> {
        let keys = match context.facts.key_set(caller.provider) {
            Availability::Known(keys) => Some(keys),
            Availability::Pending | Availability::Unavailable { .. } => None,
        };
        let still_holds = caller.token().still_holds(keys, context.now);
        still_holds.then(|| Self::of_sender(context, instance, sender, Arc::clone(caller)))
    }

    fn of_sender(
        context: DecisionContext<'_>,
        instance: &Instance,
        sender: &Sender<'_>,
        caller: Arc<Caller>,
    ) -> Result<Self, Reason> {
        // Before the rest: an answer to a proof is of no use for a token that has ended.
        let revocable = caller.revocable();
        if revocable.is_some_and(|token| context.revocations.is_revoked(token)) {
            return Err(Reason::TokenRevoked);
        }
        let token = (caller.provider, caller.token());
        let use_once = check_possession(context, instance, sender, token)?.map(Box::new);
        Ok(Self { caller, use_once })
    }

    /// What the request may use once.
    pub(super) fn use_once(&self) -> Option<Box<UseOnce>> {
        self.use_once.clone()
    }

    /// The caller.
    pub(super) const fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }
}
