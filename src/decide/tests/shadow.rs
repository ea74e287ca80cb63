//! A second policy, which is only judged.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::model::{sent, tokens};
use super::*;
use crate::policy::Shadow;

/// What the second policy says beside the one in force, with a judge that knows no token.
fn compared(facts: &TestFacts, request: &RequestHead) -> Option<Comparison> {
    judged(&mut Judge::default(), facts, request)
}

fn judged(judge: &mut Judge, facts: &TestFacts, request: &RequestHead) -> Option<Comparison> {
    let decision = decide_with(facts, request);
    let shadow: &Shadow = facts.policy.shadow.as_ref().unwrap();
    let token_cache = TokenCache::default();
    let context = context(facts, &token_cache);
    judge.compare(shadow, context, Request::of_head(request), &decision)
}

fn with_shadow(shadow: &Value) -> TestFacts {
    let mut configuration = configuration();
    configuration["shadow"] = shadow.clone();
    facts(&configuration)
}

fn difference(facts: &TestFacts, request: &RequestHead) -> OtherDecision {
    match compared(facts, request) {
        Some(Comparison::Different(difference)) => *difference,
        other => panic!("no difference: {other:?}"),
    }
}

#[test]
fn a_caller_that_would_lose_its_principal_is_a_difference() {
    let mut principals = configuration()["principals"].clone();
    principals.as_array_mut().unwrap().remove(0);
    let facts = with_shadow(&json!({ "principals": principals }));
    let reader = bearing("GET", "/api/v1/workflows", &claims("reader", &["Reader"]));
    assert_eq!(
        difference(&facts, &reader),
        OtherDecision {
            decision: "reject",
            reason: Some("no_principal"),
            principal: None,
            missing: Vec::new(),
            differs: vec!["decision", "reason", "principal"],
        }
    );
    let admin = bearing("GET", "/api/v1/workflows", &claims("admin", &["Admin"]));
    assert_eq!(compared(&facts, &admin), Some(Comparison::Same));
}

#[test]
fn a_role_that_would_allow_less_is_a_difference_with_the_scope_that_is_missing() {
    let facts = with_shadow(&json!({"roles": {"Reader": ["workflow:read"]}}));
    let reader = bearing("GET", "/api/v1/workflows", &claims("reader", &["Reader"]));
    let difference = difference(&facts, &reader);
    assert_eq!(difference.reason, Some("insufficient_scope"));
    assert_eq!(difference.principal.as_deref(), Some("reader"));
    assert_eq!(difference.missing, ["workflow:list"]);
    assert_eq!(difference.differs, ["decision", "reason", "missing"]);
}

#[test]
fn what_is_refused_now_and_would_go_on_is_a_difference() {
    let facts = with_shadow(&json!({"webhooks": [{"path": "/webhook/**", "auth": "open"}]}));
    let request = request("GET", "/webhook/closed/a", &[]);
    assert_eq!(result(&decide_with(&facts, &request)), "webhook_denied");
    let difference = difference(&facts, &request);
    assert_eq!(difference.decision, "pass");
    assert_eq!(difference.differs, ["decision", "reason"]);
}

#[test]
fn another_key_for_the_same_principal_is_a_difference() {
    let mut principals = configuration()["principals"].clone();
    principals[0]["api_key"]["env"] = json!("PEOPLE_KEY");
    principals[2]["api_key"]["env"] = json!("READER_KEY");
    let facts = with_shadow(&json!({ "principals": principals }));
    let reader = bearing("GET", "/api/v1/workflows", &claims("reader", &["Reader"]));
    let difference = difference(&facts, &reader);
    assert_eq!(difference.differs, ["credential"]);
    assert_eq!(difference.decision, "forward");
    assert!(
        !format!("{difference:?}").contains("n8n-key"),
        "{difference:?}"
    );
}

/// The gate would make the key when the policy is in force. For a policy that is only judged it makes none.
#[test]
fn a_key_that_the_gate_would_make_counts_as_there() {
    let mut principals = configuration()["principals"].clone();
    let reader = principals[0].as_object_mut().unwrap();
    reader.remove("api_key");
    reader.insert("user".to_owned(), json!({"email": "reader@example.com"}));
    let facts = with_shadow(&json!({
        "principals": principals,
        "n8n": {"cluster": "n8n", "api_key": {"env": "ADMIN_KEY"}, "seed": {"env": "READER_KEY"},
            "email_domain": "users.example.com"},
    }));
    let request = bearing("GET", "/api/v1/workflows", &claims("reader", &["Reader"]));
    assert!(facts.minted.is_none());
    let difference = difference(&facts, &request);
    assert_eq!(difference.decision, "forward");
    assert_eq!(difference.differs, ["credential"]);
}

#[test]
fn what_would_need_the_body_is_unknown() {
    let facts = with_shadow(
        &json!({"webhooks": [{"path": "/webhook/**", "auth": "signature",
        "signature": {"sender": "github", "secrets": [{"env": "READER_KEY"}]}}]}),
    );
    let signature = format!("sha256={}", "0".repeat(64));
    let signed = [("x-hub-signature-256", &*signature)];
    let request = request("POST", "/webhook/public/a", &signed);
    assert_eq!(result(&decide_with(&facts, &request)), "pass");
    assert_eq!(compared(&facts, &request), Some(Comparison::Unknown));
}

#[test]
fn what_is_not_decided_yet_is_not_compared() {
    let mut facts = with_shadow(&json!({"metrics": "deny"}));
    facts.pending = true;
    let request = bearing("GET", "/api/v1/workflows", &claims("reader", &["Reader"]));
    assert_eq!(result(&decide_with(&facts, &request)), "abandoned");
    assert_eq!(compared(&facts, &request), None);
}

#[test]
fn only_requests_of_an_n8n_with_a_shadow_are_judged() {
    let mut one = configuration();
    let one = one.as_object_mut().unwrap();
    let providers = one.remove("providers").unwrap();
    let mut other = one.clone();
    one.insert("name".to_owned(), json!("one"));
    one.insert("hosts".to_owned(), json!("n8n.example.com"));
    one.insert("shadow".to_owned(), json!({"metrics": "deny"}));
    other.insert("name".to_owned(), json!("other"));
    other.insert("hosts".to_owned(), json!("other.example.com"));
    let several = json!({"providers": providers, "instances": [one, other]});
    let facts = facts(&several);
    let to = |host: &str| {
        RequestHead::new(vec![
            (":method".to_owned(), b"GET".to_vec()),
            (":path".to_owned(), b"/metrics".to_vec()),
            (":authority".to_owned(), host.as_bytes().to_vec()),
        ])
    };
    assert_eq!(
        difference(&facts, &to("n8n.example.com")).decision,
        "reject"
    );
    assert_eq!(compared(&facts, &to("other.example.com")), None);
    assert_eq!(compared(&facts, &to("nothing.example.com")), None);
}

/// Also with what the judge remembers of tokens, and what the policy in force remembers.
#[test]
fn an_equal_policy_never_differs() {
    let own = configuration();
    let facts = with_shadow(&json!({
        "roles": own["roles"], "principals": own["principals"], "webhooks": own["webhooks"],
    }));
    let tokens = tokens();
    let count = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 60,
        source_file: Some(file!()),
        ..ProptestConfig::default()
    });
    let requests = proptest::collection::vec(sent(), 1..=100);
    let outcome = runner.run(&requests, |requests| {
        let mut judge = Judge::default();
        for sent in requests {
            let request = sent.head(&tokens[sent.token].0);
            let comparison = judged(&mut judge, &facts, &request);
            prop_assert_eq!(comparison, Some(Comparison::Same));
            count.set(count.get() + 1);
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}\n{runner}");
    }
    assert!(count.get() > 1000, "{}", count.get());
}
