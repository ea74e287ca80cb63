//! Users and API keys of n8n that the gate makes, in a real Envoy before a scripted n8n.

pub(crate) mod n8n;
pub(crate) mod stage;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use self::stage::{stage, Stage, PROVISIONING_KEY, SEED};
use crate::gate::{token, READER};
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::server::Reply;

impl Stage {
    fn list(&self, client: &str) -> Response {
        list(&self.envoy, client)
    }

    /// Sends requests until one is let through.
    fn list_at_last(&self, client: &str) {
        let is_let_through = (0..300).any(|_| {
            let is_let_through = self.list(client).status == 200;
            if !is_let_through {
                thread::sleep(Duration::from_millis(100));
            }
            is_let_through
        });
        assert!(is_let_through, "{client}");
    }
}

fn list(envoy: &Envoy, client: &str) -> Response {
    let request = Request::get("/api/v1/workflows").bearer(&token(client, &[READER]));
    request.send(envoy.port()).unwrap()
}

#[test]
fn a_crowd_at_a_cold_start_makes_one_user_and_one_key() {
    let stage = stage(4, "info");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let crowd: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| stage.list("app-a").status))
            .collect();
        let crowd = crowd.into_iter();
        crowd.map(|sent| sent.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 64]);
    let n8n = stage.n8n.state();
    let calls = n8n.calls.iter();
    let own: Vec<_> = calls
        .filter(|call| *call != "GET /api/v1/workflows")
        .collect();
    assert_eq!(own.len(), 5, "{own:?}");
    assert_eq!((n8n.users.len(), n8n.keys.len()), (1, 1));
    drop(n8n);
    let made = stage
        .envoy
        .counted("n8n_idp_gate_minted_keys", "", 1)
        .unwrap();
    assert_eq!(made, 1);
}

#[test]
fn users_have_keys_of_their_own() {
    let stage = stage(2, "info");
    for client in ["app-a", "app-b", "app-a", "app-c", "app-b"] {
        assert_eq!(stage.list(client).status, 200, "{client}");
    }
    let n8n = stage.n8n.state();
    assert_eq!((n8n.users.len(), n8n.keys.len()), (3, 3));
}

#[test]
fn a_key_that_was_deleted_in_n8n_is_made_anew() {
    let stage = stage(1, "info");
    assert_eq!(stage.list("app-a").status, 200);
    stage.n8n.state().keys.clear();
    let refused = stage.list("app-a");
    assert_eq!(refused.status, 502, "{}", refused.text());
    assert_eq!(refused.json()["reason"], "upstream_key_refused");
    stage.list_at_last("app-a");
    assert_eq!(stage.n8n.state().keys.len(), 1);
}

/// What n8n responds, to which call, and which fault that is. The last ones are those of all users.
fn faults() -> Vec<(&'static str, Reply, &'static str)> {
    let json_reply = |status, body: Value| Reply::new(status, "application/json", body.to_string());
    let page = Reply::new(200, "text/html", "<!doctype html><title>n8n</title>");
    let pending = json!({"email": "a@b.example", "isPending": false});
    let mailed = json!([{"user": {"emailSent": true}, "error": ""}]);
    let find = "GET /api/v1/users/";
    let scopes = "GET /rest/api-keys/scopes";
    vec![
        (find, json_reply(200, pending), "user_password"),
        (
            "POST /api/v1/users",
            json_reply(201, mailed),
            "invitation_mailed",
        ),
        (scopes, json_reply(401, json!({})), "session_refused"),
        (scopes, json_reply(200, json!({"data": []})), "no_scope"),
        (scopes, page.clone(), "answer_malformed"),
        (find, page, "answer_malformed"),
        (find, json_reply(500, json!({})), "server_error"),
        (scopes, json_reply(404, json!({})), "not_found"),
        (
            "POST /rest/api-keys",
            json_reply(400, json!({})),
            "client_error",
        ),
        (
            "POST /rest/invitations/accept",
            json_reply(429, json!({})).header("Retry-After", "2"),
            "rate_limited",
        ),
        (find, json_reply(401, json!({})), "client_refused"),
        (
            find,
            json_reply(302, json!({})).header("Location", "/x"),
            "redirect",
        ),
        (find, json_reply(503, json!({})), "unavailable"),
        (find, json_reply(504, json!({})), "timeout"),
    ]
}

#[test]
fn every_fault_is_a_503_with_its_code_in_audit_and_metrics() {
    let stage = stage(1, "info");
    for (number, (call, reply, fault)) in faults().into_iter().enumerate() {
        let client = format!("app-{number}");
        stage.n8n.fault(call, reply);
        let response = stage.list(&client);
        assert_eq!(response.status, 503, "{fault}: {}", response.text());
        assert_eq!(response.json()["reason"], "upstream_key_unavailable");
        let wait = response.header("retry-after").unwrap();
        assert!((1..=2).contains(&wait.parse::<u64>().unwrap()), "{wait}");
        let audit = stage.envoy.audit();
        let record = audit.last().unwrap();
        assert_eq!(record["fault"], fault, "{record}");
        assert_eq!(record["principal"], "apps");
        let name = "n8n_idp_gate_minted_key_failures";
        let count = stage.envoy.counted(name, fault, 1).unwrap();
        assert!(count >= 1, "{fault}");
        // After the pause it works.
        stage.n8n.mend();
        stage.list_at_last(&client);
    }
}

#[test]
fn no_secret_is_in_the_log_on_admin_pages_or_in_responses() {
    let stage = stage(2, "trace");
    let mut texts = Vec::new();
    let mut keep = |response: &Response| {
        texts.push(format!("{:?}", response.headers));
        texts.push(response.text());
    };
    keep(&stage.list("app-a"));
    for (number, (call, reply, _)) in faults().into_iter().enumerate() {
        let client = format!("app-{number}");
        stage.n8n.fault(call, reply);
        keep(&stage.list(&client));
        stage.n8n.mend();
        stage.list_at_last(&client);
    }
    stage.n8n.state().keys.clear();
    keep(&stage.list("app-a"));
    let dump = stage.envoy.admin_page("/config_dump").unwrap();
    assert!(dump.contains("N8N_SEED") && dump.contains("N8N_PROVISIONING_KEY"));
    texts.push(dump);
    for page in [
        "/stats",
        "/clusters",
        "/listeners",
        "/server_info",
        "/certs",
    ] {
        texts.push(stage.envoy.admin_page(page).unwrap());
    }
    texts.push(stage.envoy.log_text());
    let mut secrets: BTreeSet<String> = stage.n8n.state().secrets.iter().cloned().collect();
    assert!(secrets.len() > 30, "{}", secrets.len());
    secrets.extend([PROVISIONING_KEY.to_owned(), SEED.to_owned()]);
    for text in texts {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
    }
}
