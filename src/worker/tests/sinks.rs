//! Where audit records go.

use super::*;

const RECORD: &str = "n8n_idp_gate.audit";

/// A gate whose records go to access logs, and to the log too if `word` is `both`.
fn scene(mut configuration: Value, word: &str) -> Scene {
    configuration["audit"] = json!({"surfaces": ["webhook"], "to": word});
    Scene::new(&configuration)
}

/// What the access logs have for a request.
fn kept(scene: &Scene, context: u32) -> Value {
    let properties = scene.host.stream(context).properties;
    let record = properties.get(RECORD).map(|text| text.parse().unwrap());
    record.unwrap_or_default()
}

/// A request of a browser.
fn at(path: &str) -> Vec<(String, String)> {
    let pairs = [(":method", "GET"), (":path", path)];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pairs.to_vec()
}

#[test]
fn by_default_records_go_to_the_log_alone() {
    let scene = Scene::new(&with_keys());
    assert_eq!(scene.request(2, good()), Flow::Continue);
    assert_eq!(kept(&scene, 2), Value::Null);
    assert_eq!(scene.host.audit().len(), 1);
}

#[test]
fn records_for_access_logs_are_properties_of_their_requests() {
    let scene = scene(with_keys(), "access_log");
    assert_eq!(scene.request(2, good()), Flow::Continue);
    assert_eq!(scene.request(3, forged()), Flow::Hold);
    let forwarded = kept(&scene, 2);
    assert_eq!(forwarded["decision"], "forward");
    assert_eq!(forwarded["principal"], "app");
    assert_eq!(forwarded["address"], "10.0.0.1");
    let refused = kept(&scene, 3);
    assert_eq!(refused["reason"], "bad_signature");
    assert_eq!(refused["address"], "10.0.0.1");
    assert!(scene.host.audit().is_empty());
    // The level of the log does not matter.
    scene.host.0.is_quiet.set(true);
    scene.tick_after(500);
    assert_eq!(scene.request(4, good()), Flow::Continue);
    assert_eq!(kept(&scene, 4)["decision"], "forward");
    assert_eq!(scene.request(5, forged()), Flow::Hold);
    let claimed = json!({"iss": "https://idp.example", "aud": "api", "sub": "app", "client": "app", "kid": "one"});
    assert_eq!(kept(&scene, 5)["claimed"], claimed);
}

#[test]
fn a_request_that_leaves_no_record_has_no_property() {
    let scene = scene(with_keys(), "both");
    assert_eq!(scene.request(2, at("/home")), Flow::Continue);
    assert_eq!(kept(&scene, 2), Value::Null);
    assert!(scene.host.audit().is_empty());
}

#[test]
fn both_have_the_same_record() {
    let scene = scene(with_keys(), "both");
    assert_eq!(scene.request(2, good()), Flow::Continue);
    assert_eq!(scene.host.audit(), [kept(&scene, 2)]);
}

#[test]
fn the_record_of_a_response_takes_the_place_of_the_one_before() {
    let scene = scene(with_keys(), "access_log");
    assert_eq!(scene.request(2, good()), Flow::Continue);
    assert_eq!(scene.response(2, 403), Flow::Continue);
    let record = kept(&scene, 2);
    assert_eq!(record["decision"], "answered");
    assert_eq!(record["upstream_status"], 403);
    assert_eq!(record["sub"], "app");
    assert_eq!(record["address"], "10.0.0.1");
    assert!(scene.host.audit().is_empty());
}

#[test]
fn a_request_that_waited_has_its_record() {
    let scene = scene(with_fetch(), "access_log");
    assert_eq!(scene.request(2, good()), Flow::Hold);
    assert_eq!(kept(&scene, 2), Value::Null);
    scene.tick_after(2);
    scene.end_call(keys());
    assert!(scene.is_upstream(2));
    assert_eq!(kept(&scene, 2)["decision"], "forward");
    assert_eq!(kept(&scene, 2)["address"], "10.0.0.1");
    assert!(scene.host.audit().is_empty());
}

/// Envoy has written its access logs by then.
#[test]
fn the_record_of_a_client_that_did_not_wait_goes_to_the_log() {
    let scene = scene(with_fetch(), "access_log");
    assert_eq!(scene.request(2, good()), Flow::Hold);
    scene.end(2);
    assert_eq!(scene.last_record("decision"), "abandoned");
    assert_eq!(scene.host.audit().len(), 1);
}

/// Another module could otherwise have its own record of a request that n8n gets.
#[test]
fn no_request_goes_on_whose_record_the_host_does_not_keep() {
    for word in ["access_log", "both"] {
        let scene = scene(with_keys(), word);
        scene.host.refuse(Function::SetProperty);
        assert_eq!(scene.request(2, good()), Flow::Hold, "{word}");
        assert_eq!(scene.replied(2), Some(503), "{word}");
        // What no access log has is in the log.
        assert_eq!(scene.last_record("reason"), "host_failure");
        assert_eq!(scene.host.audit().len(), 1);
        assert_eq!(scene.request(3, forged()), Flow::Hold, "{word}");
        assert_eq!(scene.replied(3), Some(401), "{word}");
        assert_eq!(scene.last_record("reason"), "bad_signature");
    }
}

#[test]
fn the_record_says_that_the_host_did_not_do_what_was_decided() {
    let waited = scene(with_fetch(), "access_log");
    assert_eq!(waited.request(2, good()), Flow::Hold);
    waited.tick_after(2);
    waited.host.refuse(Function::Resume);
    waited.end_call(keys());
    let at_once = scene(with_keys(), "access_log");
    at_once.host.refuse(Function::AddHeader);
    assert_eq!(at_once.request(2, good()), Flow::Hold);
    for scene in [waited, at_once] {
        assert_eq!(scene.replied(2), Some(503));
        assert_eq!(kept(&scene, 2)["decision"], "reject");
        assert_eq!(kept(&scene, 2)["reason"], "host_failure");
        assert!(scene.host.audit().is_empty());
    }
}
