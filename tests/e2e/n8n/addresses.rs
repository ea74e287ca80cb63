//! Other addresses of a workflow than that of its rule. Each works in n8n, and none gets past the
//! gate.

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::caller::cookie_of_the_owner;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::{gate_with, stage, Stage};

/// The id of a webhook node.
const ID: &str = "6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a21";

/// The editor with the session of the owner.
struct Editor<'s> {
    stage: &'s Stage,
    cookie: String,
}

impl<'s> Editor<'s> {
    fn open(stage: &'s Stage) -> Self {
        Self {
            stage,
            cookie: cookie_of_the_owner(stage),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = Request::post(path, body).header("Cookie", &self.cookie);
        let response = request.send(self.stage.n8n.port()).unwrap();
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.json()["data"].clone()
    }

    fn make(&self, name: &str, nodes: &Value, connections: &Value) -> (String, Value) {
        let workflow =
            json!({ "name": name, "nodes": nodes, "connections": connections, "settings": {} });
        let made = self.post("/rest/workflows", &workflow);
        let id = made["id"].as_str().unwrap().to_owned();
        (id, made["versionId"].clone())
    }

    /// Makes the editor listen for one call of a webhook.
    fn listen(&self, path: &str) {
        let hook = webhook(path, ID, "onReceived");
        let (id, _) = self.make(path, &json!([hook]), &json!({}));
        let from = json!({ "triggerToStartFrom": { "name": "hook" } });
        let response = self.post(&format!("/rest/workflows/{id}/run"), &from);
        assert_eq!(response["waitingForWebhook"], true, "{response}");
    }
}

fn webhook(path: &str, id: &str, mode: &str) -> Value {
    json!({
        "id": "hook", "name": "hook", "type": "n8n-nodes-base.webhook", "typeVersion": 2,
        "position": [0, 0], "webhookId": id,
        "parameters": { "path": path, "httpMethod": "GET", "responseMode": mode },
    })
}

fn get(target: &str, port: u16) -> Response {
    Request::get(target).send(port).unwrap()
}

/// Asserts that the gate refuses the target and that it runs a workflow in n8n.
fn assert_kept_out(gate: &Envoy, stage: &Stage, target: &str, reason: &str) {
    let refused = get(target, gate.port());
    assert_eq!(refused.status, 400, "{target}: {}", refused.text());
    assert_eq!(refused.json()["reason"], reason, "{target}");
    let direct = get(target, stage.n8n.port());
    assert_eq!(direct.status, 200, "{target}: {}", direct.text());
    assert_eq!(direct.json()["message"], "Workflow was started", "{target}");
}

#[test]
fn no_other_address_of_a_test_listener_gets_past_its_rule() {
    let stage = stage();
    let editor = Editor::open(&stage);
    let gate = gate_with(
        &stage,
        &json!({ "Reader": ["workflow:list"] }),
        &json!([
            { "path": format!("/webhook/{ID}/user/*"), "auth": "deny" },
            { "path": format!("/webhook/{ID}/*"), "auth": "deny" },
            { "path": "/webhook/**", "auth": "open" },
        ]),
    );
    for (path, rest, reason) in [
        (":id", "|1", "ambiguous_path"),
        (":id", "%7C1/", "ambiguous_path"),
        ("user/:id", &*format!("/{ID}/user/7"), "ambiguous_case"),
        ("user/:id", &*format!("/{ID}junk/7/user"), "ambiguous_case"),
        ("user/:id", "/7/user", "ambiguous_case"),
    ] {
        editor.listen(path);
        let target = format!("/webhook-test/{ID}{rest}");
        assert_kept_out(&gate, &stage, &target, reason);
    }
    // The address that n8n shows matches its rule.
    let denied = get(&format!("/webhook-test/{ID}/user/7"), gate.port());
    assert_eq!(denied.json()["reason"], "webhook_denied");
}

/// Starts a workflow that waits, and returns the address that resumes it.
fn start_waiting(stage: &Stage) -> (String, String) {
    let mut address = String::new();
    // n8n activates a workflow after its response.
    for _ in 0..100 {
        let response = get("/webhook/addresses/wait", stage.n8n.port());
        if response.status == 200 {
            address = response.text();
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let (path, token) = address.split_once("?signature=").unwrap();
    let (_, execution) = path.rsplit_once('/').unwrap();
    // n8n saves the execution after its response.
    let waiting = format!("/webhook-waiting/{execution}");
    for _ in 0..100 {
        // If the execution exists, n8n asks for its token.
        if get(&waiting, stage.n8n.port()).status == 401 {
            thread::sleep(Duration::from_millis(500));
            return (execution.to_owned(), token.to_owned());
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("execution {execution} never waited");
}

#[test]
fn no_other_address_of_a_waiting_execution_gets_past_its_rule() {
    let stage = stage();
    let editor = Editor::open(&stage);
    let nodes = json!([
        webhook("addresses/wait", "6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a22", "responseNode"),
        {
            "id": "say", "name": "say", "type": "n8n-nodes-base.respondToWebhook",
            "typeVersion": 1.1, "position": [200, 0],
            "parameters": { "respondWith": "text", "responseBody": "={{ $execution.resumeUrl }}" },
        },
        {
            "id": "wait", "name": "wait", "type": "n8n-nodes-base.wait", "typeVersion": 1.1,
            "position": [400, 0], "webhookId": "6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a23",
            "parameters": { "resume": "webhook", "options": { "webhookSuffix": "approve" } },
        },
    ]);
    let to = |node: &str| json!({ "main": [[{ "node": node, "type": "main", "index": 0 }]] });
    let connections = json!({ "hook": to("say"), "say": to("wait") });
    let (id, version) = editor.make("Waiting", &nodes, &connections);
    let version = json!({ "versionId": version });
    editor.post(&format!("/rest/workflows/{id}/activate"), &version);
    let gate = gate_with(
        &stage,
        &json!({ "Reader": ["workflow:list"] }),
        &json!([
            { "path": "/webhook-waiting/*/approve", "auth": "deny" },
            { "path": "/webhook-waiting/**", "auth": "open" },
        ]),
    );
    let (execution, token) = start_waiting(&stage);
    let target = format!("/webhook-waiting/{execution}?signature={token}/approve");
    assert_kept_out(&gate, &stage, &target, "ambiguous_case");

    // n8n accepts several spellings of an execution's number, so rules cannot match all of them.
    let (execution, token) = start_waiting(&stage);
    let number: u32 = execution.parse().unwrap();
    for spelling in [
        format!("0{number}"),
        format!("{number:#x}"),
        format!("%20{number}"),
    ] {
        let target = format!("/webhook-waiting/{spelling}/approve?signature={token}");
        let denied = get(&target, gate.port());
        assert_eq!(denied.json()["reason"], "webhook_denied", "{target}");
        let direct = get(&format!("/webhook-waiting/{spelling}"), stage.n8n.port());
        assert_eq!(direct.status, 401, "{target}: {}", direct.text());
    }
    let missing = get("/webhook-waiting/999999", stage.n8n.port());
    assert_eq!(missing.status, 404, "{}", missing.text());
}
