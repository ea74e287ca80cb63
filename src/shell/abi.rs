//! The host's functions that change something, with every status as a value.
//!
//! The SDK traps on each status that it does not expect, and a trap ends the requests of every
//! client in this virtual machine. So what is done to a request goes through here: where the host
//! does not do it, that one request is refused. The SDK is left for what reads (ADR 17).
//!
//! This is the one file with unsafe code. Each function below hands over slices that live for the
//! length of the call, and the host keeps none of them.

#![allow(
    unsafe_code,
    reason = "functions of the host are foreign; lints forbid unsafe code everywhere else"
)]

use super::map;

/// The host did not do what it was asked for; its status (proxy-wasm ABI 0.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotDone(pub(super) u32);

/// A header map of the current request.
#[derive(Clone, Copy)]
pub(super) enum Headers {
    /// Those of the request.
    Request = 0,
    /// Those of the answer.
    Response = 2,
}

/// `proxy_stream_type_t`.
const HTTP_REQUEST: u32 = 0;

/// No status of gRPC goes with a local response.
const NO_GRPC_STATUS: i32 = -1;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    safe fn proxy_set_effective_context(context: u32) -> u32;
    safe fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_set_property(path: *const u8, path_len: usize, value: *const u8, len: usize) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_len: usize,
        value: *const u8,
        value_len: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_len: usize) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_len: usize,
        body: *const u8,
        body_len: usize,
        headers: *const u8,
        headers_len: usize,
        grpc_status: i32,
    ) -> u32;
}

/// Makes a request the one that the following calls are about.
pub(super) fn set_effective_context(context: u32) -> Result<(), NotDone> {
    done(proxy_set_effective_context(context))
}

/// Lets the current request go on, which the host has stopped.
pub(super) fn resume_request() -> Result<(), NotDone> {
    done(proxy_continue_stream(HTTP_REQUEST))
}

/// Sets a property of the current request. Envoy keeps it as filter state.
pub(super) fn set_property(name: &str, value: &str) -> Result<(), NotDone> {
    done(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Adds a header beside those of its name.
pub(super) fn add_header(headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
    let (map, name_len, value_len) = (headers as u32, name.len(), value.len());
    done(unsafe {
        proxy_add_header_map_value(map, name.as_ptr(), name_len, value.as_ptr(), value_len)
    })
}

/// Puts a header in the place of all those of its name.
pub(super) fn replace_header(headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
    let (map, name_len, value_len) = (headers as u32, name.len(), value.len());
    done(unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name_len, value.as_ptr(), value_len)
    })
}

/// Removes all headers of a name, of which there may be none.
pub(super) fn remove_header(headers: Headers, name: &str) -> Result<(), NotDone> {
    let map = headers as u32;
    done(unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) })
}

/// Answers the current request.
pub(super) fn send_response(
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(), NotDone> {
    let headers = map::encode(headers);
    let details = "";
    done(unsafe {
        proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    })
}

const fn done(status: u32) -> Result<(), NotDone> {
    match status {
        0 => Ok(()),
        status => Err(NotDone(status)),
    }
}
