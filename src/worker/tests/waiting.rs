//! Requests that wait for a call.

use super::*;

/// A scene in which a request waits, and the call that it waits for is under way.
fn waiting() -> Scene {
    let scene = Scene::new(&with_fetch());
    assert_eq!(scene.request(2, good()), Flow::Hold);
    assert_eq!(scene.progress(2), Progress::Held);
    let head = scene.host.stream(2).head;
    assert!(head.iter().all(|(name, _)| name != "x-auth-subject"));
    assert_eq!(scene.host.0.tick_period.get().unwrap().as_millis(), 2);
    scene.tick_after(2);
    scene
}

#[test]
fn a_request_goes_on_when_its_call_has_ended() {
    let scene = waiting();
    assert_eq!(scene.body(2), Flow::Hold, "the head is held");
    scene.end_call(keys());
    assert!(scene.is_upstream(2));
    assert_eq!(
        scene.host.0.current.get(),
        ROOT,
        "the context of the worker"
    );
    assert_eq!(scene.body(2), Flow::Continue);
    assert_eq!(scene.body(2), Flow::Continue);
    assert_eq!(scene.last_record("decision"), "forward");
    assert_eq!(scene.last_record("address"), "10.0.0.1");
    assert_eq!(scene.response(2, 200), Flow::Continue);
    assert_eq!(scene.host.0.tick_period.get().unwrap().as_millis(), 500);
}

#[test]
fn a_forged_token_is_refused_after_the_wait() {
    let scene = Scene::new(&with_fetch());
    assert_eq!(scene.request(2, forged()), Flow::Hold);
    scene.tick_after(2);
    scene.end_call(keys());
    assert_eq!(scene.replied(2), Some(401));
    assert_eq!(scene.body(2), Flow::Hold);
}

#[test]
fn a_request_that_the_host_does_not_resume_is_refused() {
    let scene = waiting();
    scene.host.refuse(Function::Resume);
    scene.end_call(keys());
    assert_eq!(scene.replied(2), Some(503));
    assert_eq!(scene.last_record("reason"), "host_failure");
    scene.host.refuse_nothing();
    assert_eq!(scene.body(2), Flow::Hold);
}

#[test]
fn a_request_that_the_host_does_not_change_after_its_wait_is_refused() {
    for function in [Function::AddHeader, Function::RemoveHeader] {
        let scene = waiting();
        scene.host.refuse(function);
        scene.end_call(keys());
        assert_eq!(scene.replied(2), Some(503), "{function:?}");
        assert_eq!(scene.last_record("reason"), "host_failure");
        assert_eq!(scene.body(2), Flow::Hold, "{function:?}");
    }
}

/// Its edits would change another request, and `resume` would release it.
#[test]
fn nothing_is_done_to_a_request_that_the_host_does_not_make_current() {
    let scene = waiting();
    let before = scene.host.stream(2).head;
    scene.host.refuse(Function::SetEffectiveContext);
    scene.host.0.current.set(2);
    scene.end_call(keys());
    assert_eq!(scene.progress(2), Progress::Held);
    assert_eq!(scene.host.stream(2).head, before);
    assert_eq!(scene.last_record("reason"), "host_failure");
    assert_eq!(scene.body(2), Flow::Hold);
}

#[test]
fn a_request_that_ends_while_it_waits_is_reported_as_abandoned() {
    let scene = waiting();
    scene.end(2);
    assert_eq!(scene.last_record("decision"), "abandoned");
    assert_eq!(scene.last_record("address"), "10.0.0.1");
    let records = scene.host.audit().len();
    scene.end_call(keys());
    assert_eq!(scene.host.audit().len(), records);
    assert_eq!(
        scene.request(3, good()),
        Flow::Continue,
        "the keys are there"
    );
}

#[test]
fn a_request_that_ends_after_it_was_resumed_leaves_nothing() {
    let scene = waiting();
    scene.end_call(keys());
    scene.end(2);
    assert!(scene
        .worker
        .state()
        .resumed
        .take(crate::facts::WaiterId(2))
        .is_none());
    let records = scene.host.audit();
    assert_eq!(records.len(), 1, "{records:?}");
}

#[test]
fn a_call_that_the_host_loses_costs_its_requests_a_refusal() {
    let scene = waiting();
    let mut passed = 0;
    while scene.progress(2) == Progress::Held {
        scene.tick_after(100);
        passed += 100;
        assert!(passed <= 20_000, "it waits for ever");
    }
    assert_eq!(scene.replied(2), Some(503));
    assert_eq!(scene.body(2), Flow::Hold);
}

#[test]
fn a_call_that_the_host_does_not_send_is_a_fault_and_is_sent_again_later() {
    let scene = Scene::new(&with_fetch());
    scene.host.refuse(Function::SendCall);
    assert_eq!(scene.request(2, good()), Flow::Hold);
    scene.tick_after(2);
    assert_eq!(scene.replied(2), Some(503));
    assert_eq!(scene.last_record("fault"), "not_dispatched");
    let warnings = scene.host.logged(Level::Warn);
    assert!(warnings[0].starts_with("provider idp: the keys could not be fetched"));
    scene.host.refuse_nothing();
    let mut passed = 0;
    while scene.host.0.calls.borrow().is_empty() {
        scene.tick_after(100);
        passed += 100;
        assert!(passed <= 60_000, "it is never sent again");
    }
}

/// An end of a call that the worker did not make, or a second end, is no response to another call.
#[test]
fn the_end_of_an_unknown_call_changes_nothing() {
    let scene = waiting();
    scene.end_call_number(99, keys());
    assert_eq!(scene.progress(2), Progress::Held);
    scene.end_call(CallResponse::default());
    assert_eq!(scene.replied(2), Some(503));
    scene.end_call(keys());
    assert_eq!(scene.request(3, good()), Flow::Hold);
    assert_eq!(scene.replied(3), Some(503), "the second end brought keys");
}

/// Each local reply and each resumed request may lead to more events before the function returns.
#[test]
fn a_host_may_report_events_while_it_resumes_replies_or_sends() {
    let scene = waiting();
    assert_eq!(scene.request(3, forged()), Flow::Hold);
    assert_eq!(scene.request(4, good()), Flow::Hold);
    let inner = scene.clone();
    scene.host.during(Function::Resume, move || {
        assert_eq!(inner.body(2), Flow::Continue, "the next part comes at once");
        inner.tick_after(0);
        assert_eq!(inner.request(5, good()), Flow::Continue);
    });
    let inner = scene.clone();
    scene.host.during(Function::Reply, move || {
        inner.tick_after(0);
        assert_eq!(inner.body(3), Flow::Hold);
        assert_eq!(inner.request(6, forged()), Flow::Hold);
    });
    scene.end_call(keys());
    for context in [2, 4, 5] {
        assert!(scene.is_upstream(context), "{context}");
        assert_eq!(scene.body(context), Flow::Continue, "{context}");
    }
    for context in [3, 6] {
        assert_eq!(scene.replied(context), Some(401), "{context}");
        assert_eq!(scene.body(context), Flow::Hold, "{context}");
    }
}

#[test]
fn a_host_may_end_a_request_while_it_resumes_another() {
    let scene = waiting();
    assert_eq!(scene.request(3, good()), Flow::Hold);
    let inner = scene.clone();
    scene.host.during(Function::Resume, move || inner.end(3));
    scene.end_call(keys());
    assert!(scene.is_upstream(2));
    let scene = Scene::new(&with_fetch());
    assert_eq!(scene.request(2, good()), Flow::Hold);
    let inner = scene.clone();
    scene.host.during(Function::SendCall, move || {
        inner.end(2);
        inner.tick_after(0);
    });
    scene.tick_after(2);
    assert_eq!(scene.last_record("decision"), "abandoned");
    scene.end_call(keys());
    assert_eq!(scene.request(3, good()), Flow::Continue);
}

/// Whether a token is bound may be known only after the wait, in an event of the worker's own context.
#[test]
fn the_certificate_of_each_connection_is_asked_for_after_the_wait() {
    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let scene = Scene::new(&with_fetch());
    for (context, certificate) in [(2, Some(HEX)), (3, None), (4, Some("00"))] {
        assert_eq!(scene.request(context, bound()), Flow::Hold);
        let set = |stream: &mut Stream| stream.certificate = certificate;
        scene.host.edit_stream(context, set);
    }
    scene.tick_after(2);
    scene.end_call(keys());
    assert!(scene.is_upstream(2));
    assert_eq!((scene.replied(3), scene.replied(4)), (Some(401), Some(401)));
    assert_eq!(
        scene.host.0.current.get(),
        ROOT,
        "the context of the worker"
    );
}

/// A request with a token that is bound to a certificate.
fn bound() -> Vec<(String, String)> {
    let seconds = START.to_seconds().0;
    let claims = json!({"iss": "https://idp.example", "aud": "api", "sub": "app", "azp": "app",
        "exp": seconds + 9000, "jti": "t",
        "cnf": {"x5t#S256": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"}});
    let header = json!({"alg": "EdDSA", "kid": "one"});
    bearing(&mint(KeyKind::Ed25519).sign(&header, &claims))
}
