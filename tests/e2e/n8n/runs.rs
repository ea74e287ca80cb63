//! Running workflows of a real n8n: the operation that its public API does not have.

use std::thread;

use serde_json::{json, Value};

use crate::minted::{eventually, per_client, policy, token, with_key, Accounts};
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::{stage, Stage};

fn gate(stage: &Stage, accounts: &Accounts<'_>, domain: &str) -> Envoy {
    let mut policy = policy(stage, &per_client(), domain, "1h");
    policy["principals"][0]["grant"] = json!(["workflow:*", "execution:read"]);
    let setup = with_key(stage, policy, &accounts.provisioning_key());
    setup.holding_heads_alone().start().unwrap()
}

/// A workflow with one trigger, whose last node puts out what it got.
fn workflow(name: &str, trigger: &Value, code: &str) -> Value {
    let start = trigger["name"].as_str().unwrap();
    json!({
        "name": name,
        "settings": {},
        "nodes": [trigger, {
            "id": "out", "name": "Out", "type": "n8n-nodes-base.code", "typeVersion": 2,
            "position": [200, 0], "parameters": { "jsCode": code },
        }],
        "connections": { start: { "main": [[{ "node": "Out", "type": "main", "index": 0 }]] } },
    })
}

fn trigger(name: &str, node: &str, version: f64, parameters: &Value) -> Value {
    json!({ "id": name, "name": name, "type": node, "typeVersion": version,
        "position": [0, 0], "parameters": parameters })
}

fn by_another_workflow() -> Value {
    let parameters = json!({ "inputSource": "passthrough" });
    trigger(
        "Called",
        "n8n-nodes-base.executeWorkflowTrigger",
        1.1,
        &parameters,
    )
}

const ECHO: &str = "return $input.all().map(item => ({ json: { got: item.json } }))";

/// Makes a workflow as the user of this token.
fn make(gate: &Envoy, token: &str, workflow: &Value) -> String {
    let made = Request::post("/api/v1/workflows", workflow).bearer(token);
    let made = made.send(gate.port()).unwrap();
    assert_eq!(made.status, 200, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

fn run(gate: &Envoy, token: &str, id: &str, query: &str, input: &Value) -> Response {
    let request = Request::post(format!("/api/v1/workflows/{id}/run{query}"), input);
    request.bearer(token).send(gate.port()).unwrap()
}

fn refused(response: &Response, status: u16, reason: &str) {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.json()["reason"], reason);
}

#[test]
fn a_caller_runs_its_workflow_with_its_input_and_reads_the_result() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let gate = gate(&stage, &accounts, "runs.invalid");
    let token = token(&stage, "app-a");
    let id = make(
        &gate,
        &token,
        &workflow("echo", &by_another_workflow(), ECHO),
    );
    let waited = run(
        &gate,
        &token,
        &id,
        "?wait=30s",
        &json!([{ "a": 1 }, { "a": 2 }]),
    );
    assert_eq!(waited.status, 200, "{}", waited.text());
    let result = waited.json();
    assert_eq!(result["status"], "success", "{result}");
    assert_eq!(result["lastNode"], "Out");
    assert_eq!(
        result["output"],
        json!([{ "got": { "a": 1 } }, { "got": { "a": 2 } }])
    );
    // Without a wait there is the id at once, and n8n knows the execution under it.
    let begun = run(&gate, &token, &id, "", &json!({ "a": 3 }));
    assert_eq!(begun.status, 202, "{}", begun.text());
    let execution = begun.json()["executionId"].as_str().unwrap().to_owned();
    assert_eq!(begun.json(), json!({ "executionId": execution }));
    let location = begun.header("location").unwrap();
    assert_eq!(location, format!("/api/v1/executions/{execution}"));
    let has_ended = || {
        let read = Request::get(&location).bearer(&token).send(gate.port());
        read.unwrap().json()["status"] == "success"
    };
    assert!(eventually(40, has_ended));
    let audit = gate.audit();
    let record = audit
        .iter()
        .find(|line| line["execution"] == execution.as_str());
    let record = record.unwrap_or_else(|| panic!("{audit:?}"));
    assert_eq!(record["operation"], "workflow:execute");
    assert_eq!(record["decision"], "respond");
    assert_eq!(record["client"], "app-a");
    // n8n knows who ran it.
    let events = stage.n8n.events().unwrap();
    let ran = events.iter().any(|event| {
        event["eventName"]
            .as_str()
            .unwrap_or_default()
            .starts_with("n8n.workflow.")
            && event["payload"]["executionId"] == execution.as_str()
    });
    assert!(ran, "no event names the execution");
}

#[test]
fn each_kind_of_trigger_gets_the_input_as_the_guide_says() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let gate = gate(&stage, &accounts, "triggers.invalid");
    let token = token(&stage, "app-a");
    let input = json!({ "a": 1 });
    let hook = json!({ "headers": {}, "params": {}, "query": {}, "body": { "a": 1 } });
    let cases = [
        (
            "n8n-nodes-base.webhook",
            2.0,
            json!({ "path": "runs" }),
            Some(hook),
        ),
        (
            "@n8n/n8n-nodes-langchain.chatTrigger",
            1.1,
            json!({}),
            Some(input.clone()),
        ),
        (
            "n8n-nodes-base.formTrigger",
            2.2,
            json!({ "formTitle": "f" }),
            Some(input.clone()),
        ),
        ("n8n-nodes-base.manualTrigger", 1.0, json!({}), None),
        (
            "n8n-nodes-base.scheduleTrigger",
            1.2,
            json!({ "rule": { "interval": [{}] } }),
            None,
        ),
    ];
    for (node, version, parameters, expected) in cases {
        let trigger = trigger("Start \"here\"", node, version, &parameters);
        let id = make(&gate, &token, &workflow(node, &trigger, ECHO));
        let ran = run(&gate, &token, &id, "?wait=30", &input);
        assert_eq!(ran.status, 200, "{node}: {}", ran.text());
        let ignored = ran.header("x-n8n-idp-gate-input");
        let got = ran.json()["output"][0]["got"].clone();
        if let Some(expected) = expected {
            assert_eq!(got, expected, "{node}");
            assert_eq!(ignored, None, "{node}");
        } else {
            assert_eq!(got.get("a"), None, "{node}");
            assert_eq!(ignored.as_deref(), Some("ignored"), "{node}");
        }
    }
}

#[test]
fn a_workflow_that_fails_or_takes_long_is_told_as_it_is() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let gate = gate(&stage, &accounts, "failing.invalid");
    let token = token(&stage, "app-a");
    let failing = "throw new Error('no such order')";
    let id = make(
        &gate,
        &token,
        &workflow("fails", &by_another_workflow(), failing),
    );
    let failed = run(&gate, &token, &id, "?wait=30s", &json!({}));
    assert_eq!(failed.status, 200, "{}", failed.text());
    let result = failed.json();
    assert_eq!(result["status"], "error", "{result}");
    assert_eq!(result["error"]["node"], "Out", "{result}");
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains("no such order"), "{result}");
    let slow = "await new Promise(done => setTimeout(done, 4000)); return [{ json: {} }]";
    let id = make(
        &gate,
        &token,
        &workflow("slow", &by_another_workflow(), slow),
    );
    let late = run(&gate, &token, &id, "?wait=1s", &json!({}));
    assert_eq!(late.status, 202, "{}", late.text());
    assert!(late.json()["executionId"].is_string());
}

#[test]
fn what_cannot_be_run_is_refused_for_its_reason() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let gate = gate(&stage, &accounts, "refused-runs.invalid");
    let [a, b] = ["app-a", "app-b"].map(|client| token(&stage, client));
    let id = make(&gate, &a, &workflow("of a", &by_another_workflow(), ECHO));
    let none = json!({});
    refused(
        &run(&gate, &a, "none", "", &none),
        404,
        "workflow_not_found",
    );
    let of_other = run(&gate, &b, &id, "", &none);
    assert!([403, 404].contains(&of_other.status), "{}", of_other.text());
    let no_trigger = run(&gate, &a, &id, "?trigger=Other", &none);
    refused(&no_trigger, 409, "no_trigger");
    assert_eq!(no_trigger.json()["triggers"], json!(["Called"]));
    refused(
        &run(&gate, &a, &id, "?wait=1h", &none),
        400,
        "wait_malformed",
    );
    refused(
        &run(&gate, &a, &id, "", &json!("text")),
        400,
        "input_malformed",
    );
    let large = json!({ "text": "x".repeat(1024 * 1024) });
    refused(&run(&gate, &a, &id, "", &large), 413, "body_too_large");
    // n8n's own answer to a call with one of its keys stays.
    let key = accounts.key_of_owner(&["workflow:read"]);
    let request = Request::post(format!("/api/v1/workflows/{id}/run"), &none);
    let with_key = request
        .header("X-N8N-API-KEY", &key)
        .send(gate.port())
        .unwrap();
    assert_eq!(with_key.status, 405, "{}", with_key.text());
}

#[test]
fn many_runs_at_once_each_have_their_own_execution() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let gate = gate(&stage, &accounts, "crowd-of-runs.invalid");
    let token = token(&stage, "app-a");
    let id = make(
        &gate,
        &token,
        &workflow("echo", &by_another_workflow(), ECHO),
    );
    let runs = thread::scope(|scope| {
        let runs = (0..8).map(|number| {
            let (gate, token, id) = (&gate, &token, &id);
            scope.spawn(move || run(gate, token, id, "?wait=60s", &json!({ "n": number })))
        });
        let runs: Vec<_> = runs.collect();
        let runs = runs.into_iter().map(|run| run.join().unwrap());
        runs.collect::<Vec<_>>()
    });
    for (number, ran) in runs.iter().enumerate() {
        assert_eq!(ran.status, 200, "{}", ran.text());
        assert_eq!(ran.json()["output"], json!([{ "got": { "n": number } }]));
    }
}
