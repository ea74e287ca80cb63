//! How long a head may be: one bound after the other, from the client to n8n, in the shipped file
//! before a real Node.js.

use std::time::Duration;

use serde_json::json;

use crate::gate::{key, now, AUDIENCE, KEY_ID, READER};
use crate::shipped_gate::{provider, ShippedGate};
use crate::support::http::Request;
use crate::support::process::{Ending, Process};
use crate::support::recorder::Recorder;
use crate::support::{installed, ports};

/// What n8n's server is without n8n.
const SERVER: &str = "require('node:http').createServer((request, answer) => answer.end())
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
fn each_bound_on_the_way_to_n8n_answers_in_its_own_way() {
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

    // What the gate takes, n8n does not get.
    let longest = token(&gate, 16 * 1024);
    assert!(longest.len() > 16_300, "{}", longest.len());
    let answer = send(list().bearer(&longest));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = send(list().bearer(&token(&gate, 17 * 1024)));
    assert_eq!(answer.refusal(), (401, json!("too_long")));
    let answer = send(list().bearer(&token(&gate, 25 * 1024)));
    assert_eq!(answer.status, 431);
    // What passes as it came, n8n's server refuses by itself.
    let with_key = |length: usize| {
        let request = list().header("X-N8N-API-KEY", "k");
        request.header("X-Filler", "f".repeat(length))
    };
    assert_eq!(send(with_key(15 * 1024)).status, 200);
    let answer = send(with_key(17 * 1024));
    assert_eq!(answer.status, 431);
    let record = gate.envoy.audit().pop().unwrap();
    assert_eq!(record["decision"], json!("pass"), "{record}");
}
