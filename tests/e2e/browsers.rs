//! What scripts in browsers may read of the gate's responses, with Envoy's own CORS filter set up
//! as in the guide.

use n8n_idp_gate::config::yaml;
use serde_json::{json, Value};

use crate::gate::{policy, Gate};
use crate::support::http::{Request, Response};
use crate::support::installed;
use crate::support::server::{Reply, Script};

const APPLICATION: &str = "https://app.example.com";
const WEBHOOK: &str = "/webhook/orders/new";

/// The policy of the guide.
fn cors_policy() -> Value {
    let guide = installed::root().join("docs/guides/webhooks.md");
    let page = std::fs::read_to_string(guide).unwrap();
    let mut blocks = page
        .split("```yaml\n")
        .filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains("CorsPolicy")).unwrap();
    let block: Value = serde_json::from_slice(&yaml::to_json(block).unwrap()).unwrap();
    block["typed_per_filter_config"]["envoy.filters.http.cors"].clone()
}

fn allowed(response: &Response) -> Option<String> {
    response.header("access-control-allow-origin")
}

#[test]
fn a_script_of_an_origin_that_envoy_knows_reads_the_gate_s_refusals() {
    let gate = Gate::with(policy(), |setup| setup.cors(cors_policy()));
    let send = |request: Request| request.send(gate.envoy.port()).unwrap();
    let refused = send(Request::get(WEBHOOK).header("Origin", APPLICATION));
    assert_eq!(refused.refusal(), (401, json!("no_credential")));
    assert_eq!(allowed(&refused).as_deref(), Some(APPLICATION));
    let exposed = refused.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
    // The preflight before it reaches neither the gate nor n8n.
    let preflight = |origin: &str| {
        Request::new("OPTIONS", WEBHOOK)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization")
    };
    let response = send(preflight(APPLICATION));
    assert_eq!(response.status, 200);
    assert_eq!(allowed(&response).as_deref(), Some(APPLICATION));
    let headers = response.header("access-control-allow-headers").unwrap();
    assert!(headers.contains("authorization"), "{headers}");
    // Another origin gets the same responses as without the filter.
    let refused = send(Request::get(WEBHOOK).header("Origin", "https://evil.example"));
    assert_eq!(refused.refusal(), (401, json!("no_credential")));
    assert_eq!(allowed(&refused), None);
    let response = send(preflight("https://evil.example"));
    assert_eq!(response.refusal(), (401, json!("no_credential")));
    assert!(gate.recorder.take().is_empty());
}

#[test]
fn the_header_of_envoy_replaces_that_of_n8n() {
    let gate = Gate::with(policy(), |setup| setup.cors(cors_policy()));
    let of_n8n = Reply::json(&json!({})).header("access-control-allow-origin", "*");
    gate.recorder.script(Script::Reply(of_n8n));
    let open = Request::get("/webhook/open/x").header("Origin", APPLICATION);
    let response = open.send(gate.envoy.port()).unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(allowed(&response).as_deref(), Some(APPLICATION));
}
