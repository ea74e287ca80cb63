//! The records of a request, and the data that they never have.

use serde_json::json;

use crate::gate::{token, Gate, ISSUER, KEY_A, KEY_PEOPLE, READER};
use crate::support::http::Request;

#[test]
fn every_decision_leaves_one_audit_record() {
    let gate = Gate::start();
    let target = "/api/v1/workflows?secret=query";
    let good = Request::get(target).bearer(&token("app-a", &[READER]));
    assert_eq!(good.send(gate.envoy.port()).unwrap().status, 200);
    assert_eq!(
        Request::get(target).send(gate.envoy.port()).unwrap().status,
        401
    );
    let audit = gate.envoy.audit();
    let [forwarded, refused] = audit.as_slice() else {
        panic!("{audit:?}");
    };
    for (name, value) in [
        ("decision", json!("forward")),
        ("surface", json!("public_api")),
        ("operation", json!("workflow:list")),
        ("provider", json!("idp")),
        ("iss", json!(ISSUER)),
        ("sub", json!("app-a")),
        ("client", json!("app-a")),
        ("kind", json!("app")),
        ("jti", json!("token-1")),
        ("principal", json!("app-a")),
        ("method", json!("GET")),
        ("path", json!("/api/v1/workflows")),
    ] {
        assert_eq!(forwarded[name], value, "{name}");
    }
    assert_eq!(refused["decision"], json!("reject"));
    assert_eq!(refused["reason"], json!("no_credential"));
    assert_eq!(refused["path"], json!("/api/v1/workflows"));
}

#[test]
fn decisions_are_counted_with_labels() {
    let gate = Gate::start();
    let request = Request::get("/api/v1/workflows");
    for _ in 0..3 {
        assert_eq!(request.send(gate.envoy.port()).unwrap().status, 401);
    }
    let name = "n8n_idp_gate_decisions";
    let counted = gate.envoy.counted(name, "no_credential", 3);
    assert_eq!(counted.unwrap(), 3);
}

#[test]
fn no_secret_is_in_any_log_or_page() {
    let gate = Gate::with(crate::gate::policy(), |setup| setup.log_level("trace"));
    let token = token("app-a", &[READER]);
    let forged = format!("{}x", token.split_at(token.len() - 40).0);
    for bearer in [&token, &forged] {
        let request = Request::get("/api/v1/workflows?code=query-secret").bearer(bearer);
        request.send(gate.envoy.port()).unwrap();
    }
    let pass = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "old-api-key");
    pass.send(gate.envoy.port()).unwrap();
    let seen = [
        gate.envoy.log_text(),
        gate.envoy.admin_page("/config_dump").unwrap(),
        gate.envoy.stats().unwrap(),
    ];
    let signature = token.rsplit('.').next().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    for text in &seen {
        for secret in [
            KEY_A,
            KEY_PEOPLE,
            "old-api-key",
            "query-secret",
            signature,
            payload,
        ] {
            assert!(!text.contains(secret), "{secret} is in a log or page");
        }
    }
}
