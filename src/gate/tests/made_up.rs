//! Callers with good tokens, among many made-up tokens.

use serde_json::json;

use super::*;

/// With `always`, callers with a good JWT get a slot among made-up opaque tokens.
#[test]
fn made_up_tokens_do_not_keep_out_a_jwt_whose_signature_is_good() {
    let configuration = json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
            "jwks": {"keys": [mint(KeyKind::Ed25519).jwk("one")]},
            "introspection": {"uri": "https://idp.example/introspect", "cluster": "idp",
                "client_id": "gate", "client_secret": {"env": "KEY"}, "always": true}}],
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &OneSecret).unwrap();
    let mut gate = Gate::new(loaded.policy, Box::new(GuestCrypto));
    for id in 0..256 {
        let made_up = bearing("/api/v1/workflows", &format!("made-up-{id}"));
        assert!(waits(&gate.request(WaiterId(id), made_up, START)));
    }
    let step = gate.request(WaiterId(256), request("one"), START);
    assert!(waits(&step), "{step:?}");
}

/// A gate with two providers that introspect opaque tokens.
fn gate_of_two_providers() -> Gate {
    let provider = |name: &str| {
        let issuer = format!("https://{name}.example");
        json!({"name": name, "issuer": issuer, "audiences": ["api"],
            "introspection": {"uri": format!("{issuer}/introspect"), "cluster": name,
                "client_id": "gate", "client_secret": {"env": "KEY"}}})
    };
    let configuration = json!({
        "providers": [provider("first"), provider("second")],
        "principals": [{"name": "app", "match": {"provider": "second", "client": "app"},
            "grant": ["*"], "api_key": {"env": "KEY"}}],
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &OneSecret).unwrap();
    Gate::new(loaded.policy, Box::new(GuestCrypto))
}

/// Each of them may cost a signature check.
#[test]
fn requests_that_must_wait_again_are_decided_a_few_at_a_time_too() {
    let mut gate = gate_of_two_providers();
    for id in 0..50 {
        assert!(waits(&gate.request(WaiterId(id), opaque("one"), START)));
    }
    let first = call(&gate.tick(START, &NoMemory));
    gate.received(first, token_status(false), after(1), &NoMemory);
    let mut left = gate.woken.len();
    assert_eq!(left, 50);
    while gate.has_woken() {
        assert_eq!(settled(&mut gate, after(2)), [], "for the second provider");
        let now = gate.woken.len();
        assert!(left - now <= MAX_SETTLED, "{left} {now}");
        left = now;
    }
    assert_eq!(gate.waiting.len(), 50);
}

/// Made-up tokens do not make the gate forget the token status of the first provider before the
/// second one has responded.
#[test]
fn a_token_of_the_second_provider_is_decided_under_a_flood() {
    let mut gate = gate_of_two_providers();
    let path = "/api/v1/workflows";
    let calls = |work: Vec<Work>| -> Vec<CallId> {
        let fetches = work.into_iter().filter_map(|item| match item {
            Work::Call(call) => Some(call.id),
            Work::Report(_) => None,
        });
        fetches.collect()
    };
    assert!(waits(&gate.request(
        WaiterId(1),
        bearing(path, "good"),
        START
    )));
    let first = calls(gate.tick(START, &NoMemory));
    gate.received(first[0], token_status(false), after(1), &NoMemory);
    assert_eq!(settled(&mut gate, after(1)), [], "it waits for the second");
    let second = calls(gate.tick(after(2), &NoMemory));
    let mut id = 100;
    for _ in 0..2048 / 32 {
        for _ in 0..32 {
            id += 1;
            gate.request(
                WaiterId(id),
                bearing(path, &format!("made-up-{id}")),
                after(3),
            );
        }
        for call in calls(gate.tick(after(3), &NoMemory)) {
            gate.received(call, token_status(false), after(3), &NoMemory);
        }
        while gate.has_woken() {
            settled(&mut gate, after(3));
        }
        for gone in id - 31..=id {
            gate.abandon(WaiterId(gone), after(3));
        }
    }
    gate.received(second[0], token_status(true), after(9), &NoMemory);
    assert_eq!(settled(&mut gate, after(9)), [(1, true)]);
}

/// The other request gets its decision.
#[test]
fn a_request_that_loses_its_slot_is_refused_with_a_time_to_retry() {
    let mut gate = gate();
    let fetch = call(&gate.tick(START, &NoMemory));
    for id in 0..1024 {
        let step = gate.request_from(WaiterId(id), whole("one"), &host_view(START), || {
            Some(Source::new("10.0.0.1:4711"))
        });
        assert!(waits(&step));
    }
    let step = gate.request_from(WaiterId(5_000), whole("one"), &host_view(START), || {
        Some(Source::new("10.0.0.2"))
    });
    assert!(waits(&step));
    assert!(gate.tick(after(1), &NoMemory).is_empty());
    let refused = gate.settle_woken(&host_view(after(1)));
    let [(WaiterId(1023), refused)] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    let Action::Reply(_, reply) = refused.action() else {
        panic!("let through");
    };
    assert_eq!(reply.status, 503);
    assert!(reply.headers.iter().any(|(name, _)| *name == "retry-after"));
    assert!(refused.audit().contains("\"reason\":\"too_many_waiting\""));
    assert!(!gate.is_waiting(WaiterId(1023)));
    assert!(gate.is_waiting(WaiterId(5_000)));
    gate.received(fetch, keys("one"), after(2), &NoMemory);
    let mut passed = Vec::new();
    while gate.is_waiting(WaiterId(5_000)) {
        passed.append(&mut settled(&mut gate, after(2)));
    }
    assert!(passed.contains(&(5_000, true)));
}

fn whole(key_id: &str) -> (RequestHead, RequestBody) {
    (request(key_id), RequestBody::None)
}
