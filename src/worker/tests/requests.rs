//! Requests that are decided at once.

use super::*;

fn value<'h>(head: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut found = head.iter().filter(|(other, _)| other == name);
    found.next().map(|(_, value)| value.as_str())
}

#[test]
fn a_request_with_a_good_token_goes_on_with_the_upstream_api_key() {
    let scene = Scene::new(&with_keys());
    assert_eq!(scene.request(2, good()), Flow::Continue);
    let Progress::Upstream(head) = scene.progress(2) else {
        panic!("held");
    };
    assert_eq!(value(&head, "x-n8n-api-key"), Some("upstream-api-key"));
    assert_eq!(value(&head, "authorization"), None);
    assert_eq!(value(&head, "x-auth-subject"), Some("app"), "not made up");
    let properties = scene.host.stream(2).properties;
    assert_eq!(properties["n8n_idp_gate.principal"], "app");
    assert_eq!(scene.last_record("decision"), "forward");
    assert_eq!(scene.last_record("address"), "10.0.0.1");
    assert_eq!(scene.body(2), Flow::Continue);
}

#[test]
fn a_request_with_a_forged_token_is_held_for_ever() {
    let scene = Scene::new(&with_keys());
    assert_eq!(scene.request(2, forged()), Flow::Hold);
    assert_eq!(scene.replied(2), Some(401));
    assert_eq!(scene.last_record("reason"), "bad_signature");
    assert_eq!(scene.body(2), Flow::Hold);
    // Its local reply goes to the client.
    assert_eq!(scene.response(2, 401), Flow::Continue);
    let response = scene.host.stream(2).response;
    assert_eq!(
        value(&response, "x-n8n-api-key"),
        Some("echo"),
        "no request of n8n's"
    );
}

/// A head of which only some headers were changed would show n8n the identity that a client made up.
#[test]
fn a_request_that_the_host_does_not_change_is_refused() {
    for function in [
        Function::RemoveHeader,
        Function::AddHeader,
        Function::ReplaceHeader,
    ] {
        let scene = Scene::new(&with_keys());
        scene.host.refuse(function);
        assert_eq!(scene.request(2, good()), Flow::Hold, "{function:?}");
        assert_eq!(scene.replied(2), Some(503), "{function:?}");
        assert_eq!(scene.last_record("decision"), "reject");
        assert_eq!(scene.last_record("reason"), "host_failure");
        scene.host.refuse_nothing();
        assert_eq!(scene.body(2), Flow::Hold, "{function:?}");
    }
}

#[test]
fn a_request_whose_head_is_not_there_is_refused() {
    let scene = Scene::new(&with_keys());
    scene.host.refuse(Function::RequestHead);
    assert_eq!(scene.request(2, good()), Flow::Hold);
    assert_eq!(scene.replied(2), Some(503));
}

#[test]
fn a_request_that_gets_no_local_reply_is_held_all_the_same() {
    let scene = Scene::new(&with_keys());
    scene.host.refuse(Function::Reply);
    assert_eq!(scene.request(2, forged()), Flow::Hold);
    assert_eq!(scene.progress(2), Progress::Held);
    assert_eq!(scene.last_record("reason"), "host_failure");
    assert_eq!(scene.body(2), Flow::Hold);
}

/// The property may have the value of another module, which the access log then shows.
#[test]
fn a_forward_whose_caller_the_host_does_not_name_is_refused() {
    let scene = Scene::new(&with_keys());
    scene.host.refuse(Function::SetProperty);
    assert_eq!(scene.request(2, good()), Flow::Hold);
    assert_eq!(scene.replied(2), Some(503));
    assert_eq!(scene.last_record("reason"), "host_failure");
    assert_eq!(scene.last_record("principal"), "app");
    scene.host.refuse_nothing();
    assert_eq!(scene.body(2), Flow::Hold);
    // A refusal needs no name.
    scene.host.refuse(Function::SetProperty);
    assert_eq!(scene.request(3, forged()), Flow::Hold);
    assert_eq!(scene.replied(3), Some(401));
}

#[test]
fn a_metric_that_the_host_does_not_take_changes_no_decision() {
    let scene = Scene::new(&with_keys());
    scene.host.refuse(Function::DefineMetric);
    assert_eq!(scene.request(2, good()), Flow::Continue);
    scene.tick_after(500);
    assert!(scene.host.0.metrics.borrow().is_empty());
}

#[test]
fn a_request_of_one_worker_says_nothing_about_the_next() {
    let scene = Scene::new(&with_keys());
    assert_eq!(scene.request(2, good()), Flow::Continue);
    assert_eq!(scene.request(3, forged()), Flow::Hold);
    assert_eq!(scene.body(2), Flow::Continue);
    assert_eq!(scene.body(3), Flow::Hold);
    scene.end(2);
    assert_eq!(scene.body(3), Flow::Hold);
}
