//! Every path of `tests/real/routing.json`, sent to n8n and through the gate.

use std::thread;
use std::time::Duration;

use n8n_idp_gate::n8n::Line;
use serde_json::{json, Value};

use crate::applications::applications;
use crate::lines::installed_line;
use crate::support::http::{Request, Response};
use crate::support::provider::{AUDIENCE, READ};
use crate::{policy_with, run_script, setup_of, stage, Stage};

const ROUTING: &str = include_str!("../../real/routing.json");

struct Row {
    method: String,
    target: String,
    n8n: String,
    gate: String,
}

impl Row {
    /// Whether n8n responds with data or runs a workflow.
    fn n8n_serves(&self) -> bool {
        self.n8n == "workflow list" || self.n8n.starts_with("hook ")
    }

    /// Whether only callers with a role may reach it.
    fn is_guarded(&self) -> bool {
        self.n8n_serves()
            || self.n8n == "public_api"
            || matches!(self.gate.as_str(), "public_api" | "webhook")
    }

    fn request(&self, token: &str) -> Request {
        // Each character of the table stands for one byte.
        let target: Vec<u8> = self
            .target
            .chars()
            .map(|byte| u8::try_from(u32::from(byte)).unwrap())
            .collect();
        Request::new(&self.method, target).bearer(token)
    }
}

fn rows(line: Line) -> Vec<Row> {
    let table: Value = serde_json::from_str(ROUTING).unwrap();
    let rows = table["default"]["rows"].as_array().unwrap();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| Row {
            method: row["method"].as_str().unwrap_or("GET").to_owned(),
            target: expand(&text(row, "path")),
            n8n: match line {
                Line::V1_123 if row["n8n 1"].is_string() => text(row, "n8n 1"),
                _ => text(row, "n8n"),
            },
            gate: text(row, "gate"),
        })
        .collect()
}

/// Expands `{n*text}` to `text` n times, as the script does that sends the rows to n8n.
fn expand(path: &str) -> String {
    let Some((before, rest)) = path.split_once('{') else {
        return path.to_owned();
    };
    let (inner, after) = rest.split_once('}').unwrap();
    let (times, text) = inner.split_once('*').unwrap();
    let repeated = text.repeat(times.parse().unwrap());
    format!("{before}{repeated}{}", expand(after))
}

/// Publishes the webhooks of the table as a workflow of application A.
fn serve_the_webhooks(stage: &Stage) {
    let hooks = [
        ("routing/echo", "7a0e3f5c-5a51-4b7e-8c1d-100000000000"),
        ("routing/caf\u{e9}", "7a0e3f5c-5a51-4b7e-8c1d-100000000001"),
        ("user/:id/orders", "6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a11"),
        (":id", "6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a12"),
    ];
    let nodes = hooks.map(|(path, id)| {
        json!({
            "id": id, "name": path, "type": "n8n-nodes-base.webhook", "typeVersion": 2,
            "position": [0, 0], "webhookId": id,
            "parameters": { "path": path, "httpMethod": "GET", "responseMode": "onReceived" },
        })
    });
    let workflow = json!({ "name": "Routing", "nodes": nodes, "connections": {}, "settings": {} });
    let call = |path: &str, body: &Value| {
        let response = Request::post(path, body)
            .header("X-N8N-API-KEY", &applications(stage).a.api_key)
            .send(stage.n8n.port())
            .unwrap();
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.json()
    };
    let made = call("/api/v1/workflows", &workflow);
    let id = made["id"].as_str().unwrap();
    call(&format!("/api/v1/workflows/{id}/activate"), &json!({}));
    // n8n activates a workflow after its response.
    for _ in 0..100 {
        let response = Request::get("/webhook/routing/echo").send(stage.n8n.port());
        if response.unwrap().status == 200 {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("n8n never served the webhooks");
}

#[test]
fn no_spelling_of_a_path_opens_n8n_to_a_token_without_roles() {
    let stage = stage();
    // First, n8n itself must respond as in the table. The script removes its webhooks at its end.
    let (version, line) = installed_line();
    let base = format!("http://127.0.0.1:{}", stage.n8n.port());
    let mut arguments = vec![&*base, &applications(&stage).a.api_key, "default"];
    if line == Line::V1_123 {
        arguments.push("--n8n-1");
    }
    run_script("routing.mjs", &arguments);
    serve_the_webhooks(&stage);
    let mut policy = policy_with(
        &stage,
        &json!({READ: ["workflow:list", "workflow:read"]}),
        &json!([{ "path": "/webhook/**", "require": { "roles": [READ] } }]),
    );
    policy["n8n_version"] = version.into();
    let gate = setup_of(&stage, policy).start().unwrap();
    let with_role = stage.provider.token("app-a", READ, AUDIENCE).unwrap();
    let without = stage.provider.token("app-b", "", AUDIENCE).unwrap();
    let send =
        |row: &Row, token: &str| -> Response { row.request(token).send(gate.port()).unwrap() };

    let mut wrong = Vec::new();
    let mut served = 0;
    for row in rows(line).iter().filter(|row| row.is_guarded()) {
        let refused = send(row, &without).status;
        if !matches!(refused, 400..=499) {
            wrong.push(format!(
                "{} {}: {refused} without a role",
                row.method, row.target
            ));
        }
        // With a role the target is served, so the refusal above is about the role and not about a
        // missing webhook. Envoy itself refuses targets with a fragment.
        if row.n8n_serves() && !row.gate.starts_with("400") && !row.target.contains('#') {
            served += 1;
            let status = send(row, &with_role).status;
            if status != 200 {
                wrong.push(format!("{} {}: {status} with it", row.method, row.target));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(
        served > 10,
        "the table has too few rows that n8n serves: {served}"
    );
}
