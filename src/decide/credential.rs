//! The credential of a request. Every header that can hold one is read here, once for each request.
//!
//! Another kind of credential, such as a signature over the body, is one variant of [`Credential`], and one module that verifies it and makes
//! [`Evidence`](super::Evidence) of it.

use super::decision::CredentialKind;
use super::edits::{is_spelling, API_KEY_HEADER};
use super::misplaced::is_token;
use crate::http::RequestHead;
use crate::policy::Policy;
use crate::reply::Reason;
use crate::token::{bearer, Bearer, CompactToken};

/// The credential of a request.
#[derive(Debug)]
pub(super) enum Credential<'r> {
    /// It has none that the surface takes.
    None,
    /// A bearer token (RFC 6750 §2.1). Nothing of it was verified.
    Bearer(CompactToken),
    /// A token that comes with a `DPoP` proof (RFC 9449 §7.1). Nothing of it was verified.
    Dpop(CompactToken),
    /// An API key, which only n8n can check.
    ApiKey(&'r [u8]),
}

impl<'r> Credential<'r> {
    /// The credential of a call of the public API: a bearer token or an API key.
    pub(super) fn of_api_call(policy: &Policy, request: &'r RequestHead) -> Result<Self, Reason> {
        let bearer = bearer(request).map_err(Reason::Bearer)?;
        match (bearer, api_key(request)?) {
            (Bearer::Token(token), ApiKey::Absent) => Ok(Self::Bearer(token)),
            (Bearer::Dpop(token), ApiKey::Absent) => Ok(Self::Dpop(token)),
            // The same API key twice: n8n accepts that without a gate, and has the same caller by
            // either header.
            (Bearer::Token(token), ApiKey::Present(key))
                if token.expose().as_bytes() == key && !is_token(policy, key) =>
            {
                Ok(Self::ApiKey(key))
            }
            (Bearer::Token(_) | Bearer::Dpop(_), ApiKey::Present(_) | ApiKey::Empty) => {
                Err(Reason::TwoCredentials)
            }
            (_, ApiKey::Present(key)) => Ok(Self::ApiKey(key)),
            (_, ApiKey::Absent | ApiKey::Empty) => Ok(Self::None),
        }
    }

    /// The credential of a call of the internal API, a webhook, form or MCP trigger: a bearer token. An
    /// API key is none there, and is removed before a forward.
    pub(super) fn of_call_with_token(request: &'r RequestHead) -> Result<Self, Reason> {
        match bearer(request).map_err(Reason::Bearer)? {
            Bearer::Token(token) => Ok(Self::Bearer(token)),
            Bearer::Dpop(token) => Ok(Self::Dpop(token)),
            Bearer::Absent | Bearer::OtherScheme => Ok(Self::None),
        }
    }

    /// Its kind; `None`: there is no credential.
    pub(super) const fn kind(&self) -> Option<CredentialKind> {
        match self {
            Self::None => None,
            Self::Bearer(_) => Some(CredentialKind::Bearer),
            Self::Dpop(_) => Some(CredentialKind::Dpop),
            Self::ApiKey(_) => Some(CredentialKind::ApiKey),
        }
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
