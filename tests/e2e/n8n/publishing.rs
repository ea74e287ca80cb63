//! Which callers can change the responses of production.

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::applications::applications;
use crate::keys::Keys;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::provider::{AUDIENCE, READ};
use crate::{gate_with, stage, Stage};

/// A workflow whose webhook responds with a text and the time zone of its settings.
fn workflow(path: &str, text: &str, zone: &str) -> Value {
    let response = format!("={{{{ JSON.stringify({{ text: '{text}', zone: $now.zoneName }}) }}}}");
    json!({
        "name": path,
        "settings": {"timezone": zone},
        "nodes": [
            {
                "id": "1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2,
                "position": [0, 0], "webhookId": "7a0e3f5c-5a51-4b7e-8c1d-200000000000",
                "parameters": {"path": path, "httpMethod": "POST", "responseMode": "lastNode"},
            },
            {
                "id": "2", "name": "Respond", "type": "n8n-nodes-base.set", "typeVersion": 3.4,
                "position": [200, 0],
                "parameters": {"mode": "raw", "jsonOutput": response},
            },
        ],
        "connections": {"Webhook": {"main": [[{"node": "Respond", "type": "main", "index": 0}]]}},
    })
}

/// Makes and publishes the workflow.
fn publish(stage: &Stage, key: &str, workflow: &Value) -> String {
    let call = |path: &str, body: &Value| {
        let request = Request::post(path, body).header("X-N8N-API-KEY", key);
        let response = request.send(stage.n8n.port()).unwrap();
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.json()
    };
    let made = call("/api/v1/workflows", workflow);
    let id = made["id"].as_str().unwrap().to_owned();
    call(&format!("/api/v1/workflows/{id}/publish"), &json!({}));
    id
}

/// The response of production, as soon as there is one.
fn production(stage: &Stage, path: &str) -> Value {
    for _ in 0..100 {
        let request = Request::post(format!("/webhook/{path}"), &json!({}));
        let response = request.send(stage.n8n.port()).unwrap();
        if response.status == 200 {
            return response.json();
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("n8n never served {path}");
}

/// Waits until production has this response. n8n activates a workflow after its response.
fn wait_for(stage: &Stage, path: &str, expected: &Value) {
    let mut last = Value::Null;
    for _ in 0..100 {
        last = production(stage, path);
        if last == *expected {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the response of production is {last}, not {expected}");
}

#[test]
fn a_caller_who_may_not_publish_cannot_change_responses_of_production() {
    let stage = stage();
    let path = "publishing/attack";
    // The key of A may publish. Only the gate knows that the caller may not.
    let key = &applications(&stage).a.api_key;
    let id = publish(&stage, key, &workflow(path, "good", "UTC"));
    let before = json!({"text": "good", "zone": "UTC"});
    assert_eq!(production(&stage, path), before);
    let gate = |scopes: &Value| {
        let webhooks = json!([{ "path": "/webhook/**", "auth": "open" }]);
        gate_with(&stage, &json!({READ: scopes}), &webhooks)
    };
    let token = stage.provider.token("app-a", READ, AUDIENCE).unwrap();
    let evil = workflow(path, "evil", "Asia/Tokyo");
    let put = |query: &str, gate: &Envoy| {
        Request::new("PUT", format!("/api/v1/workflows/{id}{query}"))
            .bearer(&token)
            .json(&evil)
            .send(gate.port())
            .unwrap()
    };
    let narrow = gate(&json!([
        "workflow:list",
        "workflow:read",
        "workflow:update"
    ]));
    for query in [
        "",
        "/",
        "?publishIfActive=true",
        "?publishIfActive=false",
        "?publishIfActive=%66alse",
        "?publishIfActive=false&publishIfActive=true",
        "?PublishIfActive=false",
    ] {
        let response = put(query, &narrow);
        assert_eq!(response.status, 403, "{query}: {}", response.text());
        let body = response.json();
        assert_eq!(body["reason"], "insufficient_scope", "{query}");
        let message = body["message"].as_str().unwrap();
        assert!(
            message.ends_with("Missing: workflow:activate."),
            "{message}"
        );
        assert_eq!(production(&stage, path), before, "{query}");
    }
    // With the scope the same request succeeds.
    let wide = gate(&json!(["workflow:update", "workflow:activate"]));
    let response = put("", &wide);
    assert_eq!(response.status, 200, "{}", response.text());
    wait_for(&stage, path, &json!({"text": "evil", "zone": "Asia/Tokyo"}));
}

#[test]
fn n8n_changes_production_for_keys_that_may_not_publish() {
    let stage = stage();
    let path = "publishing/narrow";
    let mut keys = Keys::of_the_owner(&stage);
    let wide = keys.with(&["workflow:create", "workflow:activate", "workflow:export"]);
    let id = publish(&stage, &wide, &workflow(path, "one", "UTC"));
    assert_eq!(
        production(&stage, path),
        json!({"text": "one", "zone": "UTC"})
    );
    let put = |query: &str, key: &str, changed: &Value| {
        Request::new("PUT", format!("/api/v1/workflows/{id}{query}"))
            .header("X-N8N-API-KEY", key)
            .json(changed)
            .send(stage.n8n.port())
            .unwrap()
    };

    // With any query, new nodes stay a draft, but new settings are active at once.
    let narrow = keys.with(&["workflow:update"]);
    let response = put("", &narrow, &workflow(path, "two", "UTC"));
    assert_eq!(
        response.json()["reason"],
        "insufficient_api_key_scope",
        "{}",
        response.text()
    );
    assert_eq!(
        production(&stage, path),
        json!({"text": "one", "zone": "UTC"})
    );
    let response = put(
        "?publishIfActive=false",
        &narrow,
        &workflow(path, "two", "Asia/Tokyo"),
    );
    assert_eq!(response.status, 200, "{}", response.text());
    wait_for(&stage, path, &json!({"text": "one", "zone": "Asia/Tokyo"}));

    // An import publishes, and n8n asks for only one scope.
    let exported = Request::post(
        "/api/v1/n8n-packages/export",
        &json!({"workflowIds": [id], "workflowVersionPolicy": "latest"}),
    )
    .header("X-N8N-API-KEY", &wide)
    .send(stage.n8n.port())
    .unwrap();
    assert_eq!(exported.status, 200, "{}", exported.text());
    let mut parts = b"--x\r\nContent-Disposition: form-data; name=\"workflowConflictPolicy\"\r\n\r\nnew-version\r\n--x\r\nContent-Disposition: form-data; name=\"workflowPublishingPolicy\"\r\n\r\npublish-all\r\n--x\r\nContent-Disposition: form-data; name=\"package\"; filename=\"p.n8np\"\r\nContent-Type: application/gzip\r\n\r\n".to_vec();
    parts.extend_from_slice(&exported.body);
    parts.extend_from_slice(b"\r\n--x--\r\n");
    let imported = Request::new("POST", "/api/v1/n8n-packages/import")
        .header("X-N8N-API-KEY", keys.with(&["workflow:import"]))
        .body("multipart/form-data; boundary=x", parts)
        .send(stage.n8n.port())
        .unwrap();
    let published = &imported.json()["workflows"][0]["publishing"]["state"];
    assert_eq!(published, "published", "{}", imported.text());
    wait_for(&stage, path, &json!({"text": "two", "zone": "Asia/Tokyo"}));
}
