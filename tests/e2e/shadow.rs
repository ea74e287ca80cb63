//! A second policy that is only judged, in the real Envoy.

use serde_json::{json, Value};

use crate::gate::{policy, token, Gate, READER};
use crate::support::http::{Request, Response};

const PATH: &str = "/api/v1/workflows";

/// The body of a response, without the id of its request.
fn body(response: &Response) -> Value {
    let text = response.text();
    let mut body = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
    }
    body
}

/// The same requests with and without a second policy that refuses one of them and lets another in: the client
/// and n8n get the same, and each difference is recorded and counted.
#[test]
fn a_shadow_changes_no_response_and_its_differences_are_recorded() {
    let with_shadow = || {
        let mut policy = policy();
        policy["shadow"] = json!({
            "roles": {"none": ["workflow:delete"]},
            "metrics": "deny",
            "webhooks": [{"path": "/webhook/**", "auth": "open"}],
        });
        policy
    };
    let plain = Gate::start();
    let shadowed = Gate::with(with_shadow(), |setup| setup);
    let good = token("app-a", &[READER]);
    let requests = || {
        [
            Request::get(PATH).bearer(&good),
            Request::get(PATH).bearer(&good),
            Request::get(PATH),
            Request::get("/metrics"),
            Request::get("/"),
        ]
    };
    for (one, other) in requests().into_iter().zip(requests()) {
        let one = one.send(plain.envoy.port()).unwrap();
        let other = other.send(shadowed.envoy.port()).unwrap();
        assert_eq!(one.status, other.status);
        assert_eq!(body(&one), body(&other));
    }
    let seen = |gate: &Gate| {
        let requests = gate.recorder.take();
        let seen = requests.iter().map(|request| {
            let key = request.values("x-n8n-api-key");
            let principal = request.values("x-auth-principal");
            (format!("{key:?}"), format!("{principal:?}"))
        });
        seen.collect::<Vec<_>>()
    };
    let upstream = seen(&plain);
    assert_eq!(upstream.len(), 4);
    assert_eq!(upstream, seen(&shadowed));
    let audit = shadowed.envoy.audit();
    let shadows: Vec<_> = audit.iter().map(|record| &record["shadow"]).collect();
    let [first, second, refused, metrics, page] = shadows.as_slice() else {
        panic!("{audit:?}");
    };
    assert_eq!(first["reason"], json!("insufficient_scope"));
    assert_eq!(first["missing"], json!("workflow:list"));
    assert_eq!(first, second);
    assert!(refused.is_null(), "{refused}");
    assert_eq!(metrics["reason"], json!("metrics_denied"));
    assert!(page.is_null(), "{page}");
    let name = "n8n_idp_gate_shadow_differences";
    let counted = shadowed.envoy.counted(name, "insufficient_scope", 2);
    assert_eq!(counted.unwrap(), 2);
}
