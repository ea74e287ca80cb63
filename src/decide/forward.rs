//! A request that goes on in the name of a verified caller.

use super::caller::{Caller, ResolvedPrincipal};
use super::edits::{self, HeaderEdit, HeaderValue};
use crate::http::RequestHead;

/// A request that goes on in the name of a verified caller. Whoever wants to make one must show
/// the [`Caller`] that it rests on, which only a verified token makes.
#[derive(Clone, Debug)]
pub struct Forward {
    edits: Vec<HeaderEdit>,
}

impl Forward {
    /// To the public API, with the principal's key in the place of the token.
    pub(super) fn to_public_api(
        request: &RequestHead,
        caller: &Caller,
        standing: &ResolvedPrincipal,
    ) -> Self {
        let mut forward = Self::to(request, caller, false);
        forward.edits.push(HeaderEdit::Set(
            edits::API_KEY_HEADER,
            HeaderValue::Secret(standing.api_key.clone()),
        ));
        forward
    }

    /// To a webhook. Never with an API key: a workflow sees every header, n8n keeps them with the
    /// execution, and whoever may read executions could read the key.
    pub(super) fn to_webhook(
        request: &RequestHead,
        caller: &Caller,
        keep_authorization: bool,
    ) -> Self {
        Self::to(request, caller, keep_authorization)
    }

    /// Whether it goes on with a key of n8n's that this filter put in.
    pub fn has_api_key(&self) -> bool {
        let is_key = |edit: &HeaderEdit| matches!(edit, HeaderEdit::Set(edits::API_KEY_HEADER, _));
        self.edits.last().is_some_and(is_key)
    }

    /// What to change in the head of the request, in this order.
    pub fn edits(&self) -> &[HeaderEdit] {
        &self.edits
    }

    fn to(request: &RequestHead, caller: &Caller, keep_authorization: bool) -> Self {
        let mut edits = edits::without_made_up_identity(request);
        edits.extend(edits::without_credentials(request, keep_authorization));
        edits.extend_from_slice(caller.headers());
        Self { edits }
    }
}
