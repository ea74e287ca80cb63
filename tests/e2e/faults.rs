//! Providers that fail, lie or drip: none brings keys, and each is told by a fault of its own.

use std::time::Duration;

use serde_json::json;

use crate::gate::{changed, key, policy, token, Gate, KEY_ID, READER};
use crate::support::http::Request;
use crate::support::scripted_provider::{ScriptedProvider, DISCOVERY, JWKS};
use crate::support::server::{Reply, Script};

/// What a provider does, at which of its addresses, and the fault that it is.
struct Case(&'static str, &'static str, Script, &'static str);

/// Nothing comes, or it is no document.
fn no_document() -> Vec<Case> {
    let status = |status| Script::Reply(Reply::status(status));
    let keys = Reply::json(&json!({"keys": [key().jwk(KEY_ID)]}));
    let drip = Script::Drip {
        reply: keys.clone(),
        bytes: 1,
        pause: Duration::from_millis(100),
    };
    let elsewhere = Reply::status(302).header("location", "/elsewhere");
    vec![
        Case("hangs up", DISCOVERY, Script::Close, "unavailable"),
        Case("never answers", JWKS, Script::Hang, "timeout"),
        Case("drips its keys", JWKS, drip, "timeout"),
        Case("breaks off", JWKS, Script::CutOff(keys), "no_response"),
        Case("fails", DISCOVERY, status(500), "server_error"),
        Case("has no document", DISCOVERY, status(404), "not_found"),
        Case("has no keys there", JWKS, status(410), "not_found"),
        Case("is asked too often", JWKS, status(429), "rate_limited"),
        Case("wants a log-in", JWKS, status(403), "client_error"),
        Case(
            "sends elsewhere",
            JWKS,
            Script::Reply(elsewhere),
            "redirect",
        ),
    ]
}

/// A document comes that is of no use.
fn no_keys() -> Vec<Case> {
    let text = |text: &str| Script::Reply(Reply::new(200, "application/json", text));
    let page = || Script::Reply(Reply::new(200, "text/html", "<html>log in</html>"));
    let lie = r#"{"issuer":"https://evil.example.test","jwks_uri":"https://evil.example.test/"}"#;
    let symmetric = r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#;
    let certificates = r#"{"a1":"-----BEGIN CERTIFICATE-----\nMII"}"#;
    let packed = Reply::new(200, "application/json", b"\x1f\x8b\x08\0".as_slice());
    let packed = Script::Reply(packed.header("content-encoding", "gzip"));
    let packed_document = packed.clone();
    let huge = format!("{}{}", " ".repeat(10 << 20), json!({"keys": []}));
    vec![
        Case("lies", DISCOVERY, text(lie), "issuer_mismatch"),
        Case("shows a page", DISCOVERY, page(), "document_malformed"),
        Case("shows a page for keys", JWKS, page(), "page"),
        Case("sends half of it", JWKS, text(r#"{"keys":[{"#), "not_json"),
        Case("sends a list", JWKS, text("[]"), "list"),
        Case("has no signing key", JWKS, text("{}"), "keys_missing"),
        Case(
            "sends certificates",
            JWKS,
            text(certificates),
            "certificates",
        ),
        Case("packs its keys", JWKS, packed, "content_encoding"),
        Case(
            "packs its document",
            DISCOVERY,
            packed_document,
            "content_encoding",
        ),
        Case("withdrew its keys", JWKS, text(r#"{"keys":[]}"#), "empty"),
        Case("has no usable key", JWKS, text(symmetric), "no_usable_key"),
        Case("sends 10 MB", JWKS, text(&huge), "too_large"),
    ]
}

/// One gate with a provider for each fault.
#[test]
fn without_keys_tokens_wait_for_better_times_and_api_keys_pass() {
    let cases: Vec<Case> = no_document().into_iter().chain(no_keys()).collect();
    let issuer = |number: usize| format!("https://idp-{number}.example.test");
    let mut policy = policy();
    let mut servers = Vec::new();
    for (number, Case(_, path, script, _)) in cases.iter().enumerate() {
        let server = ScriptedProvider::start(&issuer(number), &[key().jwk(KEY_ID)]).unwrap();
        server.script(path, script.clone());
        let name = format!("idp-{number}");
        let mut provider = policy["providers"][0].clone();
        provider["name"] = json!(name);
        provider["cluster"] = json!(name);
        provider["issuer"] = json!(issuer(number));
        policy["providers"].as_array_mut().unwrap().push(provider);
        servers.push((name, server));
    }
    let gate = Gate::with(policy, |setup| {
        servers.iter().fold(setup, |setup, (name, server)| {
            setup.cluster(name, server.port())
        })
    });
    for (number, Case(name, _, _, fault)) in cases.iter().enumerate() {
        let bearer = changed(&json!({ "iss": issuer(number) }));
        let request = Request::get("/api/v1/workflows").bearer(&bearer);
        let answer = request.send(gate.envoy.port()).unwrap();
        assert_eq!(answer.status, 503, "{name}: {}", answer.text());
        assert_eq!(answer.json()["reason"], json!("keys_unavailable"), "{name}");
        let pause = answer.header("retry-after").unwrap_or_default();
        assert!(pause.parse::<u64>().is_ok(), "{name}: {pause:?}");
        let audit = gate.envoy.audit();
        let record = audit.last().unwrap();
        assert_eq!(record["provider"], json!(format!("idp-{number}")));
        assert_eq!(record["fault"], json!(fault), "{name}: {record}");
        let stats = gate.envoy.stats().unwrap();
        let counter =
            format!("n8n_idp_gate_key_set_failures_fault_{fault}_provider_idp_{number}{{");
        let is_counted = stats.lines().any(|line| line.starts_with(&counter));
        assert!(is_counted, "{name}: {stats}");
    }
    // What the provider wrote stands in the log, and callers who cannot know it are not told.
    let log = gate.envoy.log_text();
    for said in [
        "the provider answered with status 302, to \"/elsewhere\"",
        "is of another issuer: expected \"https://idp-10.example.test\", found \"https://evil.example.test\"",
        "the document is encoded (gzip)",
        "it is a page (HTML or XML)",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
    // Whose keys are missing changes nothing about a token that no key could save.
    let expired = changed(&json!({ "iss": issuer(0), "iat": 1, "exp": 2 }));
    let refused = Request::get("/api/v1/workflows").bearer(&expired);
    let refused = refused.send(gate.envoy.port()).unwrap();
    assert_eq!(
        (refused.status, &refused.json()["reason"]),
        (401, &json!("expired"))
    );
    // A provider that is well, and calls that need none, do not suffer from it.
    let good = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    assert_eq!(good.send(gate.envoy.port()).unwrap().status, 200);
    let with_key = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "old-key");
    assert_eq!(with_key.send(gate.envoy.port()).unwrap().status, 200);
}
