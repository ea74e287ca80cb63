//! Where static API keys are refused.

use super::*;

fn enforced(public_api: Value) -> TestFacts {
    let mut configuration = configuration();
    configuration["public_api"] = public_api;
    facts(&configuration)
}

/// The decision for a request with a static API key and these headers in place of the usual authority.
fn keyed(facts: &TestFacts, path: &str, hosts: &[(&str, &str)]) -> &'static str {
    let mut pairs = vec![
        (":method", "GET"),
        (":path", path),
        (":scheme", "https"),
        ("x-n8n-api-key", "static"),
    ];
    pairs.extend(hosts);
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let decision = decide_with(facts, &RequestHead::new(pairs));
    match &decision.outcome {
        Outcome::Pass(_) => "pass",
        _ => reason(&decision),
    }
}

#[test]
fn a_host_and_a_path_can_keep_their_static_keys() {
    let facts = enforced(json!({"api_keys": "refuse", "rules": [
        {"host": "legacy.example.com", "path": "/api/v1/executions/**", "api_keys": "pass"},
    ]}));
    let at = |host, path| keyed(&facts, path, &[(":authority", host)]);
    for host in ["legacy.example.com", "LEGACY.example.com.:8443"] {
        assert_eq!(at(host, "/api/v1/executions/7"), "pass", "{host}");
        assert_eq!(at(host, "/api/v1/workflows"), "api_key_refused", "{host}");
    }
    let path = "/api/v1/executions/7";
    for host in [
        "n8n.example.com",
        "x.legacy.example.com",
        "legacy.example.com.evil.test",
        "legacy.example.com@evil.test",
        "evil.test@legacy.example.com",
        "legacy.example.com, evil.test",
        "",
    ] {
        assert_eq!(at(host, path), "api_key_refused", "{host}");
    }
    let legacy = "legacy.example.com";
    for hosts in [
        &[][..],
        &[("x-forwarded-host", legacy)],
        &[
            (":authority", "n8n.example.com"),
            ("x-forwarded-host", legacy),
        ],
        &[(":authority", "n8n.example.com"), ("host", legacy)],
        &[(":authority", legacy), ("host", "n8n.example.com")],
        &[("forwarded", "host=legacy.example.com")],
    ] {
        assert_eq!(keyed(&facts, path, hosts), "api_key_refused", "{hosts:?}");
    }
}

#[test]
fn no_spelling_of_a_path_gets_a_static_key_past_a_rule() {
    let facts = enforced(json!({"rules": [
        {"path": "/api/v1/credentials/**", "api_keys": "refuse"},
    ]}));
    let at = |path| keyed(&facts, path, &[(":authority", "n8n.example.com")]);
    assert_eq!(at("/api/v1/workflows"), "pass");
    for path in [
        "/api/v1/credentials",
        "/api/v1/credentials/",
        "/api/v1/credentials/7?x=/api/v1/workflows",
        "/api/v1/credentials#/../workflows",
        "/API/V1/CREDENTIALS",
        "/Api/v1/Credentials/7",
    ] {
        assert_eq!(at(path), "api_key_refused", "{path}");
    }
    for path in [
        "/api/v1//credentials",
        "/api/v1/./credentials",
        "/api/v1/workflows/../credentials",
        "/api/v1/workflows%2f..%2fcredentials",
        "/api/v1/%63redentials",
        "/api/v1/credentials%00",
        "/api/v1/credentials;x",
        "/api/v1\\credentials",
    ] {
        assert_eq!(at(path), "ambiguous_path", "{path}");
    }
}

#[test]
fn tokens_are_judged_the_same_where_static_keys_are_refused() {
    let facts = enforced(json!({"api_keys": "refuse"}));
    let token = bearing("GET", "/api/v1/workflows", &claims("reader", &["Reader"]));
    let head = upstream(&token, &decide_with(&facts, &token));
    assert_eq!(value(&head, "x-n8n-api-key"), Some(READER_KEY));
    let nothing = request("GET", "/api/v1/workflows", &[]);
    assert_eq!(reason(&decide_with(&facts, &nothing)), "no_credential");
    let webhook = request("POST", "/webhook/public/x", &[("x-n8n-api-key", "static")]);
    let head = upstream(&webhook, &decide_with(&facts, &webhook));
    assert_eq!(value(&head, "x-n8n-api-key"), Some("static"));
}
