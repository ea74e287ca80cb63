//! The host's functions that change a request, with each status as a value, and the one that reads its
//! head.
//!
//! The SDK traps on each status that it does not expect, and a trap ends the requests of all clients
//! in this virtual machine. So the functions that change a request are called from here: if the host
//! does not do it, that one request is refused. The SDK is used for reading (ADR 17), except for the head:
//! it copies each name and each value of it into an allocation, and each request pays for that.
//!
//! This is the one file with unsafe code. Each function below hands over slices that live for the
//! length of the call, and the host keeps none of them.

#![allow(
    unsafe_code,
    reason = "functions of the host are foreign; lints forbid unsafe code everywhere else"
)]

use std::ptr;

use crate::http::header_map;
use crate::worker::{Headers, NotDone};

/// `proxy_stream_type_t`.
const HTTP_REQUEST: u32 = 0;

/// A local response has no status of gRPC.
const NO_GRPC_STATUS: i32 = -1;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    safe fn proxy_set_effective_context(context: u32) -> u32;
    safe fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
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

/// Makes a context the one that the next functions are about.
pub(super) fn set_effective_context(context: u32) -> Result<(), NotDone> {
    done(proxy_set_effective_context(context))
}

/// Lets the current request go on, which the host holds.
pub(super) fn continue_request() -> Result<(), NotDone> {
    done(proxy_continue_stream(HTTP_REQUEST))
}

/// The headers of the current request, in the form of [`header_map`].
pub(super) fn request_headers() -> Result<Vec<u8>, NotDone> {
    let (mut data, mut size) = (ptr::null_mut::<u8>(), 0);
    let map = map_type(Headers::Request);
    done(unsafe { proxy_get_header_map_pairs(map, &raw mut data, &raw mut size) })?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // The SDK made it for the host (`proxy_on_memory_allocate`), as a boxed slice of just this size. From
    // here on it is the module's.
    let map = ptr::slice_from_raw_parts_mut(data, size);
    Ok(unsafe { Box::from_raw(map) }.into_vec())
}

/// Sets a property of the current request. Envoy keeps it as filter state.
pub(super) fn set_property(name: &str, value: &str) -> Result<(), NotDone> {
    done(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Adds a header to those of its name.
pub(super) fn add_header(headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
    let (map, name_len, value_len) = (map_type(headers), name.len(), value.len());
    done(unsafe {
        proxy_add_header_map_value(map, name.as_ptr(), name_len, value.as_ptr(), value_len)
    })
}

/// Makes this the one header of its name.
pub(super) fn replace_header(headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
    let (map, name_len, value_len) = (map_type(headers), name.len(), value.len());
    done(unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name_len, value.as_ptr(), value_len)
    })
}

/// Removes all headers of a name. There may be none.
pub(super) fn remove_header(headers: Headers, name: &str) -> Result<(), NotDone> {
    let map = map_type(headers);
    done(unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) })
}

/// Sends a local reply to the current request.
pub(super) fn send_local_response(
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(), NotDone> {
    let headers = header_map::encode(headers);
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

/// `proxy_map_type_t`.
const fn map_type(headers: Headers) -> u32 {
    match headers {
        Headers::Request => 0,
        Headers::Response => 2,
    }
}

const fn done(status: u32) -> Result<(), NotDone> {
    match status {
        0 => Ok(()),
        _ => Err(NotDone),
    }
}
