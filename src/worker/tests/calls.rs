//! Calls, as the host sends them and reports their ends.

use super::*;
use crate::facts::{self, MAX_DOCUMENT};
use crate::worker::call::response;

#[test]
fn a_key_set_is_fetched_from_the_cluster_of_the_operator() {
    let scene = Scene::new(&with_fetch());
    scene.tick_after(2);
    let call = scene.host.last_call();
    assert_eq!(call.cluster, "idp");
    assert_eq!(call.body, None);
    assert!(call.timeout.as_secs() > 0);
    let version = concat!("n8n-idp-gate/", env!("CARGO_PKG_VERSION"));
    for (name, value) in [
        (":method", Some("GET")),
        (":scheme", Some("https")),
        (":authority", Some("idp.example")),
        (":path", Some("/jwks")),
        ("accept", Some("application/json")),
        ("accept-encoding", Some("identity")),
        ("user-agent", Some(version)),
        ("authorization", None),
        ("content-type", None),
    ] {
        assert_eq!(call.header(name), value, "{name}");
    }
}

#[test]
fn a_token_is_introspected_in_a_form_with_the_credentials_of_the_gate() {
    let scene = Scene::new(&configuration(&json!({"introspection": {
        "uri": "https://idp.example/introspect", "cluster": "idp", "client_id": "gate",
        "client_secret": {"env": "SECRET"}}})));
    assert_eq!(scene.request(2, bearing("opaque")), Flow::Hold);
    scene.tick_after(2);
    let call = scene.host.last_call();
    assert_eq!(call.header(":method"), Some("POST"));
    assert_eq!(
        call.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert!(call.header("authorization").unwrap().starts_with("Basic "));
    assert_eq!(
        call.body.as_deref(),
        Some("token=opaque&token_type_hint=access_token")
    );
    let body = json!({"active": true, "aud": "api", "client_id": "app", "token_type": "Bearer"});
    scene.end_call(CallResponse {
        headers: vec![(":status", "200"), ("content-type", "application/json")],
        body: body.to_string().into_bytes(),
    });
    assert!(scene.is_upstream(2));
    scene.tick_after(500);
    assert_eq!(
        scene
            .host
            .metric("n8n_idp_gate.introspections.outcome.active.provider.idp"),
        Some(1)
    );
}

fn ended(headers: &[(&'static str, &'static str)], body: usize) -> facts::CallResponse {
    let host = TestHost::default();
    *host.0.call_response.borrow_mut() = CallResponse {
        headers: headers.to_vec(),
        body: vec![b'x'; body],
    };
    response(&host, headers.len(), body, MAX_DOCUMENT)
}

#[test]
fn a_call_without_a_status_has_no_response() {
    assert_eq!(ended(&[], 3), facts::CallResponse::NoResponse);
    assert_eq!(
        ended(&[("location", "/")], 3),
        facts::CallResponse::NoResponse
    );
    assert_eq!(
        ended(&[(":status", "no")], 3),
        facts::CallResponse::NoResponse
    );
}

#[test]
fn a_response_has_the_headers_that_are_read_and_no_more_of_its_body_than_the_bound() {
    let headers = [
        (":status", "302"),
        ("cache-control", "max-age=1"),
        ("retry-after", "2"),
        ("content-type", "text/html"),
        ("content-encoding", "gzip"),
        ("location", "/login"),
    ];
    let facts::CallResponse::Response {
        status,
        headers,
        body,
    } = ended(&headers, MAX_DOCUMENT + 9)
    else {
        panic!("no response");
    };
    assert_eq!(status, 302);
    assert_eq!(body.len(), MAX_DOCUMENT + 1, "one more than is read");
    let fields = [
        "cache-control",
        "retry-after",
        "content-type",
        "content-encoding",
        "location",
    ];
    let fields = fields.map(|name| {
        let value = headers.all(name).next().unwrap().to_vec();
        String::from_utf8(value).unwrap()
    });
    assert_eq!(fields, ["max-age=1", "2", "text/html", "gzip", "/login"]);
}
