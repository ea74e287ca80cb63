//! What is neither public API nor webhook.

use super::*;

#[test]
fn other_surfaces_pass_but_for_made_up_identity() {
    for path in [
        "/",
        "/rest/settings",
        "/healthz",
        "/metrics",
        "/mcp-server/http",
        "/mcp/trigger",
        "/form/contact",
        "/webhook-waiting/7",
        "/.well-known/oauth-authorization-server",
        "/assets/a%2Fb.js",
    ] {
        let headers = [
            ("authorization", "Bearer of-n8n"),
            ("cookie", "n8n-auth=x"),
            ("x-auth-subject", "root"),
        ];
        let request = request("GET", path, &headers);
        let head = upstream(&request, &decided(&request));
        assert_eq!(
            value(&head, "authorization"),
            Some("Bearer of-n8n"),
            "{path}"
        );
        assert_eq!(value(&head, "cookie"), Some("n8n-auth=x"), "{path}");
        assert_eq!(value(&head, "x-auth-subject"), None, "{path}");
    }
}

#[test]
fn metrics_can_be_closed() {
    let mut configuration = configuration();
    configuration["metrics"] = json!("deny");
    let facts = facts(&configuration);
    for path in ["/metrics", "/METRICS", "/metrics/"] {
        let decision = decide_with(&facts, &request("GET", path, &[]));
        assert_eq!(reason(&decision), "metrics_denied", "{path}");
    }
}

/// A client that finds n8n's own authorization server would bring tokens that no rule takes.
#[test]
fn n8n_s_own_authorization_server_can_be_closed() {
    let mut configuration = configuration();
    let paths = [
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp-oauth",
        "/.well-known/oauth-protected-resource/mcp-server/http",
        "/.WELL-KNOWN/oauth-authorization-server",
        "/mcp-oauth/register",
        "/oauth/authorize",
    ];
    for path in paths {
        let decision = decided(&request("GET", path, &[]));
        assert!(matches!(decision.outcome, Outcome::Pass(_)), "{path}");
    }
    configuration["oauth"] = json!("deny");
    let facts = facts(&configuration);
    let asked = |path: &str| decide_with(&facts, &request("GET", path, &[]));
    for path in paths {
        assert_eq!(reason(&asked(path)), "oauth_denied", "{path}");
    }
    // The gate's own documents name the provider, and are there.
    for path in ["/api/v1", "/webhook/orders/new"] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        assert!(
            matches!(asked(&path).outcome, Outcome::Respond(_)),
            "{path}"
        );
    }
    // What n8n's editor needs is elsewhere.
    for path in ["/rest/oauth2-credential/callback", "/healthz"] {
        assert!(matches!(asked(path).outcome, Outcome::Pass(_)), "{path}");
    }
}

#[test]
fn a_path_with_two_readings_is_refused_for_every_caller() {
    for path in [
        "/api/v1/../../rest/settings",
        "/api/v1/workflows;x",
        "/api/v1/%77orkflows",
        "/api//v1/workflows",
        "/%61pi/v1/workflows",
        "/api\\v1\\workflows",
        "http://n8n.example.com/api/v1/workflows",
        "",
    ] {
        let keyed = request("GET", path, &[("x-n8n-api-key", "static")]);
        assert_eq!(reason(&decided(&keyed)), "ambiguous_path", "{path:?}");
        let admin = bearing("GET", path, &claims("admin", &["Admin"]));
        assert_eq!(reason(&decided(&admin)), "ambiguous_path", "{path:?}");
    }
}

#[test]
fn headers_that_are_not_text_decide_nothing_and_break_nothing() {
    let token = sign(&claims("reader", &["Reader"]));
    let head = |name: &str, bytes: &[u8]| {
        let mut pairs: Vec<(String, Vec<u8>)> = vec![
            (":method".to_owned(), b"GET".to_vec()),
            (":path".to_owned(), b"/api/v1/workflows".to_vec()),
            (":authority".to_owned(), b"n8n.example.com".to_vec()),
        ];
        if name != "authorization" {
            pairs.push((
                "authorization".to_owned(),
                format!("Bearer {token}").into_bytes(),
            ));
        }
        pairs.push((name.to_owned(), bytes.to_vec()));
        RequestHead::new(pairs)
    };
    let forwards = |name, bytes| matches!(decided(&head(name, bytes)).outcome, Outcome::Forward(_));
    assert!(forwards("x-junk", b"\xff\x80"));
    assert!(forwards("cookie", b"a=\xff; n8n-auth=x"));
    assert!(forwards("x-request-id", b"\xff"));
    assert_eq!(
        reason(&decided(&head("authorization", b"Bearer \xff"))),
        "malformed_authorization"
    );
    assert_eq!(
        reason(&decided(&head("x-n8n-api-key", b"\xff"))),
        "two_credentials"
    );
}
