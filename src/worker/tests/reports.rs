//! The log and the metrics.

use super::*;

const FORWARDED: &str = "n8n_idp_gate.decisions.surface.public_api.outcome.forward.reason.none.\
    provider.idp";

#[test]
fn requests_are_counted_with_the_next_tick() {
    let scene = Scene::new(&with_keys());
    assert_eq!(scene.request(2, good()), Flow::Continue);
    assert_eq!(scene.request(3, good()), Flow::Continue);
    assert_eq!(scene.host.metric(FORWARDED), None);
    scene.tick_after(500);
    assert_eq!(scene.host.metric(FORWARDED), Some(2));
    assert_eq!(scene.host.metric("n8n_idp_gate.memo_hits"), Some(1));
    assert_eq!(scene.host.metric("n8n_idp_gate.keys.provider.idp"), Some(1));
    scene.tick_after(500);
    assert_eq!(scene.host.metric(FORWARDED), Some(2));
}

#[test]
fn requests_are_counted_when_the_configuration_goes_away() {
    let scene = Scene::new(&with_keys());
    assert_eq!(scene.request(2, good()), Flow::Continue);
    scene.worker.close();
    assert_eq!(scene.host.metric(FORWARDED), Some(1));
}

#[test]
fn a_request_that_waits_for_an_unknown_key_is_counted() {
    let scene = Scene::new(&with_fetch());
    scene.tick_after(2);
    scene.end_call(keys());
    scene.tick_after(60_000);
    let token = token(mint(KeyKind::Ed25519), "two");
    assert_eq!(scene.request(2, bearing(&token)), Flow::Hold);
    assert_eq!(scene.progress(2), Progress::Held);
    let name = "n8n_idp_gate.key_id_misses.provider.idp";
    assert_eq!(scene.host.metric(name), Some(1));
}

#[test]
fn fetches_and_their_faults_are_counted_and_logged() {
    let scene = Scene::new(&with_fetch());
    scene.tick_after(2);
    scene.end_call(CallResponse::default());
    let name = "n8n_idp_gate.key_set_failures.fault.no_response.provider.idp";
    assert_eq!(scene.host.metric(name), Some(1));
    assert_eq!(scene.host.logged(Level::Warn).len(), 1);
    while scene.host.0.calls.borrow().len() < 2 {
        scene.tick_after(500);
    }
    let mut response = keys();
    let mut skipped: Value = serde_json::from_slice(&response.body).unwrap();
    let key = skipped["keys"][0].clone();
    skipped["keys"] = json!([key, {"kty": "oct", "kid": "odd", "k": "AA"}]);
    response.body = skipped.to_string().into_bytes();
    scene.end_call(response);
    let name = "n8n_idp_gate.key_set_refreshes.provider.idp";
    assert_eq!(scene.host.metric(name), Some(1));
    let warnings = scene.host.logged(Level::Warn);
    let skipped = "provider idp: keys of the key set are skipped: keys[1] (kid \"odd\")";
    assert!(warnings[1].starts_with(skipped), "{warnings:?}");
    scene.tick_after(500);
    let name = "n8n_idp_gate.skipped_keys.provider.idp";
    assert_eq!(scene.host.metric(name), Some(1));
}

#[test]
fn audit_records_are_made_only_while_the_host_writes_them() {
    let scene = Scene::new(&with_keys());
    scene.host.0.is_quiet.set(true);
    scene.tick_after(500);
    assert_eq!(scene.request(2, good()), Flow::Continue);
    assert!(scene.host.audit().is_empty());
    scene.host.0.is_quiet.set(false);
    scene.tick_after(500);
    assert_eq!(scene.request(3, good()), Flow::Continue);
    assert_eq!(scene.host.audit().len(), 1);
}

/// The host would be asked for the same period with each event.
#[test]
fn a_tick_period_that_the_host_did_not_take_is_asked_for_again() {
    let scene = Scene::new(&with_keys());
    scene.host.refuse(Function::SetTickPeriod);
    scene.tick_after(2);
    assert_eq!(scene.host.0.tick_period.get().unwrap().as_millis(), 2);
    scene.host.refuse_nothing();
    scene.tick_after(2);
    assert_eq!(scene.host.0.tick_period.get().unwrap().as_millis(), 500);
}

/// A difference is recorded and counted, and the request goes on as if there were no second policy.
#[test]
fn what_another_policy_would_decide_is_recorded_and_counted() {
    let mut configuration = with_keys();
    configuration["shadow"] = json!({"principals": [{"name": "reader", "match": {"client": "app"},
        "grant": ["workflow:read"], "api_key": {"env": "KEY"}}]});
    let scene = Scene::new(&configuration);
    let plain = Scene::new(&with_keys());
    for scene in [&scene, &plain] {
        assert_eq!(scene.request(2, good()), Flow::Continue);
        assert_eq!(scene.request(3, good()), Flow::Continue);
    }
    assert_eq!(scene.host.stream(2).head, plain.host.stream(2).head);
    assert_eq!(scene.host.stream(3).head, plain.host.stream(3).head);
    let expected = json!({"decision": "reject", "differs": "decision reason principal missing",
        "missing": "workflow:list", "principal": "reader", "reason": "insufficient_scope"});
    assert_eq!(scene.last_record("decision"), "forward");
    assert_eq!(scene.last_record("shadow"), expected);
    assert_eq!(plain.last_record("shadow"), Value::Null);
    // n8n refuses the key: a second record of the same request, which is not judged again.
    assert_eq!(scene.response(3, 401), Flow::Hold);
    assert_eq!(scene.last_record("reason"), "upstream_key_refused");
    assert_eq!(scene.last_record("shadow"), Value::Null);
    scene.tick_after(500);
    let metric = |name: &str| scene.host.metric(&format!("n8n_idp_gate.{name}"));
    assert_eq!(metric("shadow_decisions.outcome.different"), Some(2));
    assert_eq!(metric("shadow_decisions.outcome.same"), None);
    let difference =
        "shadow_differences.surface.public_api.outcome.reject.reason.insufficient_scope";
    assert_eq!(metric(difference), Some(2));
    assert_eq!(scene.host.metric(FORWARDED), Some(2));
}

#[test]
fn an_equal_policy_leaves_nothing_in_the_records() {
    let mut configuration = with_keys();
    configuration["shadow"] = json!({"principals": configuration["principals"]});
    let scene = Scene::new(&configuration);
    for (context, head) in [(2, good()), (3, forged()), (4, good())] {
        let _ = scene.request(context, head);
        assert_eq!(scene.last_record("shadow"), Value::Null);
    }
    scene.tick_after(500);
    let name = "n8n_idp_gate.shadow_decisions.outcome.same";
    assert_eq!(scene.host.metric(name), Some(3));
}
