//! A request that n8n gets for a verified caller.

use std::sync::Arc;

use super::edits::{self, HeaderEdit, HeaderValue, ResponseEdit};
use super::{CertifiedClient, Evidence};
use crate::facts::MintRequest;
use crate::http::RequestHead;
use crate::policy::{Instance, SignatureRule, TokenFrom};
use crate::reply::Reason;
use crate::secret::Secret;
use crate::webhook_signature::VerifiedDelivery;

/// A request that n8n gets for a verified caller. It needs [`Evidence`], a [`VerifiedDelivery`] or a
/// [`CertifiedClient`], which only verification makes.
#[derive(Clone, Debug)]
pub struct Forward {
    edits: Vec<HeaderEdit>,
    credential: Option<UpstreamCredential>,
}

/// The credential that n8n gets in place of the token.
#[derive(Clone, Debug)]
pub enum UpstreamCredential {
    /// An API key that an operator made.
    StaticKey(Secret),
    /// An API key that the gate made.
    MintedKey(Arc<MintRequest>, Secret),
    /// The session of a user that the gate made.
    Session(Arc<MintRequest>, Secret),
}

impl Forward {
    /// To the public API, with the upstream credential of the principal instead of the token.
    pub(super) fn to_public_api(
        instance: &Instance,
        request: &RequestHead,
        evidence: &Evidence,
        credential: UpstreamCredential,
    ) -> Self {
        let of_caller = evidence.caller().api_headers(instance);
        Self::to(request, of_caller, false, None).with(credential)
    }

    /// To the internal API, with the session of a user instead of the token. Each cookie of the client goes.
    /// So does what ties a request of the editor to its browser: the session is of no browser, and a message
    /// to the connection of another one would reach that.
    pub(super) fn to_internal_api(
        request: &RequestHead,
        evidence: &Evidence,
        user: Arc<MintRequest>,
        cookie: Secret,
    ) -> Self {
        let mut forward = Self::to(request, evidence.caller().headers(), false, None);
        forward.edits.extend(edits::without_browser(request));
        forward.with(UpstreamCredential::Session(user, cookie))
    }

    /// To a webhook. Never with an API key: a workflow sees every header, and n8n stores them with
    /// the execution, so that every user who reads executions could read the key.
    pub fn to_webhook(
        request: &RequestHead,
        evidence: &Evidence,
        keep_authorization: bool,
        token_from: Option<&TokenFrom>,
    ) -> Self {
        let of_caller = evidence.caller().headers();
        Self::to(request, of_caller, keep_authorization, token_from)
    }

    /// To a webhook, for a sender that signed the delivery. What the sender signed with stays out of n8n:
    /// any user who reads executions could sign with it.
    pub fn of_delivery(
        request: &RequestHead,
        delivery: &VerifiedDelivery<'_>,
        rule: &SignatureRule,
    ) -> Self {
        let mut edits = edits::without_credentials(request, false, None);
        edits.extend(edits::without_headers(request, delivery.secret_headers()));
        let name = edits::encode(&rule.name).into_owned();
        for (header, value) in [("x-auth-kind", "webhook"), ("x-auth-principal", &*name)] {
            edits.push(HeaderEdit::Set(header, HeaderValue::Plain(value.into())));
        }
        Self {
            edits,
            credential: None,
        }
    }

    /// To a webhook, for a client that a rule admits by its certificate.
    pub fn of_certified(request: &RequestHead, client: &CertifiedClient<'_>) -> Self {
        let mut edits = edits::without_credentials(request, false, None);
        let named = [
            ("x-auth-kind", Some("certificate")),
            ("x-auth-subject", client.subject()),
            ("x-auth-principal", Some(client.name())),
        ];
        for (header, value) in named {
            let value = value.map(edits::encode);
            let value = value.filter(|value| (1..=edits::MAX_VALUE).contains(&value.len()));
            edits.extend(
                value.map(|value| HeaderEdit::Set(header, HeaderValue::Plain(value.into()))),
            );
        }
        Self {
            edits,
            credential: None,
        }
    }

    /// The upstream credential in it.
    pub const fn credential(&self) -> Option<&UpstreamCredential> {
        self.credential.as_ref()
    }

    /// What to change in the head of the request, in this order.
    pub fn edits(&self) -> &[HeaderEdit] {
        &self.edits
    }

    /// What has to be changed in the head of n8n's response.
    pub(super) const fn response_edits(&self) -> &'static [ResponseEdit] {
        match &self.credential {
            // The caller must not get the session, which n8n may renew.
            Some(UpstreamCredential::Session(..)) => {
                &[ResponseEdit::REMOVE_API_KEY, ResponseEdit::REMOVE_COOKIES]
            }
            Some(UpstreamCredential::StaticKey(_) | UpstreamCredential::MintedKey(..)) | None => {
                &[ResponseEdit::REMOVE_API_KEY]
            }
        }
    }

    fn with(mut self, credential: UpstreamCredential) -> Self {
        self.edits.push(HeaderEdit::Set(
            credential.header(),
            HeaderValue::Secret(credential.secret().clone()),
        ));
        self.credential = Some(credential);
        self
    }

    fn to(
        request: &RequestHead,
        of_caller: &[HeaderEdit],
        keep_authorization: bool,
        token_from: Option<&TokenFrom>,
    ) -> Self {
        let mut edits = edits::without_credentials(request, keep_authorization, token_from);
        // Room for the API key, too.
        edits.reserve(of_caller.len().saturating_add(1));
        edits.extend_from_slice(of_caller);
        Self {
            edits,
            credential: None,
        }
    }
}

impl UpstreamCredential {
    /// The header that has it.
    const fn header(&self) -> &'static str {
        match self {
            Self::StaticKey(_) | Self::MintedKey(..) => edits::API_KEY_HEADER,
            Self::Session(..) => edits::COOKIE_HEADER,
        }
    }

    const fn secret(&self) -> &Secret {
        match self {
            Self::StaticKey(secret) | Self::MintedKey(_, secret) | Self::Session(_, secret) => {
                secret
            }
        }
    }

    /// Why a request with it is refused after n8n did not accept it.
    pub(super) const fn refusal(&self) -> Reason {
        match self {
            Self::StaticKey(_) | Self::MintedKey(..) => Reason::UpstreamKeyRefused,
            Self::Session(..) => Reason::UpstreamSessionRefused,
        }
    }
}
