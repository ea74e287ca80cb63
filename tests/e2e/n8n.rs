//! The story of the demo as a test: the repository's own `envoy.yaml`, a certified OpenID
//! provider and a real n8n.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{json, Value};
use support::envoy::{Envoy, Setup};
use support::envoy_file::Ports;
use support::http::{Answer, Request};
use support::n8n::RealN8n;
use support::ports;
use support::provider::{clients, RealProvider, AUDIENCE, OTHER_AUDIENCE, READ, WRITE};

/// Everything that the demo starts. All tests share one, because n8n takes its time.
struct Stage {
    provider: RealProvider,
    n8n: RealN8n,
    envoy: Envoy,
}

impl Stage {
    fn shared() -> &'static Self {
        static STAGE: OnceLock<Stage> = OnceLock::new();
        STAGE.get_or_init(|| {
            let ports = Ports {
                gate: ports::free().unwrap(),
                admin: ports::free().unwrap(),
                n8n: ports::free().unwrap(),
                provider: ports::free().unwrap(),
            };
            // A static value is never dropped, so what it leaves lies below target/.
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("n8n");
            let _ = fs::remove_dir_all(&folder);
            let provider = RealProvider::start(ports.provider, clients()).unwrap();
            let n8n = RealN8n::start(ports.n8n, &folder).unwrap();
            let provisioned = n8n.provisioned();
            let envoy = Setup::shipped(ports)
                .secret("N8N_KEY_APP_A", &provisioned.app_a.api_key)
                .secret("N8N_KEY_APP_B", &provisioned.app_b.api_key)
                .start()
                .unwrap();
            Self {
                provider,
                n8n,
                envoy,
            }
        })
    }

    fn send(&self, request: &Request) -> Answer {
        request.send(self.envoy.port()).unwrap()
    }

    fn token(&self, client: &str, scope: &str) -> String {
        self.provider.token(client, scope, AUDIENCE).unwrap()
    }
}

fn refusal(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["reason"].clone())
}

fn list_workflows() -> Request {
    Request::get("/api/v1/workflows")
}

#[test]
fn without_a_token_the_caller_is_told_how_to_come_in() {
    let answer = Stage::shared().send(&list_workflows());
    assert_eq!(refusal(&answer), (401, json!("no_credential")));
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(!challenge.contains("error="), "{challenge}");
}

#[test]
fn application_a_reads_real_workflows() {
    let stage = Stage::shared();
    let answer = stage.send(&list_workflows().bearer(&stage.token("app-a", READ)));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let workflows = answer.json()["data"].clone();
    let names: Vec<&str> = workflows
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|workflow| workflow["name"].as_str())
        .collect();
    assert!(names.contains(&"Orders"), "{names:?}");
}

#[test]
fn application_b_lacks_the_role_and_is_told_the_scope() {
    let stage = Stage::shared();
    let answer = stage.send(&list_workflows().bearer(&stage.token("app-b", "")));
    assert_eq!(refusal(&answer), (403, json!("insufficient_scope")));
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(r#"scope="workflow:list""#),
        "{challenge}"
    );
}

#[test]
fn a_token_for_something_else_does_not_open_n8n() {
    let stage = Stage::shared();
    let token = stage.provider.token("app-a", "", OTHER_AUDIENCE).unwrap();
    let answer = stage.send(&list_workflows().bearer(&token));
    assert_eq!(refusal(&answer), (401, json!("wrong_audience")));
}

#[test]
fn an_expired_token_does_not_open_n8n() {
    let stage = Stage::shared();
    let answer = stage.send(&list_workflows().bearer(&stage.token("app-late", READ)));
    assert_eq!(refusal(&answer), (401, json!("expired")));
}

#[test]
fn the_api_keys_of_old_go_on_working() {
    let stage = Stage::shared();
    let key = &stage.n8n.provisioned().owner.api_key;
    let through = stage.send(&list_workflows().header("X-N8N-API-KEY", key));
    let direct = list_workflows()
        .header("X-N8N-API-KEY", key)
        .send(stage.n8n.port())
        .unwrap();
    assert_eq!((through.status, direct.status), (200, 200));
}

#[test]
fn a_webhook_learns_who_calls_and_gets_no_credential() {
    let stage = Stage::shared();
    let request = Request::post("/webhook/orders/new", &json!({"order": 1}));
    let refused = stage.send(&request);
    assert_eq!(refusal(&refused), (401, json!("no_credential")));
    let token = stage.token("app-a", READ);
    let answer = stage.send(&request.header("X-Auth-Client", "forged").bearer(&token));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = &answer.json()["headers"];
    assert_eq!(seen["x-auth-client"], json!("app-a"));
    assert_eq!(seen["authorization"], Value::Null);
    assert_eq!(seen["x-n8n-api-key"], Value::Null);
}

#[test]
fn an_open_webhook_needs_no_token_and_believes_no_client() {
    let request = Request::post("/webhook/open", &json!({})).header("X_Auth_Subject", "forged");
    let answer = Stage::shared().send(&request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["headers"]["x_auth_subject"], Value::Null);
}

#[test]
fn the_event_log_of_n8n_names_the_user_of_application_a() {
    let stage = Stage::shared();
    let workflow = json!({"name": "Written by A", "nodes": [], "connections": {}, "settings": {}});
    let request = Request::post("/api/v1/workflows", &workflow);
    let answer = stage.send(&request.bearer(&stage.token("app-a", WRITE)));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let who = stage.n8n.who("n8n.audit.workflow.created", &id).unwrap();
    assert_eq!(who, Some(stage.n8n.provisioned().app_a.user_id.clone()));
}
