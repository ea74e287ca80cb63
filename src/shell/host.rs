//! The host's functions, in the types of the gate.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, Status};

use super::abi::{self, Headers, NotDone};
use crate::config::Environment;
use crate::crypto::ForeignFunctions;
use crate::decide::HeaderEdit;
use crate::facts::{CallRequest, CallResponse, ResponseHeaders, SharedMemory, MAX_DOCUMENT};
use crate::gate::Source;
use crate::http::RequestHead;
use crate::reply::LocalReply;
use crate::secret::Secret;
use crate::time::UnixMillis;

const USER_AGENT: &str = concat!("n8n-idp-gate/", env!("CARGO_PKG_VERSION"));

/// The host's clock. Should the host have none, it is 1970: every token is then issued in the
/// future, and nothing is let through.
pub(super) fn now() -> UnixMillis {
    let since_1970 = hostcalls::get_current_time()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .unwrap_or_default();
    UnixMillis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

/// Whether the host writes what is logged as information. An operator may change that at any time.
pub(super) fn logs_information() -> bool {
    use LogLevel::{Debug, Info, Trace};
    hostcalls::get_log_level().is_ok_and(|level| matches!(level, Trace | Debug | Info))
}

/// The head of the request, as bytes: a value that is not UTF-8 would trap in the calls that
/// return text.
pub(super) fn request_head() -> Result<RequestHead, Status> {
    hostcalls::get_map_bytes(MapType::HttpRequestHeaders).map(RequestHead::new)
}

/// Where the request that is the host's current one came from, as Envoy determined it. This is not
/// a header, which a client could write.
pub(super) fn source() -> Option<Source> {
    let address = hostcalls::get_property(vec!["source", "address"]).ok()??;
    Some(Source::new(std::str::from_utf8(&address).ok()?))
}

/// The status of the answer to the current request, while the host reports it.
pub(super) fn answer_status() -> Option<u16> {
    let status = hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, ":status");
    std::str::from_utf8(&status.ok()??).ok()?.parse().ok()
}

/// Whether the answer to the current request is of Envoy's own making, or of another filter's: such
/// a one says nothing about what n8n thinks.
pub(super) fn answer_is_local() -> bool {
    let details = hostcalls::get_property(vec!["response", "code_details"]);
    matches!(details, Ok(Some(details)) if details != b"via_upstream")
}

/// Changes the head of the request, which came as `head`.
pub(super) fn apply(edits: &[HeaderEdit], head: &RequestHead) -> Result<(), NotDone> {
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => abi::remove_header(Headers::Request, name)?,
            HeaderEdit::Set(name, value) => set(name, value.expose(), head)?,
        }
    }
    Ok(())
}

/// Makes this the one header of its name. Where none came, there is none to be replaced, and the
/// host adds a header in half the time.
fn set(name: &str, value: &str, head: &RequestHead) -> Result<(), NotDone> {
    if head.first(name).is_some() {
        abi::replace_header(Headers::Request, name, value)
    } else {
        abi::add_header(Headers::Request, name, value)
    }
}

/// Takes every header of this name out of the answer.
pub(super) fn remove_from_answer(name: &str) -> Result<(), NotDone> {
    abi::remove_header(Headers::Response, name)
}

/// Gives the answer that n8n made the status of a gateway's fault.
pub(super) fn fail_answer() -> Result<(), NotDone> {
    abi::replace_header(Headers::Response, ":status", "502")
}

/// Answers the request.
pub(super) fn reply(reply: &LocalReply) -> Result<(), NotDone> {
    let headers: Vec<_> = reply
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    abi::send_response(reply.status, &headers, &reply.body)
}

/// Makes a call; the host's number for it comes back with the answer.
pub(super) fn dispatch(request: &CallRequest) -> Result<u32, Status> {
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
    hostcalls::dispatch_http_call(&endpoint.cluster, headers, body, vec![], request.timeout)
}

/// The answer to a call, while the host reports it. A call that failed has no headers.
pub(super) fn call_response(headers: usize, body: usize) -> CallResponse {
    if headers == 0 {
        return CallResponse::NoResponse;
    }
    let headers = hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders);
    let headers = ResponseHeaders::new(headers.unwrap_or_default());
    let status = headers.all(":status").next();
    let status = status.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    let Some(status) = status else {
        return CallResponse::NoResponse;
    };
    // One byte more than is read at most tells a document that is too large.
    let size = body.min(MAX_DOCUMENT.saturating_add(1));
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default();
    CallResponse::Response {
        status,
        headers,
        body,
    }
}

/// The host's shared data.
pub(super) struct SharedData;

impl SharedMemory for SharedData {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        let (value, version) = hostcalls::get_shared_data(name).ok()?;
        Some((value?, version?))
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        hostcalls::set_shared_data(name, Some(value), version).is_ok()
    }
}

/// The functions that this host offers beyond the specification.
pub(super) struct HostFunctions;

impl ForeignFunctions for HostFunctions {
    /// The SDK traps on statuses that Envoy does not return from here (docs/adr/0011).
    fn call(&self, name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
        hostcalls::call_foreign_function(name, Some(arguments)).ok()?
    }
}

/// The environment that the host gives the virtual machine.
pub(super) struct VmEnvironment;

impl Environment for VmEnvironment {
    #[allow(clippy::disallowed_methods)] // This is the one reader of the environment.
    fn secret(&self, name: &str) -> Option<Secret> {
        std::env::var(name).ok().map(Secret::new)
    }
}
