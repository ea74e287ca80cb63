//! A delivery that a sender signed starts a workflow, which learns the sender.

use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::applications::applications;
use crate::setup_with;
use crate::support::http::{Request, Response};
use crate::{stage, Stage};

const PATH: &str = "signed/push";
const SECRET: &str = "the secret of this webhook";

/// A workflow that responds with what it got.
fn workflow() -> Value {
    let response = "={{ JSON.stringify({ body: $json.body, headers: $json.headers }) }}";
    json!({
        "name": "signed deliveries",
        "settings": {},
        "nodes": [
            {
                "id": "1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2,
                "position": [0, 0], "webhookId": "7a0e3f5c-5a51-4b7e-8c1d-300000000000",
                "parameters": {"path": PATH, "httpMethod": "POST", "responseMode": "lastNode"},
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

fn publish(stage: &Stage) {
    let key = &applications(stage).a.api_key;
    let call = |path: &str, body: &Value| {
        let request = Request::post(path, body).header("X-N8N-API-KEY", key);
        let response = request.send(stage.n8n.port()).unwrap();
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.json()
    };
    let made = call("/api/v1/workflows", &workflow());
    let id = made["id"].as_str().unwrap();
    call(&format!("/api/v1/workflows/{id}/publish"), &json!({}));
    // n8n activates a workflow after its response.
    let is_there = (0..100).any(|_| {
        let request = Request::post(format!("/webhook/{PATH}"), &json!({}));
        let is_there = request.send(stage.n8n.port()).unwrap().status == 200;
        if !is_there {
            thread::sleep(Duration::from_millis(100));
        }
        is_there
    });
    assert!(is_there, "n8n never served {PATH}");
}

#[test]
fn a_workflow_gets_a_signed_delivery_with_the_name_of_its_sender() {
    let stage = stage();
    publish(&stage);
    let rules = json!([{
        "path": "/webhook/signed/**",
        "auth": "signature",
        "signature": {"sender": "github", "secrets": [{"env": "SIGNING_SECRET"}]},
    }]);
    let gate = setup_with(&stage, &json!({"None": ["workflow:list"]}), &rules)
        .secret("SIGNING_SECRET", SECRET)
        .holding_heads_alone()
        .start()
        .unwrap();
    let send = |body: &Value, secret: &str| -> Response {
        let code = hmac_sha256::HMAC::mac(body.to_string(), secret);
        let signature = format!("sha256={}", n8n_idp_gate::formats::hex::encoded(&code));
        Request::post(format!("/webhook/{PATH}"), body)
            .header("X-Hub-Signature-256", signature)
            .header("X-GitHub-Event", "push")
            .header("X-Auth-Principal", "root")
            .send(gate.port())
            .unwrap()
    };
    let body = json!({"ref": "refs/heads/main", "text": "\u{e9}"});
    let refused = send(&body, "another secret of 16").refusal();
    assert_eq!(refused, (403, json!("signature_invalid")));
    let response = send(&body, SECRET);
    assert_eq!(response.status, 200, "{}", response.text());
    let got = response.json();
    assert_eq!(got["body"], body);
    let headers = &got["headers"];
    assert_eq!(headers["x-auth-kind"], "webhook");
    assert_eq!(headers["x-auth-principal"], "github");
    assert_eq!(headers["x-github-event"], "push");
    assert_eq!(headers["x-auth-subject"], Value::Null);
    assert_eq!(
        send(&body, SECRET).refusal(),
        (409, json!("delivery_replayed"))
    );
}
