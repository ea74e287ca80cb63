//! An n8n below a path prefix. Envoy's route removes the prefix after the gate's decision.

mod outside;

use serde_json::{json, Value};

use crate::gate::{policy, token, Gate, ORDERS, READER};
use crate::support::http::Request;

/// Every way in which a route removes `/n8n`: those of Envoy, and those that Istio and Envoy
/// Gateway use.
fn routes() -> Vec<(&'static str, Value)> {
    let rewrite = |matched: Value, member: &str, value: Value| json!([{ "match": matched, "route": { "cluster": "upstream", member: value } }]);
    let regex =
        |regex: &str, with: &str| json!({ "pattern": { "regex": regex }, "substitution": with });
    vec![
        (
            "/n8n/",
            rewrite(json!({ "prefix": "/n8n/" }), "prefix_rewrite", json!("/")),
        ),
        (
            "any case",
            rewrite(
                json!({ "prefix": "/n8n/", "case_sensitive": false }),
                "prefix_rewrite",
                json!("/"),
            ),
        ),
        (
            "/n8n",
            rewrite(json!({ "prefix": "/n8n" }), "prefix_rewrite", json!("/")),
        ),
        (
            "/n8n by segments",
            rewrite(
                json!({ "path_separated_prefix": "/n8n" }),
                "prefix_rewrite",
                json!("/"),
            ),
        ),
        (
            "Istio's",
            rewrite(
                json!({ "prefix": "/n8n" }),
                "regex_rewrite",
                regex("^/n8n(/?)(.*)", "/\\2"),
            ),
        ),
        (
            "Envoy Gateway's",
            rewrite(
                json!({ "path_separated_prefix": "/n8n" }),
                "regex_rewrite",
                regex("^/n8n/*", "/"),
            ),
        ),
    ]
}

fn below() -> Value {
    let mut policy = policy();
    policy["path_prefix"] = json!("/n8n");
    policy["public_api"]["api_keys"] = json!("refuse");
    policy["metrics"] = json!("deny");
    policy
}

fn gate_below(routes: Value) -> Gate {
    Gate::with(below(), |setup| setup.routes(routes))
}

/// Guarded paths of n8n, below spellings of the path prefix that a program may read as it.
fn guarded() -> impl Iterator<Item = String> {
    const STARTS: [&str; 17] = [
        "/n8n/",
        "/N8N/",
        "/n8N/",
        "//n8n/",
        "/n8n",
        "/N8N",
        "/n8n//",
        "/%6e8n/",
        "/x/../n8n/",
        "/n8n/x/../",
        "/n8n/../",
        "/n8n;a/",
        "/n8n%2f",
        "/n8n\\",
        "/n8n/./",
        "/./n8n/",
        "/n8n/n8n/../",
    ];
    const PATHS: [&str; 4] = [
        "webhook/orders/new",
        "webhook/closed/x",
        "api/v1/workflows",
        "metrics",
    ];
    STARTS
        .into_iter()
        .flat_map(|start| PATHS.map(|path| format!("{start}{path}")))
}

/// Without a token, or with a static API key, no request for a guarded path arrives, for any
/// spelling and any route.
#[test]
fn no_route_that_removes_the_path_prefix_leads_past_the_gate() {
    for (name, routes) in routes() {
        let gate = gate_below(routes);
        for path in guarded() {
            let asked = Request::get(&path).header("X-N8N-API-KEY", "any-key-of-n8n");
            let response = asked.send(gate.envoy.port()).unwrap();
            assert!(
                (400..500).contains(&response.status),
                "{name}: {path}: {}",
                response.status
            );
        }
        assert!(gate.recorder.take().is_empty(), "{name}");
        // The route itself works.
        let open = Request::get("/n8n/healthz")
            .send(gate.envoy.port())
            .unwrap();
        assert_eq!(open.status, 200, "{name}");
        assert_eq!(gate.recorder.take().len(), 1, "{name}");
    }
}

#[test]
fn n8n_below_a_path_is_called_with_tokens_and_what_is_outside_is_refused() {
    let (_, routes) = routes().swap_remove(0);
    let gate = gate_below(routes);
    for (path, roles, arrives) in [
        ("/n8n/api/v1/workflows", READER, "/api/v1/workflows"),
        (
            "/n8n/webhook/orders/new?x=1",
            ORDERS,
            "/webhook/orders/new?x=1",
        ),
    ] {
        let asked = Request::get(path).bearer(&token("app-a", &[roles]));
        assert_eq!(asked.send(gate.envoy.port()).unwrap().status, 200, "{path}");
        let arrived = gate.recorder.take();
        assert_eq!(arrived.len(), 1, "{path}");
        assert_eq!(arrived[0].target, arrives);
    }
    for (path, reason) in [
        ("/webhook/orders/new", "outside_path_prefix"),
        ("/", "outside_path_prefix"),
        ("/n8nwebhook/orders/new", "ambiguous_path"),
        ("/n8n/webhook/orders/new", "no_credential"),
    ] {
        let response = Request::get(path).send(gate.envoy.port()).unwrap();
        assert_eq!(response.json()["reason"], json!(reason), "{path}");
    }
    assert!(gate.recorder.take().is_empty());
}

/// With RFC 9728 the document is at the root of the host, where n8n has no route.
#[test]
fn the_metadata_of_an_n8n_below_a_path_is_where_its_challenge_says() {
    let (_, routes) = routes().swap_remove(0);
    let gate = gate_below(routes);
    for (path, resource) in [
        ("/n8n/api/v1/workflows", "/n8n/api/v1"),
        ("/n8n/webhook/orders/new", "/n8n/webhook/orders/new"),
    ] {
        let refusal = Request::get(path).send(gate.envoy.port()).unwrap();
        let challenge = refusal.header("www-authenticate").unwrap();
        let metadata = format!("/.well-known/oauth-protected-resource{resource}");
        assert!(challenge.ends_with(&format!("{metadata}\"")), "{challenge}");
        let response = Request::get(&metadata).send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 200, "{path}");
        let named = response.json()["resource"].as_str().unwrap().to_owned();
        assert!(named.ends_with(resource), "{named}");
    }
}
