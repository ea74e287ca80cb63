//! The access log of the shipped file names verified callers, and no made-up identity.

mod headers;
mod written_before;

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::gate::READER;
use crate::shipped_gate::ShippedGate;
use crate::support::http::Request;

/// The lines of the access log, as soon as there are this many.
fn lines(gate: &ShippedGate, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..150 {
        let log = gate.envoy.log_text();
        let records = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        found = records
            .filter(|line| line.get("milliseconds").is_some())
            .collect();
        if found.len() >= count {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(found.len(), count, "{found:?}");
    found
}

fn caller(line: &Value) -> [Value; 3] {
    ["principal", "client_id", "subject"].map(|field| line[field].clone())
}

/// Adds every header with which a client could pose as another caller.
fn forged(request: &Request) -> Request {
    [
        "x-auth-subject",
        "X-Auth-Client",
        "x-auth-principal",
        "x-auth-issuer",
        "x_auth_client",
    ]
    .iter()
    .fold(request.clone(), |request, name| {
        request.header(name, "forged")
    })
    .header("User-Agent", "wasm.n8n_idp_gate.client=forged")
}

#[test]
fn the_access_log_names_verified_callers_alone() {
    let gate = ShippedGate::start(|setup| setup);
    let list = Request::get("/api/v1/workflows");
    let good = gate.token("app-a", &[READER]);
    let none = [Value::Null, Value::Null, Value::Null];
    let app = |name: &str| [json!("applications"), json!(name), json!(name)];
    let cases = [
        ("no token", list.clone(), 401, none.clone()),
        (
            "a bad token",
            list.clone().bearer(&format!("{good}x")),
            401,
            none.clone(),
        ),
        (
            "a static API key",
            list.clone().header("X-N8N-API-KEY", "a"),
            200,
            none.clone(),
        ),
        (
            "an open webhook",
            Request::get("/webhook/a"),
            200,
            none.clone(),
        ),
        (
            "two credentials",
            list.clone().bearer(&good).header("X-N8N-API-KEY", "a"),
            400,
            none.clone(),
        ),
        (
            "a path with two readings",
            Request::get("/api/v1/../v1/workflows").bearer(&good),
            400,
            none,
        ),
        (
            "a good token",
            list.clone().bearer(&good),
            200,
            app("app-a"),
        ),
        (
            "no role",
            list.clone().bearer(&gate.token("app-b", &[])),
            403,
            app("app-b"),
        ),
        (
            "no principal",
            list.bearer(&gate.token("app-c", &[READER])),
            403,
            [Value::Null, json!("app-c"), json!("app-c")],
        ),
        (
            "a guarded webhook",
            Request::get("/webhook/orders/a").bearer(&good),
            200,
            app("app-a"),
        ),
    ];
    for (name, request, status, _) in &cases {
        assert_eq!(gate.status(&forged(request)), *status, "{name}");
    }
    let logged = lines(&gate, cases.len());
    for ((name, _, status, expected), line) in cases.iter().zip(&logged) {
        assert_eq!(line["status"], json!(status), "{name}");
        assert_eq!(&caller(line), expected, "{name}");
        assert!(!line.to_string().contains("forged"), "{name}: {line}");
    }
}
