//! Which callers may call a webhook, and what the workflow gets.

use serde_json::json;

use crate::gate::{policy, token, Gate, ORDERS, READER};
use crate::scenario::{arrives, refused, run_scenarios, upstream};
use crate::support::http::Request;

fn post(path: &str) -> Request {
    Request::post(path, &json!({"order": 1}))
}

fn preflight(path: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("Origin", "https://shop.example.test")
        .header("Access-Control-Request-Method", "POST")
}

#[test]
fn a_webhook_is_guarded_by_the_first_rule_that_matches() {
    let good = token("app-a", &[ORDERS]);
    let kept = format!("Bearer {good}");
    run_scenarios(
        &Gate::start(),
        vec![
            arrives(
                "the required role",
                post("/webhook/orders/new").bearer(&good),
                upstream()
                    .with("x-auth-client", "app-a")
                    .with("x-auth-principal", "app-a")
                    .without("x-n8n-api-key")
                    .without("authorization"),
            ),
            arrives(
                "a caller without a principal",
                post("/webhook/orders/new").bearer(&token("app-z", &[ORDERS])),
                upstream()
                    .with("x-auth-client", "app-z")
                    .without("x-auth-principal"),
            ),
            arrives(
                "an API key sent along",
                post("/webhook/orders/new")
                    .bearer(&good)
                    .header("X-N8N-API-KEY", "old-key"),
                upstream().without("x-n8n-api-key"),
            ),
            arrives(
                "a rule that keeps the token",
                post("/webhook/kept/a").bearer(&good),
                upstream().with("authorization", &kept),
            ),
            arrives(
                "an open webhook, whose credentials pass to n8n",
                post("/webhook/open/a").header("Authorization", "Basic dTpw"),
                upstream()
                    .with("authorization", "Basic dTpw")
                    .without("x-auth-client"),
            ),
            arrives(
                "a preflight where the rule lets it pass",
                preflight("/webhook/browser/a"),
                upstream(),
            ),
            refused(
                "a preflight where the rule does not",
                preflight("/webhook/orders/new"),
                401,
                "no_credential",
            ),
            refused(
                "another role",
                post("/webhook/orders/new").bearer(&token("app-a", &[READER])),
                403,
                "webhook_requirement",
            ),
            refused(
                "no token",
                post("/webhook/orders/new"),
                401,
                "no_credential",
            ),
            refused(
                "a webhook that no caller may call",
                post("/webhook/closed/a").bearer(&good),
                403,
                "webhook_denied",
            ),
            refused(
                "a webhook without a rule",
                post("/webhook/other"),
                403,
                "webhook_no_rule",
            ),
        ],
    );
}

/// Pages that a person opens in a browser: the token is in a cookie or in the query.
#[test]
fn a_token_that_a_browser_sends_reaches_no_workflow_and_no_log() {
    let mut policy = policy();
    policy["webhooks"] = json!([
        { "path": "/webhook/pages/**", "auth": "bearer", "token_from": { "cookie": "token" } },
        { "path": "/webhook/links/**", "auth": "bearer", "token_from": { "query": "token" } },
    ]);
    let gate = Gate::with(policy, |setup| setup.log_level("trace"));
    let good = token("app-a", &[]);
    let send = |request: Request| {
        let response = request.send(gate.envoy.port()).unwrap();
        (response.status, gate.recorder.take())
    };
    let cookie = format!("theme=dark; token={good}");
    let page = Request::get("/webhook/pages/a").header("Cookie", &cookie);
    let (status, recorded) = send(page.clone());
    assert_eq!(status, 200);
    assert_eq!(recorded[0].values("cookie"), ["theme=dark"]);
    assert_eq!(recorded[0].values("x-auth-client"), ["app-a"]);
    let link = format!("/webhook/links/a?a=%20&token={good}&b");
    let (status, recorded) = send(Request::get(&link).header("Referer", &link));
    assert_eq!(status, 200);
    assert_eq!(recorded[0].target, "/webhook/links/a?a=%20&b");
    assert_eq!(recorded[0].values("referer"), [""; 0]);
    assert_eq!(recorded[0].values("x-auth-client"), ["app-a"]);
    for (refused, expected) in [
        (page.clone().bearer(&good), 400),
        (page.header("Sec-Fetch-Site", "cross-site"), 403),
        (Request::get(format!("{link}&token=x")), 400),
        (Request::get(format!("/webhook/pages/a?token={good}")), 401),
    ] {
        let (status, recorded) = send(refused);
        assert_eq!(status, expected);
        assert!(recorded.is_empty());
    }
    let log = gate.envoy.log_text();
    let (_, signature) = good.rsplit_once('.').unwrap();
    assert!(!log.contains(signature), "the log holds a token");
}
