//! n8n's internal API with a token, in a real Envoy before a scripted n8n.

use std::thread;

use serde_json::json;

use crate::gate::{token, READER};
use crate::minted::stage::{self, Stage, PROVISIONING_KEY, SEED};
use crate::support::http::{Request, Response};

const INTERNAL: &str = "N8N.Internal";

fn stage(workers: usize, log_level: &'static str) -> Stage {
    stage::changed(workers, log_level, |policy| {
        policy["rest"] = json!("bearer");
        policy["roles"][INTERNAL] = json!(["rest"]);
    })
}

impl Stage {
    fn send(&self, request: &Request) -> Response {
        request.send(self.envoy.port()).unwrap()
    }

    fn workflows(&self, client: &str) -> Response {
        self.send(&Request::get("/rest/workflows").bearer(&token(client, &[INTERNAL])))
    }

    /// The values of a header that n8n got with the last request of a client.
    fn last_sent(&self, name: &str) -> Vec<String> {
        let state = self.n8n.state();
        let last = state.internal_calls.last().unwrap().iter();
        let values = last.filter(|(own, _)| own == name);
        values
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }
}

#[test]
fn a_crowd_with_tokens_makes_one_user_and_one_session() {
    let stage = stage(4, "info");
    let statuses: Vec<u16> = thread::scope(|scope| {
        let crowd: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| stage.workflows("app-a").status))
            .collect();
        let crowd = crowd.into_iter();
        crowd.map(|sent| sent.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 64]);
    let n8n = stage.n8n.state();
    let calls = n8n.calls.iter();
    let own: Vec<_> = calls
        .filter(|call| *call != "GET /rest/workflows")
        .collect();
    assert_eq!(own.len(), 4, "find, invite, accept, try: {own:?}");
    assert_eq!((n8n.users.len(), n8n.keys.len()), (1, 0));
    drop(n8n);
    let made = stage.envoy.counted("n8n_idp_gate_sessions", "", 1);
    assert_eq!(made.unwrap(), 1);
}

#[test]
fn n8n_gets_the_session_and_nothing_of_the_client_and_the_client_gets_no_cookie() {
    let stage = stage(1, "info");
    let request = Request::get("/rest/workflows?take=1")
        .bearer(&token("app-a", &[INTERNAL]))
        .header("Cookie", "n8n-auth=of-the-client; other=1")
        .header("browser-id", "b")
        .header("push-ref", "p")
        .header("X-N8N-API-KEY", "a-key");
    let response = stage.send(&request);
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("set-cookie"), None);
    assert_eq!(response.header("x-n8n-api-key"), None);
    let first = stage.n8n.state().sessions[0].clone();
    assert_eq!(stage.last_sent("cookie"), [first]);
    for name in ["authorization", "browser-id", "push-ref", "x-n8n-api-key"] {
        assert!(stage.last_sent(name).is_empty(), "{name}");
    }
    assert_eq!(stage.last_sent("x-auth-client"), ["app-a"]);
    let record = stage.envoy.audit().pop().unwrap();
    assert_eq!(record["surface"], "rest", "{record}");
    assert_eq!(record["operation"], "rest");
    assert_eq!(record["principal"], "apps");
}

/// The body of a request that waits for its session is not lost.
#[test]
fn a_request_with_a_body_waits_for_its_session() {
    let stage = stage(1, "info");
    let body = json!({"name": "made with a token"});
    let request = Request::post("/rest/workflows", &body).bearer(&token("app-a", &[INTERNAL]));
    assert_eq!(stage.send(&request).status, 200);
    let length = body.to_string().len().to_string();
    assert_eq!(stage.last_sent("content-length"), [length]);
}

#[test]
fn closed_routes_and_callers_without_the_grant_reach_nothing() {
    let stage = stage(1, "info");
    let internal = token("app-a", &[INTERNAL]);
    let reader = token("app-a", &[READER]);
    for (path, token, reason) in [
        ("/rest/login", &internal, "rest_closed"),
        ("/rest/me", &internal, "rest_closed"),
        ("/REST/Me/", &internal, "rest_closed"),
        ("/rest/api-keys", &internal, "rest_closed"),
        ("/rest/push?pushRef=a", &internal, "rest_closed"),
        (
            "/rest/users/x/password-reset-link",
            &internal,
            "rest_closed",
        ),
        ("/rest/workflows/%2e%2e/me", &internal, "ambiguous_path"),
        ("/rest/workflows", &reader, "insufficient_scope"),
    ] {
        let response = stage.send(&Request::get(path).bearer(token));
        assert_eq!(response.json()["reason"], reason, "{path}");
        assert_eq!(response.header("set-cookie"), None);
    }
    assert!(
        stage.n8n.state().calls.is_empty(),
        "nothing is made for them"
    );
    // A browser without a token reaches n8n, which has a session of its own for it or none.
    let response = stage.send(&Request::get("/rest/workflows"));
    assert_eq!(response.status, 401, "{}", response.text());
    assert_eq!(response.json()["message"], "Unauthorized");
}

#[test]
fn after_n8n_ended_its_sessions_one_request_gets_502_and_then_another_session() {
    let stage = stage(1, "info");
    assert_eq!(stage.workflows("app-a").status, 200);
    stage.n8n.state().sessions.clear();
    let refused = stage.workflows("app-a");
    assert_eq!(refused.status, 502, "{}", refused.text());
    assert_eq!(refused.json()["reason"], "upstream_session_refused");
    assert_eq!(refused.header("www-authenticate"), None);
    assert_eq!(refused.header("set-cookie"), None);
    let record = stage.envoy.audit().pop().unwrap();
    assert_eq!(record["upstream_status"], 401, "{record}");
    assert_eq!(record["principal"], "apps");
    assert_eq!(stage.workflows("app-a").status, 200);
    let log_ins = stage.n8n.state().calls.clone().into_iter();
    assert_eq!(log_ins.filter(|call| call == "POST /rest/login").count(), 1);
}

#[test]
fn no_fault_of_n8n_is_one_of_the_caller_and_a_401_of_a_route_costs_no_log_in() {
    let stage = stage(1, "info");
    assert_eq!(stage.workflows("app-a").status, 200);
    let unauthorized = crate::support::server::Reply::new(401, "application/json", "{}");
    stage.n8n.fault("GET /rest/workflows", unauthorized);
    assert_eq!(stage.workflows("app-a").status, 502);
    stage.n8n.mend();
    assert_eq!(stage.workflows("app-a").status, 200);
    let log_ins = stage.n8n.state().calls.clone().into_iter();
    assert_eq!(log_ins.filter(|call| call == "POST /rest/login").count(), 0);
    let unavailable = crate::support::server::Reply::new(503, "application/json", "{}");
    stage.n8n.fault("GET /api/v1/users/", unavailable);
    let refused = stage.workflows("app-b");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["reason"], "upstream_session_unavailable");
    assert!(refused.header("retry-after").is_some());
}

#[test]
fn no_session_is_in_the_log_on_admin_pages_or_in_responses() {
    let stage = stage(2, "trace");
    let mut texts = Vec::new();
    let mut keep = |response: &Response| {
        texts.push(format!("{:?}", response.headers));
        texts.push(response.text());
    };
    keep(&stage.workflows("app-a"));
    keep(&stage.workflows("app-b"));
    stage.n8n.state().sessions.clear();
    keep(&stage.workflows("app-a"));
    keep(&stage.workflows("app-a"));
    for page in ["/config_dump", "/stats", "/clusters", "/listeners"] {
        texts.push(stage.envoy.admin_page(page).unwrap());
    }
    texts.push(stage.envoy.log_text());
    let secrets = stage.n8n.state().secrets.clone();
    // Invitations and sessions of two users. Whether a last session is among them depends on which worker
    // gets the last request.
    assert!(secrets.len() >= 8, "{}", secrets.len());
    for text in texts {
        for secret in [SEED, PROVISIONING_KEY] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
    }
}
