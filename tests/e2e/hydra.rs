//! The gate with tokens, keys and responses of Ory Hydra, set up as in the guide.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

#[path = "../support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;
use std::thread;

use serde_json::{json, Value};
use support::http::Request;
use support::hydra::Hydra;
use support::session::Session;
use support::stage::{wait_for_the_end_of_ttl, with_members, Stage};

/// One Hydra for all tests that change only their own tokens.
fn hydra() -> &'static Hydra {
    static HYDRA: OnceLock<Hydra> = OnceLock::new();
    HYDRA.get_or_init(|| Hydra::start().unwrap())
}

/// A gate whose provider has the fields of the guide, with these fields added or replaced.
fn stage(hydra: &Hydra, members: &Value) -> Stage {
    Stage::start(policy(hydra, members), |setup| {
        setup
            .cluster("hydra", hydra.port())
            .cluster("hydra-admin", hydra.admin_port())
            .secret("N8N_KEY_ORDERS", "key-of-orders")
            .secret("N8N_KEY_ALICE", "key-of-alice")
            .secret("N8N_GATE_SECRET", "unused")
    })
}

fn policy(hydra: &Hydra, members: &Value) -> Value {
    let provider = json!({
        "name": "hydra",
        "issuer": hydra.issuer(),
        "audiences": ["n8n"],
        "roles_from": "scopes",
        "claims_at": { "roles": "ext.roles" },
        "cluster": "hydra",
        "keys": { "cooldown": "1s" },
    });
    json!({
        "providers": [with_members(provider, members)],
        "roles": { "workflow.read": ["workflow:list", "workflow:read"] },
        "principals": [
            { "name": "alice", "match": { "subject": "alice", "roles": "operator" },
              "api_key": { "env": "N8N_KEY_ALICE" } },
            { "name": "orders", "match": { "client": ["orders", "opaque"], "kind": "app" },
              "api_key": { "env": "N8N_KEY_ORDERS" } },
            // Userinfo names the person, and has no roles.
            { "name": "by-name", "match": { "subject": "bob" }, "grant": ["workflow:list"],
              "api_key": { "env": "N8N_KEY_ALICE" } },
        ],
    })
}

/// Introspection at the admin port, which needs no client credentials.
fn asked(members: &Value) -> Value {
    let asked = json!({
        "uri": "http://hydra-admin/admin/oauth2/introspect", "cluster": "hydra-admin",
        "client_id": "gate", "client_secret": { "env": "N8N_GATE_SECRET" },
        "ttl": "1s", "inactive_ttl": "1s",
    });
    json!({ "introspection": with_members(asked, members) })
}

fn alice(client: &str) -> Session {
    let claims = json!({ "roles": ["operator"] });
    hydra().log_in("alice", client, &claims).unwrap()
}

#[test]
fn an_application_that_asks_for_the_audience_opens_the_api() {
    let stage = stage(hydra(), &json!({}));
    let token = hydra().token("orders", Some("n8n")).unwrap();
    let recorded = stage.caller(&token);
    assert_eq!(recorded, [["key-of-orders"], ["orders"], ["app"]]);
    let post = Request::post("/api/v1/workflows", &json!({})).bearer(&token);
    let response = post.send(stage.envoy.port()).unwrap();
    assert_eq!(response.refusal(), (403, json!("insufficient_scope")));
    // Without the parameter, `aud` is an empty list, so the token has no audience.
    let token = hydra().token("orders", None).unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("audience_missing")));
    // An opaque token has no signature to verify.
    let token = hydra().token("opaque", Some("n8n")).unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("not_a_jws")));
}

#[test]
fn the_client_stands_for_an_audience_that_nothing_asked_for() {
    let client = json!({ "audiences": ["orders", "opaque"], "audience_claim": "client_id" });
    let both = with_members(asked(&json!({})), &client);
    let stage = stage(hydra(), &both);
    for name in ["orders", "opaque"] {
        let token = hydra().token(name, None).unwrap();
        let recorded = stage.caller(&token);
        assert_eq!(recorded, [["key-of-orders"], [name], ["app"]]);
        // If there is an `aud`, it counts, for any client.
        let token = hydra().token(name, Some("n8n")).unwrap();
        let response = stage.list_workflows(&token);
        assert_eq!(response.refusal(), (401, json!("wrong_audience")), "{name}");
    }
}

#[test]
fn userinfo_accepts_people_and_no_applications() {
    let uri = format!("{}/userinfo", hydra().issuer());
    let stage = stage(
        hydra(),
        &json!({ "userinfo": {
            "uri": uri, "accept_any_audience": true, "ttl": "1s", "inactive_ttl": "1s",
        } }),
    );
    let bob = hydra().log_in("bob", "opaque-desk", &json!({})).unwrap();
    let recorded = stage.caller(&bob.access);
    assert_eq!(recorded, [vec!["key-of-alice"], vec![], vec!["unknown"]]);
    let token = hydra().token("opaque", Some("n8n")).unwrap();
    for (token, reason) in [
        (token.as_str(), "subject_missing"),
        (bob.refresh.as_str(), "inactive"),
        ("ory_at_made-up", "inactive"),
    ] {
        let response = stage.list_workflows(token);
        assert_eq!(response.refusal(), (401, json!(reason)), "{token}");
    }
}

#[test]
fn a_person_is_matched_by_claims_that_the_consent_page_adds() {
    let stage = stage(hydra(), &json!({}));
    let session = alice("desk");
    // The token has no mark of a person. The claims are below `ext`.
    let recorded = stage.caller(&session.access);
    assert_eq!(recorded, [["key-of-alice"], ["desk"], ["unknown"]]);
    let other = hydra().log_in("alice", "desk", &json!({ "roles": ["seller"] }));
    let response = stage.list_workflows(&other.unwrap().access);
    assert_eq!(response.refusal(), (403, json!("no_principal")));
    for (what, token, reason) in [
        ("ID token", &session.id, "wrong_type"),
        ("refresh token", &session.refresh, "not_a_jws"),
    ] {
        let response = stage.list_workflows(token);
        assert_eq!(response.refusal(), (401, json!(reason)), "{what}");
    }
    let log = stage.envoy.log_text();
    for token in [session.access, session.id, session.refresh] {
        assert!(!log.contains(&token), "the log holds a token");
    }
}

#[test]
fn opaque_tokens_are_introspected_at_the_admin_port_and_refresh_tokens_are_refused() {
    let stage = stage(hydra(), &asked(&json!({})));
    let token = hydra().token("opaque", Some("n8n")).unwrap();
    assert!(token.starts_with("ory_at_"), "{token}");
    let recorded = stage.caller(&token);
    assert_eq!(recorded, [["key-of-orders"], ["opaque"], ["app"]]);
    let session = alice("opaque-desk");
    let recorded = stage.caller(&session.access);
    assert_eq!(recorded, [["key-of-alice"], ["opaque-desk"], ["unknown"]]);
    // Hydra reports it as active and as a bearer token.
    assert!(session.refresh.starts_with("ory_rt_"));
    let response = stage.list_workflows(&session.refresh);
    assert_eq!(response.refusal(), (401, json!("wrong_type")));
    let for_nothing = hydra().token("opaque", None).unwrap();
    let response = stage.list_workflows(&for_nothing);
    assert_eq!(response.refusal(), (401, json!("audience_missing")));
    hydra().revoke("opaque", &token).unwrap();
    wait_for_the_end_of_ttl();
    for token in [token.as_str(), "ory_at_made-up"] {
        let response = stage.list_workflows(token);
        assert_eq!(response.refusal(), (401, json!("inactive")), "{token}");
    }
}

#[test]
fn a_revoked_jwt_is_refused_as_soon_as_it_is_introspected() {
    let stage = stage(hydra(), &asked(&json!({ "always": true })));
    let [token, other] = [(); 2].map(|()| hydra().token("orders", Some("n8n")).unwrap());
    stage.caller(&token);
    hydra().revoke("orders", &token).unwrap();
    wait_for_the_end_of_ttl();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("inactive")));
    stage.caller(&other);
}

#[test]
fn the_public_port_has_no_introspection() {
    let uri = json!({ "uri": "http://hydra/oauth2/introspect", "cluster": "hydra" });
    let stage = stage(hydra(), &asked(&uri));
    let token = hydra().token("opaque", Some("n8n")).unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(
        response.refusal(),
        (503, json!("introspection_unavailable"))
    );
    let record = stage.envoy.audit().pop().unwrap();
    assert_eq!(record["fault"], json!("not_found"), "{record}");
}

/// While keys change, every request with a token of the old or the new key gets the same response.
#[test]
fn keys_change_while_requests_run() {
    let hydra = Hydra::start().unwrap();
    let stage = stage(&hydra, &json!({}));
    let before = hydra.token("orders", Some("n8n")).unwrap();
    stage.caller(&before);
    wait_for_the_end_of_ttl();
    let is_over = AtomicBool::new(false);
    let (statuses, responses) = thread::scope(|scope| {
        let (stage, is_over) = (&stage, &is_over);
        let token = before.as_str();
        let running = scope.spawn(move || {
            let mut statuses = Vec::new();
            // The loop ends even if the other thread fails.
            while !is_over.load(Ordering::Relaxed) && statuses.len() < 20_000 {
                statuses.push(stage.list_workflows(token).status);
            }
            statuses
        });
        let mut responses = Vec::new();
        for name in ["second", "third"] {
            hydra.rotate(name).unwrap();
            let after = hydra.token("orders", Some("n8n")).unwrap();
            let response = stage.list_workflows(&after);
            responses.push((name, response.status, response.text()));
            wait_for_the_end_of_ttl();
        }
        is_over.store(true, Ordering::Relaxed);
        (running.join().unwrap(), responses)
    });
    assert!(
        statuses.len() > 20 && statuses.iter().all(|status| *status == 200),
        "{statuses:?}"
    );
    for (name, status, text) in responses {
        assert_eq!(status, 200, "{name}: {text}");
    }
}
