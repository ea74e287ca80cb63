//! A module for Envoy that reads and writes shared data, and writes properties of requests, on
//! request. It plays another plugin of the same gateway.

#![cfg(target_arch = "wasm32")]
#![allow(
    missing_docs,
    reason = "the functions that the SDK's macro exports have no documentation"
)]

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, MapType};
use serde_json::{json, Map, Value};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root) });
}}

struct Root;

impl Context for Root {}

impl RootContext for Root {
    /// Declares as read-only the properties in the list that is the configuration, if it is one.
    fn on_configure(&mut self, size: usize) -> bool {
        let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size);
        let text = text.ok().flatten().unwrap_or_default();
        let names: Vec<String> = serde_json::from_slice(&text).unwrap_or_default();
        names.iter().all(|name| {
            let declared = declaration(name);
            hostcalls::call_foreign_function("declare_property", Some(&declared)).is_ok()
        })
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Request))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Request;

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let properties =
            hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, "x-properties");
        write(&properties.ok().flatten().unwrap_or_default());
        let order = hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, "x-shared");
        let Some(order) = order.ok().flatten() else {
            return Action::Continue;
        };
        let response = follow(&order).unwrap_or(Value::Null).to_string();
        self.send_http_response(200, Vec::new(), Some(response.as_bytes()));
        Action::Pause
    }
}

/// Follows an order `{"name", "write" or "fill" or nothing}`: writes bytes, writes this number of
/// zeros, or reads.
fn follow(order: &[u8]) -> Option<Value> {
    let order: Value = serde_json::from_slice(order).ok()?;
    let name = order.get("name")?.as_str()?;
    let fill = order.get("fill").and_then(Value::as_u64);
    let value = match (order.get("write").and_then(Value::as_str), fill) {
        (Some(text), _) => URL_SAFE_NO_PAD.decode(text).ok()?,
        (None, Some(size)) => vec![0; usize::try_from(size).ok()?],
        (None, None) => {
            let (value, version) = hostcalls::get_shared_data(name).ok()?;
            let value = value.map(|value| URL_SAFE_NO_PAD.encode(value));
            return Some(json!({ "value": value, "version": version }));
        }
    };
    let written = hostcalls::set_shared_data(name, Some(&value), None);
    Some(json!({ "written": written.is_ok() }))
}

/// Writes the properties of the request that are in this object.
fn write(properties: &[u8]) {
    let properties: Map<String, Value> = serde_json::from_slice(properties).unwrap_or_default();
    for (name, value) in &properties {
        let value = value.as_str().unwrap_or_default();
        let _ = hostcalls::set_property(vec![name.as_str()], Some(value.as_bytes()));
    }
}

/// What Envoy's function `declare_property` takes, as protobuf: the name in field 1, and `true` for
/// read-only in field 2.
fn declaration(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or_default();
    [&[0x0a, length], name.as_bytes(), &[0x10, 1]].concat()
}
