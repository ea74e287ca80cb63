//! What callers send where a key of n8n's belongs.

use super::*;
use crate::observe::audit_line;
use crate::time::UnixMillis;

const API: &str = "/api/v1/workflows";

/// A JWT without a good signature, with these claims.
fn unsigned(claims: &Value) -> String {
    let signed = sign(claims);
    let (input, _) = signed.rsplit_once('.').unwrap();
    format!("{input}.c2lnbmF0dXJl")
}

/// The configuration in which the header of API keys is for API keys alone.
fn for_keys_alone() -> Value {
    let mut configuration = configuration();
    configuration["public_api"] = json!({"tokens_in_api_key": false});
    configuration
}

fn keyed(facts: &TestFacts, path: &str, headers: &[(&str, &str)]) -> &'static str {
    let decision = decide_with(facts, &request("GET", path, headers));
    match &decision.outcome {
        Outcome::Pass(_) => "pass",
        Outcome::Forward(_) => "forward",
        _ => reason(&decision),
    }
}

fn with_key(facts: &TestFacts, key: &str) -> &'static str {
    keyed(facts, API, &[("x-n8n-api-key", key)])
}

#[test]
fn a_token_of_a_configured_issuer_is_no_key() {
    let facts = facts(&for_keys_alone());
    let good = sign(&claims("reader", &["Reader"]));
    for key in [
        good.clone(),
        unsigned(&json!({"iss": ISSUER})),
        unsigned(&json!({"iss": format!("{ISSUER}/")})),
        unsigned(&json!({"iss": "http://IDP.example:443/realms/other"})),
        unsigned(&json!({"iss": "idp.example"})),
        format!("Bearer {good}"),
        format!("\"{good}\""),
        format!(" {good}\t"),
        // Encrypted, cut or spoilt: no key of n8n's looks so.
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0.a.b.c.d".to_owned(),
        good[..good.len() - 3].to_owned(),
        good.replacen('.', ".!", 1),
    ] {
        assert_eq!(with_key(&facts, &key), "token_as_api_key", "{key}");
    }
    for key in [
        unsigned(&json!({"iss": "n8n", "sub": "u", "aud": "public-api"})),
        unsigned(&json!({"iss": "n8n", "email": "idp.example", "act": {"iss": ISSUER}})),
        unsigned(&json!({"iss": "https://idp.example.evil"})),
        unsigned(&json!({"iss": "https://elsewhere.example"})),
        unsigned(&json!({"sub": "u"})),
        "n8n_api_0123456789abcdef".to_owned(),
        "static".to_owned(),
    ] {
        assert_eq!(with_key(&facts, &key), "pass", "{key}");
    }
}

#[test]
fn a_token_of_any_tenant_or_version_of_entra_is_no_key() {
    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
    const OTHER: &str = "0b7a1b2c-0000-4000-8000-2d7cd011db47";
    let mut configuration = for_keys_alone();
    configuration["providers"] = json!([{"name": "entra", "type": "entra",
        "tenant": "organizations", "tenants": [TENANT], "audiences": ["api://n8n-api"],
        "jwks": {"keys": [signer().jwk("one")]}}]);
    let facts = facts(&configuration);
    for tenant in [TENANT, OTHER] {
        for issuer in [
            format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            format!("https://sts.windows.net/{tenant}/"),
        ] {
            let key = unsigned(&json!({"iss": issuer, "tid": tenant}));
            assert_eq!(with_key(&facts, &key), "token_as_api_key", "{issuer}");
        }
    }
}

#[test]
fn an_opaque_token_that_a_provider_marks_is_no_key() {
    let mut configuration = for_keys_alone();
    configuration["providers"][0]["introspection"] = json!({"uri": "https://idp.example/i",
        "cluster": "idp", "client_id": "gate", "client_secret": {"env": "READER_KEY"},
        "accept_untyped": true});
    configuration["providers"][0]["token_prefix"] = json!("opaque_");
    let facts = facts(&configuration);
    assert_eq!(with_key(&facts, "opaque_0123"), "token_as_api_key");
    assert_eq!(with_key(&facts, "Bearer opaque_0123"), "token_as_api_key");
    assert_eq!(with_key(&facts, "other_0123"), "pass");
}

#[test]
fn a_token_reaches_no_part_of_n8n_as_a_key_under_any_name() {
    let mut configuration = configuration();
    configuration["path_prefix"] = json!("/n8n");
    configuration["outside"] = json!("pass");
    let facts = facts(&configuration);
    let good = sign(&claims("reader", &["Orders"]));
    let bearer = format!("Bearer {good}");
    for path in [
        API,
        "/webhook/public/x",
        "/webhook-waiting/7",
        "/rest/settings",
        "/home",
        "/healthz",
        "/metrics",
        "/mcp-server/http",
    ] {
        let path = format!("/n8n{path}");
        for name in ["x-n8n-api-key", "X_N8N_API_KEY", "x-n8n_api-key"] {
            let found = keyed(&facts, &path, &[("x-n8n-api-key", "static"), (name, &good)]);
            let expected = match name {
                "x-n8n-api-key" if path.contains("/api/") => "duplicate_api_key",
                _ => "token_as_api_key",
            };
            assert_eq!(found, expected, "{path} {name}");
        }
    }
    // What goes on with the gate's own credential goes on without this.
    let headers = [("authorization", bearer.as_str()), ("X_N8N_API_KEY", &good)];
    assert_eq!(
        keyed(&facts, "/n8n/webhook/orders/new", &headers),
        "forward"
    );
    // What is outside is not n8n.
    let outside = keyed(&facts, "/other", &[("x-n8n-api-key", &good)]);
    assert_eq!(outside, "pass");
}

#[test]
fn a_token_in_place_of_a_refused_api_key_has_its_own_reason() {
    let mut configuration = configuration();
    configuration["public_api"] = json!({"api_keys": "refuse", "tokens_in_api_key": false});
    let facts = facts(&configuration);
    let good = sign(&claims("reader", &["Reader"]));
    assert_eq!(with_key(&facts, &good), "token_as_api_key");
    assert_eq!(with_key(&facts, "static"), "api_key_refused");
    let twice = [
        ("authorization", "Bearer static"),
        ("x-n8n-api-key", "static"),
    ];
    assert_eq!(keyed(&facts, API, &twice), "api_key_refused");
}

#[test]
fn one_key_in_both_headers_goes_on_as_it_came() {
    let facts = facts(&configuration());
    let good = sign(&claims("reader", &["Reader"]));
    let both = |bearer: &str, key: &str| {
        let bearer = format!("Bearer {bearer}");
        let headers = [("authorization", bearer.as_str()), ("x-n8n-api-key", key)];
        keyed(&facts, API, &headers)
    };
    assert_eq!(both("n8n_api_01", "n8n_api_01"), "pass");
    for (bearer, key) in [
        ("n8n_api_01", "n8n_api_02"),
        ("n8n_api_01", "N8N_API_01"),
        ("n8n_api_01", "n8n_api_01 "),
        ("n8n_api_01", "n8n_api_0"),
        ("n8n_api_01", ""),
        (&good, &good),
        (&good, "static"),
    ] {
        assert_eq!(both(bearer, key), "two_credentials", "{bearer} {key}");
    }
    let headers = [
        ("authorization", "Bearer n8n_api_01"),
        ("x-n8n-api-key", "n8n_api_01"),
        ("x-auth-subject", "me"),
    ];
    let request = request("GET", API, &headers);
    let head = upstream(&request, &decide_with(&facts, &request));
    assert_eq!(value(&head, "authorization"), Some("Bearer n8n_api_01"));
    assert_eq!(value(&head, "x-n8n-api-key"), Some("n8n_api_01"));
    assert_eq!(value(&head, "x-auth-subject"), None);
}

#[test]
fn the_audit_has_the_claims_of_an_api_key_as_unverified() {
    let facts = facts(&configuration());
    let odd = "u\u{202e}\n".repeat(400);
    let record = |key: &str| {
        let request = request("GET", API, &[("x-n8n-api-key", key)]);
        let decision = decide_with(&facts, &request);
        let line = audit_line(&decision, &request, UnixMillis(0));
        assert!(
            line.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{line}"
        );
        assert!(!line.contains(key), "{line}");
        serde_json::from_str::<Value>(&line).unwrap()
    };
    let line = record(&unsigned(
        &json!({"iss": "n8n", "sub": "user-7", "jti": "key-9"}),
    ));
    let expected = json!({"sub": "user-7", "jti": "key-9", "verified": false});
    assert_eq!(line["api_key"], expected);
    assert_eq!(line["credential"], "api_key");
    assert_eq!(line["decision"], "pass");
    assert_eq!(line["host"], "n8n.example.com");
    for name in ["sub", "iss", "principal"] {
        assert_eq!(line.get(name), None, "{name}");
    }
    let line = record(&unsigned(&json!({"iss": "n8n", "sub": odd})));
    assert!(line["api_key"]["sub"].as_str().unwrap().len() <= 512);
    let line = record("n8n_api_0123");
    assert_eq!(line.get("api_key"), None);
    assert_eq!(line["credential"], "api_key");
}
