//! Security events that a scripted transmitter pushes, through a real Envoy with two workers.

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::gate::{changed, key, now, policy, Gate, ISSUER, KEY_ID};
use crate::support::http::{Request, Response};

const PATH: &str = "/n8n-idp-gate/events/idp";
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

fn configuration() -> Value {
    let mut policy = policy();
    policy["providers"][0]["events"] = json!({"audience": "https://n8n.example.com/"});
    policy["sharing_secret"] = json!({"env": "SHARING"});
    policy
}

fn gate() -> Gate {
    Gate::with(configuration(), |setup| {
        setup
            .discovered()
            .secret("SHARING", "a-secret-of-all-workers")
            .holding_heads_alone()
            .workers(2)
    })
}

fn event(subject: &Value, events: &Value) -> String {
    let header = json!({"alg": "RS256", "kid": KEY_ID, "typ": "secevent+jwt"});
    let claims = json!({"iss": ISSUER, "aud": "https://n8n.example.com/", "iat": now(), "jti": "e-1",
        "sub_id": subject, "events": events});
    key().sign(&header, &claims)
}

fn push(gate: &Gate, body: &str) -> Response {
    let request = Request::new("POST", PATH).body("application/secevent+jwt", body);
    request.send(gate.envoy.port()).unwrap()
}

/// What comes of several requests with a token, some of them in each worker.
fn statuses(gate: &Gate, token: &str) -> Vec<u16> {
    let one = || {
        let request = Request::get("/api/v1/workflows").bearer(token);
        request.send(gate.envoy.port()).unwrap().status
    };
    let mut all: Vec<u16> = (0..12).map(|_| one()).collect();
    all.dedup();
    all
}

/// The kill switch needs no restart, and a new configuration forgets nothing that was pushed.
#[test]
fn a_new_configuration_revokes_tokens_that_workers_remember() {
    let gate = gate();
    let [by_name, by_event, other] =
        ["u-17", "u-18", "u-19"].map(|sub| changed(&json!({"sub": sub})));
    for token in [&by_name, &by_event, &other] {
        assert_eq!(statuses(&gate, token), [200]);
    }
    let user = json!({"format": "iss_sub", "iss": ISSUER, "sub": "u-18"});
    assert_eq!(
        push(&gate, &event(&user, &json!({SESSION_REVOKED: {}}))).status,
        202
    );
    let mut policy = configuration();
    policy["revoked"] = json!([{"provider": "idp", "sub": "u-17"}]);
    gate.envoy.update(&policy).unwrap();
    let is_new = || statuses(&gate, &by_name) == [401];
    assert!((0..200).any(|_| is_new() || {
        thread::sleep(Duration::from_millis(100));
        false
    }));
    assert_eq!(statuses(&gate, &by_name), [401]);
    assert_eq!(statuses(&gate, &by_event), [401]);
    assert_eq!(statuses(&gate, &other), [200]);
}

#[test]
fn a_pushed_event_ends_the_tokens_of_its_subject_in_all_workers_at_once() {
    let gate = gate();
    let user = json!({"format": "iss_sub", "iss": ISSUER, "sub": "u-17"});
    let [ended, other] = ["u-17", "u-18"].map(|sub| changed(&json!({"sub": sub})));
    for token in [&ended, &other] {
        assert_eq!(statuses(&gate, token), [200]);
    }
    let verification = "https://schemas.openid.net/secevent/ssf/event-type/verification";
    let body = event(
        &json!({"format": "opaque", "id": "stream"}),
        &json!({verification: {}}),
    );
    assert_eq!(push(&gate, &body).status, 202);
    let good = event(&user, &json!({SESSION_REVOKED: {"event_timestamp": now()}}));
    let (_, signature) = good.rsplit_once('.').unwrap();
    let forged = good.replace(signature, &signature.chars().rev().collect::<String>());
    let response = push(&gate, &forged);
    assert_eq!(response.refusal(), (400, json!("event_refused")));
    assert_eq!(push(&gate, &"x".repeat(70_000)).status, 413);
    assert_eq!(statuses(&gate, &ended), [200], "nothing was revoked yet");
    let response = push(&gate, &good);
    assert_eq!((response.status, response.text().as_str()), (202, ""));
    assert_eq!(
        response.header("cache-control").as_deref(),
        Some("no-store")
    );
    assert_eq!(statuses(&gate, &ended), [401]);
    assert_eq!(statuses(&gate, &other), [200]);
    let request = Request::get("/api/v1/workflows").bearer(&ended);
    let response = request.send(gate.envoy.port()).unwrap();
    assert_eq!(response.refusal(), (401, json!("token_revoked")));
    let challenge = response.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    let seen = gate.recorder.take();
    assert!(seen
        .iter()
        .all(|recorded| !recorded.target.starts_with("/n8n-idp-gate")));
}
