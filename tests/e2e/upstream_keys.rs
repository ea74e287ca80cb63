//! n8n's responses to upstream API keys, and credentials that clients send as API keys.

use std::process::Command;
use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use crate::gate::{changed, now, policy, token, Gate, ADMIN, ISSUER, KEY_A, ORDERS, READER};
use crate::scenario::{arrives, refused, run_scenarios, upstream};
use crate::support::http::{Request, Response};
use crate::support::server::{Reply, Script};

/// n8n's response to a key that it does not accept, with further headers.
fn unauthorized(body: impl Into<Vec<u8>>) -> Reply {
    Reply::new(401, "application/json; charset=utf-8", body)
        .header("WWW-Authenticate", "Bearer realm=\"upstream\"")
        .header("Set-Cookie", "n8n-auth=upstream")
        .header("X-Upstream", "upstream")
}

fn list() -> Request {
    Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]))
}

/// Asserts that the response is a local reply of the gate without any part of n8n's response.
fn assert_is_of_the_gate(what: &str, response: &Response, has_body: bool) {
    assert_eq!(response.status, 502, "{what}: {}", response.text());
    for name in ["www-authenticate", "set-cookie", "x-upstream"] {
        assert_eq!(response.header(name), None, "{what}: {name}");
    }
    let kind = response.header("content-type");
    assert_eq!(kind.as_deref(), Some("application/problem+json"), "{what}");
    assert!(!response.text().contains("upstream says"), "{what}");
    if has_body {
        assert_eq!(response.json()["reason"], "upstream_key_refused", "{what}");
    } else {
        assert_eq!(response.text(), "", "{what}");
    }
}

#[test]
fn a_key_that_n8n_refuses_gives_502_without_a_challenge() {
    let gate = Gate::start();
    let says = json!({"message": "upstream says Unauthorized"}).to_string();
    let large = format!("upstream says {}", "x".repeat(3 << 20));
    let scripts = [
        ("a response", Script::Reply(unauthorized(says.as_str()))),
        ("a large response", Script::Reply(unauthorized(large))),
        ("no body", Script::Reply(unauthorized(""))),
        (
            "a slow response",
            Script::Drip {
                reply: unauthorized(says.as_str()),
                bytes: 40,
                pause: Duration::from_millis(20),
            },
        ),
        (
            "a response that breaks off",
            Script::CutOff(unauthorized(says.as_str())),
        ),
    ];
    for (what, script) in scripts {
        gate.recorder.script(script);
        let response = list().send(gate.envoy.port()).unwrap();
        assert_is_of_the_gate(what, &response, true);
        let head = Request::new("HEAD", "/api/v1/workflows").bearer(&token("app-a", &[READER]));
        let response = head.send(gate.envoy.port()).unwrap();
        assert_is_of_the_gate(&format!("HEAD, {what}"), &response, false);
    }
    let body = vec![b'x'; 2 << 20];
    let post = Request::new("POST", "/api/v1/workflows")
        .bearer(&token("app-a", &[ADMIN]))
        .body("application/json", body);
    gate.recorder
        .script(Script::Reply(unauthorized(says.as_str())));
    let response = post.send(gate.envoy.port()).unwrap();
    assert_is_of_the_gate("a large request", &response, true);
    // The gate works as before.
    gate.recorder
        .script(Script::Reply(Reply::json(&json!({"upstream": true}))));
    assert_eq!(list().send(gate.envoy.port()).unwrap().status, 200);
}

#[test]
fn a_key_that_n8n_refuses_gives_502_over_http_2_too() {
    let gate = Gate::start();
    let says = "upstream says Unauthorized";
    gate.recorder.script(Script::Reply(unauthorized(says)));
    for method in ["GET", "HEAD"] {
        let mut curl = Command::new("curl");
        curl.args(["-si", "--http2-prior-knowledge", "--max-time", "20"]);
        if method == "HEAD" {
            curl.arg("--head");
        }
        let authorization = format!("Authorization: Bearer {}", token("app-a", &[READER]));
        let url = format!("http://127.0.0.1:{}/api/v1/workflows", gate.envoy.port());
        let output = curl.args(["-H", &authorization, &url]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("HTTP/2 502"), "{method}: {text}");
        assert!(!text.contains("upstream says"), "{method}: {text}");
        assert!(!text.contains("www-authenticate"), "{method}: {text}");
        let tells = text.contains("\"reason\":\"upstream_key_refused\"");
        assert_eq!(tells, method == "GET", "{method}: {text}");
    }
}

#[test]
fn a_refused_key_is_in_audit_log_and_metrics_with_its_principal() {
    let gate = Gate::start();
    gate.recorder
        .script(Script::Reply(unauthorized("upstream says")));
    let sent = list().header("x-request-id", "0a-77");
    let response = sent.send(gate.envoy.port()).unwrap();
    assert_is_of_the_gate("a response", &response, true);
    let audit = gate.envoy.audit();
    let [forwarded, refused] = audit.as_slice() else {
        panic!("{audit:?}");
    };
    assert_eq!(forwarded["decision"], "forward");
    for (name, value) in [
        ("decision", json!("reject")),
        ("reason", json!("upstream_key_refused")),
        ("status", json!(502)),
        ("upstream_status", json!(401)),
        ("principal", json!("app-a")),
        ("iss", json!(ISSUER)),
        ("sub", json!("app-a")),
        ("client", json!("app-a")),
        ("jti", json!("token-1")),
        ("operation", json!("workflow:list")),
        ("credential", json!("bearer")),
        ("address", json!("127.0.0.1")),
        ("host", json!("n8n.example.test")),
        ("path", json!("/api/v1/workflows")),
        ("request_id", forwarded["request_id"].clone()),
    ] {
        assert_eq!(refused[name], value, "{name}");
    }
    assert!(refused["request_id"].is_string(), "{refused}");
    assert_eq!(response.json()["request_id"], refused["request_id"]);
    let counted = |name: &str, label: &str| gate.envoy.counted(name, label, 1).unwrap();
    assert_eq!(
        counted("n8n_idp_gate_upstream_refusals", "401_principal_app_a"),
        1
    );
    assert_eq!(counted("n8n_idp_gate_decisions", "upstream_key_refused"), 1);
    let log = gate.envoy.log_text();
    assert!(
        log.contains("n8n refused the API key of principal app-a"),
        "{log}"
    );
}

#[test]
fn the_next_key_is_used_after_n8n_refused_one() {
    let mut policy = policy();
    let principal = policy["principals"][0].as_object_mut().unwrap();
    principal.remove("api_key");
    let keys = json!([{ "env": "N8N_KEY_A" }, { "env": "N8N_KEY_A_NEXT" }]);
    principal.insert("api_keys".to_owned(), keys);
    let gate = Gate::with(policy, |setup| {
        setup.secret("N8N_KEY_A_NEXT", "n8n-next-key-of-app-a")
    });
    let key_of = |response: &Response| {
        assert_eq!(response.status, 200, "{}", response.text());
        gate.recorder
            .take()
            .pop()
            .unwrap()
            .values("x-n8n-api-key")
            .join(" ")
    };
    let send = || list().send(gate.envoy.port()).unwrap();
    assert_eq!(key_of(&send()), KEY_A);
    gate.recorder.script(Script::Reply(unauthorized("no")));
    assert_is_of_the_gate("the current key", &send(), true);
    gate.recorder.script(Script::Reply(Reply::json(&json!({}))));
    assert_eq!(key_of(&send()), "n8n-next-key-of-app-a");
}

/// A 401 is not changed if the client sent the credential, or if Envoy made the response.
#[test]
fn a_401_that_is_not_about_an_upstream_key_reaches_the_caller_unchanged() {
    let gate = Gate::with(policy(), |setup| {
        setup.routes(json!([
            { "match": { "path": "/api/v1/workflows/7" }, "direct_response": { "status": 401 } },
            { "match": { "prefix": "/" }, "route": { "cluster": "upstream" } },
        ]))
    });
    gate.recorder
        .script(Script::Reply(unauthorized("upstream says")));
    let orders = token("app-a", &[ORDERS]);
    for request in [
        Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "static"),
        Request::get("/webhook/orders/new").bearer(&orders),
        Request::get("/webhook/open/x"),
        Request::get("/rest/settings"),
    ] {
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 401);
        assert_eq!(response.text(), "upstream says");
        assert_eq!(response.header("x-upstream").as_deref(), Some("upstream"));
    }
    let earlier = gate.envoy.audit().len();
    let local = Request::get("/api/v1/workflows/7").bearer(&token("app-a", &[READER]));
    let response = local.send(gate.envoy.port()).unwrap();
    assert_eq!((response.status, response.text().as_str()), (401, ""));
    assert_eq!(gate.envoy.audit().len(), earlier + 1);
}

#[test]
fn other_responses_of_n8n_reach_the_caller_and_a_403_is_reported_to_the_operator() {
    let gate = Gate::start();
    for status in [403, 404, 400, 429, 500, 503] {
        let says = Reply::new(
            status,
            "application/json",
            "{\"message\":\"upstream says\"}",
        );
        gate.recorder.script(Script::Reply(says));
        let earlier = gate.envoy.audit().len();
        let response = list().send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, status);
        assert_eq!(response.json()["message"], "upstream says", "{status}");
        let records = gate.envoy.audit().split_off(earlier);
        let decisions: Vec<_> = records.iter().map(|record| &record["decision"]).collect();
        if status == 403 {
            assert_eq!(decisions, ["forward", "answered"]);
            assert_eq!(records[1]["upstream_status"], 403);
            assert_eq!(records[1]["principal"], "app-a");
            assert!(records[1]["hint"].is_string());
        } else {
            assert_eq!(decisions, ["forward"], "{status}");
        }
    }
    let counted = gate
        .envoy
        .counted("n8n_idp_gate_upstream_refusals", "403_principal_app_a", 1);
    assert_eq!(counted.unwrap(), 1);
}

/// A JWT in the form of n8n's API keys.
pub(crate) fn key_of_n8n(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "typ": "JWT"});
    format!("{}.{}.c2lnbmF0dXJl", part(&header), part(claims))
}

#[test]
fn the_expiry_of_upstream_keys_is_in_the_log_and_the_metrics() {
    let expired = key_of_n8n(&json!({"iss": "n8n", "sub": "u", "exp": 1_600_000_000}));
    let good = key_of_n8n(&json!({"iss": "n8n", "sub": "u", "exp": now() + 3600}));
    let mut policy = policy();
    for (index, variable) in ["N8N_KEY_EXPIRED", "N8N_KEY_GOOD"].into_iter().enumerate() {
        policy["principals"][index]["api_key"] = json!({ "env": variable });
    }
    let gate = Gate::with(policy, |setup| {
        setup
            .secret("N8N_KEY_EXPIRED", &expired)
            .secret("N8N_KEY_GOOD", &good)
    });
    let log = gate.envoy.log_text();
    assert!(
        log.contains("the n8n API key of principal app-a has expired"),
        "{log}"
    );
    assert!(!log.contains("principal people has expired"), "{log}");
    let name = "n8n_idp_gate_upstream_key_seconds_left";
    let left = gate.envoy.counted(name, "people", 1).unwrap();
    assert!((3500..=3600).contains(&left), "{left}");
    let stats = gate.envoy.stats().unwrap();
    let of_a = stats
        .lines()
        .find(|line| line.starts_with(name) && line.contains("app_a"));
    assert!(of_a.is_some_and(|line| line.ends_with(" 0")), "{of_a:?}");
}

#[test]
fn a_token_of_a_provider_is_no_key() {
    let gate = Gate::start();
    let good = token("app-a", &[READER]);
    let near = changed(&json!({"iss": format!("{ISSUER}/")}));
    let keyed = |path: &str, key: &str| Request::get(path).header("X-N8N-API-KEY", key);
    let refused = |name, request| refused(name, request, 401, "token_as_api_key");
    let api = "/api/v1/workflows";
    run_scenarios(
        &gate,
        vec![
            arrives(
                "on the public API, where it is judged as a bearer token",
                keyed(api, &good),
                upstream()
                    .with("x-n8n-api-key", KEY_A)
                    .with("x-auth-client", "app-a")
                    .without("authorization"),
            ),
            refused("of an issuer that is nearly configured", keyed(api, &near)),
            refused("with a scheme", keyed(api, &format!("Bearer {good}"))),
            refused("to an open webhook", keyed("/webhook/open/x", &good)),
            refused("to the internal API", keyed("/rest/settings", &good)),
            refused(
                "under another spelling",
                Request::get("/home").header("X_N8N_API_KEY", &good),
            ),
            arrives(
                "an n8n API key",
                keyed(api, &key_of_n8n(&json!({"iss": "n8n", "sub": "u"}))),
                upstream(),
            ),
            arrives(
                "a JWT of another issuer",
                keyed(api, &changed(&json!({"iss": "https://elsewhere.example"}))),
                upstream(),
            ),
        ],
    );
}

#[test]
fn one_key_in_both_headers_is_one_key() {
    let key = key_of_n8n(&json!({"iss": "n8n", "sub": "u"}));
    let twice = |bearer: &str, key: &str| {
        Request::get("/api/v1/workflows")
            .bearer(bearer)
            .header("X-N8N-API-KEY", key)
    };
    let two =
        |name, bearer: &str, key: &str| refused(name, twice(bearer, key), 400, "two_credentials");
    let good = token("app-a", &[READER]);
    run_scenarios(
        &Gate::start(),
        vec![
            arrives(
                "the same key twice, which n8n accepts",
                twice(&key, &key),
                upstream()
                    .with("x-n8n-api-key", &key)
                    .with("authorization", &format!("Bearer {key}")),
            ),
            two("another key", &key, "static"),
            two("a part of it", &key, key.get(..key.len() - 1).unwrap()),
            two("a token twice", &good, &good),
            two("a token and a key", &good, &key),
        ],
    );
    let mut policy = policy();
    policy["public_api"] = json!({"api_keys": "refuse"});
    run_scenarios(
        &Gate::with(policy, |setup| setup),
        vec![refused(
            "the same key twice",
            twice(&key, &key),
            401,
            "api_key_refused",
        )],
    );
}

#[test]
fn the_audit_names_the_key_and_leaves_out_surfaces() {
    let mut policy = policy();
    policy["audit"] = json!({"surfaces": ["public_api"]});
    let gate = Gate::with(policy, |setup| setup);
    let key = key_of_n8n(&json!({"iss": "n8n", "sub": "user-7", "jti": "key-9"}));
    let keyed = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", &key);
    for request in [
        Request::get("/assets/index.js"),
        Request::get("/webhook/open/x"),
        keyed,
        Request::get("/webhook/closed/x"),
    ] {
        request.send(gate.envoy.port()).unwrap();
    }
    let audit = gate.envoy.audit();
    let [passed, denied] = audit.as_slice() else {
        panic!("{audit:?}");
    };
    assert_eq!(passed["decision"], "pass");
    assert_eq!(passed["credential"], "api_key");
    let claims = json!({"sub": "user-7", "jti": "key-9", "verified": false});
    assert_eq!(passed["api_key"], claims);
    assert_eq!(passed["address"], "127.0.0.1");
    assert_eq!(passed["host"], "n8n.example.test");
    assert_eq!(denied["reason"], "webhook_denied");
    assert!(!gate.envoy.log_text().contains(&key));
}

#[test]
fn a_client_that_asks_for_json_reads_the_refusal() {
    let gate = Gate::start();
    for (accept, expected) in [
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("*/*", "application/problem+json"),
        (
            "application/problem+json, application/json",
            "application/problem+json",
        ),
    ] {
        let request = Request::get("/api/v1/workflows").header("Accept", accept);
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(
            response.header("content-type").as_deref(),
            Some(expected),
            "{accept}"
        );
        assert_eq!(response.json()["reason"], "no_credential", "{accept}");
    }
}

#[test]
fn an_api_key_as_a_bearer_token_reaches_n8n_in_its_own_header() {
    let mut policy = policy();
    policy["public_api"] = json!({ "api_keys_in_bearer": true });
    let key = key_of_n8n(&json!({"iss": "n8n", "sub": "u", "aud": "public-api"}));
    run_scenarios(
        &Gate::with(policy, |setup| setup),
        vec![
            arrives(
                "where it is switched on",
                Request::get("/api/v1/workflows").bearer(&key),
                upstream()
                    .with("x-n8n-api-key", &key)
                    .without("authorization")
                    .without("x-auth-client"),
            ),
            refused(
                "to a webhook",
                Request::get("/webhook/orders/new").bearer(&key),
                401,
                "unknown_issuer",
            ),
        ],
    );
}
