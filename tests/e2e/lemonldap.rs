//! The gate with opaque tokens of `LemonLDAP::NG`, whose introspection responses have neither
//! audience nor token type.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

#[path = "../support/mod.rs"]
mod support;

use serde_json::{json, Value};
use support::lemonldap::{Lemonldap, ASKING_CLIENT};
use support::ports;
use support::stage::{wait_for_the_end_of_ttl, with_members, Stage};

/// A provider, and a gate with these fields for introspection.
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

/// The introspection responses name the client, and no refresh token is active. The first test
/// shows both.
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
    let recorded = stage.caller(&of_application);
    assert_eq!(recorded, [["key-of-orders"], ["orders"], ["app"]]);
    let without_scope = provider.token("something:else").unwrap();
    let response = stage.list_workflows(&without_scope);
    assert_eq!(response.refusal(), (403, json!("insufficient_scope")));
    let [access, refresh] = provider.log_in("dwho").unwrap();
    let recorded = stage.caller(&access);
    // Nothing in its introspection response distinguishes a person from an application with another
    // name.
    assert_eq!(recorded, [["key-of-doctor"], ["orders"], ["unknown"]]);
    let response = stage.list_workflows(&refresh);
    assert_eq!(response.refusal(), (401, json!("inactive")));
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
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("inactive")));
}

#[test]
fn a_response_that_names_no_token_type_is_refused_unless_that_is_configured() {
    let (provider, stage) = start(|issuer| {
        let mut members = introspection(issuer);
        members["introspection"]["accept_untyped"] = json!(false);
        members
    });
    let token = provider.token("workflow:read").unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("kind_missing")));
}

#[test]
fn introspection_with_an_unknown_client_gives_503() {
    let (provider, stage) = start(|issuer| {
        let mut members = introspection(issuer);
        members["introspection"]["client_id"] = json!("unregistered");
        members
    });
    let token = provider.token("workflow:read").unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(
        response.refusal(),
        (503, json!("introspection_unavailable"))
    );
    let record = stage.envoy.audit().pop().unwrap();
    assert_eq!(record["fault"], json!("client_refused"), "{record}");
}

#[test]
fn userinfo_identifies_a_person_and_has_no_client() {
    let (provider, stage) = start(|issuer| {
        let uri = format!("{issuer}/oauth2/userinfo");
        json!({ "userinfo": {
            "uri": uri, "cluster": "lemonldap", "accept_any_audience": true,
            "ttl": "1s", "inactive_ttl": "1s",
        } })
    });
    let [access, refresh] = provider.log_in("dwho").unwrap();
    let recorded = stage.caller(&access);
    assert_eq!(recorded[0], ["key-of-doctor"]);
    assert_eq!(recorded[1], [""; 0]);
    assert_eq!(recorded[2], ["unknown"]);
    for token in [refresh.as_str(), "made-up"] {
        let response = stage.list_workflows(token);
        assert_eq!(response.refusal(), (401, json!("inactive")), "{token}");
    }
    provider.end_sessions().unwrap();
    wait_for_the_end_of_ttl();
    let response = stage.list_workflows(&access);
    assert_eq!(response.refusal(), (401, json!("inactive")));
}
