//! A refusal as a problem document (RFC 9457) with challenges (RFC 6750 §3, RFC 9449 §7.1).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use super::{accept, Challenge, LocalReply, Proofs, Reason, Resource, Told};
use crate::crypto::Algorithm;
use crate::http::RequestHead;
use crate::token::{bearer, Bearer};

/// The longest request id that a response repeats.
const MAX_REQUEST_ID: usize = 64;

/// How many bytes most bodies and most challenges have room in.
const BODY: usize = 1024;
const CHALLENGE: usize = 512;

/// Tells a client why its request was refused.
///
/// Nothing that the client sent goes into a header; the scopes in the challenge are the operator's.
/// Of the client's request, only its id goes into the body, and what `told` has of its token. `Accept`
/// chooses between two media types of the same body.
pub fn problem(
    reason: &Reason,
    resource: Option<&Resource>,
    request: &RequestHead,
    told: Told<'_>,
) -> LocalReply {
    let (status, detail) = (reason.status(), reason.detail());
    let error = match reason {
        Reason::EventRefused(fault) => Some(fault.error()),
        _ => None,
    };
    // Transmitters know this one.
    let media_type = error.map_or_else(|| accept::media_type(request), |_| "application/json");
    let mut headers = vec![
        ("content-type", media_type.to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    for challenge in challenges(reason, resource, request) {
        headers.push(("www-authenticate", challenge));
    }
    if let Some(wait) = reason.retry_after() {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        headers.push(("retry-after", seconds.to_string()));
    }
    if let Some(methods) = reason.allowed_methods() {
        headers.push(("allow", methods.to_owned()));
    }
    let mut detail = Cow::Borrowed(detail);
    let missing = reason.missing_scopes();
    if !missing.is_empty() {
        detail = format!("{detail} Missing: {}.", missing.join(" ")).into();
    }
    let document = Document {
        accepted_audiences: told.audiences,
        client: told.client,
        description: error.map(|_| &*detail),
        detail: &detail,
        err: error,
        error,
        error_description: error.map(|_| &*detail),
        hint: told.hint,
        message: &detail,
        missing,
        reason: reason.as_str(),
        request_id: request.first("x-request-id").and_then(plain_id),
        status,
        title: title(status),
        triggers: reason.triggers(),
        kind: told.types.map(|types| [types, reason.as_str()].concat()),
    };
    let mut body = Vec::with_capacity(BODY);
    let is_written = serde_json::to_writer(&mut body, &document).is_ok();
    let body = is_written.then(|| String::from_utf8(body).ok()).flatten();
    LocalReply {
        status,
        headers,
        cookies: Vec::new(),
        body: body.unwrap_or_default(),
    }
}

/// A problem document. Its members are in the order of the alphabet.
#[derive(Serialize)]
struct Document<'p> {
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_audiences: Option<&'p BTreeSet<String>>,
    /// The OAuth client of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'p str>,
    /// RFC 8935 §2.3, as `err`.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'p str>,
    detail: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    err: Option<&'p str>,
    /// OpenID Connect Back-Channel Logout §2.8, as `error_description`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'p str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'p str>,
    /// A usual cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    /// n8n's own clients show this member.
    message: &'p str,
    /// The scopes of n8n that the caller lacks.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: &'p [&'static str],
    reason: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'p str>,
    status: u16,
    title: &'p str,
    /// The triggers of a workflow that was not run, of which the client can name one.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    triggers: &'p [String],
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

/// The challenges, one for each scheme that the resource takes (RFC 9110 §11.6.1). The error is in that
/// of the scheme that the client used.
fn challenges(
    reason: &Reason,
    resource: Option<&Resource>,
    request: &RequestHead,
) -> impl Iterator<Item = String> {
    let proofs = resource.map_or(Proofs::NotTaken, |resource| resource.proofs);
    let (takes_bearer, takes_dpop) = match proofs {
        Proofs::NotTaken => (true, false),
        Proofs::Taken => (true, true),
        Proofs::Required => (false, true),
    };
    let used_dpop = !takes_bearer || (takes_dpop && matches!(bearer(request), Ok(Bearer::Dpop(_))));
    let is_challenged = reason.challenge() != Challenge::None;
    let of_scheme = |scheme: &str, is_used| challenge(reason, resource, (scheme, is_used));
    let bearer = || of_scheme("Bearer realm=\"n8n\"", !used_dpop);
    let dpop = || {
        let algorithms = Algorithm::names().join(" ");
        of_scheme(
            &format!("DPoP realm=\"n8n\", algs=\"{algorithms}\""),
            used_dpop,
        )
    };
    // Bearer first: some clients read the first challenge only.
    [
        (is_challenged && takes_bearer).then(bearer),
        (is_challenged && takes_dpop).then(dpop),
    ]
    .into_iter()
    .flatten()
}

fn challenge(
    reason: &Reason,
    resource: Option<&Resource>,
    (scheme, is_used): (&str, bool),
) -> String {
    let mut value = String::with_capacity(CHALLENGE);
    value.push_str(scheme);
    if let (Challenge::Error(code), true) = (reason.challenge(), is_used) {
        value.push_str(", error=\"");
        value.push_str(code);
        value.push_str("\", error_description=\"");
        value.push_str(reason.detail());
        value.push('"');
    }
    // RFC 6750 §3: scopes that the authorization server knows. It knows none of n8n's.
    let scopes = reason.scopes_to_ask_for();
    if !scopes.is_empty() {
        value.push_str(", scope=\"");
        value.push_str(&scopes.join(" "));
        value.push('"');
    }
    if let Some(resource) = resource {
        value.push_str(", resource_metadata=\"");
        value.extend(resource.metadata());
        value.push('"');
    }
    value
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        421 => "Misdirected Request",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        _ => "Service Unavailable",
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
