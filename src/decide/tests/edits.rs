//! What is changed in a head, and what is left as it came.

use super::*;

const PATH: &str = "/api/v1/workflows";

/// The head that n8n gets of a call of the reader with these headers.
fn forwarded(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let authorization = format!("Bearer {}", sign(&claims("reader", &["Reader"])));
    let mut all = vec![("authorization", authorization.as_str())];
    all.extend(headers);
    let request = request("GET", PATH, &all);
    upstream(&request, &decided(&request))
}

#[test]
fn cookies_without_a_session_of_n8n_come_through_byte_for_byte() {
    for cookies in [
        "a=1;b=2",
        " a=1 ;; b=2;",
        "n8n-auth2=x",
        "x=n8n-auth=1",
        "xn8n-auth=1",
    ] {
        let head = forwarded(&[("cookie", cookies)]);
        assert_eq!(value(&head, "cookie"), Some(cookies), "{cookies}");
    }
}

#[test]
fn of_cookies_with_a_session_of_n8n_the_others_are_left() {
    for (cookies, left) in [
        ("a=1;; n8n-auth=x; ;b=2;", Some("a=1; b=2")),
        ("n8n-auth", None),
        ("N8N-AUTH=x", None),
        ("\u{1}n8n-auth\u{7f}=x", None),
        ("n8n-auth=x; n8n-auth=y", None),
        ("n8n-auth=x;", None),
        ("n8n-auth=x;a", Some("a")),
        ("n8n-auth=x; =1", Some("=1")),
        ("n8n-auth=x; \u{1}=1", Some("\u{1}=1")),
    ] {
        let head = forwarded(&[("cookie", cookies)]);
        assert_eq!(value(&head, "cookie"), left, "{cookies:?}");
    }
}

/// A host may count how often the gate removes a header.
#[test]
fn a_header_that_was_sent_twice_is_removed_once() {
    let made_up = ("x-auth-email", "root@example.com");
    let request = request("GET", "/", &[made_up, made_up, ("x_auth_email", "root")]);
    let Outcome::Pass(edits) = decided(&request).outcome else {
        panic!("does not pass");
    };
    let expected = ["x-auth-email", "x_auth_email"];
    assert_eq!(
        edits,
        expected.map(|name| HeaderEdit::Remove(name.to_owned()))
    );
}

#[test]
fn only_spellings_of_a_header_are_removed() {
    let kept = [
        "x-auth-emails",
        "x-auth-emai",
        "xx-auth-email",
        "x.auth.email",
        "x-auth--email",
        "auth-email",
    ];
    let sent = kept.map(|name| (name, "kept"));
    let head = forwarded(&sent);
    for name in kept {
        assert_eq!(value(&head, name), Some("kept"), "{name}");
    }
}

#[test]
fn a_claim_without_a_text_is_no_header() {
    let mut claims = claims("reader", &["Reader"]);
    claims["scope"] = json!("");
    let request = bearing("GET", PATH, &claims);
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "x-auth-scopes"), None);
    assert_eq!(value(&head, "x-auth-client"), Some("reader"));
}

/// The bytes that count are those that are sent: a space becomes three.
#[test]
fn a_header_holds_2048_bytes_and_no_more() {
    for (subject, is_sent) in [
        ("s".repeat(2048), true),
        ("s".repeat(2049), false),
        (" ".repeat(682), true),
        (" ".repeat(683), false),
    ] {
        let mut claims = claims("reader", &["Reader"]);
        claims["sub"] = json!(subject);
        let request = bearing("GET", PATH, &claims);
        let head = upstream(&request, &decided(&request));
        let sent = value(&head, "x-auth-subject").is_some();
        assert_eq!(sent, is_sent, "{subject:.1} {}", subject.len());
    }
}

/// Envoy takes a client of its own network at its word. It would send a delivery or a proof several times.
#[test]
fn no_client_steers_the_router_of_envoy() {
    let steering = [
        "x-envoy-retry-on",
        "x-envoy-retry-grpc-on",
        "x-envoy-max-retries",
        "x-envoy-retriable-status-codes",
        "x-envoy-retriable-header-names",
        "x-envoy-hedge-on-per-try-timeout",
        "x-envoy-upstream-rq-timeout-ms",
        "x-envoy-upstream-rq-per-try-timeout-ms",
    ];
    let authorization = format!("Bearer {}", sign(&claims("reader", &["Reader", "Orders"])));
    for path in ["/api/v1/workflows", "/webhook/orders/new"] {
        let mut headers: Vec<(&str, &str)> = steering.map(|name| (name, "5")).to_vec();
        headers.push(("authorization", &authorization));
        headers.push(("x-envoy-external-address", "10.0.0.1"));
        let request = request("GET", path, &headers);
        let head = upstream(&request, &decided(&request));
        for name in steering {
            assert_eq!(value(&head, name), None, "{path} {name}");
        }
        assert_eq!(value(&head, "x-envoy-external-address"), Some("10.0.0.1"));
    }
}
