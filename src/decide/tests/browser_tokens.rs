//! Tokens in a cookie or in the query, as browsers send them to webhooks.

use super::*;
use crate::observe::audit_line;
use crate::time::UnixMillis;

const BY_COOKIE: &str = "/webhook/pages/a";
const BY_QUERY: &str = "/webhook/links/a";

fn pages() -> TestFacts {
    let mut configuration = configuration();
    configuration["webhooks"] = json!([
        {"path": "/webhook/pages/**", "auth": "bearer", "token_from": {"cookie": "token"}},
        {"path": "/webhook/links/**", "auth": "bearer", "token_from": {"query": "token"},
         "keep_authorization": true, "cors_preflight": "pass"},
        {"path": "/webhook/orders/**", "auth": "bearer"},
    ]);
    facts(&configuration)
}

fn outcome(request: &RequestHead) -> &'static str {
    let decision = decide_with(&pages(), request);
    match &decision.outcome {
        Outcome::Forward(_) => "forward",
        Outcome::Pass(_) => "pass",
        _ => reason(&decision),
    }
}

/// The request target that n8n gets.
fn target(request: &RequestHead, decision: &Decision) -> String {
    let edits = match &decision.outcome {
        Outcome::Forward(forward) => forward.edits(),
        Outcome::Pass(edits) => edits,
        other => panic!("does not go on: {other:?}"),
    };
    let set = edits.iter().find_map(|edit| match edit {
        HeaderEdit::Set(":path", value) => Some(value.expose().to_owned()),
        _ => None,
    });
    set.unwrap_or_else(|| String::from_utf8_lossy(request.target()).into_owned())
}

fn good() -> String {
    sign(&claims("reader", &["Reader"]))
}

#[test]
fn a_token_in_the_cookie_of_the_rule_is_judged_and_reaches_no_workflow() {
    let token = good();
    let cookies = format!("theme=dark; token={token}; n8n-auth=x; Token2=y");
    let headers = [("cookie", cookies.as_str()), ("x-auth-subject", "me")];
    let request = request("GET", BY_COOKIE, &headers);
    let decision = decide_with(&pages(), &request);
    let head = upstream(&request, &decision);
    assert_eq!(value(&head, "cookie"), Some("theme=dark; Token2=y"));
    assert_eq!(value(&head, "x-auth-subject"), Some("reader"));
    assert_eq!(target(&request, &decision), BY_COOKIE);
    assert!(!format!("{head:?}").contains(&token), "{head:?}");
    let line = audit_line(&decision, &request, UnixMillis(0));
    assert!(
        line.contains("\"credential\":\"bearer_in_cookie\""),
        "{line}"
    );
    assert!(!line.contains(&token), "{line}");
}

#[test]
fn a_token_in_the_query_is_judged_and_reaches_no_workflow_and_no_log() {
    let token = good();
    let path = format!("{BY_QUERY}?a=1&token={token}&b=%20");
    let referer = format!("https://n8n.example.com{path}");
    let request = request("GET", &path, &[("referer", &referer)]);
    let decision = decide_with(&pages(), &request);
    let head = upstream(&request, &decision);
    assert_eq!(target(&request, &decision), format!("{BY_QUERY}?a=1&b=%20"));
    assert_eq!(value(&head, "referer"), None);
    assert_eq!(value(&head, "x-auth-subject"), Some("reader"));
    assert!(!format!("{head:?}").contains(&token), "{head:?}");
    let line = audit_line(&decision, &request, UnixMillis(0));
    assert!(
        line.contains("\"credential\":\"bearer_in_query\""),
        "{line}"
    );
    assert!(!line.contains(&token), "{line}");
    assert!(!format!("{decision:?}").contains(&token));
    assert!(!format!("{:?}", request.for_reports()).contains(&token));
}

/// A preflight has the query of the request that follows.
#[test]
fn a_preflight_that_passes_has_no_token_in_its_query() {
    let path = format!("{BY_QUERY}?token={}&b", good());
    let headers = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
    ];
    let request = request("OPTIONS", &path, &headers);
    let decision = decide_with(&pages(), &request);
    assert!(matches!(decision.outcome, Outcome::Pass(_)));
    assert_eq!(target(&request, &decision), format!("{BY_QUERY}?b"));
}

#[test]
fn a_token_counts_only_where_the_rule_says() {
    let token = good();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("token={token}"));
    let query = format!("?token={token}");
    for (path, headers, expected) in [
        (
            BY_COOKIE.to_owned(),
            vec![("authorization", bearer.as_str())],
            "forward",
        ),
        (
            BY_QUERY.to_owned(),
            vec![("authorization", &bearer)],
            "forward",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "theme=dark")],
            "no_credential",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "token=")],
            "no_credential",
        ),
        (format!("{BY_QUERY}?token="), vec![], "no_credential"),
        (format!("{BY_COOKIE}{query}"), vec![], "no_credential"),
        (
            BY_QUERY.to_owned(),
            vec![("cookie", &cookie)],
            "no_credential",
        ),
        (
            "/webhook/orders/a".to_owned(),
            vec![("cookie", &cookie)],
            "no_credential",
        ),
        (format!("/webhook/orders/a{query}"), vec![], "no_credential"),
        (
            format!("/api/v1/workflows{query}"),
            vec![("cookie", &cookie)],
            "no_credential",
        ),
        // Another scheme is no token, and n8n gets it only where the rule keeps it.
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", &cookie), ("authorization", "Basic YTpi")],
            "forward",
        ),
    ] {
        assert_eq!(
            outcome(&request("GET", &path, &headers)),
            expected,
            "{path} {headers:?}"
        );
    }
}

#[test]
fn two_tokens_are_refused_and_so_is_another_spelling_of_the_name() {
    let token = good();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("token={token}"));
    let twice = format!("{cookie}; {cookie}");
    for (path, headers, expected) in [
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", cookie.as_str()), ("authorization", &bearer)],
            "several_tokens",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", &twice)],
            "several_tokens",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", &cookie), ("cookie", &cookie)],
            "several_tokens",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "token=a; TOKEN=b")],
            "several_tokens",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "Token=a")],
            "malformed_token",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "token")],
            "malformed_token",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "token=\"a\"")],
            "malformed_token",
        ),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "token=a b")],
            "malformed_token",
        ),
        (
            format!("{BY_QUERY}?token={token}"),
            vec![("authorization", &bearer)],
            "several_tokens",
        ),
        (
            format!("{BY_QUERY}?token={token}&token={token}"),
            vec![],
            "several_tokens",
        ),
        (
            format!("{BY_QUERY}?token={token}&t%6Fken[]=x"),
            vec![],
            "several_tokens",
        ),
        (
            format!("{BY_QUERY}?token[]={token}"),
            vec![],
            "malformed_token",
        ),
        (
            format!("{BY_QUERY}?TOKEN={token}"),
            vec![],
            "malformed_token",
        ),
        (format!("{BY_QUERY}?token=a,b"), vec![], "malformed_token"),
        (format!("{BY_QUERY}?token=a+b"), vec![], "malformed_token"),
        (format!("{BY_QUERY}?token=%FF"), vec![], "malformed_token"),
        (
            BY_COOKIE.to_owned(),
            vec![("cookie", "token=a.b.c")],
            "not_a_jws",
        ),
    ] {
        assert_eq!(
            outcome(&request("GET", &path, &headers)),
            expected,
            "{path} {headers:?}"
        );
    }
}

#[test]
fn a_cookie_does_not_count_for_what_another_site_makes_a_browser_send() {
    const OWN: &str = "https://n8n.example.com";
    let cookie = format!("token={}", good());
    let with = |method: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend_from_slice(headers);
        outcome(&request(method, BY_COOKIE, &all))
    };
    let (site, mode, dest) = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest");
    let link = [(site, "cross-site"), (mode, "navigate"), (dest, "document")];
    let frame = [(site, "cross-site"), (mode, "navigate"), (dest, "iframe")];
    let image = [(site, "cross-site"), (mode, "no-cors"), (dest, "image")];
    for (method, headers, expected) in [
        ("GET", vec![], "forward"),
        ("GET", vec![(site, "same-origin")], "forward"),
        ("GET", vec![(site, "none")], "forward"),
        ("GET", link.to_vec(), "forward"),
        ("HEAD", link.to_vec(), "forward"),
        ("POST", vec![(site, "same-origin")], "forward"),
        ("POST", vec![("origin", OWN)], "forward"),
        ("GET", frame.to_vec(), "cross_site"),
        ("GET", image.to_vec(), "cross_site"),
        ("GET", vec![(site, "same-site")], "cross_site"),
        (
            "GET",
            vec![(site, "cross-site"), (site, "same-origin")],
            "cross_site",
        ),
        (
            "GET",
            vec![("origin", "https://evil.example")],
            "cross_site",
        ),
        ("POST", vec![], "cross_site"),
        ("POST", link.to_vec(), "cross_site"),
        ("POST", vec![("origin", "null")], "cross_site"),
        (
            "POST",
            vec![("origin", "http://n8n.example.com")],
            "cross_site",
        ),
        (
            "POST",
            vec![("origin", "https://n8n.example.com.evil.example")],
            "cross_site",
        ),
        (
            "POST",
            vec![("origin", OWN), ("origin", "https://evil.example")],
            "cross_site",
        ),
        (
            "DELETE",
            vec![(site, "cross-site"), ("origin", OWN)],
            "cross_site",
        ),
    ] {
        assert_eq!(with(method, &headers), expected, "{method} {headers:?}");
    }
    // No browser sends these by itself.
    let cross = [("origin", "https://evil.example"), (site, "cross-site")];
    let query = format!("{BY_QUERY}?token={}", good());
    assert_eq!(outcome(&request("POST", &query, &cross)), "forward");
}

#[test]
fn the_metadata_says_that_a_token_may_be_in_the_query() {
    let methods = |path: &str| {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let decision = decide_with(&pages(), &request("GET", &path, &[]));
        let Outcome::Respond(reply) = decision.outcome else {
            panic!("{path}");
        };
        let document: Value = serde_json::from_str(&reply.body).unwrap();
        document["bearer_methods_supported"].clone()
    };
    assert_eq!(methods(BY_QUERY), json!(["header", "query"]));
    assert_eq!(methods(BY_COOKIE), json!(["header"]));
}
