//! What an n8n without a licence does, as docs/guides/editions.md says it.

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::applications::applications;
use crate::caller::cookie_of_the_owner;
use crate::minted::{eventually, random, Accounts};
use crate::refused_key::now;
use crate::support::http::{Request, Response};
use crate::{stage, Stage};

fn as_owner(stage: &Stage, request: Request) -> Response {
    let request = request.header("Cookie", cookie_of_the_owner(stage));
    request.send(stage.n8n.port()).unwrap()
}

fn with_key(stage: &Stage, key: &str, request: Request) -> Response {
    request
        .header("X-N8N-API-KEY", key)
        .send(stage.n8n.port())
        .unwrap()
}

fn workflow(name: &str) -> Value {
    json!({ "name": name, "nodes": [], "connections": {}, "settings": {} })
}

/// The project of a user.
fn project_of(stage: &Stage, email: &str) -> String {
    let projects = as_owner(stage, Request::get("/rest/projects")).json()["data"].clone();
    let mut projects = projects.as_array().unwrap().iter();
    let own = projects.find(|one| one["name"].as_str().unwrap_or_default().contains(email));
    own.unwrap()["id"].as_str().unwrap().to_owned()
}

fn names(response: &Response) -> Vec<String> {
    let body = response.json();
    let names = body["data"].as_array().unwrap().iter();
    names
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn sharing_team_projects_and_other_roles_need_a_licence() {
    let stage = stage();
    let member = &applications(&stage).a;
    let orders = &stage.n8n.provisioned().orders_workflow;
    let project = project_of(&stage, &member.email);
    for request in [
        Request::new("PUT", format!("/rest/workflows/{orders}/share"))
            .json(&json!({ "shareWithIds": [project] })),
        Request::post("/rest/projects", &json!({ "name": "A team" })),
        Request::new("PATCH", format!("/rest/users/{}/role", member.user_id))
            .json(&json!({ "newRoleName": "global:admin" })),
    ] {
        let response = as_owner(&stage, request);
        assert_eq!(response.status, 403, "{}", response.text());
    }
    // A member sees what is in its own project, and the owner's keys see all.
    let listed = with_key(&stage, &member.api_key, Request::get("/api/v1/workflows"));
    assert!(!names(&listed).contains(&"Orders".to_owned()));
    let owner = &stage.n8n.provisioned().owner.api_key;
    let listed = with_key(&stage, owner, Request::get("/api/v1/workflows?limit=250"));
    assert!(names(&listed).contains(&"Orders".to_owned()));
}

#[test]
fn keys_of_one_owner_have_scopes_and_ends_of_their_own() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let now = now();
    let key = |label: &str, scopes: &[&str], end: Option<u64>| {
        let label = format!("{label} {}", random());
        let label: String = label.chars().take(50).collect();
        let wanted = json!({ "label": label, "scopes": scopes, "expiresAt": end });
        let made = accounts.send(Request::post("/rest/api-keys", &wanted));
        made["rawApiKey"].as_str().unwrap().to_owned()
    };
    let reader = key("reader", &["workflow:list"], Some(now + 4));
    let writer = key("writer", &["workflow:create"], None);
    let list = || Request::get("/api/v1/workflows?limit=1");
    assert_eq!(with_key(&stage, &reader, list()).status, 200);
    assert_eq!(with_key(&stage, &writer, list()).status, 403);
    let name = format!("of a key {}", random());
    let create = || Request::post("/api/v1/workflows", &workflow(&name));
    assert_eq!(with_key(&stage, &reader, create()).status, 403);
    assert_eq!(with_key(&stage, &writer, create()).status, 200);
    // n8n logs the user of a key, and not which of its keys it was.
    let owner = &stage.n8n.provisioned().owner.email;
    let is_logged = || {
        let events = stage.n8n.events().unwrap();
        let mut made = events
            .iter()
            .filter(|one| one["eventName"] == "n8n.audit.workflow.created");
        made.any(|one| {
            one["payload"]["workflowName"] == *name && one["payload"]["_email"] == **owner
        })
    };
    assert!(eventually(10, is_logged));
    let text: Vec<_> = stage
        .n8n
        .events()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    assert!(
        !text
            .iter()
            .any(|event| event.contains(&name) && event.contains("writer")),
        "{text:?}"
    );
    thread::sleep(Duration::from_secs(3));
    assert!(eventually(5, || with_key(&stage, &reader, list()).status == 401));
}

#[test]
fn the_owner_gives_a_user_workflows_without_a_licence() {
    let stage = stage();
    let member = &applications(&stage).a;
    let project = project_of(&stage, &member.email);
    let (made, moved) = (
        format!("made there {}", random()),
        format!("moved {}", random()),
    );
    let mut body = workflow(&made);
    body["projectId"] = project.clone().into();
    let response = as_owner(&stage, Request::post("/rest/workflows", &body));
    assert_eq!(response.status, 200, "{}", response.text());
    let response = as_owner(&stage, Request::post("/rest/workflows", &workflow(&moved)));
    let id = response.json()["data"]["id"].as_str().unwrap().to_owned();
    let transfer = Request::new("PUT", format!("/rest/workflows/{id}/transfer"));
    let response = as_owner(
        &stage,
        transfer.json(&json!({ "destinationProjectId": project })),
    );
    assert_eq!(response.status, 200, "{}", response.text());
    let listed = with_key(
        &stage,
        &member.api_key,
        Request::get("/api/v1/workflows?limit=250"),
    );
    let names = names(&listed);
    assert!(names.contains(&made) && names.contains(&moved), "{names:?}");
}
