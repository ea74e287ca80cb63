//! A request that goes on in the name of a verified caller.

use super::edits::{self, HeaderEdit, HeaderValue};
use crate::identity::Identity;
use crate::policy::Principal;
use crate::request::RequestHead;
use crate::token::VerifiedToken;

/// A request that goes on in the name of a verified caller. Whoever wants to make one must show
/// the [`VerifiedToken`] that it rests on.
#[derive(Clone, Debug)]
pub struct Forward {
    edits: Vec<HeaderEdit>,
}

impl Forward {
    /// To the public API, with the principal's key in the place of the token.
    pub(super) fn to_public_api(
        request: &RequestHead,
        _proof: &VerifiedToken,
        identity: &Identity,
        principal: &Principal,
    ) -> Self {
        let mut forward = Self::to(request, identity, Some(&principal.name), false);
        forward.edits.push(HeaderEdit::Set(
            "x-n8n-api-key",
            HeaderValue::Secret(principal.api_key.clone()),
        ));
        forward
    }

    /// To a webhook. Never with an API key: a workflow sees every header, n8n keeps them with the
    /// execution, and whoever may read executions could read the key.
    pub(super) fn to_webhook(
        request: &RequestHead,
        _proof: &VerifiedToken,
        identity: &Identity,
        principal: Option<&str>,
        keep_authorization: bool,
    ) -> Self {
        Self::to(request, identity, principal, keep_authorization)
    }

    /// What to change in the head of the request, in this order.
    pub fn edits(&self) -> &[HeaderEdit] {
        &self.edits
    }

    fn to(
        request: &RequestHead,
        identity: &Identity,
        principal: Option<&str>,
        keep_authorization: bool,
    ) -> Self {
        let mut edits = edits::without_made_up_identity(request);
        edits.extend(edits::without_credentials(request, keep_authorization));
        edits.extend(edits::identity_headers(identity, principal));
        Self { edits }
    }
}
