//! Providers that fail, send false data or respond slowly. The gate gets no keys, and each case has
//! its own fault.

use std::time::Duration;

use serde_json::json;

use crate::gate::{changed, key, policy, token, Gate, KEY_ID, READER};
use crate::support::http::Request;
use crate::support::scripted_provider::{ScriptedProvider, DISCOVERY, JWKS};
use crate::support::server::{Reply, Script};

/// What a provider does, at which path it does so, and the fault.
struct Case(&'static str, &'static str, Script, &'static str);

/// The gate gets no document.
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
        Case("limits the rate", JWKS, status(429), "rate_limited"),
        Case("asks for a log-in", JWKS, status(403), "client_error"),
        Case(
            "sends elsewhere",
            JWKS,
            Script::Reply(elsewhere),
            "redirect",
        ),
    ]
}

/// The gate gets a document that it cannot use.
fn no_keys() -> Vec<Case> {
    let text = |text: &str| Script::Reply(Reply::new(200, "application/json", text));
    let page = || Script::Reply(Reply::new(200, "text/html", "<html>log in</html>"));
    let lie = r#"{"issuer":"https://evil.example.test","jwks_uri":"https://evil.example.test/"}"#;
    let symmetric = r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#;
    let certificates = r#"{"a1":"-----BEGIN CERTIFICATE-----\nMII"}"#;
    let compressed = Reply::new(200, "application/json", b"\x1f\x8b\x08\0".as_slice());
    let compressed = Script::Reply(compressed.header("content-encoding", "gzip"));
    let compressed_document = compressed.clone();
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
        Case("compresses its keys", JWKS, compressed, "content_encoding"),
        Case(
            "compresses its document",
            DISCOVERY,
            compressed_document,
            "content_encoding",
        ),
        Case("withdrew its keys", JWKS, text(r#"{"keys":[]}"#), "empty"),
        Case("has no usable key", JWKS, text(symmetric), "no_usable_key"),
        Case("sends 10 MB", JWKS, text(&huge), "too_large"),
    ]
}

/// One gate with a provider for each fault.
#[test]
fn without_keys_tokens_get_503_and_api_keys_pass() {
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
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 503, "{name}: {}", response.text());
        assert_eq!(
            response.json()["reason"],
            json!("keys_unavailable"),
            "{name}"
        );
        let pause = response.header("retry-after").unwrap_or_default();
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
    // The log has the details of the provider's response. The refusals do not.
    let log = gate.envoy.log_text();
    for text in [
        "the server responded with status 302, to \"/elsewhere\"",
        "is of another issuer: expected \"https://idp-10.example.test\", found \"https://evil.example.test\"",
        "the document is encoded (gzip)",
        "it is a page (HTML or XML)",
    ] {
        assert!(log.contains(text), "{text}: {log}");
    }
    // A token that is refused without any key is refused as before.
    let expired = changed(&json!({ "iss": issuer(0), "iat": 1, "exp": 2 }));
    let refused = Request::get("/api/v1/workflows").bearer(&expired);
    let refused = refused.send(gate.envoy.port()).unwrap();
    assert_eq!(
        (refused.status, &refused.json()["reason"]),
        (401, &json!("expired"))
    );
    // Requests with tokens of a working provider, and requests without a token, work as before.
    let good = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    assert_eq!(good.send(gate.envoy.port()).unwrap().status, 200);
    let with_key = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "old-key");
    assert_eq!(with_key.send(gate.envoy.port()).unwrap().status, 200);
}
