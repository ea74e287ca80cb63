//! What a provider's answer about a token says.

use serde_json::{Map, Value};

use super::IntrospectionFault;
use crate::facts::{CallResponse, FetchFault, ResponseHeaders};
use crate::formats::json;
use crate::policy::{Introspection, Protocol};
use crate::time::UnixMillis;
use crate::token::{ActiveResponse, Term, MAX_TOKEN_DEPTH};

/// The longest answer that is read: as long as a token may be that says the same itself.
const MAX_ANSWER: usize = 16 * 1024;

/// The most bytes that it may take in memory: less than all answers together, so that each is
/// remembered, and asked for once.
const MAX_WEIGHT: usize = 256 * 1024;

/// What an answer says of a token.
#[derive(Clone, Debug, PartialEq)]
pub enum Said<C> {
    /// It is active, and this is known of it.
    Active(C),
    /// It is not.
    Inactive,
    /// It opens userinfo, which does not say whose it is: an application's, or nothing that the
    /// endpoint knows.
    Nameless,
}

/// Reads an answer.
///
/// # Errors
///
/// Everything that is not one or the other in so many words.
pub(super) fn read(
    protocol: &Protocol,
    answer: CallResponse,
) -> Result<Said<Map<String, Value>>, IntrospectionFault> {
    let is_introspection = matches!(protocol, Protocol::Introspection { .. });
    let is_json = match &answer {
        CallResponse::Response { headers, .. } => headers.is_json(),
        _ => false,
    };
    let document = match answer.document() {
        Err(FetchFault::Status { status: 401, .. }) if is_introspection => {
            return Err(IntrospectionFault::ClientRefused);
        }
        // RFC 6750 §3.1: `invalid_request`, `invalid_token`, `insufficient_scope`.
        Err(FetchFault::Status {
            status: 400 | 401 | 403,
            ..
        }) if !is_introspection => return Ok(Said::Inactive),
        // A redirect may repeat a token in its address.
        Err(FetchFault::Status { status, .. }) => {
            let location = None;
            return Err(FetchFault::Status { status, location }.into());
        }
        document => document?,
    };
    if !is_json {
        return Err(IntrospectionFault::ContentType);
    }
    if document.len() > MAX_ANSWER {
        return Err(FetchFault::TooLarge.into());
    }
    let mut said = json::object(json::without_mark(&document), MAX_TOKEN_DEPTH)
        .map_err(|_| IntrospectionFault::Malformed)?;
    if json::weight(&said) > MAX_WEIGHT {
        return Err(FetchFault::TooLarge.into());
    }
    match protocol {
        Protocol::Introspection { .. } => match said.get("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Ok(Said::Inactive),
            _ => return Err(IntrospectionFault::Malformed),
        },
        // OpenID Connect Core 1.0 §5.3.2: it must say whose the token is. Ory Hydra answers without
        // `sub` about the token of an application, and others with 200 about tokens that they do
        // not know. Either way the endpoint has spoken: asking again brings nothing else.
        Protocol::UserInfo => match said.get("sub") {
            Some(Value::String(subject)) if !subject.is_empty() => {}
            _ => return Ok(Said::Nameless),
        },
        // Audience and expiry are looked for with the other claims.
        Protocol::GoogleTokenInfo => google_values(&mut said),
    }
    Ok(Said::Active(said))
}

/// Reads a document as the answer about a token that the provider gave at `now`.
///
/// # Errors
///
/// Whatever would be wrong with such an answer if it came from the provider.
pub fn read_answer(
    asked: &Introspection,
    document: Vec<u8>,
    now: UnixMillis,
) -> Result<Said<ActiveResponse>, IntrospectionFault> {
    let content_type = ("content-type".to_owned(), b"application/json".to_vec());
    let answer = CallResponse::Response {
        status: 200,
        headers: ResponseHeaders::new(vec![content_type]),
        body: document,
    };
    let until = now.saturating_add(asked.ttl);
    Ok(match read(&asked.protocol, answer)? {
        Said::Active(claims) => {
            Said::Active(ActiveResponse::new(claims, Term { since: now, until }))
        }
        Said::Inactive => Said::Inactive,
        Said::Nameless => Said::Nameless,
    })
}

/// Google writes numbers and booleans as strings. What is none of them stays as it is, and is
/// refused as of a wrong type where it counts.
fn google_values(said: &mut Map<String, Value>) {
    if let Some(exp) = said.get_mut("exp") {
        if let Some(seconds) = exp.as_str().and_then(|text| text.parse::<u64>().ok()) {
            *exp = seconds.into();
        }
    }
    if let Some(verified) = said.get_mut("email_verified") {
        if let Some(flag) = verified.as_str().and_then(|text| text.parse::<bool>().ok()) {
            *verified = flag.into();
        }
    }
}

#[cfg(test)]
mod tests;
