//! Calls, in the terms of the host.

use super::host::{Host, HostCall, NotDone};
use crate::facts::{CallRequest, CallResponse, ResponseHeaders};

const USER_AGENT: &str = concat!("n8n-idp-gate/", env!("CARGO_PKG_VERSION"));

/// Sends a call, and gives the number that the host has for it.
pub(super) fn send<H: Host>(host: &H, request: &CallRequest) -> Result<u32, NotDone> {
    let endpoint = &request.endpoint;
    let mut headers = vec![
        (":method", request.method.as_str()),
        (":scheme", endpoint.scheme.as_str()),
        (":authority", endpoint.authority.as_str()),
        (":path", endpoint.path.as_str()),
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", USER_AGENT),
    ];
    for (name, value) in &request.headers {
        headers.push((name, value.expose()));
    }
    let body = request.body.as_ref().map(|body| {
        headers.push(("content-type", body.content_type()));
        body.content().expose().as_bytes()
    });
    host.send_call(&HostCall {
        cluster: &endpoint.cluster,
        headers: &headers,
        body,
        timeout: request.timeout,
    })
}

/// The response to the call that ends now, of which the host has so many headers and so many bytes of
/// a body, at most `most` of which are read. A call that failed has no headers.
pub(super) fn response<H: Host>(
    host: &H,
    headers: usize,
    body: usize,
    most: usize,
) -> CallResponse {
    if headers == 0 {
        return CallResponse::NoResponse;
    }
    let headers = ResponseHeaders::new(host.call_headers().unwrap_or_default());
    let Some(status) = headers.all(":status").next().and_then(status_code) else {
        return CallResponse::NoResponse;
    };
    // One byte more than the longest document shows that a document is too large.
    let most = body.min(most.saturating_add(1));
    CallResponse::Response {
        status,
        body: host.call_body(most).unwrap_or_default(),
        headers,
    }
}

/// A status code in the form that `:status` has.
pub(super) fn status_code(value: &[u8]) -> Option<u16> {
    std::str::from_utf8(value).ok()?.parse().ok()
}
