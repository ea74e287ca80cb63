//! To which surface of n8n a path belongs, and which document the gate serves itself.

use super::*;
use crate::n8n::Endpoints;

fn surface(prefixes: &Prefixes, path: &str) -> Result<Surface, PathFault> {
    classify(prefixes, path.as_bytes()).map(|route| route.surface)
}

#[test]
fn the_gate_serves_the_metadata_of_the_public_api_only() {
    let usual = Prefixes::default();
    let moved = Prefixes::of(Endpoints {
        api: "automation/api".to_owned(),
        ..Endpoints::default()
    });
    let well_known = |below: &str| format!("/.well-known/oauth-protected-resource{below}");
    for (prefixes, path, expected) in [
        (&usual, well_known("/api/v1"), Surface::Gate),
        (&usual, well_known("/api/v1/"), Surface::Gate),
        (&usual, well_known("/API/V1"), Surface::Gate),
        (&usual, well_known(""), Surface::Oauth),
        (&usual, well_known("/api"), Surface::Oauth),
        (&usual, well_known("/api/v2"), Surface::Oauth),
        (&usual, well_known("/api/v1/workflows"), Surface::Oauth),
        (&usual, "/rest/api/v1".to_owned(), Surface::Rest),
        (&usual, "/api/v1".to_owned(), Surface::PublicApi),
        (&usual, "/x/api/v1".to_owned(), Surface::Ui),
        (&moved, well_known("/automation/api/v1"), Surface::Gate),
        (&moved, well_known("/api/v1"), Surface::Oauth),
    ] {
        assert_eq!(surface(prefixes, &path), Ok(expected), "{path}");
    }
}

#[test]
fn a_path_below_the_well_known_one_describes_a_resource() {
    for (path, resource) in [
        (
            "/.well-known/oauth-protected-resource/webhook/x",
            Some("/webhook/x"),
        ),
        (
            "/.Well-Known/OAuth-Protected-Resource/webhook/X/",
            Some("/webhook/X/"),
        ),
        ("/.well-known/oauth-protected-resource/", Some("/")),
        ("/.well-known/oauth-protected-resource", None),
        ("/.well-known/oauth-protected-resourcewebhook/x", None),
        ("/.well-known/oauth-protected-resources/webhook/x", None),
        ("/xwell-known/oauth-protected-resource/webhook/x", None),
        ("/webhook/x", None),
        ("/", None),
        ("", None),
    ] {
        let found = described(path.as_bytes());
        assert_eq!(found, resource.map(str::as_bytes), "{path}");
    }
}

#[test]
fn only_version_1_of_the_public_api_has_calls() {
    let call = |path: &str| {
        let route = classify(&Prefixes::default(), path.as_bytes()).expect("one reading");
        let call = route.api_call()?;
        Some(call.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let users = Some(vec!["users".to_owned()]);
    assert_eq!(call("/api/v1/users"), users);
    assert_eq!(call("/API/V1/users/"), users);
    assert_eq!(call("/api/v1"), Some(vec![]));
    for path in [
        "/api",
        "/api/v2/users",
        "/rest/v1/users",
        "/webhook/v1/users",
    ] {
        assert_eq!(call(path), None, "{path}");
    }
}

/// Nothing is decided by them, so they cost nothing.
#[test]
fn a_path_is_taken_apart_where_something_is_decided_by_its_segments_alone() {
    let segments = |path: &[u8]| {
        let route = classify(&Prefixes::default(), path).expect("one reading");
        let segments = route.segments.iter().map(ToString::to_string);
        (route.surface, segments.collect::<Vec<_>>())
    };
    let of_webhook = ["webhook", "a b"].map(str::to_owned).to_vec();
    assert_eq!(segments(b"/webhook/a%20b"), (Surface::Webhook, of_webhook));
    assert_eq!(segments(b"/assets/a%2Fb/%zz/c"), (Surface::Ui, vec![]));
}

#[test]
fn an_odd_path_is_refused_if_a_program_could_read_it_as_a_guarded_one() {
    for path in [
        "/%61pi/v1/users",
        "/%2561pi/v1/users",
        "/x/../api/v1/users",
        "/x/%2e%2e/api/v1/users",
        "/./api/v1/users",
        "/x/..;/api/v1/users",
        "//api/v1/users",
        "//n8n.example.com/api/v1/users",
        "/\\api/v1/users",
        "/api;x/v1/users",
        "/api%00/v1/users",
        "/%webhook/../webhook/x",
        "/WEBHOO%4b/x",
    ] {
        let found = surface(&Prefixes::default(), path);
        assert!(found.is_err(), "{path}: {found:?}");
    }
    for path in ["/assets/%zz", "/a%20b", "/apis%2F", "/webhookx/%2e", "/x;y"] {
        assert_eq!(
            surface(&Prefixes::default(), path),
            Ok(Surface::Ui),
            "{path}"
        );
    }
}

/// A route that is open must not be read as one that is closed.
#[test]
fn below_the_internal_api_a_request_with_a_token_has_one_reading() {
    let prefixes = Prefixes::default();
    for (path, fault) in [
        ("/rest/workflows/../me", PathFault::DotSegment),
        ("/rest/workflows/%2e%2e/me", PathFault::DotSegment),
        ("/rest/./me", PathFault::DotSegment),
        ("/rest//me", PathFault::EmptySegment),
        ("//rest/me", PathFault::EmptySegment),
        ("/rest/workflows%2f..%2fme", PathFault::EncodedSlash),
        ("/rest/workflows/..;/me", PathFault::Semicolon),
        ("/rest/workflows\\..\\me", PathFault::Backslash),
        ("/rest/%6de", PathFault::EncodedLiteral),
        ("/%72est/me", PathFault::EncodedLiteral),
        ("/rest/workflows/%252e%252e/me", PathFault::DoubleEncoding),
        ("/rest/workflows%3fx", PathFault::EncodedDelimiter),
        ("/x/../rest/me", PathFault::DotSegment),
    ] {
        let found = classify_for_token(&prefixes, path.as_bytes());
        assert_eq!(found.map(|route| route.surface), Err(fault), "{path}");
    }
    for path in [
        "/rest/workflows/abc",
        "/REST/Workflows/",
        "/rest/credentials/a%20b",
    ] {
        let route = classify_for_token(&prefixes, path.as_bytes()).unwrap();
        assert_eq!(route.surface, Surface::Rest, "{path}");
        assert!(!route.below_prefix().is_empty(), "{path}");
    }
    // Agents are below it, and have rules of their own.
    let agent = "/rest/projects/7/agents/v2/x/webhooks/slack";
    let route = classify_for_token(&prefixes, agent.as_bytes()).unwrap();
    assert_eq!(route.surface, Surface::Agent);
    // Without a token, n8n's own reading counts.
    let route = classify(&prefixes, b"/rest/workflows/../me").unwrap();
    assert_eq!(route.surface, Surface::Rest);
}
