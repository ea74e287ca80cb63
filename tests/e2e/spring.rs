//! The gate with tokens and answers of Spring Authorization Server, set up as the guide says and
//! as it comes.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

#[path = "../support/mod.rs"]
mod support;

use std::sync::OnceLock;

use serde_json::{json, Value};
use support::http::Request;
use support::ports;
use support::spring::{Spring, ASKING_CLIENT};
use support::stage::{wait_for_the_end_of_ttl, with_members, Stage};

/// One server serves all: it takes ten seconds to start.
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

/// The key, the client, the subject and the kind of a caller that is let through.
fn caller(stage: &Stage, token: &str) -> [Vec<String>; 4] {
    let heard = stage.heard(token);
    [
        "x-n8n-api-key",
        "x-auth-client",
        "x-auth-subject",
        "x-auth-kind",
    ]
    .map(|name| heard.values(name))
}

/// What the audit says of the last request.
fn last_fault(stage: &Stage) -> Value {
    stage.envoy.audit().pop().unwrap()["fault"].clone()
}

/// With members of the provider beside what all have.
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

/// Its access tokens say that they are some, and name audience, client and grant, as the guide
/// asks for.
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

/// As it comes, the provider is asked about every token.
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
fn tokens_with_the_customizer_tell_applications_from_people() {
    let stage = stage(&customized());
    let token = spring().token("known-orders").unwrap();
    let heard = caller(&stage, &token);
    let name = "known-orders";
    assert_eq!(heard, [["key-of-orders"], [name], [name], ["app"]]);
    let post = Request::post("/api/v1/workflows", &json!({})).bearer(&token);
    let answer = post.send(stage.envoy.port()).unwrap();
    assert_eq!(answer.refusal(), (403, json!("insufficient_scope")));
    let alice = spring().log_in("alice").unwrap();
    let heard = caller(&stage, &alice.access);
    assert_eq!(
        heard,
        [["key-of-people"], ["known-desk"], ["alice"], ["user"]]
    );
    // Whatever a client may hold beside an access token opens nothing.
    let answer = stage.list_workflows(&alice.id);
    assert_eq!(answer.refusal(), (401, json!("wrong_type")));
    let answer = stage.list_workflows(&alice.refresh);
    assert_eq!(answer.refusal(), (401, json!("not_a_jws")));
    // So does a token as it comes, which is for its client.
    let answer = stage.list_workflows(&spring().token("orders").unwrap());
    assert_eq!(answer.refusal(), (401, json!("wrong_type")));
    let log = stage.envoy.log_text();
    for token in [token, alice.access, alice.id, alice.refresh] {
        assert!(!log.contains(&token), "the log holds a token");
    }
}

#[test]
fn a_token_as_it_comes_names_no_client_and_no_kind() {
    // ID tokens are for their client as well, and say when the person logged in.
    let stage = stage(&json!({
        "audiences": ["orders", "known-desk"],
        "claims": [{ "claim": "auth_time", "exists": false }],
    }));
    let token = spring().token("orders").unwrap();
    let [key, client, subject, kind] = caller(&stage, &token);
    assert_eq!((key, client), (vec!["key-of-orders".to_owned()], vec![]));
    assert_eq!([subject, kind], [["orders"], ["unknown"]]);
    let alice = spring().log_in("alice").unwrap();
    let answer = stage.list_workflows(&alice.id);
    assert_eq!(answer.refusal(), (401, json!("wrong_type")));
}

#[test]
fn answers_name_the_client_of_tokens_as_they_come() {
    let stage = stage(&asked(&json!({})));
    for name in ["orders", "opaque"] {
        let token = spring().token(name).unwrap();
        assert_eq!(token.contains('.'), name == "orders", "{token}");
        let heard = caller(&stage, &token);
        assert_eq!(heard, [["key-of-orders"], [name], [name], ["app"]]);
        spring().revoke(name, &token).unwrap();
        wait_for_the_end_of_ttl();
        let answer = stage.list_workflows(&token);
        assert_eq!(answer.refusal(), (401, json!("inactive")), "{name}");
    }
    // Refresh tokens and ID tokens are active, too, and are told by what their answers lack.
    let alice = spring().log_in("alice").unwrap();
    for (token, reason) in [
        (alice.refresh, "kind_missing"),
        // It is no access token by itself: it is for its client, and says when she logged in.
        (alice.id, "wrong_type"),
    ] {
        let answer = stage.list_workflows(&token);
        assert_eq!(answer.refusal(), (401, json!(reason)), "{token}");
    }
}

#[test]
fn a_wrong_address_and_a_wrong_secret_are_faults_of_the_gate_s_side() {
    let token = spring().token("opaque").unwrap();
    let uri = format!("{}/introspect", spring().issuer());
    for (members, fault) in [
        // It leads browsers to its page to log in.
        (json!({ "uri": uri }), "redirect"),
        (json!({ "client_id": "unknown" }), "client_refused"),
    ] {
        let stage = stage(&asked(&members));
        let answer = stage.list_workflows(&token);
        assert_eq!(answer.refusal(), (503, json!("introspection_unavailable")));
        assert_eq!(last_fault(&stage), json!(fault));
    }
}
