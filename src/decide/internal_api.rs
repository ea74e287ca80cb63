//! Calls of n8n's internal API with a token.

use std::sync::Arc;

use super::authenticate::authenticate;
use super::caller::UpstreamKey;
use super::credential::Credential;
use super::draft::{Draft, Stop};
use super::edits::without_made_up_identity;
use super::possession::{Scheme, Sender};
use super::public_api::scopes_to_ask_for;
use super::session::session;
use super::{DecisionContext, Forward, Outcome, Request};
use crate::http::RequestHead;
use crate::n8n::{closed_to_tokens, Route, REST_SCOPE};
use crate::policy::{DpopUse, Instance, RestAuth};
use crate::reply::Reason;
use crate::token::{bearer, Bearer};

/// Whether a request may get a session of n8n. Then its path must have one reading: the gate decides by
/// it which routes the session opens.
pub(super) fn may_get_session(instance: &Instance, request: &RequestHead) -> bool {
    let has_no_token = || matches!(bearer(request), Ok(Bearer::Absent | Bearer::OtherScheme));
    instance.rest == RestAuth::Bearer && !has_no_token()
}

/// Decides about a request to the internal API, where `rest` is `bearer`. One without a token is of a
/// browser with a session of its own.
pub(super) fn decide(
    context: DecisionContext<'_>,
    instance: &Instance,
    whole: Request<'_>,
    route: &Route<'_>,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    let request = whole.head;
    let credential = Credential::of_call_with_token(request, None)?;
    draft.record.credential = credential.kind();
    let (scheme, token) = match credential {
        Credential::Bearer(token, _) => (Scheme::Bearer, token),
        Credential::Dpop(token) => (Scheme::Dpop, token),
        Credential::ApiKey(_) | Credential::None => {
            return Ok(Outcome::Pass(without_made_up_identity(request)));
        }
    };
    draft.record.operation = Some(REST_SCOPE);
    let sender = Sender {
        request: whole,
        scheme,
        token: &token,
        dpop: DpopUse::Accepted,
    };
    let evidence = authenticate(context, instance, &sender, draft)?;
    let principal = evidence.caller().principal()?;
    if !principal.granted.contains(REST_SCOPE) {
        let missing = vec![REST_SCOPE];
        let ask_for = scopes_to_ask_for(instance, principal, &missing);
        return Err(Reason::InsufficientScope { missing, ask_for }.into());
    }
    if let Some(why) = closed_to_tokens(route) {
        return Err(Reason::RestClosed(why).into());
    }
    let user = match &principal.upstream {
        UpstreamKey::Minted(user) => user,
        UpstreamKey::Static(_) => return Err(Reason::NoSession.into()),
        UpstreamKey::NoUser => return Err(Reason::NoUser.into()),
    };
    let cookie = session(context, user)?;
    let forward = Forward::to_internal_api(request, &evidence, Arc::clone(user), cookie);
    Ok(Outcome::Forward(forward))
}
