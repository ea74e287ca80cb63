//! The metadata of guarded resources.

use super::*;
use crate::reply::LocalReply;

const API: &str = "/.well-known/oauth-protected-resource/api/v1";
const ORDERS: &str = "/.well-known/oauth-protected-resource/webhook/orders/new";

fn active_status(decision: Decision) -> LocalReply {
    match decision.outcome {
        Outcome::Respond(reply) => reply,
        other => panic!("no document: {other:?}"),
    }
}

fn document(decision: Decision) -> Value {
    serde_json::from_str(&active_status(decision).body).unwrap()
}

fn described(configuration: &Value, path: &str) -> Value {
    document(decide_with(
        &facts(configuration),
        &request("GET", path, &[]),
    ))
}

#[test]
fn the_public_api_describes_itself_as_the_client_sees_it() {
    for (scheme, forwarded, seen) in [
        ("https", None, "https"),
        ("http", None, "http"),
        ("http", Some("https"), "https"),
        ("https", Some("http"), "http"),
        ("https", Some("https\", x=\""), "http"),
    ] {
        let mut pairs = vec![
            (":method", "GET"),
            (":path", API),
            (":scheme", scheme),
            (":authority", "n8n.example.com:8443"),
            ("x-forwarded-host", "evil.test"),
        ];
        pairs.extend(forwarded.map(|forwarded| ("x-forwarded-proto", forwarded)));
        let pairs = pairs.into_iter();
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(
            document(decided(&RequestHead::new(pairs))),
            json!({
                "resource": format!("{seen}://n8n.example.com:8443/api/v1"),
                "authorization_servers": [ISSUER],
                "bearer_methods_supported": ["header"],
            })
        );
    }
}

#[test]
fn each_trigger_that_takes_tokens_describes_itself_under_its_own_address() {
    for path in [
        "/webhook/orders/new",
        "/webhook/orders/new/",
        "/webhook-test/orders/new",
        "/webhook/browser",
    ] {
        let metadata = format!("/.well-known/oauth-protected-resource{path}?x=1");
        let asked = request("GET", &metadata, &[]);
        let decision = decided(&asked);
        assert_eq!(decision.record.surface, Some(Surface::Gate), "{path}");
        assert_eq!(
            document(decision),
            json!({
                "resource": format!("https://n8n.example.com{path}"),
                "authorization_servers": [ISSUER],
                "bearer_methods_supported": ["header"],
            })
        );
    }
}

#[test]
fn what_takes_no_tokens_has_no_document_of_the_gate() {
    for path in [
        "",
        "/",
        "/webhook/public/x",
        "/webhook/closed/x",
        "/webhook/unheard-of",
        "/webhook/Orders/new",
        "/webhook/orders/..",
        "/webhook/orders%2fnew",
        "/form/contact",
        "/rest/login",
        "/mcp-server/http",
        "/webhookorders",
    ] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let decision = decided(&request("GET", &path, &[]));
        let outcome = &decision.outcome;
        let passes = matches!(outcome, Outcome::Pass(_))
            || matches!(outcome, Outcome::Reject(Reason::Path(_)));
        assert!(passes, "{path}: {outcome:?}");
    }
}

#[test]
fn any_client_can_read_the_document_and_none_can_change_it() {
    for path in [API, ORDERS] {
        for method in ["GET", "HEAD"] {
            let reply = active_status(decided(&request(
                method,
                path,
                &[("origin", "https://a.example")],
            )));
            assert_eq!(reply.status, 200);
            assert_eq!(
                reply.headers,
                [
                    ("content-type", "application/json".into()),
                    ("cache-control", "private, max-age=300".into()),
                    ("access-control-allow-origin", "*".into()),
                ]
            );
        }
        for method in ["POST", "OPTIONS", "get", ""] {
            let decision = decided(&request(method, path, &[]));
            assert_eq!(reason(&decision), "method_not_allowed", "{method}");
        }
    }
}

#[test]
fn a_script_of_any_site_may_ask_for_a_document_with_headers_of_its_own() {
    let preflight = [
        ("origin", "https://inspector.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "mcp-protocol-version"),
    ];
    for path in [API, ORDERS] {
        let reply = active_status(decided(&request("OPTIONS", path, &preflight)));
        assert_eq!((reply.status, reply.body.as_str()), (204, ""));
        assert_eq!(
            reply.headers,
            [
                ("access-control-allow-origin", "*".into()),
                ("access-control-allow-methods", "GET, HEAD".into()),
                ("access-control-allow-headers", "*".into()),
                ("access-control-max-age", "300".into()),
            ]
        );
        // What asks for nothing is none.
        for lacking in [&preflight[..1], &preflight[1..]] {
            let decision = decided(&request("OPTIONS", path, lacking));
            assert_eq!(reason(&decision), "method_not_allowed");
        }
    }
    // It opens nothing beside the documents.
    let decision = decided(&request("OPTIONS", "/api/v1/workflows", &preflight));
    assert_eq!(reason(&decision), "no_credential");
}

#[test]
fn the_operator_names_the_public_api_and_lends_its_scheme_to_triggers() {
    let mut configuration = configuration();
    configuration["public_api"] = json!({
        "resource": "https://flows.example.org/api/v1",
        "scopes_supported": ["api://n8n/.default", "offline_access"],
        "resource_name": "Flows of \"Example\"",
        "resource_documentation": "https://wiki.example.org/flows",
    });
    assert_eq!(
        described(&configuration, API),
        json!({
            "resource": "https://flows.example.org/api/v1",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["api://n8n/.default", "offline_access"],
            "resource_name": "Flows of \"Example\"",
            "resource_documentation": "https://wiki.example.org/flows",
        })
    );
    let plain = request("GET", ORDERS, &[("x-forwarded-proto", "http")]);
    assert_eq!(
        document(decide_with(&facts(&configuration), &plain)),
        json!({
            "resource": "https://n8n.example.com/webhook/orders/new",
            "authorization_servers": [ISSUER],
            "bearer_methods_supported": ["header"],
        })
    );
}

#[test]
fn only_providers_whose_callers_are_taken_are_named_and_only_by_issuers() {
    const TENANTS: [&str; 2] = [
        "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "9188040d-6c67-4c5b-b112-36a304b66dad",
    ];
    let mut configuration = configuration();
    let keys = configuration["providers"][0]["jwks"].clone();
    let provider = |name: &str, tenants: &[&str]| {
        json!({"name": name, "type": "entra", "tenant": "organizations", "tenants": tenants,
               "domain": format!("login.{name}.example"), "audiences": "n8n", "jwks": keys})
    };
    let providers = configuration["providers"].as_array_mut().unwrap();
    providers.extend([provider("one", &TENANTS[..1]), provider("two", &TENANTS)]);
    let listed = |configuration: &Value, path| {
        described(configuration, path)["authorization_servers"].clone()
    };
    let of_one = format!("https://login.one.example/{}/v2.0", TENANTS[0]);
    // The principals take callers of any provider.
    let all = listed(&configuration, API);
    assert!(all.as_array().unwrap().contains(&json!(of_one)), "{all}");
    assert!(all.as_array().unwrap().contains(&json!(ISSUER)), "{all}");
    assert!(!all.to_string().contains("login.two.example"), "{all}");
    assert!(!all.to_string().contains('{'), "{all}");

    configuration["webhooks"][0]["require"] = json!({"provider": "idp"});
    assert_eq!(listed(&configuration, ORDERS), json!([ISSUER]));
    configuration["principals"] = json!([
        {"name": "reader", "match": {"provider": "idp"}, "api_key": {"env": "READER_KEY"}},
    ]);
    assert_eq!(listed(&configuration, API), json!([ISSUER]));
    configuration["principals"][0]["match"]["provider"] = json!("two");
    assert_eq!(listed(&configuration, API), json!(null));
}

#[test]
fn a_host_that_cannot_be_repeated_is_not() {
    for path in [API, ORDERS] {
        for host in ["a\"b", "a b", "user@n8n.example.com", "a,b", ""] {
            let pairs = [(":method", "GET"), (":path", path), (":authority", host)];
            let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
            let decision = decide_with(&facts(&configuration()), &RequestHead::new(pairs.to_vec()));
            assert_eq!(reason(&decision), "host_malformed", "{host:?}");
        }
    }
}

/// What stands for any tenant in an issuer is no address that a client could go to.
#[test]
fn clients_of_one_tenant_among_many_are_sent_to_that_tenant() {
    let mut configuration = configuration();
    configuration["providers"] = json!([{
        "name": "entra", "type": "entra", "tenant": "common", "audiences": "n8n",
        "tenants": "72f988bf-86f1-41af-91ab-2d7cd011db47", "jwks": {"keys": [signer().jwk("one")]},
    }]);
    assert_eq!(
        described(&configuration, API)["authorization_servers"],
        json!([
            "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
        ])
    );
}

/// An MCP client asks its provider for all of these scopes.
#[test]
fn the_metadata_of_a_trigger_names_the_scopes_of_its_rule() {
    let mut configuration = configuration();
    configuration["webhooks"] = json!([
        {"path": "/mcp/tools", "auth": "bearer", "scopes_supported": ["openid", "tools"]},
        {"path": "/mcp/**", "auth": "bearer"},
    ]);
    let facts = facts(&configuration);
    let scopes = |path: &str| {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let decision = decide_with(&facts, &request("GET", &path, &[]));
        let Outcome::Respond(reply) = decision.outcome else {
            panic!("{path}");
        };
        let document: Value = serde_json::from_str(&reply.body).unwrap();
        document.get("scopes_supported").cloned()
    };
    assert_eq!(scopes("/mcp/tools"), Some(json!(["openid", "tools"])));
    assert_eq!(scopes("/mcp/other"), None);
}
