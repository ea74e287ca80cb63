//! What a worker needs of its host, done by proxy-wasm.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType};

use super::abi;
use crate::config::Environment;
use crate::crypto::ForeignFunctions;
use crate::facts::SharedMemory;
use crate::http::RequestHead;
use crate::secret::Secret;
use crate::time::UnixMillis;
use crate::worker::{Attribute, Headers, Host, HostCall, MetricKind, NotDone};

/// The host of this module.
#[derive(Clone, Copy)]
pub(super) struct ProxyWasm;

impl Host for ProxyWasm {
    fn now(&self) -> Option<UnixMillis> {
        let time = hostcalls::get_current_time().ok()?;
        let since_1970 = time.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(UnixMillis(u64::try_from(since_1970.as_millis()).ok()?))
    }

    fn logs_information(&self) -> bool {
        use LogLevel::{Debug, Info, Trace};
        hostcalls::get_log_level().is_ok_and(|level| matches!(level, Trace | Debug | Info))
    }

    fn log(&self, level: log::Level, line: &str) {
        let level = match level {
            log::Level::Trace => LogLevel::Trace,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        let _ = hostcalls::log(level, line);
    }

    fn set_tick_period(&self, period: Duration) -> Result<(), NotDone> {
        hostcalls::set_tick_period(period).map_err(|_| NotDone)
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> Option<u32> {
        let kind = match kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
        };
        hostcalls::define_metric(kind, name).ok()
    }

    fn add_to_metric(&self, number: u32, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let _ = hostcalls::increment_metric(number, count);
    }

    fn set_metric(&self, number: u32, value: u64) {
        let _ = hostcalls::record_metric(number, value);
    }

    fn send_call(&self, call: &HostCall<'_>) -> Result<u32, NotDone> {
        let headers = call.headers.to_vec();
        hostcalls::dispatch_http_call(call.cluster, headers, call.body, Vec::new(), call.timeout)
            .map_err(|_| NotDone)
    }

    fn call_body(&self, most: usize) -> Option<Vec<u8>> {
        hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, most).ok()?
    }

    fn request_body(&self, most: usize) -> Option<Vec<u8>> {
        hostcalls::get_buffer(BufferType::HttpRequestBody, 0, most).ok()?
    }

    fn set_effective_context(&self, context: u32) -> Result<(), NotDone> {
        abi::set_effective_context(context)
    }

    fn request_head(&self) -> Result<RequestHead, NotDone> {
        RequestHead::of_map(abi::request_headers()?).ok_or(NotDone)
    }

    fn call_headers(&self) -> Option<Vec<(String, Vec<u8>)>> {
        hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).ok()
    }

    fn header(&self, headers: Headers, name: &str) -> Option<Vec<u8>> {
        let map = match headers {
            Headers::Request => MapType::HttpRequestHeaders,
            Headers::Response => MapType::HttpResponseHeaders,
        };
        hostcalls::get_map_value_bytes(map, name).ok()?
    }

    fn response_headers(&self) -> Option<Vec<(String, Vec<u8>)>> {
        hostcalls::get_map_bytes(MapType::HttpResponseHeaders).ok()
    }

    fn attribute(&self, attribute: Attribute) -> Option<Vec<u8>> {
        let path = match attribute {
            Attribute::SourceAddress => vec!["source", "address"],
            Attribute::PeerCertificateDigest => {
                vec!["connection", "sha256_peer_certificate_digest"]
            }
            Attribute::PeerCertificateSubject => vec!["connection", "subject_peer_certificate"],
            Attribute::PeerCertificateUri => vec!["connection", "uri_san_peer_certificate"],
            Attribute::PeerCertificateDns => vec!["connection", "dns_san_peer_certificate"],
            // `source.address` is what headers make of it. The address of the connection is there if
            // the filter `set_filter_state` writes it.
            Attribute::PeerAddress => vec!["filter_state", "n8n_idp_gate.peer"],
            Attribute::ResponseDetails => vec!["response", "code_details"],
        };
        hostcalls::get_property(path).ok()?
    }

    fn set_property(&self, name: &str, value: &str) -> Result<(), NotDone> {
        abi::set_property(name, value)
    }

    fn add_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
        abi::add_header(headers, name, value)
    }

    fn replace_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), NotDone> {
        abi::replace_header(headers, name, value)
    }

    fn remove_header(&self, headers: Headers, name: &str) -> Result<(), NotDone> {
        abi::remove_header(headers, name)
    }

    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &str) -> Result<(), NotDone> {
        abi::send_local_response(status, headers, body)
    }

    fn resume(&self) -> Result<(), NotDone> {
        abi::continue_request()
    }
}

impl SharedMemory for ProxyWasm {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        let (value, version) = hostcalls::get_shared_data(name).ok()?;
        Some((value?, version?))
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        hostcalls::set_shared_data(name, Some(value), version).is_ok()
    }

    /// Envoy compares the version only with that of a value that is there, and counts versions from 1.
    fn create(&self, name: &str, value: &[u8]) -> bool {
        hostcalls::set_shared_data(name, Some(value), Some(u32::MAX)).is_ok()
    }
}

impl ForeignFunctions for ProxyWasm {
    /// The SDK traps on statuses that Envoy does not return from here (docs/adr/0011).
    fn call(&self, name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
        hostcalls::call_foreign_function(name, Some(arguments)).ok()?
    }
}

impl Environment for ProxyWasm {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one reader of the environment of the virtual machine"
    )]
    fn secret(&self, name: &str) -> Option<Secret> {
        std::env::var(name).ok().map(Secret::new)
    }
}
