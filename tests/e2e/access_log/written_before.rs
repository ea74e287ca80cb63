//! Names that another module wrote before the gate decided.

use serde_json::{json, Value};

use super::{caller, lines};
use crate::gate::{ORDERS, READER};
use crate::shipped_gate::ShippedGate;
use crate::support::envoy::Setup;
use crate::support::http::Request;
use crate::support::installed;

const PRINCIPAL: &str = "n8n_idp_gate.principal";
const CLIENT: &str = "n8n_idp_gate.client";
const SUBJECT: &str = "n8n_idp_gate.subject";

/// Puts another module before the gate, which declares these properties as read-only.
fn after_a_module(setup: Setup, read_only: &[&str]) -> Setup {
    let module = installed::neighbour().unwrap();
    let filter = json!({
        "name": "neighbour",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "neighbour",
                "vm_config": {
                    "vm_id": "neighbour",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module } },
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": json!(read_only).to_string(),
                },
            },
        },
    });
    let filters = "                http_filters:\n";
    setup.edited(filters, &format!("{filters}                  - {filter}\n"))
}

/// Has the module write these properties of the request.
fn written(request: Request, properties: &Value) -> Request {
    request.header("x-properties", properties.to_string())
}

fn forged() -> Value {
    json!({ PRINCIPAL: "forged", CLIENT: "forged", SUBJECT: "forged" })
}

fn named(name: &str) -> [Value; 3] {
    [json!(name), json!(name), json!(name)]
}

#[test]
fn the_access_log_names_the_verified_caller_though_another_module_wrote_a_name_before() {
    let gate = ShippedGate::start(|setup| after_a_module(setup, &[]));
    let list = Request::get("/api/v1/workflows");
    let cases = [
        ("a forward", gate.token("app-a", &[READER]), 200, "app-a"),
        (
            "a forward again",
            gate.token("app-b", &[READER]),
            200,
            "app-b",
        ),
        ("a role is missing", gate.token("app-b", &[]), 403, "app-b"),
    ];
    for (name, token, status, _) in &cases {
        let request = written(list.clone().bearer(token), &forged());
        assert_eq!(gate.status(&request), *status, "{name}");
    }
    for ((name, .., caller_name), line) in cases.iter().zip(lines(&gate, cases.len())) {
        let verified = [
            json!("applications"),
            json!(caller_name),
            json!(caller_name),
        ];
        assert_eq!(caller(&line), verified, "{name}");
    }
}

/// The limit that SECURITY.md states: the gate writes names of verified callers and no others.
#[test]
fn without_a_verified_caller_the_access_log_shows_what_another_module_wrote_and_the_audit_does_not()
{
    let gate = ShippedGate::start(|setup| after_a_module(setup, &[]));
    let list = Request::get("/api/v1/workflows");
    let bad = format!("{}x", gate.token("app-a", &[READER]));
    let cases = [
        ("no token", list.clone(), 401),
        ("a bad token", list.bearer(&bad), 401),
        ("an open webhook", Request::get("/webhook/a"), 200),
    ];
    for (name, request, status) in &cases {
        let request = written(request.clone(), &forged());
        assert_eq!(gate.status(&request), *status, "{name}");
    }
    for ((name, ..), line) in cases.iter().zip(lines(&gate, cases.len())) {
        assert_eq!(caller(&line), named("forged"), "{name}");
    }
    let audit = gate.envoy.audit();
    assert_eq!(audit.len(), cases.len());
    for record in audit {
        assert!(!record.to_string().contains("forged"), "{record}");
        assert_eq!(record.get("principal"), None, "{record}");
    }
}

/// A property that its first writer declared as read-only cannot be replaced.
#[test]
fn no_request_reaches_n8n_whose_caller_the_gate_cannot_name_in_the_access_log() {
    for (number, property) in [PRINCIPAL, CLIENT, SUBJECT].into_iter().enumerate() {
        let gate = ShippedGate::start(|setup| after_a_module(setup, &[property]));
        let good = gate.token("app-a", &[READER, ORDERS]);
        let requests = [
            Request::get("/api/v1/workflows").bearer(&good),
            Request::get("/webhook/orders/a").bearer(&good),
        ];
        for request in &requests {
            assert_eq!(gate.status(request), 200, "{property}");
        }
        assert_eq!(gate.recorder.take().len(), requests.len());
        for request in &requests {
            let request = written(request.clone(), &json!({ property: "forged" }));
            let answer = request.send(gate.envoy.port()).unwrap();
            assert_eq!(answer.refusal(), (503, json!("host_failure")), "{property}");
        }
        assert!(gate.recorder.take().is_empty(), "{property}");
        let forged = lines(&gate, 4).split_off(2);
        for line in &forged {
            assert_eq!(line["status"], json!(503), "{line}");
            assert_eq!(caller(line)[number], json!("forged"), "{line}");
        }
        let audit = gate.envoy.audit();
        assert_eq!(audit.len(), 4, "{audit:?}");
        for record in &audit[2..] {
            assert_eq!(record["decision"], json!("reject"), "{record}");
            assert_eq!(record["reason"], json!("host_failure"), "{record}");
            assert_eq!(record["client"], json!("app-a"), "{record}");
        }
    }
}
