//! A request that n8n gets for a verified caller.

use std::sync::Arc;

use super::edits::{self, HeaderEdit, HeaderValue};
use super::Evidence;
use crate::facts::MintRequest;
use crate::http::RequestHead;
use crate::secret::Secret;

/// A request that n8n gets for a verified caller. It needs [`Evidence`], which only verification
/// makes.
#[derive(Clone, Debug)]
pub struct Forward {
    edits: Vec<HeaderEdit>,
    api_key: Option<ApiKeyInUse>,
}

/// An upstream API key that a request gets.
#[derive(Clone, Debug)]
pub struct ApiKeyInUse {
    /// The key.
    pub key: Secret,
    /// What the gate made it for; `None`: an operator made it.
    pub minted: Option<Arc<MintRequest>>,
}

impl Forward {
    /// To the public API, with the upstream API key of the principal instead of the token.
    pub(super) fn to_public_api(
        request: &RequestHead,
        evidence: &Evidence,
        api_key: ApiKeyInUse,
    ) -> Self {
        let mut forward = Self::to(request, evidence, false);
        forward.edits.push(HeaderEdit::Set(
            edits::API_KEY_HEADER,
            HeaderValue::Secret(api_key.key.clone()),
        ));
        forward.api_key = Some(api_key);
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

    /// The upstream API key in it.
    pub const fn api_key(&self) -> Option<&ApiKeyInUse> {
        self.api_key.as_ref()
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
        Self {
            edits,
            api_key: None,
        }
    }
}
