//! A request that n8n gets for a verified caller.

use super::caller::ResolvedPrincipal;
use super::edits::{self, HeaderEdit, HeaderValue};
use super::Evidence;
use crate::http::RequestHead;

/// A request that n8n gets for a verified caller. It needs [`Evidence`], which only verification
/// makes.
#[derive(Clone, Debug)]
pub struct Forward {
    edits: Vec<HeaderEdit>,
}

impl Forward {
    /// To the public API, with the upstream API key of the principal instead of the token.
    pub(super) fn to_public_api(
        request: &RequestHead,
        evidence: &Evidence,
        principal: &ResolvedPrincipal,
    ) -> Self {
        let mut forward = Self::to(request, evidence, false);
        forward.edits.push(HeaderEdit::Set(
            edits::API_KEY_HEADER,
            HeaderValue::Secret(principal.api_key.clone()),
        ));
        forward
    }

    /// To a webhook. Never with an API key: a workflow sees every header, and n8n stores them with
    /// the execution, so that every user who reads executions could read the key.
    pub fn to_webhook(
        request: &RequestHead,
        evidence: &Evidence,
        keep_authorization: bool,
    ) -> Self {
        Self::to(request, evidence, keep_authorization)
    }

    /// Whether the gate sets an upstream API key in it.
    pub fn has_api_key(&self) -> bool {
        let is_key = |edit: &HeaderEdit| matches!(edit, HeaderEdit::Set(edits::API_KEY_HEADER, _));
        self.edits.last().is_some_and(is_key)
    }

    /// What to change in the head of the request, in this order.
    pub fn edits(&self) -> &[HeaderEdit] {
        &self.edits
    }

    fn to(request: &RequestHead, evidence: &Evidence, keep_authorization: bool) -> Self {
        let of_caller = evidence.caller().headers();
        // Room for the usual edits: the caller's headers, the token, and the API key.
        let mut edits = Vec::with_capacity(of_caller.len().saturating_add(2));
        edits.extend(edits::without_made_up_identity(request));
        edits.extend(edits::without_credentials(request, keep_authorization));
        edits.extend_from_slice(of_caller);
        Self { edits }
    }
}
