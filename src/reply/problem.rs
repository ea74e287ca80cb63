//! A refusal as a problem document (RFC 9457) with a challenge (RFC 6750 §3).

use serde_json::json;

use super::{accept, Challenge, LocalReply, Reason, Resource};
use crate::http::RequestHead;

/// The longest request id that is repeated.
const MAX_REQUEST_ID: usize = 64;

/// Tells a caller why the request was refused.
///
/// Nothing that the caller sent goes into a header (the operator wrote the scopes), and of what he sent only the request id goes
/// into the body. What he accepts chooses between two names of one and the same body.
pub fn problem(reason: &Reason, resource: Option<&Resource>, request: &RequestHead) -> LocalReply {
    let answer = reason.answer();
    let mut headers = vec![
        ("content-type", accept::media_type(request).to_owned()),
        ("cache-control", "no-store".to_owned()),
    ];
    if let Some(challenge) = challenge(reason, answer.challenge, answer.detail, resource) {
        headers.push(("www-authenticate", challenge));
    }
    if let Some(wait) = reason.retry_after() {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        headers.push(("retry-after", seconds.to_string()));
    }
    if answer.status == 405 {
        headers.push(("allow", "GET, HEAD".to_owned()));
    }
    let mut detail = answer.detail.to_owned();
    let missing = reason.missing_scopes();
    if !missing.is_empty() {
        detail.push_str(" Missing: ");
        detail.push_str(&missing.join(" "));
        detail.push('.');
    }
    let mut body = json!({
        "title": title(answer.status),
        "status": answer.status,
        "detail": detail,
        "reason": reason.as_str(),
        // n8n's own clients show this member.
        "message": detail,
    });
    let request_id = request.first("x-request-id").and_then(plain_id);
    if let (Some(id), Some(body)) = (request_id, body.as_object_mut()) {
        body.insert("request_id".to_owned(), id.into());
    }
    LocalReply {
        status: answer.status,
        headers,
        body: body.to_string(),
    }
}

fn challenge(
    reason: &Reason,
    challenge: Challenge,
    detail: &str,
    resource: Option<&Resource>,
) -> Option<String> {
    let mut value = "Bearer realm=\"n8n\"".to_owned();
    match challenge {
        Challenge::None => return None,
        Challenge::Bare => {}
        Challenge::Error(code) => {
            value.push_str(", error=\"");
            value.push_str(code);
            value.push_str("\", error_description=\"");
            value.push_str(detail);
            value.push('"');
        }
    }
    // RFC 6750 §3: what the client asks its authorization server for. Scopes of n8n are none.
    let scopes = reason.scopes_to_ask_for();
    if !scopes.is_empty() {
        value.push_str(", scope=\"");
        value.push_str(&scopes.join(" "));
        value.push('"');
    }
    if let Some(resource) = resource {
        value.push_str(", resource_metadata=\"");
        value.push_str(&resource.metadata);
        value.push('"');
    }
    Some(value)
}

const fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        421 => "Misdirected Request",
        502 => "Bad Gateway",
        _ => "Service Unavailable",
    }
}

/// Request ids come from the edge, or, where it lets them, from the client.
fn plain_id(id: &[u8]) -> Option<&str> {
    let plain = (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte));
    plain.then(|| std::str::from_utf8(id).ok()).flatten()
}
