//! Calls of webhooks.

use super::*;

#[test]
fn a_guarded_webhook_learns_who_calls_and_gets_no_credential() {
    let authorization = format!("Bearer {}", sign(&claims("reader", &["Orders"])));
    let request = request(
        "POST",
        "/webhook/orders/new",
        &[
            ("authorization", &authorization),
            ("x-n8n-api-key", "static"),
            ("cookie", "n8n-auth=x"),
            ("x-auth-client", "root"),
        ],
    );
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "authorization"), None);
    assert_eq!(value(&head, "x-n8n-api-key"), None);
    assert_eq!(value(&head, "cookie"), None);
    assert_eq!(value(&head, "x-auth-client"), Some("reader"));
    assert_eq!(value(&head, "x-auth-principal"), Some("reader"));
    for key in [READER_KEY, ADMIN_KEY, PEOPLE_KEY] {
        assert!(!format!("{head:?}").contains(key));
    }
}

#[test]
fn a_guarded_webhook_needs_no_principal() {
    let request = bearing(
        "POST",
        "/webhook/orders/new",
        &claims("visitor", &["Orders"]),
    );
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "x-auth-client"), Some("visitor"));
    assert_eq!(value(&head, "x-auth-principal"), None);
}

#[test]
fn a_rule_that_keeps_the_token_keeps_it() {
    let request = bearing("POST", "/webhook/browser", &claims("reader", &[]));
    let head = upstream(&request, &decided(&request));
    assert!(value(&head, "authorization").is_some_and(|value| value.starts_with("Bearer ")));
}

#[test]
fn rules_choose_by_path_and_refuse_what_they_do_not_name() {
    let cases = [
        ("/webhook/orders/new", "no_credential"),
        ("/webhook/orders", "no_credential"),
        ("/WEBHOOK/orders/new", "no_credential"),
        ("/webhook/%6frders/new", "no_credential"),
        ("/webhook-test/orders/new", "no_credential"),
        ("/webhook/closed/a", "webhook_denied"),
        ("/webhook/unheard-of", "webhook_no_rule"),
        ("/webhook/ORDERS/new", "ambiguous_case"),
        ("/webhook/orders//new", "ambiguous_path"),
        ("/webhook/public/../orders/new", "ambiguous_path"),
        ("/webhook/public/%2e%2e/orders/new", "ambiguous_path"),
        ("/webhook/public;/orders", "ambiguous_path"),
    ];
    for (path, expected) in cases {
        let decision = decided(&request("POST", path, &[]));
        assert_eq!(reason(&decision), expected, "{path}");
    }
}

#[test]
fn an_open_webhook_passes_but_for_made_up_identity() {
    let request = request(
        "POST",
        "/webhook/public/a?x-auth-client=root",
        &[
            ("authorization", "Bearer anything"),
            ("x_auth_client", "root"),
        ],
    );
    let head = upstream(&request, &decided(&request));
    assert_eq!(value(&head, "authorization"), Some("Bearer anything"));
    assert_eq!(value(&head, "x_auth_client"), None);
}

#[test]
fn a_token_without_what_the_rule_requires_is_refused() {
    let request = bearing(
        "POST",
        "/webhook/orders/new",
        &claims("reader", &["Reader"]),
    );
    assert_eq!(reason(&decided(&request)), "webhook_requirement");
}

#[test]
fn only_a_whole_preflight_passes_and_only_where_the_rule_says_so() {
    let whole = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
    ];
    let passes = |method: &str, path: &str, headers: &[(&str, &str)]| {
        matches!(
            decided(&request(method, path, headers)).outcome,
            Outcome::Pass(_)
        )
    };
    assert!(passes("OPTIONS", "/webhook/browser", &whole));
    assert!(!passes("OPTIONS", "/webhook/orders/new", &whole));
    assert!(!passes("OPTIONS", "/webhook/browser", &whole[..1]));
    assert!(!passes("OPTIONS", "/webhook/browser", &whole[1..]));
    assert!(!passes("POST", "/webhook/browser", &whole));
}

#[test]
fn without_rules_webhooks_pass() {
    let mut configuration = configuration();
    configuration.as_object_mut().unwrap().remove("webhooks");
    let facts = facts(&configuration);
    let request = request("POST", "/webhook/orders/new", &[("x-auth-client", "root")]);
    let head = upstream(&request, &decide_with(&facts, &request));
    assert_eq!(head, []);
}
