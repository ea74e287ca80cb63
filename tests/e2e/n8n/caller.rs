//! The identity of a caller in n8n, and the responses that it gets.

use std::sync::OnceLock;

use serde_json::{json, Value};

use crate::support::http::{Request, Response};
use crate::support::provider::{AUDIENCE, READ};
use crate::{gate_with, stage, Stage};

fn token_of_a(stage: &Stage) -> String {
    stage.provider.token("app-a", READ, AUDIENCE).unwrap()
}

fn token_of_b(stage: &Stage) -> String {
    stage.provider.token("app-b", "", AUDIENCE).unwrap()
}

/// The session cookie of n8n's owner. n8n allows five log-ins a minute, so all tests use one.
pub(crate) fn cookie_of_the_owner(stage: &Stage) -> String {
    static COOKIE: OnceLock<String> = OnceLock::new();
    COOKIE
        .get_or_init(|| stage.n8n.session_of_owner().unwrap().cookie)
        .clone()
}

fn names(response: &Response) -> Vec<String> {
    let body = response.json();
    let workflows = body["data"].as_array().cloned().unwrap_or_default();
    let names = workflows.iter().filter_map(|item| item["name"].as_str());
    names.map(str::to_owned).collect()
}

#[test]
fn a_cookie_of_the_owner_does_not_make_another_caller_the_owner() {
    let stage = stage();
    // Here the gate lets B do everything that its key may. Only n8n decides, by the user of the
    // request.
    let gate = gate_with(
        &stage,
        &json!({"Something.Else": ["workflow:list", "user:list"]}),
        &json!([{ "path": "/webhook/**", "auth": "open" }]),
    );
    let cookie = cookie_of_the_owner(&stage);
    let token = token_of_b(&stage);
    let list = |path: &str| Request::get(path).header("Cookie", &cookie);

    // The cookie is good: without the gate, the request runs as the owner.
    let direct = list("/api/v1/users").send(stage.n8n.port()).unwrap();
    assert_eq!(direct.status, 200, "{}", direct.text());
    let direct = list("/api/v1/workflows").send(stage.n8n.port()).unwrap();
    assert!(names(&direct).contains(&"Orders".to_owned()));

    let users = list("/api/v1/users").bearer(&token).send(gate.port());
    let users = users.unwrap();
    assert_eq!(users.status, 403, "{}", users.text());
    // This refusal comes from n8n: the gate forwarded the request as B.
    assert_eq!(users.json()["reason"], Value::Null);
    let workflows = list("/api/v1/workflows").bearer(&token).send(gate.port());
    let workflows = workflows.unwrap();
    assert_eq!(workflows.status, 200, "{}", workflows.text());
    assert_eq!(names(&workflows), Vec::<String>::new());
}

#[test]
fn a_cookie_alone_does_not_open_the_public_api() {
    let stage = stage();
    let request = Request::get("/api/v1/workflows").header("Cookie", cookie_of_the_owner(&stage));
    let response = request.send(stage.envoy.port()).unwrap();
    assert_eq!(response.status, 401);
    assert_eq!(response.json()["reason"], "no_credential");
}

#[test]
fn a_head_request_gets_the_status_of_its_get() {
    let stage = stage();
    let head = || Request::new("HEAD", "/api/v1/workflows");
    let requests = [
        head(),
        head().bearer(&token_of_b(&stage)),
        head().bearer(&token_of_a(&stage)),
    ];
    let statuses = requests.map(|request| request.send(stage.envoy.port()).unwrap().status);
    assert_eq!(statuses, [401, 403, 200]);
}

#[test]
fn a_refusal_holds_the_message_that_the_clients_of_n8n_show() {
    let stage = stage();
    let request = || Request::get("/api/v1/workflows");
    for (request, status) in [
        (request(), 401),
        (request().bearer("no.such.token"), 401),
        (request().bearer(&token_of_b(&stage)), 403),
    ] {
        let response = request.send(stage.envoy.port()).unwrap();
        let body = response.json();
        assert_eq!(response.status, status);
        assert_eq!(body["message"], body["detail"]);
        assert!(!body["message"].as_str().unwrap().is_empty());
    }
}

#[test]
fn an_open_webhook_needs_no_token_and_gets_no_made_up_identity() {
    let stage = stage();
    let response = Request::post("/webhook/open", &json!({}))
        .header("X_Auth_Subject", "forged")
        .send(stage.envoy.port())
        .unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.json()["headers"]["x_auth_subject"], Value::Null);
}

#[test]
fn a_guarded_webhook_runs_no_workflow_without_a_token() {
    let stage = stage();
    let response = Request::post("/webhook/orders/new", &json!({"order": 1}))
        .send(stage.envoy.port())
        .unwrap();
    assert_eq!(response.status, 401);
    assert_eq!(response.json()["reason"], "no_credential");
}
