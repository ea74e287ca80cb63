//! Clients that can send only one header: tokens of providers as API keys, and API keys as bearer tokens.

use super::*;

const API: &str = "/api/v1/workflows";

/// What happens to a call with these headers, and the head that n8n gets.
fn sent(facts: &TestFacts, headers: &[(&str, &str)]) -> (&'static str, Vec<(String, String)>) {
    let request = request("GET", API, headers);
    let decision = decide_with(facts, &request);
    match &decision.outcome {
        Outcome::Forward(_) => ("forward", upstream(&request, &decision)),
        Outcome::Pass(_) => ("pass", upstream(&request, &decision)),
        Outcome::Await(_) => ("await", Vec::new()),
        _ => (reason(&decision), Vec::new()),
    }
}

fn good() -> String {
    sign(&claims("reader", &["Reader"]))
}

#[test]
fn a_token_as_an_api_key_is_judged_as_a_bearer_token() {
    let facts = facts(&configuration());
    let good = good();
    let (outcome, head) = sent(
        &facts,
        &[
            ("x-n8n-api-key", &format!(" {good} ")),
            ("X_N8N_API_KEY", &good),
            ("authorization", "Basic YTpi"),
            ("cookie", "n8n-auth=x"),
            ("x-auth-subject", "me"),
        ],
    );
    assert_eq!(outcome, "forward");
    assert_eq!(value(&head, "x-n8n-api-key"), Some(READER_KEY));
    for name in ["X_N8N_API_KEY", "authorization", "cookie"] {
        assert_eq!(value(&head, name), None, "{name}");
    }
    assert_eq!(value(&head, "x-auth-subject"), Some("reader"));
    assert!(!format!("{head:?}").contains(&good), "{head:?}");

    let forged = Mint::generate(KeyKind::Ed25519).sign(
        &json!({"alg": "EdDSA", "kid": "one"}),
        &claims("reader", &["Reader"]),
    );
    let mut expired = claims("reader", &["Reader"]);
    expired["exp"] = json!(NOW.0 - 60);
    let mut elsewhere = claims("reader", &["Reader"]);
    elsewhere["aud"] = json!("api://other");
    for (token, expected) in [
        (forged, "bad_signature"),
        (sign(&expired), "expired"),
        (sign(&elsewhere), "wrong_audience"),
        (sign(&claims("reader", &[])), "insufficient_scope"),
        (sign(&claims("visitor", &["Reader"])), "no_principal"),
    ] {
        let as_key = sent(&facts, &[("x-n8n-api-key", &token)]).0;
        let bearer = format!("Bearer {token}");
        assert_eq!(as_key, expected);
        assert_eq!(as_key, sent(&facts, &[("authorization", &bearer)]).0);
    }
}

#[test]
fn a_token_as_an_api_key_is_good_where_static_keys_are_refused() {
    let mut configuration = configuration();
    configuration["public_api"] = json!({"api_keys": "refuse"});
    let facts = facts(&configuration);
    let key = |key: &str| sent(&facts, &[("x-n8n-api-key", key)]).0;
    assert_eq!(key(&good()), "forward");
    assert_eq!(key("static"), "api_key_refused");
}

#[test]
fn only_a_whole_token_of_a_configured_issuer_is_one() {
    let facts = facts(&configuration());
    let good = good();
    let near = json!({"iss": format!("{ISSUER}/"), "sub": "u"});
    for (key, expected) in [
        (format!("Bearer {good}"), "token_as_api_key"),
        (format!("\"{good}\""), "token_as_api_key"),
        (good[..good.len() - 2].to_owned(), "bad_signature"),
        (good.replacen('.', ".!", 1), "token_as_api_key"),
        ("eyJhbGciOiJkaXIifQ.a.b.c.d".to_owned(), "token_as_api_key"),
        (sign(&near), "token_as_api_key"),
        // As before: these are n8n's to judge.
        (sign(&json!({"iss": "https://elsewhere.example"})), "pass"),
        (sign(&json!({"iss": "n8n", "aud": "public-api"})), "pass"),
        ("n8n_api_0123456789abcdef".to_owned(), "pass"),
        ("static".to_owned(), "pass"),
    ] {
        let headers = [("x-n8n-api-key", key.as_str())];
        assert_eq!(sent(&facts, &headers).0, expected, "{key}");
    }
}

#[test]
fn a_token_is_sent_in_one_header_only() {
    let facts = facts(&configuration());
    let good = good();
    let bearer = format!("Bearer {good}");
    for headers in [
        [("authorization", bearer.as_str()), ("x-n8n-api-key", &good)],
        [("authorization", &bearer), ("x-n8n-api-key", "static")],
        [
            ("authorization", "Bearer n8n_api_1"),
            ("x-n8n-api-key", &good),
        ],
    ] {
        assert_eq!(sent(&facts, &headers).0, "two_credentials", "{headers:?}");
    }
    let twice = [("x-n8n-api-key", good.as_str()), ("x-n8n-api-key", &good)];
    assert_eq!(sent(&facts, &twice).0, "duplicate_api_key");
}

#[test]
fn an_opaque_token_with_the_prefix_of_a_provider_is_asked_about() {
    let mut configuration = configuration();
    configuration["providers"][0]["introspection"] = json!({"uri": "https://idp.example/i",
        "cluster": "idp", "client_id": "gate", "client_secret": {"env": "READER_KEY"},
        "accept_untyped": true});
    let key = |facts: &TestFacts, key: &str| sent(facts, &[("x-n8n-api-key", key)]).0;
    // Without a prefix it may as well be an API key of n8n.
    assert_eq!(key(&facts(&configuration), "opaque_0123"), "pass");
    configuration["providers"][0]["token_prefix"] = json!("opaque_");
    let mut facts = facts(&configuration);
    assert_eq!(key(&facts, "opaque_0123"), "await");
    facts.statuses = vec![TestStatus::Inactive];
    assert_eq!(key(&facts, "opaque_0123"), "inactive");
    assert_eq!(key(&facts, "other_0123"), "pass");
}

#[test]
fn the_audit_says_in_which_header_a_token_was() {
    let record = |headers: &[(&str, &str)]| {
        let request = request("GET", API, headers);
        decide_with(&facts(&configuration()), &request)
            .record
            .credential
    };
    let good = good();
    let as_key = record(&[("x-n8n-api-key", &good)]).unwrap();
    assert_eq!(as_key.as_str(), "bearer_as_api_key");
    let bearer = record(&[("authorization", &format!("Bearer {good}"))]);
    assert_eq!(bearer.unwrap().as_str(), "bearer");
}

/// An API key in the form of today, which only n8n can verify.
fn key_of_n8n() -> String {
    sign(&json!({"iss": "n8n", "sub": "u", "aud": "public-api", "jti": "k"}))
}

fn keys_in_bearer(public_api: Value) -> TestFacts {
    let mut configuration = configuration();
    configuration["public_api"] = public_api;
    configuration["public_api"]["api_keys_in_bearer"] = json!(true);
    facts(&configuration)
}

#[test]
fn an_api_key_as_a_bearer_token_goes_on_as_an_api_key_where_the_switch_is_on() {
    let key = key_of_n8n();
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("X_N8N_API_KEY", "other"),
        ("x-auth-subject", "me"),
    ];
    let (outcome, head) = sent(&keys_in_bearer(json!({})), &headers);
    assert_eq!(outcome, "pass");
    assert_eq!(value(&head, "x-n8n-api-key"), Some(key.as_str()));
    for name in ["authorization", "X_N8N_API_KEY", "x-auth-subject"] {
        assert_eq!(value(&head, name), None, "{name}");
    }
    assert_eq!(sent(&facts(&configuration()), &headers).0, "unknown_issuer");
    let legacy = [("authorization", "bearer n8n_api_0123")];
    let (outcome, head) = sent(&keys_in_bearer(json!({})), &legacy);
    assert_eq!(outcome, "pass");
    assert_eq!(value(&head, "x-n8n-api-key"), Some("n8n_api_0123"));
}

#[test]
fn no_other_token_goes_on_as_an_api_key() {
    let facts = keys_in_bearer(json!({}));
    for (token, expected) in [
        (
            sign(&json!({"iss": "n8n-token-exchange", "aud": "public-api"})),
            "unknown_issuer",
        ),
        (
            sign(&json!({"iss": "n8n", "aud": "mcp-server-api"})),
            "unknown_issuer",
        ),
        (
            sign(&json!({"iss": "https://elsewhere.example"})),
            "unknown_issuer",
        ),
        ("opaque".to_owned(), "not_a_jws"),
        (good(), "forward"),
    ] {
        let bearer = format!("Bearer {token}");
        let outcome = sent(&facts, &[("authorization", &bearer)]).0;
        assert_eq!(outcome, expected, "{token}");
    }
    let key = format!("Bearer {}", key_of_n8n());
    let two = [("authorization", key.as_str()), ("x-n8n-api-key", "static")];
    assert_eq!(sent(&facts, &two).0, "two_credentials");
}

#[test]
fn the_rules_for_static_keys_also_hold_for_those_in_bearer() {
    let facts = keys_in_bearer(json!({"rules": [
        {"path": "/api/v1/workflows/**", "api_keys": "refuse"},
    ]}));
    let bearer = format!("Bearer {}", key_of_n8n());
    let at = |path: &str| {
        let request = request("GET", path, &[("authorization", &bearer)]);
        let decision = decide_with(&facts, &request);
        match &decision.outcome {
            Outcome::Pass(_) => "pass",
            _ => reason(&decision),
        }
    };
    assert_eq!(at("/api/v1/workflows"), "api_key_refused");
    assert_eq!(at("/api/v1/executions"), "pass");
    // Webhooks take tokens of providers alone.
    assert_eq!(at("/webhook/orders/new"), "unknown_issuer");
}
