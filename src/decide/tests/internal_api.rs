//! Calls of n8n's internal API, where `rest` is `bearer`.

use super::minted::facts_from;
use super::*;

const COOKIE: &str = "n8n-auth=session-of-the-gate";

/// The reader acts as the user of its client and may use the internal API. The admin may, too, and has an
/// API key.
fn configured(change: impl FnOnce(&mut Value)) -> TestFacts {
    let mut configuration = configuration();
    configuration["n8n"] = json!({
        "cluster": "n8n", "api_key": {"env": "FIRST"}, "seed": {"env": "SEED"},
    });
    configuration["rest"] = json!("bearer");
    configuration["roles"]["Internal"] = json!(["rest"]);
    configuration["principals"][0] = json!({
        "name": "reader", "match": {"client": "reader"}, "user": {"per": "client"},
    });
    change(&mut configuration);
    TestFacts {
        session: Some(Ok(Secret::new(COOKIE.to_owned()))),
        ..facts_from(&configuration)
    }
}

fn bearer_facts() -> TestFacts {
    configured(|_| ())
}

fn internal(method: &str, path: &str) -> RequestHead {
    bearing(method, path, &claims("reader", &["Internal"]))
}

fn edits_of(decision: &Decision) -> &'static [ResponseEdit] {
    decision.outcome.response_edits()
}

fn is_passed(facts: &TestFacts, request: &RequestHead) -> bool {
    matches!(decide_with(facts, request).outcome, Outcome::Pass(_))
}

#[test]
fn a_caller_with_the_grant_gets_the_session_of_its_user_and_keeps_nothing_of_its_own() {
    let token = format!("Bearer {}", sign(&claims("reader", &["Internal"])));
    let head = request(
        "GET",
        "/rest/workflows",
        &[
            ("authorization", &token),
            ("cookie", "n8n-auth=of-the-caller; theme=dark"),
            ("x-n8n-api-key", "a-key-of-n8n"),
            ("browser-id", "b-1"),
            ("push-ref", "p-1"),
            ("push_ref", "p-2"),
            ("x-auth-subject", "made-up"),
        ],
    );
    let decision = decide_with(&bearer_facts(), &head);
    let sent = upstream(&head, &decision);
    let cookies: Vec<_> = sent.iter().filter(|(name, _)| name == "cookie").collect();
    assert_eq!(cookies.len(), 1);
    assert_eq!(cookies[0].1, COOKIE);
    for gone in [
        "authorization",
        "x-n8n-api-key",
        "browser-id",
        "push-ref",
        "push_ref",
    ] {
        assert_eq!(value(&sent, gone), None, "{gone}");
    }
    assert_eq!(value(&sent, "x-auth-subject"), Some("reader"));
    assert_eq!(value(&sent, "x-auth-principal"), Some("reader"));
    let record = &decision.record;
    assert_eq!(record.surface, Some(Surface::Rest));
    assert_eq!(record.operation, Some("rest"));
    assert_eq!(record.credential, Some(CredentialKind::Bearer));
    assert_eq!(record.principal.as_deref(), Some("reader"));
}

#[test]
fn no_cookie_of_a_response_reaches_the_caller() {
    let decision = decide_with(&bearer_facts(), &internal("GET", "/rest/workflows"));
    assert!(edits_of(&decision).contains(&ResponseEdit::Remove("set-cookie")));
    assert!(edits_of(&decision).contains(&ResponseEdit::Remove(API_KEY_HEADER)));
    // A browser logs in with its own password.
    let decision = decide_with(&bearer_facts(), &request("POST", "/rest/login", &[]));
    assert!(!edits_of(&decision).contains(&ResponseEdit::Remove("set-cookie")));
}

#[test]
fn requests_without_a_token_pass() {
    let facts = bearer_facts();
    for head in [
        request("GET", "/rest/workflows", &[("cookie", "n8n-auth=x")]),
        request("GET", "/rest/push", &[("upgrade", "websocket")]),
        request("POST", "/rest/login", &[]),
        request("GET", "/rest/workflows/../me", &[]),
        request("GET", "/rest/me", &[("authorization", "Basic eDp5")]),
        request(
            "OPTIONS",
            "/rest/workflows",
            &[("origin", "https://a.example")],
        ),
    ] {
        assert!(is_passed(&facts, &head), "{head:?}");
    }
}

#[test]
fn by_default_everything_passes_and_no_token_opens_anything() {
    let facts = configured(|configuration| configuration["rest"] = json!("pass"));
    for path in ["/rest/workflows", "/rest/me", "/rest/workflows/../me"] {
        let head = internal("GET", path);
        let decision = decide_with(&facts, &head);
        assert!(matches!(decision.outcome, Outcome::Pass(_)), "{path}");
        assert_eq!(value(&upstream(&head, &decision), "cookie"), None);
    }
}

#[test]
fn routes_that_are_closed_are_refused_with_their_reason() {
    let facts = bearer_facts();
    for (method, path, why) in [
        ("GET", "/rest/login", "session"),
        ("POST", "/rest/logout", "session"),
        ("PATCH", "/rest/ME", "account"),
        ("GET", "/rest/mfa/qr", "account"),
        ("POST", "/rest/api-keys/", "credential"),
        ("GET", "/rest/push?pushRef=x", "browser"),
        ("GET", "/rest/license", "instance"),
        ("GET", "/rest/later", "unlisted"),
    ] {
        let decision = decide_with(&facts, &internal(method, path));
        let Outcome::Reject(refusal) = &decision.outcome else {
            panic!("{path}: {decision:?}");
        };
        assert_eq!(
            (refusal.as_str(), refusal.status()),
            ("rest_closed", 403),
            "{path}"
        );
        assert_eq!(refusal.fault(), Some(why), "{path}");
    }
}

#[test]
fn a_path_with_two_readings_is_refused_before_the_token_is_read() {
    let facts = bearer_facts();
    for path in [
        "/rest/workflows/../me",
        "/rest/workflows/%2e%2e/me",
        "/rest//me",
        "/rest/%6de",
        "/%72est/me",
        "/x/../rest/me",
        "/rest/workflows%2f..%2fme",
        "/rest/workflows;/me",
    ] {
        let good = decide_with(&facts, &internal("GET", path));
        assert_eq!(reason(&good), "ambiguous_path", "{path}");
        let token = [("authorization", "Bearer a b")];
        let malformed = decide_with(&facts, &request("GET", path, &token));
        assert_eq!(reason(&malformed), "ambiguous_path", "{path}");
    }
}

#[test]
fn a_caller_without_the_grant_is_told_what_is_missing() {
    let facts = bearer_facts();
    for roles in [&["Reader"][..], &["Admin"], &[]] {
        let head = bearing("GET", "/rest/workflows", &claims("reader", roles));
        let decision = decide_with(&facts, &head);
        assert_eq!(reason(&decision), "insufficient_scope", "{roles:?}");
        let Outcome::Reject(refusal) = &decision.outcome else {
            panic!("{decision:?}");
        };
        assert_eq!(refusal.missing_scopes(), ["rest"]);
    }
    // Closed routes do not tell these callers apart.
    let head = bearing("GET", "/rest/me", &claims("reader", &["Reader"]));
    assert_eq!(reason(&decide_with(&facts, &head)), "insufficient_scope");
    // The grant of a principal counts as that of a role, within `allow`.
    let granted = configured(|configuration| {
        configuration["principals"][0]["grant"] = json!(["rest"]);
    });
    let head = bearing("GET", "/rest/workflows", &claims("reader", &[]));
    assert!(matches!(
        decide_with(&granted, &head).outcome,
        Outcome::Forward(_)
    ));
    let narrowed = configured(|configuration| {
        configuration["principals"][0]["allow"] = json!(["workflow:list"]);
    });
    let head = internal("GET", "/rest/workflows");
    assert_eq!(reason(&decide_with(&narrowed, &head)), "insufficient_scope");
}

#[test]
fn the_grant_of_the_internal_api_opens_no_operation_of_the_public_one() {
    let head = internal("GET", "/api/v1/workflows");
    let decision = decide_with(&bearer_facts(), &head);
    assert_eq!(reason(&decision), "insufficient_scope");
}

#[test]
fn a_principal_with_an_api_key_has_no_session() {
    let head = bearing("GET", "/rest/workflows", &claims("admin", &["Internal"]));
    let decision = decide_with(&bearer_facts(), &head);
    assert_eq!(reason(&decision), "no_session");
    let facts = configured(|configuration| {
        configuration["principals"][0]["user"] = json!({"per": "tenant"});
    });
    let head = internal("GET", "/rest/workflows");
    assert_eq!(reason(&decide_with(&facts, &head)), "no_user");
}

#[test]
fn a_token_that_is_not_good_is_refused_though_a_session_is_sent_with_it() {
    let facts = bearer_facts();
    let mut late = claims("reader", &["Internal"]);
    late["exp"] = json!(NOW.0 - 300);
    let late = format!("Bearer {}", sign(&late));
    for (token, expected) in [
        (&*late, "expired"),
        ("Bearer x", "not_a_jws"),
        ("Bearer", "malformed_authorization"),
    ] {
        let headers = [("authorization", token), ("cookie", "n8n-auth=good")];
        let decision = decide_with(&facts, &request("GET", "/rest/workflows", &headers));
        assert_eq!(reason(&decision), expected, "{token}");
    }
    let visitor = bearing("GET", "/rest/workflows", &claims("visitor", &["Internal"]));
    assert_eq!(reason(&decide_with(&facts, &visitor)), "no_principal");
}

#[test]
fn a_request_waits_for_the_session_or_is_refused_with_its_fault() {
    let mut facts = bearer_facts();
    facts.session = None;
    let decision = decide_with(&facts, &internal("GET", "/rest/workflows"));
    let Outcome::Await(Need::Fact(Fact::Session(user))) = &decision.outcome else {
        panic!("{decision:?}");
    };
    assert!(user.email().starts_with("client-reader-"));
    // Nothing is made for a request that is refused anyway.
    let closed = decide_with(&facts, &internal("GET", "/rest/me"));
    assert_eq!(reason(&closed), "rest_closed");
    facts.session = Some(Err("rate_limited"));
    let decision = decide_with(&facts, &internal("GET", "/rest/workflows"));
    let Outcome::Reject(refusal) = &decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!(refusal.as_str(), "upstream_session_unavailable");
    assert_eq!(
        (refusal.status(), refusal.fault()),
        (503, Some("rate_limited"))
    );
    assert!(refusal.retry_after().is_some());
}

#[test]
fn a_session_that_n8n_refuses_is_a_fault_of_the_gateway() {
    let decision = decide_with(&bearer_facts(), &internal("GET", "/rest/workflows"));
    let Outcome::Forward(forward) = &decision.outcome else {
        panic!("{decision:?}");
    };
    let credential = forward.credential().unwrap();
    assert!(matches!(credential, UpstreamCredential::Session(..)));
    let after = Decision::after_response(decision.record.clone(), credential, 401).unwrap();
    assert_eq!(reason(&after), "upstream_session_refused");
    let Outcome::Reject(refusal) = &after.outcome else {
        panic!("{after:?}");
    };
    assert_eq!(refusal.status(), 502);
    let after = Decision::after_response(decision.record.clone(), credential, 403).unwrap();
    assert_eq!(after.outcome.as_str(), "answered");
    assert!(after.record.hint.unwrap().contains("the user's role"));
}

#[test]
fn the_endpoint_may_have_another_name() {
    let facts = configured(|configuration| {
        configuration["endpoints"] = json!({"rest": "internal"});
    });
    let decision = decide_with(&facts, &internal("GET", "/internal/me"));
    assert_eq!(reason(&decision), "rest_closed");
    let decision = decide_with(&facts, &internal("GET", "/internal/workflows"));
    assert!(matches!(decision.outcome, Outcome::Forward(_)));
    let decision = decide_with(&facts, &internal("GET", "/rest/me"));
    assert!(
        matches!(decision.outcome, Outcome::Pass(_)),
        "n8n has nothing there"
    );
}
