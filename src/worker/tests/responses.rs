//! What n8n says about an upstream API key.

use super::*;

fn status(scene: &Scene, context: u32) -> String {
    let response = scene.host.stream(context).response;
    let mut found = response.iter().filter(|(name, _)| name == ":status");
    found.next().unwrap().1.clone()
}

fn has_key(scene: &Scene, context: u32) -> bool {
    let response = scene.host.stream(context).response;
    response.iter().any(|(name, _)| name == "x-n8n-api-key")
}

/// A scene in which a request was forwarded.
fn forwarded() -> Scene {
    let scene = Scene::new(&with_keys());
    assert_eq!(scene.request(2, good()), Flow::Continue);
    scene
}

#[test]
fn a_response_shows_no_api_key_of_n8n() {
    let scene = forwarded();
    assert_eq!(scene.response(2, 200), Flow::Continue);
    assert!(!has_key(&scene, 2));
    assert_eq!(scene.host.audit().len(), 1, "nothing to report");
}

#[test]
fn a_refused_upstream_api_key_is_a_fault_of_the_gateway() {
    let scene = forwarded();
    assert_eq!(scene.response(2, 401), Flow::Hold);
    let Progress::Replied(502, body) = scene.progress(2) else {
        panic!("{:?}", scene.progress(2));
    };
    assert!(!body.contains("upstream-api-key"), "{body}");
    assert_eq!(scene.last_record("reason"), "upstream_key_refused");
    assert_eq!(scene.last_record("upstream_status"), 401);
    assert_eq!(scene.last_record("address"), "10.0.0.1");
    let warnings = scene.host.logged(Level::Warn);
    assert_eq!(
        warnings,
        ["n8n refused the API key of principal app (401); there may be more: see upstream_refusals"]
    );
}

/// Each of them is counted, and the log at level `warning` is not flooded.
#[test]
fn refused_upstream_api_keys_are_warned_of_once_a_minute() {
    let scene = forwarded();
    let mut warnings = Vec::new();
    for (context, seconds) in [(3, 0), (4, 59), (5, 1)] {
        scene.tick_after(seconds * 1000);
        assert_eq!(scene.request(context, good()), Flow::Continue);
        assert_eq!(scene.response(context, 401), Flow::Hold);
        warnings.push(scene.host.logged(Level::Warn).len());
    }
    assert_eq!(warnings, [1, 1, 2]);
    let name = "n8n_idp_gate.upstream_refusals.status.401.principal.app";
    assert_eq!(scene.host.metric(name), Some(3));
}

#[test]
fn a_forbidden_request_goes_to_its_caller_with_a_second_record() {
    let scene = forwarded();
    assert_eq!(scene.response(2, 403), Flow::Continue);
    assert_eq!(status(&scene, 2), "403");
    assert_eq!(scene.last_record("decision"), "answered");
    assert_eq!(scene.last_record("upstream_status"), 403);
    assert!(scene.host.logged(Level::Warn).is_empty());
    let name = "n8n_idp_gate.upstream_refusals.status.403.principal.app";
    assert_eq!(scene.host.metric(name), Some(1));
}

#[test]
fn a_response_that_another_program_made_says_nothing_about_the_key() {
    let scene = forwarded();
    let local = Some("no_healthy_upstream");
    scene
        .host
        .edit_stream(2, |stream| stream.response_details = local);
    assert_eq!(scene.response(2, 401), Flow::Continue);
    assert_eq!(status(&scene, 2), "401");
    assert_eq!(scene.host.audit().len(), 1);
}

/// A 401 would tell the caller that its token is not good, and it would fetch new ones without end.
#[test]
fn a_response_that_the_host_does_not_replace_is_a_502_all_the_same() {
    let scene = forwarded();
    scene.host.refuse(Function::Reply);
    assert_eq!(scene.response(2, 401), Flow::Continue);
    assert_eq!(status(&scene, 2), "502");
    assert_eq!(scene.last_record("reason"), "upstream_key_refused");
    let errors = scene.host.logged(Level::Error);
    assert_eq!(errors.len(), 1, "{errors:?}");
}

#[test]
fn a_header_that_the_host_does_not_remove_is_logged() {
    let scene = forwarded();
    scene.host.refuse(Function::RemoveHeader);
    assert_eq!(scene.response(2, 200), Flow::Continue);
    assert_eq!(scene.host.logged(Level::Error).len(), 1);
}

#[test]
fn the_response_after_a_wait_is_looked_at_too() {
    let scene = Scene::new(&with_fetch());
    assert_eq!(scene.request(2, good()), Flow::Hold);
    scene.tick_after(2);
    scene.end_call(keys());
    assert_eq!(scene.response(2, 401), Flow::Hold);
    assert_eq!(scene.replied(2), Some(502));
    assert!(!has_key(&scene, 2));
}
