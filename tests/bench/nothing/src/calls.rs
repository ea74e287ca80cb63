//! A filter that makes the calls which the gate makes for a request, in the same order, and has no work
//! of its own. What it costs, no gate with these calls can cost less.
//!
//! It decides nothing: its configuration says which calls it makes.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MapType};
use serde::Deserialize;
use std::rc::Rc;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root(Rc::default())) });
}}

/// Which calls are made.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Plan {
    /// The arguments of a signature check, in base64.
    verify: Option<String>,
    #[serde(skip)]
    arguments: Vec<u8>,
    /// The headers that are set in place of the token.
    set: Vec<(String, String)>,
    /// How it refuses each request.
    refuse: Option<Refusal>,
    /// The line of the log for each request.
    log: Option<String>,
    /// The property of each request that an access log writes.
    keep: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    status: u32,
    headers: Vec<(String, String)>,
    body: String,
}

struct Root(Rc<Plan>);

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        let Ok(mut plan) = serde_json::from_slice::<Plan>(&configuration) else {
            return false;
        };
        if let Some(arguments) = &plan.verify {
            match STANDARD.decode(arguments) {
                Ok(arguments) => plan.arguments = arguments,
                Err(_) => return false,
            }
        }
        self.0 = Rc::new(plan);
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Request(Rc::clone(&self.0))))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Request(Rc<Plan>);

impl Request {
    fn log(&self) {
        if let Some(line) = &self.0.log {
            let _ = self.get_property(vec!["source", "address"]);
            let _ = hostcalls::log(LogLevel::Info, line);
        }
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let _ = head::read();
        let _ = hostcalls::get_current_time();
        let plan = &*self.0;
        if plan.verify.is_some() {
            let _ = hostcalls::call_foreign_function("verify_signature", Some(&plan.arguments));
        }
        if let Some(refusal) = &plan.refuse {
            let headers = refusal.headers.iter();
            let headers = headers.map(|(name, value)| (&**name, &**value));
            let body = refusal.body.as_bytes();
            self.send_http_response(refusal.status, headers.collect(), Some(body));
            self.log();
            return Action::Pause;
        }
        if let Some(record) = &plan.keep {
            let _ = self.get_property(vec!["source", "address"]);
            self.set_property(vec!["n8n_idp_gate.audit"], Some(record.as_bytes()));
        }
        if !plan.set.is_empty() {
            let map = MapType::HttpRequestHeaders;
            let _ = hostcalls::remove_map_value(map, "authorization");
            for (name, value) in &plan.set {
                let _ = hostcalls::add_map_value(map, name, value);
            }
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if self.0.refuse.is_some() {
            return Action::Continue;
        }
        let map = MapType::HttpResponseHeaders;
        let _ = hostcalls::remove_map_value(map, "x-n8n-api-key");
        if !self.0.set.is_empty() {
            let _ = hostcalls::get_map_value_bytes(map, ":status");
        }
        self.log();
        Action::Continue
    }
}

/// The head of a request in one buffer, as the gate takes it: the SDK would copy each header.
mod head {
    use std::ptr;

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    }

    pub(super) fn read() -> Vec<u8> {
        let (mut data, mut size) = (ptr::null_mut::<u8>(), 0);
        let status = unsafe { proxy_get_header_map_pairs(0, &raw mut data, &raw mut size) };
        if status != 0 || data.is_null() {
            return Vec::new();
        }
        // The SDK made it for the host, as a boxed slice of this size.
        let slice = ptr::slice_from_raw_parts_mut(data, size);
        unsafe { Box::from_raw(slice) }.into_vec()
    }
}
