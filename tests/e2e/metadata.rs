//! How a client gets from a refusal to the provider (RFC 9728).

use serde_json::json;

use crate::gate::{Gate, ISSUER};
use crate::support::http::Request;

const ORDERS: &str = "/.well-known/oauth-protected-resource/webhook/orders/new";

#[test]
fn a_refusal_names_the_metadata_of_its_resource() {
    let gate = Gate::start();
    for (path, resource) in [
        ("/api/v1/workflows?limit=1", "/api/v1"),
        ("/webhook/orders/new?x=1", "/webhook/orders/new"),
    ] {
        let refusal = Request::get(path).header("X-Forwarded-Proto", "https");
        let refusal = refusal.send(gate.envoy.port()).unwrap();
        assert_eq!(refusal.status, 401);
        let challenge = refusal.header("www-authenticate").unwrap();
        let (_, named) = challenge.split_once("resource_metadata=\"").unwrap();
        let (origin, metadata) = named.split_once("/.well-known/").unwrap();
        let metadata = format!("/.well-known/{}", metadata.trim_end_matches('"'));
        assert_eq!(
            metadata,
            format!("/.well-known/oauth-protected-resource{resource}")
        );
        assert!(origin.starts_with("https://"), "{origin}");

        let asked = Request::get(&metadata).header("X-Forwarded-Proto", "https");
        let response = asked.send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(
            response.json(),
            json!({
                "resource": format!("{origin}{resource}"),
                "authorization_servers": [ISSUER],
                "bearer_methods_supported": ["header"],
            })
        );
        assert_eq!(
            response.header("access-control-allow-origin").as_deref(),
            Some("*")
        );
        assert_eq!(
            response.header("content-type").as_deref(),
            Some("application/json")
        );
    }
    assert!(gate.recorder.take().is_empty());
}

#[test]
fn the_metadata_can_only_be_read() {
    let gate = Gate::start();
    let head = Request::new("HEAD", ORDERS)
        .send(gate.envoy.port())
        .unwrap();
    assert_eq!((head.status, head.text().as_str()), (200, ""));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let response = Request::new(method, ORDERS)
            .send(gate.envoy.port())
            .unwrap();
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("allow").as_deref(), Some("GET, HEAD"));
    }
    assert!(gate.recorder.take().is_empty());
    // The gate has no metadata for a webhook without tokens, so n8n gets the request.
    for path in ["/webhook/open/x", "/webhook/closed/x", "/mcp-server/http"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let response = Request::get(&path).send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(gate.recorder.take().len(), 1, "{path}");
    }
}

/// The preflight of a browser before the script of an MCP client reads the metadata.
#[test]
fn the_metadata_can_be_read_by_scripts_in_browsers() {
    let gate = Gate::start();
    let origin = "https://inspector.example";
    let preflight = Request::new("OPTIONS", ORDERS)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "mcp-protocol-version");
    let response = preflight.send(gate.envoy.port()).unwrap();
    assert_eq!((response.status, response.text().as_str()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD"),
        ("access-control-allow-headers", "*"),
    ] {
        assert_eq!(response.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(response.header("access-control-allow-credentials"), None);
    let asked = Request::get(ORDERS)
        .header("Origin", origin)
        .header("MCP-Protocol-Version", "2025-06-18");
    let response = asked.send(gate.envoy.port()).unwrap();
    assert_eq!(response.status, 200);
    let allowed = response.header("access-control-allow-origin");
    assert_eq!(allowed.as_deref(), Some("*"));
    assert!(gate.recorder.take().is_empty());
}
