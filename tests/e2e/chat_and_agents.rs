//! Rules for the chat of workflows and for webhooks of agents, which are not below `/webhook`.

use serde_json::{json, Value};

use crate::gate::{policy, token, Gate, ORDERS, READER};
use crate::scenario::{arrives, refused, run_scenarios, upstream};
use crate::shipped_gate::ShippedGate;
use crate::support::http::Request;

const OPEN: &str = "/rest/projects/p1/agents/v2/open/webhooks/slack";
const CLOSED: &str = "/rest/projects/p1/agents/v2/closed/webhooks/slack";
const GUARDED: &str = "/rest/projects/p1/agents/v2/a1/webhooks/slack";

fn guarding(rules: &Value) -> Gate {
    let mut policy = policy();
    policy["webhooks"] = rules.clone();
    Gate::with(policy, |setup| setup)
}

fn post(path: &str) -> Request {
    Request::post(path, &json!({"message": 1}))
}

#[test]
fn rules_for_webhooks_of_agents_refuse_and_let_in() {
    let gate = guarding(&json!([
        { "path": "/rest/projects/*/agents/v2/closed/webhooks/**", "auth": "deny" },
        { "path": "/rest/projects/*/agents/v2/open/webhooks/**", "auth": "open" },
        { "path": "/rest/projects/*/agents/v2/*/webhooks/**", "require": { "roles": [ORDERS] } },
    ]));
    let good = token("app-a", &[ORDERS]);
    let other = token("app-a", &[READER]);
    let denied = (403, "webhook_denied");
    let no_token = (401, "no_credential");
    let ambiguous = (400, "ambiguous_path");
    let ambiguous_case = (400, "ambiguous_case");
    let mut scenarios = vec![
        refused(
            "denied with a good token",
            post(CLOSED).bearer(&good),
            denied.0,
            denied.1,
        ),
        refused(
            "guarded with another role",
            post(GUARDED).bearer(&other),
            403,
            "webhook_requirement",
        ),
        refused(
            "guarded with an API key alone",
            post(GUARDED).header("X-N8N-API-KEY", "any"),
            no_token.0,
            no_token.1,
        ),
        arrives(
            "guarded with the role",
            post(GUARDED).bearer(&good),
            upstream()
                .with("x-auth-client", "app-a")
                .without("authorization")
                .without("x-n8n-api-key"),
        ),
        arrives(
            "open, with a made-up identity",
            post(OPEN).header("X-Auth-Client", "forged"),
            upstream().without("x-auth-client"),
        ),
        // The rules are for webhooks of agents. The rest of `/rest` has the sessions of n8n.
        arrives("another path below /rest", post("/rest/login"), upstream()),
    ];
    for (path, (status, reason)) in [
        (CLOSED, denied),
        ("/REST/projects/p1/agents/v2/closed/webhooks/slack", denied),
        ("/rest/projects/p2/agents/v2/closed/webhooks/a/b", denied),
        (GUARDED, no_token),
        ("/rest/projects/p1/agents/v2/a1/webhooks/slack/", no_token),
        (
            "/rest/projects/p1/agents/v2/a1/webhooks/slack?x=1",
            no_token,
        ),
        (
            "/rest/projects/p1/agents/v2/%63losed/webhooks/slack",
            denied,
        ),
        (
            "/rest/projects/p1/agents/v2/Closed/webhooks/slack",
            ambiguous_case,
        ),
        (
            "/rest/projects/p1/Agents/v2/closed/webhooks/slack",
            ambiguous_case,
        ),
        (
            "/rest/projects/p1/agents/v2/open/../closed/webhooks/slack",
            ambiguous,
        ),
        (
            "/rest/projects/p1//agents/v2/closed/webhooks/slack",
            ambiguous,
        ),
    ] {
        scenarios.push(refused(path, post(path), status, reason));
    }
    run_scenarios(&gate, scenarios);
}

#[test]
fn rules_for_the_chat_refuse_and_let_in() {
    let good = token("app-a", &[ORDERS]);
    let guarded = guarding(&json!([
        { "path": "/chat", "require": { "roles": [ORDERS] } },
        { "path": "/chat/closed", "auth": "deny" },
    ]));
    let mut scenarios = vec![
        refused(
            "another role",
            Request::get("/chat").bearer(&token("app-a", &[READER])),
            403,
            "webhook_requirement",
        ),
        refused(
            "denied",
            Request::get("/chat/closed").bearer(&good),
            403,
            "webhook_denied",
        ),
        refused(
            "no rule",
            Request::get("/chat/x").bearer(&good),
            403,
            "webhook_no_rule",
        ),
        arrives(
            "the role",
            Request::get("/chat?sessionId=1&executionId=7").bearer(&good),
            upstream()
                .with("x-auth-client", "app-a")
                .without("authorization"),
        ),
        arrives(
            "a path that is not the chat",
            Request::get("/chats"),
            upstream(),
        ),
    ];
    for path in [
        "/chat",
        "/chat/",
        "/Chat",
        "/chat?sessionId=1&executionId=7",
    ] {
        scenarios.push(refused(path, Request::get(path), 401, "no_credential"));
    }
    for path in ["//chat", "/x/../chat", "/%63hat"] {
        scenarios.push(refused(path, Request::get(path), 400, "ambiguous_path"));
    }
    run_scenarios(&guarded, scenarios);
    let denied = guarding(&json!([{ "path": "/chat", "auth": "deny" }]));
    let scenarios = ["/chat", "/Chat/", "/chat?a"].map(|path| {
        refused(
            path,
            Request::get(path).bearer(&good),
            403,
            "webhook_denied",
        )
    });
    run_scenarios(&denied, scenarios.into());
}

/// The chat is a WebSocket, which the shipped file upgrades.
#[test]
fn a_websocket_of_the_chat_needs_the_token_that_its_rule_asks_for() {
    let gate = ShippedGate::start(|setup| {
        let rule =
            "                              - { path: \"/webhook/orders/**\", auth: bearer }\n";
        let chat = "                              - { path: \"/chat\", auth: bearer }\n";
        setup.edited(rule, &format!("{rule}{chat}"))
    });
    let upgrade = Request::get("/chat?sessionId=1")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
    let bad = format!("{}x", gate.token("app-a", &[]));
    for request in [upgrade.clone(), upgrade.clone().bearer(&bad)] {
        assert_eq!(gate.status(&request), 401);
        assert!(gate.recorder.take().is_empty());
    }
    // The recorder does not upgrade. It is enough that the request arrives there.
    gate.status(&upgrade.bearer(&gate.token("app-a", &[])));
    let arrived = gate.recorder.take();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].values("upgrade"), ["websocket"]);
    assert_eq!(arrived[0].values("x-auth-client"), ["app-a"]);
    assert_eq!(arrived[0].values("authorization"), [""; 0]);
}
