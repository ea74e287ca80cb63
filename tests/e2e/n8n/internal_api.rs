//! n8n's internal API with a token, before a real n8n.

use std::fs;

use serde_json::{json, Value};

use crate::minted::{per_client, policy, random, token, with_key, Accounts};
use crate::stage;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::installed;
use n8n_idp_gate::n8n::InternalRoute;

const DOMAIN: &str = "internal.invalid";

/// Sends a request with a token. No response has a cookie.
#[track_caller]
fn send(gate: &Envoy, token: &str, request: Request) -> Response {
    let response = request.bearer(token).send(gate.port()).unwrap();
    assert_eq!(response.header("set-cookie"), None, "{}", response.text());
    response
}

fn names(response: &Response) -> Vec<String> {
    let body = response.json();
    let workflows = body["data"].as_array().unwrap();
    let names = workflows.iter().filter_map(|item| item["name"].as_str());
    names.map(str::to_owned).collect()
}

/// A workflow that a request starts by hand.
fn workflow(name: &str) -> Value {
    let trigger = json!({
        "id": "t", "name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1,
        "position": [0, 0], "parameters": {},
    });
    json!({ "name": name, "nodes": [trigger], "connections": {}, "settings": {} })
}

#[test]
fn callers_with_a_token_use_the_internal_api_as_their_own_users() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let mut policy = policy(&stage, &per_client(), DOMAIN, "1h");
    policy["rest"] = json!("bearer");
    policy["principals"][0]["grant"] = json!(["rest"]);
    let gate = with_key(&stage, policy, &accounts.provisioning_key());
    let gate = gate.start().unwrap();
    let [a, b] = ["app-a", "app-b"].map(|client| token(&stage, client));

    let name = format!("made by A {}", random());
    let made = send(
        &gate,
        &a,
        Request::post("/rest/workflows", &workflow(&name)),
    );
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["data"]["id"].as_str().unwrap().to_owned();
    let list = || Request::get("/rest/workflows");
    assert_eq!(names(&send(&gate, &a, list())), [name]);
    assert_eq!(names(&send(&gate, &b, list())), Vec::<String>::new());
    let of_a = format!("/rest/workflows/{id}");
    let refused = send(&gate, &b, Request::get(&of_a));
    assert!(matches!(refused.status, 403 | 404), "{}", refused.text());
    let start = json!({ "triggerToStartFrom": { "name": "Start" } });
    let run = send(&gate, &a, Request::post(format!("{of_a}/run"), &start));
    assert_eq!(run.status, 200, "{}", run.text());
    assert!(
        run.json()["data"]["executionId"].is_string(),
        "{}",
        run.text()
    );

    // With a session of its own the caller would reach all of these.
    for (method, path) in [
        ("GET", "/rest/login"),
        ("POST", "/rest/login"),
        ("POST", "/rest/logout"),
        ("PATCH", "/rest/me"),
        ("PATCH", "/rest/Me/Password"),
        ("GET", "/rest/mfa/qr"),
        ("GET", "/rest/api-keys"),
        ("POST", "/rest/api-keys"),
        ("GET", "/rest/mcp/api-key"),
        ("GET", "/rest/users"),
        ("POST", "/rest/invitations"),
        ("POST", "/rest/change-password"),
        ("GET", "/rest/push?pushRef=a"),
    ] {
        let refused = send(&gate, &a, Request::new(method, path));
        assert_eq!(refused.refusal(), (403, json!("rest_closed")), "{path}");
    }
    let public = send(&gate, &a, Request::get("/api/v1/workflows"));
    assert_eq!(public.refusal(), (403, json!("insufficient_scope")));
    // What passes without a token is n8n's to decide.
    let direct = list().send(gate.port()).unwrap();
    assert_eq!(direct.status, 401, "{}", direct.text());
    // It is a session of the user, and no key was made for it.
    let users = accounts.users(DOMAIN);
    assert_eq!(users.len(), 2, "{users:?}");
    for user in &users {
        assert_eq!(accounts.keys(user), Vec::<Value>::new());
    }
    assert!(!gate.log_text().contains("n8n-auth="));
}

/// The table has each controller of this n8n. A new one is closed until it is looked at.
#[test]
fn every_controller_of_the_internal_api_is_in_the_table() {
    let mut folders = vec![installed::n8n().unwrap().join("node_modules/n8n/dist")];
    let mut missing = Vec::new();
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !path.to_string_lossy().ends_with(".controller.js")
                && !path.to_string_lossy().ends_with(".controller.ee.js")
            {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for part in text.split("RestController)(").skip(1) {
                let (base, _) = part.split_once(')').unwrap();
                let base = base.trim_matches(['\'', '"', '`', '/']).to_owned();
                found += 1;
                let first = base.split('/').next().unwrap();
                let is_listed = |row: &InternalRoute| row.path.split('/').next() == Some(first);
                if !first.is_empty() && !InternalRoute::all().iter().any(is_listed) {
                    missing.push(base);
                }
            }
        }
    }
    assert!(found > 60, "{found}");
    assert_eq!(missing, Vec::<String>::new());
}
