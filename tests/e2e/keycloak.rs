//! The gate with tokens and keys of Keycloak, set up as in the guide.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

#[path = "../deploy/plugin.rs"]
#[allow(dead_code, reason = "this test uses only a part of the module")]
mod plugin;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use n8n_idp_gate::config::yaml;
use serde_json::{json, Value};
use support::environment;
use support::http::Request;
use support::keycloak::Keycloak;
use support::ports;
use support::stage::{wait_for_the_end_of_ttl, with_members, Stage};

/// One Keycloak for all tests, because it takes half a minute to start.
fn keycloak() -> &'static Keycloak {
    static KEYCLOAK: OnceLock<Keycloak> = OnceLock::new();
    KEYCLOAK.get_or_init(|| Keycloak::start(ports::free().unwrap()).unwrap())
}

/// A gate whose provider has the fields of the guide, with these fields added or replaced.
fn start(members: &Value) -> Stage {
    let secrets = [
        ("N8N_KEY_ORDERS", "key-of-orders"),
        ("N8N_KEY_MAINTENANCE", "key-of-maintenance"),
        ("N8N_KEY_PEOPLE", "key-of-people"),
        ("N8N_GATE_SECRET", "secret-of-n8n"),
        ("UNMAPPED_SECRET", "secret-of-unmapped"),
    ];
    start_with(policy(members), &secrets)
}

fn start_with(policy: Value, secrets: &[(&str, &str)]) -> Stage {
    Stage::start(policy, |setup| {
        let setup = setup.cluster("keycloak", keycloak().port());
        let secrets = secrets.iter();
        secrets.fold(setup, |setup, (name, value)| setup.secret(name, value))
    })
}

fn policy(members: &Value) -> Value {
    let issuer = keycloak().issuer();
    let provider = json!({
        "name": "keycloak",
        "type": "keycloak",
        "issuer": issuer,
        "audiences": ["n8n"],
        "cluster": "keycloak",
        "keys": { "cooldown": "1s" },
    });
    json!({
        "providers": [with_members(provider, members)],
        "roles": {
            "workflow-reader": ["workflow:list", "workflow:read"],
            "n8n:admin": "*",
        },
        "principals": [
            { "name": "orders", "match": { "client": "orders", "kind": "app" },
              "api_key": { "env": "N8N_KEY_ORDERS" } },
            { "name": "maintenance", "match": { "client": "maintenance", "kind": "app" },
              "api_key": { "env": "N8N_KEY_MAINTENANCE" } },
            { "name": "people", "match": { "kind": "user", "email_domain": "example.com" },
              "api_key": { "env": "N8N_KEY_PEOPLE" } },
            { "name": "unmapped", "match": { "client": "unmapped", "kind": "app" },
              "api_key": { "env": "N8N_KEY_ORDERS" } },
        ],
    })
}

/// The fields for introspection of every token, with the credentials of a client of Keycloak.
fn asking_as(client: &str, variable: &str) -> Value {
    let uri = format!(
        "{}/protocol/openid-connect/token/introspect",
        keycloak().issuer()
    );
    json!({
        "introspection": {
            "uri": uri, "client_id": client, "client_secret": { "env": variable },
            "always": true, "ttl": "1s", "inactive_ttl": "1s",
        },
    })
}

/// The gate of all tests that do not change it.
fn shared() -> MutexGuard<'static, Stage> {
    static STAGE: OnceLock<Mutex<Stage>> = OnceLock::new();
    let stage = STAGE.get_or_init(|| Mutex::new(start(&json!({}))));
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn an_application_s_service_account_opens_the_api() {
    let stage = shared();
    let token = keycloak().token("orders").unwrap();
    let recorded = stage.recorded(&token);
    assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-orders"]);
    assert_eq!(recorded.values("x-auth-client"), ["orders"]);
    assert_eq!(recorded.values("x-auth-kind"), ["app"]);
    assert_eq!(recorded.values("x-auth-roles"), ["workflow-reader"]);
    assert_eq!(recorded.values("x-auth-email"), [""; 0]);
    assert_eq!(recorded.values("authorization"), [""; 0]);
    let response = stage.send(Request::post("/api/v1/workflows", &json!({})), &token);
    assert_eq!(response.refusal(), (403, json!("insufficient_scope")));
}

#[test]
fn a_role_of_a_client_counts_under_the_client_s_name() {
    let stage = shared();
    let token = keycloak().token("maintenance").unwrap();
    let response = stage.send(Request::post("/api/v1/workflows", &json!({})), &token);
    assert_eq!(response.status, 200, "{}", response.text());
    let recorded = stage.recorder.take().pop().unwrap();
    assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-maintenance"]);
    assert_eq!(recorded.values("x-auth-roles"), ["n8n:admin"]);
}

#[test]
fn a_person_with_a_verified_address_opens_the_api_and_another_does_not() {
    let stage = shared();
    let alice = keycloak().log_in("alice").unwrap();
    let recorded = stage.recorded(&alice.access);
    assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-people"]);
    assert_eq!(recorded.values("x-auth-kind"), ["user"]);
    assert_eq!(recorded.values("x-auth-email"), ["alice@example.com"]);
    let bob = keycloak().log_in("bob").unwrap();
    let response = stage.list_workflows(&bob.access);
    assert_eq!(response.refusal(), (403, json!("no_principal")));
}

#[test]
fn id_tokens_and_refresh_tokens_are_refused() {
    let stage = shared();
    let alice = keycloak().log_in("alice").unwrap();
    for (what, token, reason) in [
        ("ID token", alice.id, "wrong_type"),
        ("refresh token", alice.refresh, "algorithm_not_allowed"),
    ] {
        let response = stage.list_workflows(&token);
        assert_eq!(response.refusal(), (401, json!(reason)), "{what}");
    }
}

#[test]
fn a_client_without_the_audience_mapper_is_refused() {
    let token = keycloak().token("unmapped").unwrap();
    let response = shared().list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("audience_missing")));
}

#[test]
fn the_client_stands_for_the_audience_where_that_is_configured() {
    let stage = start(&json!({ "audiences": ["unmapped"], "audience_claim": "azp" }));
    let token = keycloak().token("unmapped").unwrap();
    let recorded = stage.recorded(&token);
    assert_eq!(recorded.values("x-auth-client"), ["unmapped"]);
    // If there is an `aud`, it counts, for any client.
    let token = keycloak().token("orders").unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("wrong_audience")));
}

#[test]
fn a_revoked_token_is_refused_as_soon_as_it_is_introspected() {
    let stage = start(&asking_as("n8n", "N8N_GATE_SECRET"));
    let [token, other] = [(); 2].map(|()| keycloak().token("orders").unwrap());
    let recorded = stage.recorded(&token);
    assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-orders"]);
    let record = stage.envoy.audit().pop().unwrap();
    assert_eq!(record["introspection"], json!("active"), "{record}");
    keycloak().revoke("orders", &token).unwrap();
    wait_for_the_end_of_ttl();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("inactive")));
    assert_eq!(stage.list_workflows(&other).status, 200);
}

#[test]
fn the_end_of_a_session_ends_its_tokens() {
    let stage = start(&asking_as("n8n", "N8N_GATE_SECRET"));
    let alice = keycloak().log_in("alice").unwrap();
    stage.recorded(&alice.access);
    keycloak().log_out(&alice).unwrap();
    wait_for_the_end_of_ttl();
    let response = stage.list_workflows(&alice.access);
    assert_eq!(response.refusal(), (401, json!("inactive")));
}

/// Keycloak sends the log-out token itself, and every worker knows of it when it has its response.
#[test]
fn a_log_out_at_keycloak_ends_the_tokens_of_its_session() {
    let mut policy = policy(&json!({ "logout": { "audience": "desk" } }));
    policy["sharing_secret"] = json!({ "env": "SHARING" });
    let stage = Stage::start(policy, |setup| {
        setup
            .cluster("keycloak", keycloak().port())
            .secret("N8N_KEY_ORDERS", "key-of-orders")
            .secret("N8N_KEY_MAINTENANCE", "key-of-maintenance")
            .secret("N8N_KEY_PEOPLE", "key-of-people")
            .secret("SHARING", "a-secret-of-all-workers")
            .holding_heads_alone()
            .workers(2)
    });
    let path = "/n8n-idp-gate/logout/keycloak";
    let address = format!("http://127.0.0.1:{}{path}", stage.envoy.port());
    keycloak().send_log_outs("desk", &address).unwrap();
    let [ended, other] = [(); 2].map(|()| keycloak().log_in("alice").unwrap());
    // Both workers have both tokens in their caches then.
    for _ in 0..8 {
        stage.recorded(&ended.access);
        stage.recorded(&other.access);
    }
    keycloak().log_out(&ended).unwrap();
    for _ in 0..8 {
        let response = stage.list_workflows(&ended.access);
        assert_eq!(response.refusal(), (401, json!("token_revoked")));
        stage.recorded(&other.access);
    }
    let records = stage.envoy.audit();
    let event = records
        .iter()
        .find(|record| record["operation"] == "logout");
    let event = event.unwrap();
    assert_eq!(event["decision"], "respond", "{event}");
    assert_eq!(event["claimed"]["aud"], "desk", "{event}");
}

/// Since version 26.6.2 Keycloak reports the status of a token only to a client in its audience.
#[test]
fn keycloak_calls_tokens_inactive_for_clients_that_are_not_in_their_audience() {
    let stage = start(&asking_as("unmapped", "UNMAPPED_SECRET"));
    let token = keycloak().token("orders").unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("inactive")));
}

#[test]
fn tokens_of_a_new_key_open_the_api_at_once() {
    let stage = start(&json!({}));
    let before = keycloak().token("orders").unwrap();
    stage.recorded(&before);
    wait_for_the_end_of_ttl();
    keycloak().rotate().unwrap();
    let after = keycloak().token("orders").unwrap();
    let key = |token: &str| token.split('.').next().unwrap().to_owned();
    assert_ne!(key(&before), key(&after), "the key has not changed");
    stage.recorded(&after);
    stage.recorded(&before);
    assert!(
        !stage.envoy.log_text().contains(&after),
        "the log holds a token"
    );
}

/// The shipped files for Docker Compose: the realm, and the policy in the Envoy file.
#[test]
fn the_realm_of_compose_makes_tokens_that_its_envoy_takes() {
    let folder = support::installed::root().join("deploy/compose");
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    let secret = |realm: String, name: &str| {
        let variable = format!("${{{}_SECRET}}", name.to_uppercase().replace('-', "_"));
        assert!(realm.contains(&variable), "{variable}");
        realm.replace(&variable, &format!("secret-of-{name}"))
    };
    let realm = ["app-a", "app-b"]
        .into_iter()
        .fold(read("realm.json"), secret);
    // Keycloak makes the secret of n8n's own client. The test sets it, so that it is known.
    let mut realm: Value = serde_json::from_str(&realm).unwrap();
    realm["clients"][0]["secret"] = json!("secret-of-n8n");
    keycloak().make_realm(&realm.to_string()).unwrap();
    let file = yaml::to_json(&read("listener.yaml")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let mut policy = plugin::Plugin::all_in(&file).pop().unwrap().configuration;
    policy["providers"][0]["issuer"] = json!(keycloak().issuer_of("n8n"));
    // The upstream of this test makes no API keys.
    policy.as_object_mut().unwrap().remove("n8n");
    let principal = policy["principals"][0].as_object_mut().unwrap();
    principal.remove("user");
    principal.insert("api_key".into(), json!({ "env": "N8N_KEY_APPLICATIONS" }));
    let key = ("N8N_KEY_APPLICATIONS", "key-of-the-applications");
    let asked = {
        let mut policy = policy.clone();
        let issuer = keycloak().issuer_of("n8n");
        policy["providers"][0]["introspection"] = json!({
            "uri": format!("{issuer}/protocol/openid-connect/token/introspect"),
            "client_id": "n8n", "client_secret": { "env": "N8N_GATE_SECRET" }, "always": true,
        });
        policy
    };
    let stage = start_with(policy, &[key]);
    let token = |client| keycloak().token_of("n8n", client).unwrap();
    let recorded = stage.recorded(&token("app-a"));
    assert_eq!(recorded.values("x-n8n-api-key"), [key.1]);
    let response = stage.list_workflows(&token("app-b"));
    assert_eq!(response.refusal(), (403, json!("insufficient_scope")));
    // Its tokens have n8n's own client as audience, so Keycloak reports their status to that
    // client.
    let stage = start_with(asked, &[key, ("N8N_GATE_SECRET", "secret-of-n8n")]);
    stage.recorded(&token("app-a"));
}
