//! A refusal as a problem document (RFC 9457) with challenges (RFC 6750 §3, RFC 9449 §7.1).

use std::borrow::Cow;

use super::{accept, Challenge, LocalReply, Proofs, Reason, ReplyHeader, Resource, Told};
use crate::crypto::Algorithm;
use crate::formats::members::{append, Members};
use crate::http::RequestHead;
use crate::token::{bearer, Bearer};

/// The longest request id that a response repeats.
const MAX_REQUEST_ID: usize = 64;

/// How many headers most refusals have room for, and how many bytes most challenges.
const HEADERS: usize = 4;
const CHALLENGE: usize = 512;

/// Tells a client why its request was refused.
///
/// Nothing that the client sent goes into a header; the scopes in the challenge are the operator's.
/// Of the client's request, only its id goes into the body, and what `told` has of its token. `Accept`
/// chooses between two media types of the same body.
pub fn problem(
    reason: &Reason,
    resource: Option<&Resource<'_>>,
    request: &RequestHead,
    told: Told<'_>,
) -> LocalReply {
    let error = match reason {
        Reason::EventRefused(fault) => Some(fault.error()),
        _ => None,
    };
    // Transmitters know this one.
    let media_type = error.map_or_else(|| accept::media_type(request), |_| "application/json");
    let mut headers = Vec::with_capacity(HEADERS);
    headers.push(("content-type", media_type.into()));
    headers.push(("cache-control", "no-store".into()));
    if reason.challenge() != Challenge::None {
        push_challenges(&mut headers, reason, resource, request);
    }
    if let Some(wait) = reason.retry_after() {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        headers.push(("retry-after", seconds.to_string().into()));
    }
    if let Some(methods) = reason.allowed_methods() {
        headers.push(("allow", methods.into()));
    }
    LocalReply {
        status: reason.status(),
        headers,
        cookies: Vec::new(),
        body: document(reason, error, request, told),
    }
}

/// The problem document. Its members are in the order of the alphabet.
fn document(
    reason: &Reason,
    error: Option<&'static str>,
    request: &RequestHead,
    told: Told<'_>,
) -> String {
    let code = reason.as_str();
    let missing = reason.missing_scopes();
    let mut detail = Cow::Borrowed(reason.detail());
    if !missing.is_empty() {
        detail = format!("{detail} Missing: {}.", missing.join(" ")).into();
    }
    let mut members = Members::new();
    if let Some(audiences) = told.audiences {
        members.any("accepted_audiences", audiences);
    }
    if let Some(client) = told.client {
        members.any("client", client);
    }
    // `err` and `description` are those of RFC 8935 §2.3, `error` and `error_description` those of OpenID
    // Connect Back-Channel Logout §2.8.
    if error.is_some() {
        members.plain("description", &detail);
    }
    members.plain("detail", &detail);
    if let Some(error) = error {
        members.plain("err", error);
        members.plain("error", error);
        members.plain("error_description", &detail);
    }
    if let Some(hint) = told.hint {
        members.any("hint", hint);
    }
    // n8n's own clients show this member.
    members.plain("message", &detail);
    if !missing.is_empty() {
        members.any("missing", missing);
    }
    members.plain("reason", code);
    if let Some(id) = request.first("x-request-id").and_then(plain_id) {
        members.plain("request_id", id);
    }
    members.written(status_and_title(reason.status()));
    if !reason.triggers().is_empty() {
        members.any("triggers", reason.triggers());
    }
    if let Some(types) = told.types {
        members.any("type", &[types, code].concat());
    }
    members.into_object()
}

/// Pushes the challenges, one for each scheme that the resource takes (RFC 9110 §11.6.1). The error is in
/// that of the scheme that the client used.
fn push_challenges(
    headers: &mut Vec<ReplyHeader>,
    reason: &Reason,
    resource: Option<&Resource<'_>>,
    request: &RequestHead,
) {
    let proofs = resource.map_or(Proofs::NotTaken, |resource| resource.proofs);
    let takes_bearer = proofs != Proofs::Required;
    let takes_dpop = proofs != Proofs::NotTaken;
    let used_dpop = !takes_bearer || (takes_dpop && matches!(bearer(request), Ok(Bearer::Dpop(_))));
    let mut push = |scheme: &str, is_used| {
        let challenge = challenge(reason, resource, scheme, is_used);
        headers.push(("www-authenticate", challenge.into()));
    };
    // Bearer first: some clients read the first challenge only.
    if takes_bearer {
        push("Bearer realm=\"n8n\"", !used_dpop);
    }
    if takes_dpop {
        let algorithms = Algorithm::names().join(" ");
        let scheme = format!("DPoP realm=\"n8n\", algs=\"{algorithms}\"");
        push(&scheme, used_dpop);
    }
}

fn challenge(
    reason: &Reason,
    resource: Option<&Resource<'_>>,
    scheme: &str,
    is_used: bool,
) -> String {
    let mut value = String::with_capacity(CHALLENGE);
    value.push_str(scheme);
    if let (Challenge::Error(code), true) = (reason.challenge(), is_used) {
        let detail = reason.detail();
        let error = [", error=\"", code, "\", error_description=\"", detail, "\""];
        append(&mut value, &error);
    }
    // RFC 6750 §3: scopes that the authorization server knows. It knows none of n8n's.
    let scopes = reason.scopes_to_ask_for();
    if !scopes.is_empty() {
        append(&mut value, &[", scope=\"", &scopes.join(" "), "\""]);
    }
    if let Some(resource) = resource {
        value.push_str(", resource_metadata=\"");
        for parts in resource.metadata() {
            append(&mut value, parts);
        }
        value.push('"');
    }
    value
}

/// Two members of each document of this status.
const fn status_and_title(status: u16) -> &'static str {
    match status {
        400 => r#""status":400,"title":"Bad Request""#,
        401 => r#""status":401,"title":"Unauthorized""#,
        403 => r#""status":403,"title":"Forbidden""#,
        404 => r#""status":404,"title":"Not Found""#,
        405 => r#""status":405,"title":"Method Not Allowed""#,
        408 => r#""status":408,"title":"Request Timeout""#,
        409 => r#""status":409,"title":"Conflict""#,
        413 => r#""status":413,"title":"Content Too Large""#,
        421 => r#""status":421,"title":"Misdirected Request""#,
        501 => r#""status":501,"title":"Not Implemented""#,
        502 => r#""status":502,"title":"Bad Gateway""#,
        _ => r#""status":503,"title":"Service Unavailable""#,
    }
}

/// The request id comes from the edge proxy, or from the client where the proxy keeps it.
fn plain_id(id: &[u8]) -> Option<&str> {
    let plain = (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte));
    plain.then(|| std::str::from_utf8(id).ok()).flatten()
}
