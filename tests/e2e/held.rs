//! No part of a request gets past the gate before the decision, with any option of the plugin.
//!
//! With `allow_on_headers_stop_iteration` Envoy passes body and trailers to a filter that holds the
//! head. If the filter continues with one of them, Envoy releases all three.

mod ended;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::gate::{key, policy, provider, token, Gate, KEY_ID, ORDERS};
use crate::support::crowd::{self, Parts, Protocol};
use crate::support::envoy::Setup;
use crate::support::http::Request;
use crate::support::scripted_provider::JWKS;
use crate::support::server::{Reply, Script};

const WEBHOOK: &str = "/webhook/orders/new";
const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];

/// A gate that waits for its keys until the flag is set. Its Envoy passes bodies to it during the
/// wait.
fn waiting(shape: impl FnOnce(Setup) -> Setup) -> (Gate, Arc<AtomicBool>) {
    let may_reply = Arc::new(AtomicBool::new(false));
    let keys = Script::Reply(Reply::json(&json!({"keys": [key().jwk(KEY_ID)]})));
    let provider = provider();
    provider.script(JWKS, Script::Later(Arc::clone(&may_reply), Box::new(keys)));
    let mut policy = policy();
    policy["providers"][0]["keys"]["timeout"] = json!("10s");
    let gate = Gate::at(provider, policy, |setup| shape(setup.holding_heads_alone()));
    (gate, may_reply)
}

fn good() -> String {
    token("app-a", &[ORDERS])
}

/// A token with the signature of another token.
fn forged() -> String {
    let (good, other) = (good(), token("app-b", &[ORDERS]));
    let (input, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    format!("{input}.{signature}")
}

/// Every form of a body after a head.
fn forms(head: &Parts) -> [(&'static str, Parts); 5] {
    let head = head.clone().pausing(Duration::from_millis(100));
    [
        ("a body", head.clone().body(&[b"fifteen bytes.."])),
        (
            "a body in parts",
            head.clone().body(&[b"one", b"two", b"three"]),
        ),
        ("an empty body", head.clone().body(&[])),
        (
            "a body and trailers",
            head.clone().body(&[b"one"]).trailers(),
        ),
        ("trailers alone", head.body(&[]).trailers()),
    ]
}

/// Sends these requests while the gate waits for keys, and returns the status of each.
fn ends_when_keys_come(
    gate: &Gate,
    may_reply: &AtomicBool,
    forms: &[(&'static str, Parts)],
) -> Vec<(Protocol, &'static str, u16)> {
    let port = gate.envoy.port();
    thread::scope(|scope| {
        let mut waiting = Vec::new();
        for protocol in BOTH {
            for (form, parts) in forms.iter().cloned() {
                let send = move || crowd::send_one(port, protocol, parts);
                waiting.push((protocol, form, scope.spawn(send)));
            }
        }
        // By now each client has sent its whole request and waits.
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(arrived(gate), [""; 0], "before the keys have come");
        may_reply.store(true, Ordering::SeqCst);
        let ended = waiting
            .into_iter()
            .map(|(protocol, form, waiting)| (protocol, form, waiting.join().unwrap().unwrap()));
        ended.collect()
    })
}

/// The requests that reached the upstream.
fn arrived(gate: &Gate) -> Vec<String> {
    let recorded = gate.recorder.take().into_iter();
    recorded.map(|recorded| recorded.target).collect()
}

#[test]
fn a_request_that_waits_is_not_released_by_its_body_and_a_forged_one_never() {
    let (gate, may_reply) = waiting(|setup| setup);
    let head = Parts::new("POST", WEBHOOK).bearer(&forged());
    for (protocol, form, status) in ends_when_keys_come(&gate, &may_reply, &forms(&head)) {
        assert_eq!(status, 401, "{form} over {protocol:?}");
    }
    assert_eq!(arrived(&gate), [""; 0]);
}

#[test]
fn a_request_that_waits_is_forwarded_with_its_whole_body_if_its_token_is_good() {
    let (gate, may_reply) = waiting(|setup| setup);
    let head = Parts::new("POST", WEBHOOK).bearer(&good());
    let forms = forms(&head);
    let count = forms.len() * BOTH.len();
    for (protocol, form, status) in ends_when_keys_come(&gate, &may_reply, &forms) {
        assert_eq!(status, 200, "{form} over {protocol:?}");
    }
    let arrived = gate.recorder.take();
    assert_eq!(arrived.len(), count);
    for request in arrived {
        assert_eq!(request.values("authorization"), [""; 0]);
        assert_eq!(request.values("x-auth-client"), ["app-a"]);
    }
}

/// The parts of a body that arrive after the wait are not held.
#[test]
fn a_body_that_is_still_being_sent_when_the_wait_ends_arrives_whole() {
    let (gate, may_reply) = waiting(|setup| setup);
    may_reply.store(true, Ordering::SeqCst);
    for protocol in BOTH {
        let parts = Parts::new("POST", WEBHOOK)
            .bearer(&good())
            .pausing(Duration::from_millis(400))
            .body(&[b"one", b"two", b"three"])
            .trailers();
        let status = crowd::send_one(gate.envoy.port(), protocol, parts).unwrap();
        assert_eq!(status, 200, "{protocol:?}");
        let recorded = gate.recorder.take();
        let [recorded] = recorded.as_slice() else {
            panic!("{recorded:?}");
        };
        let body = String::from_utf8_lossy(&recorded.body).into_owned();
        for part in ["one", "two", "three"] {
            assert!(body.contains(part), "{protocol:?}: {body:?}");
        }
    }
}

#[test]
fn a_request_that_was_refused_is_not_released_by_what_comes_after_its_head() {
    let (gate, may_reply) = waiting(|setup| setup);
    may_reply.store(true, Ordering::SeqCst);
    let heads = [
        (401, Parts::new("POST", WEBHOOK)),
        (401, Parts::new("POST", WEBHOOK).bearer(&forged())),
        (403, Parts::new("POST", "/webhook/closed/x")),
        (400, Parts::new("POST", "/webhook/orders//x")),
    ];
    for protocol in BOTH {
        let expected: Vec<u16> = heads.iter().flat_map(|(status, _)| [*status; 5]).collect();
        let parts = heads.iter().flat_map(|(_, head)| forms(head));
        let parts: Vec<Parts> = parts.map(|(_, parts)| parts).collect();
        let answered = crowd::send(gate.envoy.port(), protocol, &parts).unwrap();
        let answered: Vec<u16> = answered.into_iter().map(Result::unwrap).collect();
        assert_eq!(answered, expected, "{protocol:?}");
    }
    assert_eq!(arrived(&gate), [""; 0]);
}

#[test]
fn a_request_that_is_given_up_while_it_waits_does_not_reach_n8n() {
    let (gate, may_reply) = waiting(|setup| setup);
    let body = "fifteen bytes..";
    let request = Request::new("POST", WEBHOOK)
        .bearer(&good())
        .body("text/plain", body);
    let bytes = request.bytes();
    for kept in [bytes.len() - body.len(), bytes.len() - 4, bytes.len()] {
        let some = bytes.split_at(kept).0;
        let patience = Duration::from_millis(300);
        let response = crate::support::http::exchange_within(gate.envoy.port(), some, patience);
        assert!(response.is_err(), "answered without keys: {response:?}");
    }
    may_reply.store(true, Ordering::SeqCst);
    // The next request shows that the gate has its keys and works.
    let next = Parts::new("GET", WEBHOOK).bearer(&good());
    let status = crowd::send_one(gate.envoy.port(), Protocol::Http1, next).unwrap();
    assert_eq!((status, arrived(&gate).len()), (200, 1));
    let abandoned = gate.envoy.audit().into_iter();
    let abandoned = abandoned.filter(|record| record["decision"] == json!("abandoned"));
    assert_eq!(abandoned.count(), 3);
}

/// A host function fails while the gate changes the head, so that only some of the changes are
/// made.
#[test]
fn a_request_that_the_host_fails_does_not_reach_n8n_though_its_body_comes() {
    for function in [
        "proxy_add_header_map_value",
        "proxy_remove_header_map_value",
        "proxy_continue_stream",
    ] {
        let (gate, may_reply) = waiting(|setup| setup.withholding(function));
        let head = Parts::new("POST", WEBHOOK).bearer(&good());
        let ended = ends_when_keys_come(&gate, &may_reply, &forms(&head));
        for (protocol, form, status) in ended {
            assert_eq!(status, 503, "{function}: {form} over {protocol:?}");
        }
        assert_eq!(arrived(&gate), [""; 0], "{function}");
        let audit = gate.envoy.audit();
        let reasons: Vec<&Value> = audit.iter().map(|record| &record["reason"]).collect();
        assert!(!reasons.is_empty(), "{function}");
        assert!(
            reasons
                .iter()
                .all(|reason| **reason == json!("host_failure")),
            "{function}: {reasons:?}"
        );
    }
}
