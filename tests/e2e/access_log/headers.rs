//! An access log with identity headers, which no shipped format has.

use std::time::Duration;

use serde_json::{json, Value};

use super::lines;
use crate::gate::READER;
use crate::shipped_gate::{provider, ShippedGate};
use crate::support::envoy::Setup;
use crate::support::http::{exchange_within, Request};
use crate::support::recorder::Recorder;
use crate::support::scripted_provider::DISCOVERY;
use crate::support::server::Script;

const MADE_UP: [&str; 5] = [
    "X-Auth-Client",
    "x-auth-subject",
    "X-AUTH-PRINCIPAL",
    "x-auth-issuer",
    "x_auth_client",
];

/// Logs identity headers, as the guide says that no operator should.
fn logging_headers(setup: Setup) -> Setup {
    let subject = "subject: \"%FILTER_STATE(wasm.n8n_idp_gate.subject:PLAIN)%\"\n";
    let fields = MADE_UP.iter().enumerate().map(|(number, name)| {
        let name = name.to_ascii_uppercase();
        format!("                          made_up_{number}: \"%REQ({name})%\"\n")
    });
    let fields: Vec<String> = fields.collect();
    setup.edited(subject, &format!("{subject}{}", fields.concat()))
}

fn making_up(request: &Request) -> Request {
    MADE_UP.iter().fold(request.clone(), |request, name| {
        request.header(name, "forged")
    })
}

/// No header remains, whatever the value was.
fn assert_none(line: &Value, name: &str) {
    for number in 0..MADE_UP.len() {
        assert_eq!(
            line[format!("made_up_{number}")],
            Value::Null,
            "{name}: {line}"
        );
    }
    assert!(!line.to_string().contains("forged"), "{name}: {line}");
}

#[test]
fn an_access_log_of_identity_headers_shows_none_that_a_refused_client_made_up() {
    let gate = ShippedGate::start(logging_headers);
    let list = Request::get("/api/v1/workflows");
    let good = gate.token("app-a", &[READER]);
    let cases = [
        ("no token", list.clone(), 401),
        ("a bad token", list.clone().bearer(&format!("{good}x")), 401),
        (
            "no role",
            list.clone().bearer(&gate.token("app-b", &[])),
            403,
        ),
        (
            "no principal",
            list.clone().bearer(&gate.token("app-c", &[READER])),
            403,
        ),
        (
            "two credentials",
            list.clone().bearer(&good).header("X-N8N-API-KEY", "a"),
            400,
        ),
        (
            "an ambiguous path",
            Request::get("/api/v1/../v1/workflows").bearer(&good),
            400,
        ),
        ("a guarded webhook", Request::get("/webhook/orders/a"), 401),
        (
            "a static key, which passes",
            list.header("X-N8N-API-KEY", "a"),
            200,
        ),
        (
            "an open webhook, which passes",
            Request::get("/webhook/a"),
            200,
        ),
    ];
    for (name, request, status) in &cases {
        assert_eq!(gate.status(&making_up(request)), *status, "{name}");
    }
    for ((name, _, status), line) in cases.iter().zip(lines(&gate, cases.len())) {
        assert_eq!(line["status"], json!(status), "{name}");
        assert_none(&line, name);
    }
    // The log of a request that is forwarded shows the header that the gate set.
    let request = making_up(&Request::get("/webhook/orders/a").bearer(&good));
    assert_eq!(gate.status(&request), 200);
    let forwarded = lines(&gate, cases.len() + 1).pop().unwrap();
    assert_eq!(forwarded["made_up_0"], json!("app-a"), "{forwarded}");
    assert_eq!(forwarded["made_up_4"], Value::Null, "{forwarded}");
}

/// The client closes the connection before there is a decision.
#[test]
fn an_access_log_of_identity_headers_shows_none_of_a_client_that_does_not_wait() {
    let (recorder, provider) = (Recorder::start().unwrap(), provider());
    provider.script(DISCOVERY, Script::Hang);
    let upstream = recorder.port();
    let gate = ShippedGate::between(recorder, upstream, provider, |setup| {
        let cluster = "                                cluster: provider\n";
        let keys = "                                keys: { timeout: 30s }\n";
        logging_headers(setup.edited(cluster, &format!("{cluster}{keys}")))
    });
    let good = gate.token("app-a", &[READER]);
    let request = making_up(&Request::get("/api/v1/workflows").bearer(&good));
    let patience = Duration::from_millis(500);
    assert!(exchange_within(gate.envoy.port(), &request.bytes(), patience).is_err());
    let line = lines(&gate, 1).remove(0);
    assert_eq!(line["status"], json!(0), "{line}");
    assert_none(&line, "a wait");
}
