//! The gate with opaque tokens of `LemonLDAP::NG`, whose answers name neither audience nor kind.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

#[path = "../support/mod.rs"]
mod support;

use serde_json::{json, Value};
use support::lemonldap::{Lemonldap, ASKING_CLIENT};
use support::ports;
use support::stage::{wait_for_the_end_of_ttl, with_members, Stage};

/// A provider, and the gate that asks it. With members of the provider that say how.
fn start(members: impl FnOnce(&str) -> Value) -> (Lemonldap, Stage) {
    let provider = Lemonldap::start(ports::free().unwrap()).unwrap();
    let issuer = provider.issuer();
    let stage = Stage::start(policy(&issuer, &members(&issuer)), |setup| {
        setup
            .cluster("lemonldap", provider.port())
            .secret("N8N_KEY_ORDERS", "key-of-orders")
            .secret("N8N_KEY_DOCTOR", "key-of-doctor")
            .secret("N8N_GATE_SECRET", "secret-of-gate")
    });
    (provider, stage)
}

fn policy(issuer: &str, members: &Value) -> Value {
    let provider = json!({ "name": "lemonldap", "issuer": issuer, "audiences": ["orders"] });
    json!({
        "providers": [with_members(provider, members)],
        "roles": { "workflow:read": ["workflow:list"] },
        "principals": [
            { "name": "orders", "match": { "client": "orders", "kind": "app" },
              "api_key": { "env": "N8N_KEY_ORDERS" } },
            { "name": "doctor", "match": { "subject": "dwho" },
              "grant": ["workflow:list"], "api_key": { "env": "N8N_KEY_DOCTOR" } },
        ],
    })
}

/// Its answers name the client, and no refresh token is active: the first test shows it.
fn introspection(issuer: &str) -> Value {
    json!({
        "audience_claim": "client_id",
        "introspection": {
            "uri": format!("{issuer}/oauth2/introspect"), "cluster": "lemonldap",
            "client_id": ASKING_CLIENT, "client_secret": { "env": "N8N_GATE_SECRET" },
            "accept_untyped": true, "ttl": "1s", "inactive_ttl": "1s",
        },
    })
}

#[test]
fn opaque_tokens_of_applications_and_people_open_the_api_and_refresh_tokens_do_not() {
    let (provider, stage) = start(introspection);
    let of_application = provider.token("workflow:read").unwrap();
    assert!(!of_application.contains('.'), "{of_application}");
    let heard = stage.caller(&of_application);
    assert_eq!(heard, [["key-of-orders"], ["orders"], ["app"]]);
    let without_scope = provider.token("something:else").unwrap();
    let answer = stage.list_workflows(&without_scope);
    assert_eq!(answer.refusal(), (403, json!("insufficient_scope")));
    let [access, refresh] = provider.log_in("dwho").unwrap();
    let heard = stage.caller(&access);
    // Nothing in its answer tells a person from an application of another name.
    assert_eq!(heard, [["key-of-doctor"], ["orders"], ["unknown"]]);
    let answer = stage.list_workflows(&refresh);
    assert_eq!(answer.refusal(), (401, json!("inactive")));
    let log = stage.envoy.log_text();
    for token in [of_application, access, refresh] {
        assert!(!log.contains(&token), "the log holds a token");
    }
}

#[test]
fn tokens_end_with_their_sessions() {
    let (provider, stage) = start(introspection);
    let token = provider.token("workflow:read").unwrap();
    stage.caller(&token);
    provider.end_sessions().unwrap();
    wait_for_the_end_of_ttl();
    let answer = stage.list_workflows(&token);
    assert_eq!(answer.refusal(), (401, json!("inactive")));
}

#[test]
fn an_answer_that_names_no_kind_is_refused_unless_that_is_accepted() {
    let (provider, stage) = start(|issuer| {
        let mut members = introspection(issuer);
        members["introspection"]["accept_untyped"] = json!(false);
        members
    });
    let token = provider.token("workflow:read").unwrap();
    let answer = stage.list_workflows(&token);
    assert_eq!(answer.refusal(), (401, json!("kind_missing")));
}

#[test]
fn a_client_that_the_provider_does_not_let_in_learns_nothing() {
    let (provider, stage) = start(|issuer| {
        let mut members = introspection(issuer);
        members["introspection"]["client_id"] = json!("nobody");
        members
    });
    let token = provider.token("workflow:read").unwrap();
    let answer = stage.list_workflows(&token);
    assert_eq!(answer.refusal(), (503, json!("introspection_unavailable")));
    let record = stage.envoy.audit().pop().unwrap();
    assert_eq!(record["fault"], json!("client_refused"), "{record}");
}

#[test]
fn a_person_is_known_by_userinfo_too_and_has_no_client_there() {
    let (provider, stage) = start(|issuer| {
        let uri = format!("{issuer}/oauth2/userinfo");
        json!({ "userinfo": {
            "uri": uri, "cluster": "lemonldap", "accept_any_audience": true,
            "ttl": "1s", "inactive_ttl": "1s",
        } })
    });
    let [access, refresh] = provider.log_in("dwho").unwrap();
    let heard = stage.caller(&access);
    assert_eq!(heard[0], ["key-of-doctor"]);
    assert_eq!(heard[1], [""; 0]);
    assert_eq!(heard[2], ["unknown"]);
    for token in [refresh.as_str(), "made-up"] {
        let answer = stage.list_workflows(token);
        assert_eq!(answer.refusal(), (401, json!("inactive")), "{token}");
    }
    provider.end_sessions().unwrap();
    wait_for_the_end_of_ttl();
    let answer = stage.list_workflows(&access);
    assert_eq!(answer.refusal(), (401, json!("inactive")));
}
