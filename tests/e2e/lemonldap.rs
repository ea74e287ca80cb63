//! The gate with opaque tokens of `LemonLDAP::NG`, whose answers name neither audience nor kind.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

#[path = "../support/mod.rs"]
mod support;

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};
use support::envoy::{Envoy, Setup};
use support::http::{Answer, Request};
use support::lemonldap::{Lemonldap, ASKING_CLIENT};
use support::ports;
use support::recorder::Recorder;

/// A gate before a recorder, and the provider that it asks.
struct Stage {
    provider: Lemonldap,
    recorder: Recorder,
    envoy: Envoy,
}

impl Stage {
    /// With members of the provider that say how it is asked.
    fn start(members: impl FnOnce(&str) -> Value) -> Self {
        let provider = Lemonldap::start(ports::free().unwrap()).unwrap();
        let recorder = Recorder::start().unwrap();
        let issuer = provider.issuer();
        let envoy = Setup::minimal(policy(&issuer, &members(&issuer)), recorder.port())
            .unwrap()
            .cluster("lemonldap", provider.port())
            .secret("N8N_KEY_ORDERS", "key-of-orders")
            .secret("N8N_KEY_DOCTOR", "key-of-doctor")
            .secret("N8N_GATE_SECRET", "secret-of-gate")
            .start()
            .unwrap();
        Self {
            provider,
            recorder,
            envoy,
        }
    }

    fn list_workflows(&self, token: &str) -> Answer {
        let request = Request::get("/api/v1/workflows").bearer(token);
        request.send(self.envoy.port()).unwrap()
    }

    /// The key, the client and the kind of a caller who was let through.
    fn heard(&self, token: &str) -> [Vec<String>; 3] {
        let answer = self.list_workflows(token);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let heard = self.recorder.take().pop().unwrap();
        assert_eq!(heard.values("authorization"), [""; 0]);
        ["x-n8n-api-key", "x-auth-client", "x-auth-kind"].map(|name| heard.values(name))
    }
}

fn policy(issuer: &str, members: &Value) -> Value {
    let mut provider = json!({ "name": "lemonldap", "issuer": issuer, "audiences": ["orders"] });
    for (name, value) in members.as_object().unwrap() {
        provider[name] = value.clone();
    }
    json!({
        "providers": [provider],
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

fn wait_for_the_end_of_ttl() {
    thread::sleep(Duration::from_millis(1200));
}

#[test]
fn opaque_tokens_of_applications_and_people_open_the_api_and_refresh_tokens_do_not() {
    let stage = Stage::start(introspection);
    let of_application = stage.provider.token("workflow:read").unwrap();
    assert!(!of_application.contains('.'), "{of_application}");
    let heard = stage.heard(&of_application);
    assert_eq!(heard, [["key-of-orders"], ["orders"], ["app"]]);
    let without_scope = stage.provider.token("something:else").unwrap();
    let answer = stage.list_workflows(&without_scope);
    assert_eq!(answer.refusal(), (403, json!("insufficient_scope")));
    let [access, refresh] = stage.provider.log_in("dwho").unwrap();
    let heard = stage.heard(&access);
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
    let stage = Stage::start(introspection);
    let token = stage.provider.token("workflow:read").unwrap();
    stage.heard(&token);
    stage.provider.end_sessions().unwrap();
    wait_for_the_end_of_ttl();
    let answer = stage.list_workflows(&token);
    assert_eq!(answer.refusal(), (401, json!("inactive")));
}

#[test]
fn an_answer_that_names_no_kind_is_refused_unless_that_is_accepted() {
    let stage = Stage::start(|issuer| {
        let mut members = introspection(issuer);
        members["introspection"]["accept_untyped"] = json!(false);
        members
    });
    let token = stage.provider.token("workflow:read").unwrap();
    let answer = stage.list_workflows(&token);
    assert_eq!(answer.refusal(), (401, json!("kind_missing")));
}

#[test]
fn a_client_that_the_provider_does_not_let_in_learns_nothing() {
    let stage = Stage::start(|issuer| {
        let mut members = introspection(issuer);
        members["introspection"]["client_id"] = json!("nobody");
        members
    });
    let token = stage.provider.token("workflow:read").unwrap();
    let answer = stage.list_workflows(&token);
    assert_eq!(answer.refusal(), (503, json!("introspection_unavailable")));
    let record = stage.envoy.audit().pop().unwrap();
    assert_eq!(record["fault"], json!("client_refused"), "{record}");
}

#[test]
fn a_person_is_known_by_userinfo_too_and_has_no_client_there() {
    let stage = Stage::start(|issuer| {
        let uri = format!("{issuer}/oauth2/userinfo");
        json!({ "userinfo": {
            "uri": uri, "cluster": "lemonldap", "accept_any_audience": true,
            "ttl": "1s", "inactive_ttl": "1s",
        } })
    });
    let [access, refresh] = stage.provider.log_in("dwho").unwrap();
    let heard = stage.heard(&access);
    assert_eq!(heard[0], ["key-of-doctor"]);
    assert_eq!(heard[1], [""; 0]);
    assert_eq!(heard[2], ["unknown"]);
    for token in [refresh.as_str(), "made-up"] {
        let answer = stage.list_workflows(token);
        assert_eq!(answer.refusal(), (401, json!("inactive")), "{token}");
    }
    stage.provider.end_sessions().unwrap();
    wait_for_the_end_of_ttl();
    let answer = stage.list_workflows(&access);
    assert_eq!(answer.refusal(), (401, json!("inactive")));
}
