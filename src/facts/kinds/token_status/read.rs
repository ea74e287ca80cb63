//! Reads what a provider responds about a token.

use super::TokenStatusFault;
use crate::facts::{CallFault, CallResponse, ResponseHeaders};
use crate::formats::json::{self, Document, Scalar, Value};
use crate::policy::{Introspection, Protocol};
use crate::time::UnixMillis;
use crate::token::{ActiveResponse, Term, MAX_TOKEN_DEPTH};

/// The longest response that is read: as long as a token with the same claims may be.
const MAX_RESPONSE: usize = 16 * 1024;

/// The most bytes that it may take in memory. This is less than all statuses may take together, so that
/// each is kept, and fetched once.
const MAX_WEIGHT: usize = 256 * 1024;

/// What a provider says about a token.
#[derive(Clone, Debug)]
pub enum TokenStatus {
    /// It is active, and this is known about it.
    Active(ActiveResponse),
    /// It is not.
    Inactive,
    /// Userinfo accepts it, and does not say whose it is: the token of an application, or one that the
    /// endpoint does not know.
    Nameless,
}

/// Reads a response. If the token is active, the response holds for `term`.
///
/// # Errors
///
/// Every response that does not say plainly whether the token is active.
pub(super) fn read(
    protocol: &Protocol,
    response: CallResponse,
    term: Term,
) -> Result<TokenStatus, TokenStatusFault> {
    let is_introspection = matches!(protocol, Protocol::Introspection { .. });
    let is_json = match &response {
        CallResponse::Response { headers, .. } => headers.is_json(),
        _ => false,
    };
    let document = match response.document() {
        Err(CallFault::Status { status: 401, .. }) if is_introspection => {
            return Err(TokenStatusFault::ClientRefused);
        }
        // RFC 6750 §3.1: `invalid_request`, `invalid_token`, `insufficient_scope`.
        Err(CallFault::Status {
            status: 400 | 401 | 403,
            ..
        }) if !is_introspection => return Ok(TokenStatus::Inactive),
        // A redirect may repeat a token in its address.
        Err(CallFault::Status { status, .. }) => {
            let location = None;
            return Err(CallFault::Status { status, location }.into());
        }
        document => document?,
    };
    if !is_json {
        return Err(TokenStatusFault::ContentType);
    }
    if document.len() > MAX_RESPONSE {
        return Err(CallFault::TooLarge.into());
    }
    let mut claims = Document::read(json::without_mark(&document), MAX_TOKEN_DEPTH)
        .map_err(|_| TokenStatusFault::Malformed)?;
    if claims.weight() > MAX_WEIGHT {
        return Err(CallFault::TooLarge.into());
    }
    match protocol {
        Protocol::Introspection { .. } => match claims.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Ok(TokenStatus::Inactive),
            _ => return Err(TokenStatusFault::Malformed),
        },
        // OpenID Connect Core 1.0 §5.3.2: it must name the subject. Ory Hydra responds without `sub` about
        // the token of an application, and others respond with 200 about tokens that they do not know.
        // Another call would bring the same.
        Protocol::UserInfo => match claims.get("sub") {
            Some(Value::String(subject)) if !subject.is_empty() => {}
            _ => return Ok(TokenStatus::Nameless),
        },
        // Audience and expiry are looked for with the other claims.
        Protocol::GoogleTokenInfo => google_values(&mut claims),
    }
    Ok(TokenStatus::Active(ActiveResponse::new(claims, term)))
}

/// Reads a document as the response about a token that the provider sent at `now`.
///
/// # Errors
///
/// The fault that such a response would have.
pub fn read_token_status(
    asked: &Introspection,
    document: Vec<u8>,
    now: UnixMillis,
) -> Result<TokenStatus, TokenStatusFault> {
    let content_type = ("content-type".to_owned(), b"application/json".to_vec());
    let response = CallResponse::Response {
        status: 200,
        headers: ResponseHeaders::new(vec![content_type]),
        body: document,
    };
    let until = now.saturating_add(asked.ttl);
    read(&asked.protocol, response, Term { since: now, until })
}

/// Google writes numbers and booleans as strings. What is none of them stays as it is, and is
/// refused as of a wrong type where it counts.
fn google_values(claims: &mut Document) {
    claims.replace_text("exp", |text| text.parse().ok().map(Scalar::Number));
    claims.replace_text("email_verified", |text| text.parse().ok().map(Scalar::Bool));
}

#[cfg(test)]
mod tests;
