//! A module for Envoy that checks signatures in requests, on both paths. It uses the filter's own
//! sources, so that test vectors, which are not tokens, reach this code in a real host.

#![cfg(target_arch = "wasm32")]
#![allow(
    missing_docs,
    reason = "the functions that the SDK's macro exports have no documentation"
)]

#[path = "../../src/crypto/mod.rs"]
pub mod crypto;
#[path = "../../src/formats/mod.rs"]
pub mod formats;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use crypto::{Algorithm, Deviation, ForeignFunctions, GuestCrypto, HostCrypto, KeySet};
use crypto::{PublicKey, SignatureVerifier as _};
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

/// One question, in a header of the request.
struct Request;

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let response = header("x-vectors").and_then(|question| judge(&question));
        let response = response.or_else(|| header("x-call").map(|name| call(&name)));
        let status = if response.is_some() { 200 } else { 400 };
        let body = response.unwrap_or(Value::Null).to_string();
        self.send_http_response(status, Vec::new(), Some(body.as_bytes()));
        Action::Pause
    }
}

fn header(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpRequestHeaders, name).ok()?
}

struct HostFunctions;

impl ForeignFunctions for HostFunctions {
    fn call(&self, name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
        hostcalls::call_foreign_function(name, Some(arguments)).ok()?
    }
}

/// Checks `{"jwk", "alg", "cases": [[message, signature], …]}`. A result has the side that checked
/// for the filter, the filter's result, and the guest's result.
fn judge(question: &[u8]) -> Option<Value> {
    let question: Value = serde_json::from_slice(question).ok()?;
    let algorithm = Algorithm::parse(question.get("alg")?.as_str()?)?;
    let (crypto, deviations) = HostCrypto::tested(HostFunctions, |_| {});
    let deviations: Vec<_> = deviations.iter().map(Deviation::to_string).collect();
    let set = json!({ "keys": [question.get("jwk")?] }).to_string();
    let set = KeySet::parse(set.as_bytes()).unwrap_or_default();
    let check = |key: &PublicKey, case: &Value| {
        let bytes = |index| URL_SAFE_NO_PAD.decode(case.get(index)?.as_str()?).ok();
        let (message, signature) = (bytes(0)?, bytes(1)?);
        let check = crypto.verify(key, algorithm, &message, &signature);
        let guest = GuestCrypto.verify(key, algorithm, &message, &signature);
        Some(json!([check.path.as_str(), check.valid, guest.valid]))
    };
    let cases = question.get("cases")?.as_array()?.iter();
    let results = set.keys().first().map(|key| {
        let results: Vec<_> = cases.map(|case| check(key, case)).collect();
        results
    });
    Some(json!({ "deviations": deviations, "results": results }))
}

/// Calls a host function with arguments that no function can read.
fn call(name: &[u8]) -> Value {
    let name = String::from_utf8_lossy(name);
    match hostcalls::call_foreign_function(&name, Some(b"\xff")) {
        Ok(_) => json!("Ok"),
        Err(status) => json!(format!("{status:?}")),
    }
}
