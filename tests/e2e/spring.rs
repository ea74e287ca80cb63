//! The gate with tokens and responses of Spring Authorization Server, set up as in the guide and
//! with its defaults.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

#[path = "../support/mod.rs"]
mod support;

use std::sync::OnceLock;

use serde_json::{json, Value};
use support::http::Request;
use support::ports;
use support::spring::{Spring, ASKING_CLIENT};
use support::stage::{wait_for_the_end_of_ttl, with_members, Stage};

/// One server for all tests, because it takes ten seconds to start.
fn spring() -> &'static Spring {
    static SPRING: OnceLock<Spring> = OnceLock::new();
    SPRING.get_or_init(|| Spring::start(ports::free().unwrap()).unwrap())
}

fn stage(provider: &Value) -> Stage {
    Stage::start(policy(provider), |setup| {
        setup
            .cluster("spring", spring().port())
            .secret("N8N_KEY_ORDERS", "key-of-orders")
            .secret("N8N_KEY_PEOPLE", "key-of-people")
            .secret("N8N_GATE_SECRET", "secret-of-gate")
    })
}

/// The API key and the identity headers of a caller whose request is forwarded.
fn caller(stage: &Stage, token: &str) -> [Vec<String>; 4] {
    let recorded = stage.recorded(token);
    [
        "x-n8n-api-key",
        "x-auth-client",
        "x-auth-subject",
        "x-auth-kind",
    ]
    .map(|name| recorded.values(name))
}

/// The fault in the audit record of the last request.
fn last_fault(stage: &Stage) -> Value {
    stage.envoy.audit().pop().unwrap()["fault"].clone()
}

/// A policy whose provider also has these fields.
fn policy(members: &Value) -> Value {
    let provider = json!({
        "name": "spring",
        "issuer": spring().issuer(),
        "roles_from": "scopes",
        "cluster": "spring",
    });
    let orders = ["orders", "known-orders", "opaque"];
    json!({
        "providers": [with_members(provider, members)],
        "roles": { "workflow.read": ["workflow:list", "workflow:read"] },
        "principals": [
            { "name": "people", "match": { "kind": "user" },
              "api_key": { "env": "N8N_KEY_PEOPLE" } },
            { "name": "orders", "match": { "subject": orders },
              "api_key": { "env": "N8N_KEY_ORDERS" } },
        ],
    })
}

/// Fields for access tokens with `typ`, audience, client and grant, as in the guide.
fn customized() -> Value {
    json!({
        "audiences": ["api://n8n-api"],
        "typ": "at+jwt",
        "kind": {
            "app": [{ "claim": "grant", "equals": "client_credentials" }],
            "user": [{ "claim": "grant", "equals": "authorization_code" }],
        },
    })
}

/// Fields for a provider with its defaults: every token is introspected.
fn asked(members: &Value) -> Value {
    let asked = json!({
        "uri": format!("{}/oauth2/introspect", spring().issuer()),
        "client_id": ASKING_CLIENT, "client_secret": { "env": "N8N_GATE_SECRET" },
        "always": true, "ttl": "1s", "inactive_ttl": "1s",
    });
    let asked = with_members(asked, members);
    json!({ "audiences": ["orders", "opaque", "known-desk"], "introspection": asked })
}

#[test]
fn tokens_with_the_customizer_mark_applications_and_people() {
    let stage = stage(&customized());
    let token = spring().token("known-orders").unwrap();
    let recorded = caller(&stage, &token);
    let name = "known-orders";
    assert_eq!(recorded, [["key-of-orders"], [name], [name], ["app"]]);
    let post = Request::post("/api/v1/workflows", &json!({})).bearer(&token);
    let response = post.send(stage.envoy.port()).unwrap();
    assert_eq!(response.refusal(), (403, json!("insufficient_scope")));
    let alice = spring().log_in("alice").unwrap();
    let recorded = caller(&stage, &alice.access);
    assert_eq!(
        recorded,
        [["key-of-people"], ["known-desk"], ["alice"], ["user"]]
    );
    // A client's other tokens are refused.
    let response = stage.list_workflows(&alice.id);
    assert_eq!(response.refusal(), (401, json!("wrong_type")));
    let response = stage.list_workflows(&alice.refresh);
    assert_eq!(response.refusal(), (401, json!("not_a_jws")));
    // A token with the provider's defaults, whose audience is its client, is refused too.
    let response = stage.list_workflows(&spring().token("orders").unwrap());
    assert_eq!(response.refusal(), (401, json!("wrong_type")));
    let log = stage.envoy.log_text();
    for token in [token, alice.access, alice.id, alice.refresh] {
        assert!(!log.contains(&token), "the log holds a token");
    }
}

#[test]
fn a_token_as_it_comes_names_no_client_and_no_kind() {
    // ID tokens have their client as audience too, and the time of the log-in.
    let stage = stage(&json!({
        "audiences": ["orders", "known-desk"],
        "claims": [{ "claim": "auth_time", "exists": false }],
    }));
    let token = spring().token("orders").unwrap();
    let [key, client, subject, kind] = caller(&stage, &token);
    assert_eq!((key, client), (vec!["key-of-orders".to_owned()], vec![]));
    assert_eq!([subject, kind], [["orders"], ["unknown"]]);
    let alice = spring().log_in("alice").unwrap();
    let response = stage.list_workflows(&alice.id);
    assert_eq!(response.refusal(), (401, json!("wrong_type")));
}

#[test]
fn introspection_names_the_client_of_tokens_as_they_come() {
    let stage = stage(&asked(&json!({})));
    for name in ["orders", "opaque"] {
        let token = spring().token(name).unwrap();
        assert_eq!(token.contains('.'), name == "orders", "{token}");
        let recorded = caller(&stage, &token);
        assert_eq!(recorded, [["key-of-orders"], [name], [name], ["app"]]);
        spring().revoke(name, &token).unwrap();
        wait_for_the_end_of_ttl();
        let response = stage.list_workflows(&token);
        assert_eq!(response.refusal(), (401, json!("inactive")), "{name}");
    }
    // Refresh tokens and ID tokens are active too. Their introspection responses lack members that
    // those of access tokens have.
    let alice = spring().log_in("alice").unwrap();
    for (token, reason) in [
        (alice.refresh, "kind_missing"),
        // It is not an access token: its audience is its client, and it has the time of the log-in.
        (alice.id, "wrong_type"),
    ] {
        let response = stage.list_workflows(&token);
        assert_eq!(response.refusal(), (401, json!(reason)), "{token}");
    }
}

#[test]
fn a_wrong_address_and_a_wrong_secret_are_faults_of_the_gate_s_side() {
    let token = spring().token("opaque").unwrap();
    let uri = format!("{}/introspect", spring().issuer());
    for (members, fault) in [
        // It redirects browsers to its log-in page.
        (json!({ "uri": uri }), "redirect"),
        (json!({ "client_id": "unknown" }), "client_refused"),
    ] {
        let stage = stage(&asked(&members));
        let response = stage.list_workflows(&token);
        assert_eq!(
            response.refusal(),
            (503, json!("introspection_unavailable"))
        );
        assert_eq!(last_fault(&stage), json!(fault));
    }
}
