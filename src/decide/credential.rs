//! The credential of a request. Every header that can hold one is read here, once for each request.
//!
//! Another kind of credential, such as a signature over the body, is one variant of [`Credential`], and one module that verifies it and makes
//! [`Evidence`](super::Evidence) of it.

use std::borrow::Cow;

use super::browser_token;
use super::decision::CredentialKind;
use super::edits::{is_spelling, API_KEY_HEADER};
use super::misplaced::{is_token, token_of};
use crate::http::RequestHead;
use crate::policy::{Policy, PublicApi, TokenFrom};
use crate::reply::Reason;
use crate::token::{bearer, is_api_key, Bearer, CompactToken};

/// The credential of a request.
#[derive(Debug)]
pub(super) enum Credential<'r> {
    /// It has none that the surface takes.
    None,
    /// A bearer token, and how it was sent. Nothing of it was verified.
    Bearer(CompactToken<'r>, CredentialKind),
    /// A token that comes with a `DPoP` proof (RFC 9449 §7.1). Nothing of it was verified.
    Dpop(CompactToken<'r>),
    /// An API key, which only n8n can check.
    ApiKey(ClientKey<'r>),
}

/// An API key that a client sent.
#[derive(Debug)]
pub(super) struct ClientKey<'r> {
    /// The key.
    pub(super) value: Cow<'r, [u8]>,
    /// Whether it came as a bearer token, so that n8n does not find it.
    pub(super) is_bearer: bool,
}

impl<'r> Credential<'r> {
    /// The credential of a call of the public API: a bearer token or an API key.
    ///
    /// Some tools can send no other header than that of API keys. A token of a provider in it is checked
    /// as any other, so that it opens no more than it does in `Authorization`. A value that is none goes
    /// on as an API key, whatever it may be.
    pub(super) fn of_api_call(
        policy: &Policy,
        api: &PublicApi,
        request: &'r RequestHead,
    ) -> Result<Self, Reason> {
        let bearer = bearer(request).map_err(Reason::Bearer)?;
        match (bearer, api_key(request)?) {
            (Bearer::Token(token), ApiKey::Absent)
                if api.api_keys_in_bearer && is_api_key(token.expose()) =>
            {
                Ok(Self::ApiKey(ClientKey {
                    value: token.expose_bytes().to_vec().into(),
                    is_bearer: true,
                }))
            }
            (Bearer::Token(token), ApiKey::Absent) => {
                Ok(Self::Bearer(token, CredentialKind::Bearer))
            }
            (Bearer::Dpop(token), ApiKey::Absent) => Ok(Self::Dpop(token)),
            // The same API key twice: n8n accepts that without a gate, and has the same caller by
            // either header.
            (Bearer::Token(token), ApiKey::Present(key))
                if token.expose_bytes() == key && !is_token(policy, key) =>
            {
                Ok(Self::api_key(key))
            }
            (Bearer::Token(_) | Bearer::Dpop(_), ApiKey::Present(_) | ApiKey::Empty) => {
                Err(Reason::TwoCredentials)
            }
            (_, ApiKey::Present(key)) => {
                let token = api.tokens_in_api_key.then(|| token_of(policy, key));
                Ok(token.flatten().map_or_else(
                    || Self::api_key(key),
                    |token| Self::Bearer(token, CredentialKind::BearerAsApiKey),
                ))
            }
            (_, ApiKey::Absent | ApiKey::Empty) => Ok(Self::None),
        }
    }

    /// The credential of a call of the internal API, a webhook, form or MCP trigger: a token, in
    /// `Authorization` or where the rule says. Two of them have no order, so that neither counts (RFC 6750
    /// §2). An API key is none there, and is removed before a forward.
    pub(super) fn of_call_with_token(
        request: &'r RequestHead,
        from: Option<&TokenFrom>,
    ) -> Result<Self, Reason> {
        let in_header = bearer(request).map_err(Reason::Bearer)?;
        let elsewhere = match from {
            None => None,
            Some(from) => browser_token::read(from, request)?.map(|token| (token, kind_of(from))),
        };
        match (in_header, elsewhere) {
            (Bearer::Token(_) | Bearer::Dpop(_), Some(_)) => Err(Reason::SeveralTokens),
            (Bearer::Token(token), None) => Ok(Self::Bearer(token, CredentialKind::Bearer)),
            (Bearer::Dpop(token), None) => Ok(Self::Dpop(token)),
            (Bearer::Absent | Bearer::OtherScheme, Some((token, kind))) => {
                Ok(Self::Bearer(token, kind))
            }
            (Bearer::Absent | Bearer::OtherScheme, None) => Ok(Self::None),
        }
    }

    const fn api_key(value: &'r [u8]) -> Self {
        Self::ApiKey(ClientKey {
            value: Cow::Borrowed(value),
            is_bearer: false,
        })
    }

    /// Its kind; `None`: there is no credential.
    pub(super) const fn kind(&self) -> Option<CredentialKind> {
        match self {
            Self::None => None,
            Self::Bearer(_, kind) => Some(*kind),
            Self::Dpop(_) => Some(CredentialKind::Dpop),
            Self::ApiKey(_) => Some(CredentialKind::ApiKey),
        }
    }
}

const fn kind_of(from: &TokenFrom) -> CredentialKind {
    match from {
        TokenFrom::Cookie(_) => CredentialKind::BearerInCookie,
        TokenFrom::Query(_) => CredentialKind::BearerInQuery,
    }
}

/// Whether a request that would pass hands a token of a provider to n8n as an API key, under any
/// spelling of the header. n8n stores the headers with the execution of a workflow, and the token
/// is good for everything else that trusts the provider.
pub(super) fn has_token_as_api_key(policy: &Policy, request: &RequestHead) -> bool {
    request
        .headers()
        .filter(|(name, _)| is_spelling(name, API_KEY_HEADER))
        .any(|(_, value)| is_token(policy, value))
}

/// What the header of API keys holds.
enum ApiKey<'r> {
    Absent,
    /// No value: n8n would look for a session instead.
    Empty,
    Present(&'r [u8]),
}

/// Reads the API key of the client. n8n joins two of them to one that is not valid, and another
/// program may take either.
fn api_key(request: &RequestHead) -> Result<ApiKey<'_>, Reason> {
    let mut values = request.values(API_KEY_HEADER);
    match (values.next(), values.next()) {
        (None, _) => Ok(ApiKey::Absent),
        (Some(_), Some(_)) => Err(Reason::DuplicateApiKey),
        // Envoy joins headers of one name with a comma, and no API key has one.
        (Some(value), None) if value.contains(&b',') => Err(Reason::DuplicateApiKey),
        (Some(value), None) if value.trim_ascii().is_empty() => Ok(ApiKey::Empty),
        (Some(value), None) => Ok(ApiKey::Present(value)),
    }
}
