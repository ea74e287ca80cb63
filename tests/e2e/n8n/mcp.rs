//! The MCP client of the official SDK, which knows only the URL of an MCP trigger behind the gate.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::caller::cookie_of_the_owner;
use crate::support::envoy::{Envoy, Setup};
use crate::support::http::Request;
use crate::support::provider::{RealProvider, ANN, READ};
use crate::support::{installed, ports};
use crate::{output_of, stage, Stage};

/// Publishes a workflow with an MCP trigger of this version of its node at a path, and one tool.
fn publish(stage: &Stage, path: &str, version: f64) {
    let cookie = cookie_of_the_owner(stage);
    let post = |address: &str, body: &Value| {
        let request = Request::post(address, body).header("Cookie", &cookie);
        let response = request.send(stage.n8n.port()).unwrap();
        assert_eq!(response.status, 200, "{address}: {}", response.text());
        response.json()["data"].clone()
    };
    let webhook = if version < 2.0 {
        "7a0e3f5c-5a51-4b7e-8c1d-200000000001"
    } else {
        "7a0e3f5c-5a51-4b7e-8c1d-200000000002"
    };
    let nodes = json!([
        {
            "id": "trigger", "name": "MCP", "type": "@n8n/n8n-nodes-langchain.mcpTrigger",
            "typeVersion": version, "position": [0, 0], "webhookId": webhook,
            "parameters": { "path": path, "authentication": "none" },
        },
        {
            "id": "tool", "name": "answer", "type": "@n8n/n8n-nodes-langchain.toolCode",
            "typeVersion": 1.1, "position": [0, 200],
            "parameters": { "name": "answer", "description": "Answers a question.",
                "language": "javaScript", "jsCode": "return 'forty-two';" },
        },
    ]);
    let connections = json!({ "answer": { "ai_tool": [[
        { "node": "MCP", "type": "ai_tool", "index": 0 },
    ]] } });
    let workflow = json!({ "name": path, "nodes": nodes, "connections": connections,
        "settings": {} });
    let made = post("/rest/workflows", &workflow);
    let id = made["id"].as_str().unwrap();
    let version = json!({ "versionId": made["versionId"] });
    post(&format!("/rest/workflows/{id}/activate"), &version);
}

/// A gate whose port and provider belong together, because tokens are for its URL (RFC 8707).
struct Guarded {
    gate: Envoy,
    _provider: RealProvider,
    url: String,
}

impl Guarded {
    fn start(stage: &Stage, path: &str) -> Self {
        let gate = ports::free().unwrap();
        let url = format!("http://127.0.0.1:{gate}{path}");
        let provider = RealProvider::start_for_people(ports::free().unwrap(), &[&url]);
        let provider = provider.unwrap();
        let policy = json!({
            "providers": [{ "name": "demo", "issuer": provider.issuer(), "audiences": [url],
                "cluster": "provider" }],
            "webhooks": [{ "path": "/mcp/**", "require": { "roles": [READ] },
                "scopes_supported": ["openid"] }],
        });
        let setup = Setup::minimal(policy, stage.n8n.port()).unwrap().at(gate);
        let setup = setup.cluster("provider", provider.port());
        Self {
            gate: setup.start().unwrap(),
            _provider: provider,
            url,
        }
    }

    /// Waits until n8n serves the trigger: it activates a workflow after its response.
    fn wait_for(&self, stage: &Stage, path: &str) {
        for _ in 0..100 {
            let call = Request::post(path, &json!({})).send(stage.n8n.port());
            if call.unwrap().status != 404 {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("n8n never served {path} ({})", self.url);
    }

    /// Runs the client, and returns what it found out.
    fn run(&self, kind: &str) -> Value {
        let output = output_of("clients/mcp.mjs", &[&self.url, kind], &[("LOGIN", ANN)]);
        serde_json::from_str(output.lines().last().unwrap()).unwrap()
    }

    fn assert_worked(&self, found: &Value) {
        assert_eq!(found["tools"], json!(["answer"]), "{found}");
        let content = json!([{ "type": "text", "text": "forty-two" }]);
        assert_eq!(found["content"], content, "{found}");
        assert_eq!(found["authorization"]["resource"], self.url.as_str());
        assert_eq!(found["authorization"]["code_challenge_method"], "S256");
        let requests = found["requests"].as_array().unwrap();
        let metadata = "GET /.well-known/oauth-protected-resource/mcp/";
        let has = |start: &str| {
            let mut all = requests.iter().filter_map(Value::as_str);
            all.any(|request| request.starts_with(start))
        };
        assert!(
            has(metadata) && has("POST /reg 201") && has("POST /token 200"),
            "{found}"
        );
        // The workflow ran for the person, with the client that registered a moment ago.
        let records = self.gate.audit();
        let forwards: Vec<_> = records
            .iter()
            .filter(|record| record["decision"] == "forward")
            .collect();
        assert!(forwards.len() >= 2, "{records:?}");
        for record in forwards {
            assert_eq!(record["sub"], ANN, "{record}");
            assert_eq!(record["client"], found["client"], "{record}");
            assert_eq!(record["surface"], "mcp", "{record}");
        }
    }
}

#[test]
fn an_mcp_client_logs_in_and_calls_a_tool_over_streamable_http() {
    let stage = stage();
    publish(&stage, "streamable", 2.0);
    let guarded = Guarded::start(&stage, "/mcp/streamable");
    guarded.wait_for(&stage, "/mcp/streamable");
    let found = guarded.run("http");
    guarded.assert_worked(&found);
    // The guide shows these requests.
    let guide = installed::root().join("docs/guides/mcp-clients.md");
    let guide = fs::read_to_string(guide).unwrap();
    let (_, shown) = guide.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let mut shown: Vec<&str> = shown.lines().collect();
    let made = found["requests"].as_array().unwrap().iter();
    let mut made: Vec<&str> = made.filter_map(Value::as_str).collect();
    // The client opens its stream while it sends other requests.
    shown.sort_unstable();
    made.sort_unstable();
    assert_eq!(made, shown);
}

/// The responses come on a stream that stays open, so that the first event of it cannot wait for the last.
#[test]
fn an_mcp_client_logs_in_and_calls_a_tool_over_sse() {
    let stage = stage();
    publish(&stage, "events", 1.1);
    let guarded = Guarded::start(&stage, "/mcp/events/sse");
    guarded.wait_for(&stage, "/mcp/events/messages");
    guarded.assert_worked(&guarded.run("sse"));
}
