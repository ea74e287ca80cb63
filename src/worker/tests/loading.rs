//! Configurations, and requests without one.

use super::*;

#[test]
fn without_a_configuration_each_request_is_refused() {
    let host = TestHost::default();
    assert!(load(&host, b"{\"providers\": 7}").is_none());
    let errors = host.logged(Level::Error);
    assert!(!errors.is_empty());
    assert!(
        errors
            .iter()
            .all(|line| line.starts_with("configuration: ")),
        "{errors:?}"
    );
    let scene = Scene::new(&with_keys());
    let mut request = Request::new(scene.host.clone(), 7, None);
    let _ = scene.request(7, good());
    scene
        .host
        .edit_stream(7, |stream| stream.progress = Progress::Held);
    scene.host.0.current.set(7);
    assert_eq!(request.head(true), Flow::Hold);
    assert_eq!(scene.replied(7), Some(503));
    assert_eq!(request.body(0, true), Flow::Hold);
    assert_eq!(request.response_head(), Flow::Continue, "the local reply");
}

#[test]
fn a_configuration_is_loaded_with_its_warnings() {
    let host = TestHost::default();
    let mut configuration = with_keys();
    configuration["principals"][0]["api_key"] = json!({"env": "KEY"});
    configuration["crypto"] = json!("auto");
    let policy = load(&host, configuration.to_string().as_bytes()).unwrap();
    let _ = Worker::new(host.clone(), ROOT, policy);
    let lines = host.logged(Level::Info);
    assert!(
        lines[0].ends_with(": 1 providers, 1 principals"),
        "{lines:?}"
    );
    assert_eq!(
        lines[1], "signatures checked by the host: ",
        "it has no such function"
    );
    let warnings = host.logged(Level::Warn);
    assert!(
        warnings
            .iter()
            .any(|line| line.starts_with("the host is not asked to check")),
        "{warnings:?}"
    );
}

/// A token that was issued now was issued in the future for a host without a clock.
#[test]
fn without_a_clock_no_token_is_accepted() {
    let scene = Scene::new(&with_keys());
    scene.host.refuse(Function::Now);
    assert_eq!(scene.request(2, good()), Flow::Hold);
    assert_eq!(scene.replied(2), Some(401));
}
