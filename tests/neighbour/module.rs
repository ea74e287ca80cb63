//! A module for Envoy that reads and writes shared data on request. It plays another plugin of the
//! same gateway.

#![cfg(target_arch = "wasm32")]
#![allow(
    missing_docs,
    reason = "the functions that the SDK's macro exports have no documentation"
)]

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MapType};
use serde_json::{json, Value};

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root) });
}}

struct Root;

impl Context for Root {}

impl RootContext for Root {
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
