//! The bounds on the length of a head, from the client to n8n, with the shipped file and a real
//! Node.js.

use std::time::Duration;

use serde_json::json;

use crate::gate::{key, now, AUDIENCE, KEY_ID, READER};
use crate::shipped_gate::{provider, ShippedGate};
use crate::support::http::Request;
use crate::support::process::{Ending, Process};
use crate::support::recorder::Recorder;
use crate::support::{installed, ports};

/// A Node.js server with the defaults that n8n's server has.
const SERVER: &str = "require('node:http').createServer((request, response) => response.end())
    .listen(+process.argv[1], '127.0.0.1', () => console.log('ready'))";

/// A good token of about this length.
fn token(gate: &ShippedGate, length: usize) -> String {
    let sign = |groups: String| {
        let claims = json!({
            "iss": gate.issuer, "aud": AUDIENCE, "sub": "app-a", "client_id": "app-a",
            "roles": [READER], "iat": now(), "exp": now() + 300, "groups": [groups],
        });
        key().sign(&json!({ "alg": "RS256", "kid": KEY_ID }), &claims)
    };
    let rest = sign(String::new()).len();
    sign("g".repeat((length - rest) / 4 * 3))
}

#[test]
fn each_bound_on_a_head_has_its_own_refusal() {
    let port = ports::free().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let node = installed::node().unwrap();
    let log = directory.path().join("log");
    let mut server = Process::start("Node.js", &node, &log, Ending::Kill, |command| {
        command.args(["-e", SERVER, &port.to_string()]);
    })
    .unwrap();
    server
        .wait_until(Duration::from_secs(30), |log| log.contains("ready"))
        .unwrap();
    let gate = ShippedGate::between(Recorder::start().unwrap(), port, provider(), |setup| setup);
    let send = |request: Request| request.send(gate.envoy.port()).unwrap();
    let list = || Request::get("/api/v1/workflows");

    // The gate removes the token, so n8n does not get its length.
    let longest = token(&gate, 16 * 1024);
    assert!(longest.len() > 16_300, "{}", longest.len());
    let response = send(list().bearer(&longest));
    assert_eq!(response.status, 200, "{}", response.text());
    let response = send(list().bearer(&token(&gate, 17 * 1024)));
    assert_eq!(response.refusal(), (401, json!("too_long")));
    let response = send(list().bearer(&token(&gate, 25 * 1024)));
    assert_eq!(response.status, 431);
    // The gate passes this head unchanged, and n8n's server refuses it.
    let with_key = |length: usize| {
        let request = list().header("X-N8N-API-KEY", "k");
        request.header("X-Filler", "f".repeat(length))
    };
    assert_eq!(send(with_key(15 * 1024)).status, 200);
    let response = send(with_key(17 * 1024));
    assert_eq!(response.status, 431);
    let record = gate.envoy.audit().pop().unwrap();
    assert_eq!(record["decision"], json!("pass"), "{record}");
}
