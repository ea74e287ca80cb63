//! Upstream API keys: the next one after n8n refused one, and those that the gate makes.

use log::Level;

use super::*;

/// A principal with these fields beside the usual ones. The gate may call n8n.
fn with_principal(fields: &Value) -> Value {
    let mut configuration = with_keys();
    let principal = configuration["principals"][0].as_object_mut().unwrap();
    principal.remove("api_key");
    principal.extend(fields.as_object().unwrap().clone());
    configuration
}

fn with_user() -> Value {
    let mut configuration = with_principal(&json!({"user": {"per": "client"}}));
    configuration["n8n"] = json!({"cluster": "n8n", "uri": "http://n8n.internal:5678",
        "api_key": {"env": "KEY"}, "seed": {"env": "SEED"}});
    configuration
}

fn response(status: &'static str, body: &Value) -> CallResponse {
    CallResponse {
        headers: vec![(":status", status), ("content-type", "application/json")],
        body: body.to_string().into_bytes(),
    }
}

/// The API key that n8n got.
fn key(scene: &Scene, context: u32) -> String {
    let Progress::Upstream(head) = scene.progress(context) else {
        panic!("{:?}", scene.progress(context));
    };
    let mut keys = head.iter().filter(|(name, _)| name == "x-n8n-api-key");
    keys.next().unwrap().1.clone()
}

/// n8n responds to the calls for a new user with this key. Returns their paths.
fn make(scene: &Scene, secret: &str) -> Vec<String> {
    let session = CallResponse {
        headers: vec![
            (":status", "200"),
            ("set-cookie", "n8n-auth=session; Path=/; HttpOnly"),
        ],
        body: b"{}".to_vec(),
    };
    let invited = json!([{"user": {"id": "u", "emailSent": false,
        "inviteAcceptUrl": "http://n8n/signup?token=t"}, "error": ""}]);
    let scopes = json!({"data": ["workflow:list", "workflow:read"]});
    let made = json!({"data": {"id": "k", "rawApiKey": secret}});
    let mut paths = Vec::new();
    for response in [
        response("404", &json!({})),
        response("201", &invited),
        session,
        response("200", &scopes),
        response("200", &made),
    ] {
        let call = scene.host.last_call();
        assert_eq!(call.cluster, "n8n");
        assert_eq!(call.header(":authority"), Some("n8n.internal:5678"));
        let path = call.header(":path").unwrap().to_owned();
        paths.push(format!("{} {path}", call.header(":method").unwrap()));
        scene.end_call(response);
    }
    paths
}

#[test]
fn a_request_waits_until_its_user_and_its_key_are_made() {
    let scene = Scene::new(&with_user());
    assert_eq!(scene.request(2, good()), Flow::Hold);
    scene.tick_after(20);
    let paths = make(&scene, "made-key");
    assert!(paths[0].starts_with("GET /api/v1/users/client-app-"));
    assert_eq!(
        paths[1..],
        [
            "POST /api/v1/users",
            "POST /rest/invitations/accept",
            "GET /rest/api-keys/scopes",
            "POST /rest/api-keys",
        ]
    );
    assert_eq!(key(&scene, 2), "made-key");
    assert_eq!(scene.request(3, good()), Flow::Continue);
    assert_eq!(key(&scene, 3), "made-key");
    scene.tick_after(500);
    let metrics = scene.host.0.metrics.borrow();
    let made = metrics.keys().find(|name| name.contains("minted_keys"));
    assert!(made.is_some(), "{:?}", metrics.keys());
}

#[test]
fn a_minted_key_that_n8n_refuses_is_not_used_again() {
    let scene = Scene::new(&with_user());
    assert_eq!(scene.request(2, good()), Flow::Hold);
    scene.tick_after(20);
    make(&scene, "first-key");
    scene.tick_after(60_000);
    assert_eq!(scene.request(3, good()), Flow::Continue);
    assert_eq!(key(&scene, 3), "first-key");
    assert_eq!(scene.response(3, 401), Flow::Hold);
    assert_eq!(scene.replied(3), Some(502));
    assert_eq!(scene.last_record("reason"), "upstream_key_refused");
    // The next request waits for another one, which takes two calls.
    assert_eq!(scene.request(4, good()), Flow::Hold);
    scene.tick_after(20);
    scene.end_call(response("200", &json!({"data": ["workflow:list"]})));
    let made = json!({"data": {"id": "k2", "rawApiKey": "second-key"}});
    scene.end_call(response("200", &made));
    assert_eq!(key(&scene, 4), "second-key");
}

#[test]
fn a_fault_is_in_the_record_the_log_and_the_metric_and_no_secret_is() {
    let scene = Scene::new(&with_user());
    assert_eq!(scene.request(2, good()), Flow::Hold);
    scene.tick_after(20);
    scene.end_call(response("401", &json!({"message": "unauthorized"})));
    assert_eq!(scene.replied(2), Some(503));
    assert_eq!(scene.last_record("reason"), "upstream_key_unavailable");
    assert_eq!(scene.last_record("fault"), "client_refused");
    let warnings = scene.host.logged(Level::Warn);
    assert!(
        warnings
            .iter()
            .any(|line| line.contains("n8n refuses the provisioning key (401)")),
        "{warnings:?}"
    );
    for level in [Level::Info, Level::Warn, Level::Error] {
        for line in scene.host.logged(level) {
            assert!(!line.contains("upstream-api-key"), "{line}");
        }
    }
    scene.tick_after(500);
    let metrics = scene.host.0.metrics.borrow();
    let failed = metrics.keys().find(|name| name.contains("client_refused"));
    assert!(failed.is_some(), "{:?}", metrics.keys());
}

#[test]
fn after_a_static_key_that_n8n_refuses_the_next_one_is_used() {
    let keys = json!({"api_keys": [{"env": "KEY"}, {"env": "OTHER"}]});
    let scene = Scene::new(&with_principal(&keys));
    assert_eq!(scene.request(2, good()), Flow::Continue);
    let first = key(&scene, 2);
    assert_eq!(scene.response(2, 401), Flow::Hold);
    assert_eq!(scene.request(3, good()), Flow::Continue);
    let second = key(&scene, 3);
    assert_ne!(first, second);
    // A 403 is about the scopes of a key, not about the key.
    assert_eq!(scene.response(3, 403), Flow::Continue);
    assert_eq!(scene.request(4, good()), Flow::Continue);
    assert_eq!(key(&scene, 4), second);
    assert_eq!(scene.response(4, 401), Flow::Hold);
    assert_eq!(scene.request(5, good()), Flow::Continue);
    assert_eq!(key(&scene, 5), first, "both are refused");
    scene.tick_after(300_000);
    assert_eq!(scene.request(6, good()), Flow::Continue);
    assert_eq!(key(&scene, 6), first);
}
