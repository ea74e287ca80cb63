//! What the audit record says about a caller, about a token that is refused, and which provider refused it.

use super::introspection::{active_status, asking, decided_on};
use super::*;
use crate::observe::audit_line;
use crate::time::UnixMillis;

const PATH: &str = "/api/v1/workflows";

/// The audit record of a call with a token, without what it says of the request itself.
fn record(facts: &TestFacts, path: &str, claims: &Value) -> Value {
    let request = bearing("GET", path, claims);
    let decision = decide_with(facts, &request);
    let line = audit_line(&decision, &request, UnixMillis(NOW.0 * 1000));
    let mut record: Value = serde_json::from_str(&line).unwrap();
    for name in [
        "time",
        "surface",
        "operation",
        "method",
        "path",
        "host",
        "credential",
    ] {
        record.as_object_mut().unwrap().remove(name).unwrap();
    }
    record
}

fn claims_with(client: &str, change: &Value) -> Value {
    let mut claims = claims(client, &["Reader"]);
    let members = claims.as_object_mut().unwrap();
    members.extend(change.as_object().unwrap().clone());
    claims
}

#[test]
fn a_token_of_an_unknown_issuer_leaves_what_it_claims_and_a_hint() {
    let claims = claims_with("reader", &json!({"iss": format!("{ISSUER}/")}));
    assert_eq!(
        record(&facts(&configuration()), PATH, &claims),
        json!({
            "decision": "reject", "reason": "unknown_issuer", "status": 401, "v": 1,
            "hint": "a configured issuer differs in the slash at the end alone",
            "claimed": {"iss": format!("{ISSUER}/"), "aud": "api://n8n-api", "sub": "reader",
                "client": "reader", "kid": "one"},
        })
    );
}

#[test]
fn a_token_that_is_not_good_leaves_what_it_claims_and_the_provider_whose_rules_it_broke() {
    let audience = json!(["api://other", "api://else"]);
    let claims = claims_with("reader", &json!({ "aud": audience }));
    assert_eq!(
        record(&facts(&configuration()), PATH, &claims),
        json!({
            "decision": "reject", "reason": "wrong_audience", "status": 401, "provider": "idp", "v": 1,
            "claimed": {"iss": ISSUER, "aud": "api://other api://else", "sub": "reader",
                "client": "reader", "kid": "one"},
        })
    );
}

/// Tokens that are refused come by the thousand in an attack.
#[test]
fn without_a_record_claims_are_read_for_a_wait_alone() {
    let claimed = |facts: &TestFacts, expiry: u64| {
        let request = bearing(
            "GET",
            PATH,
            &claims_with("reader", &json!({ "exp": expiry })),
        );
        let token_cache = TokenCache::default();
        let context = DecisionContext {
            is_recorded: false,
            ..context(facts, &token_cache)
        };
        let decision = decide(context, Request::of_head(&request));
        let waits = matches!(decision.outcome, Outcome::Await(_));
        (waits, decision.record.claimed)
    };
    let mut facts = facts(&configuration());
    assert_eq!(claimed(&facts, NOW.0 - 600), (false, None));
    facts.pending = true;
    let (waits, claimed) = claimed(&facts, NOW.0 + 300);
    assert!(waits);
    assert_eq!(claimed.unwrap().key_id.as_deref(), Some("one"));
}

#[test]
fn a_caller_who_may_not_come_in_is_named_as_verified() {
    let known = json!({
        "provider": "idp", "iss": ISSUER, "sub": "unlisted", "client": "unlisted", "kind": "app",
        "jti": "t-1", "crypto": "guest",
    });
    let found = record(&facts(&configuration()), PATH, &claims("unlisted", &[]));
    for (name, value) in known.as_object().unwrap() {
        assert_eq!(found[name], *value, "{name}");
    }
    assert_eq!(found["reason"], "client_not_allowed");
    for name in ["claimed", "principal", "cache"] {
        assert_eq!(found[name], json!(null), "{name}");
    }
}

#[test]
fn a_caller_without_a_principal_is_named_as_verified() {
    let found = record(&facts(&configuration()), PATH, &claims("visitor", &[]));
    assert_eq!(found["reason"], "no_principal");
    assert_eq!(found["client"], "visitor");
    assert_eq!(found["cache"], "miss", "the caller is known");
    for name in ["claimed", "principal"] {
        assert_eq!(found[name], json!(null), "{name}");
    }
}

/// A JWT speaks for itself unless the operator wants more: the provider learns nothing of it.
#[test]
fn no_provider_is_asked_about_a_good_jwt_unless_configured() {
    let found = record(&facts(&asking()), PATH, &claims("reader", &["Reader"]));
    assert_eq!(found["decision"], "forward");
    assert_eq!(found["introspection"], json!(null));
}

/// What the audit record says about the responses of providers, and which provider it names.
fn recorded(configuration: &Value, token: &str, statuses: Vec<TestStatus>) -> [Value; 3] {
    let decision = decided_on(configuration, token, statuses);
    let request = request("GET", PATH, &[]);
    let line = audit_line(&decision, &request, UnixMillis(NOW.0 * 1000));
    let record: Value = serde_json::from_str(&line).unwrap();
    ["reason", "provider", "introspection"].map(|name| record[name].clone())
}

#[test]
fn the_audit_has_the_status_of_an_opaque_token_at_one_provider() {
    let mut one = asking();
    one["providers"].as_array_mut().unwrap().truncate(1);
    for (status, expected) in [
        (
            active_status(&json!({"aud": "api://other"})),
            [json!("wrong_audience"), json!("idp"), json!("active")],
        ),
        (
            active_status(&json!({"azp": "unlisted"})),
            [json!("client_not_allowed"), json!("idp"), json!("active")],
        ),
        (
            TestStatus::Inactive,
            [json!("inactive"), json!("idp"), json!("inactive")],
        ),
        (
            TestStatus::Unavailable("timeout"),
            [
                json!("introspection_unavailable"),
                json!("idp"),
                json!(null),
            ],
        ),
    ] {
        assert_eq!(recorded(&one, "opaque", vec![status]), expected);
    }
}

#[test]
fn the_audit_names_no_provider_where_several_know_nothing_of_a_token() {
    let inactive = [json!("inactive"), json!(null), json!("inactive")];
    let statuses = vec![TestStatus::Inactive, TestStatus::Inactive];
    assert_eq!(recorded(&asking(), "opaque", statuses), inactive);
    let unknown = [json!("introspection_unavailable"), json!(null), json!(null)];
    let statuses = vec![TestStatus::Inactive, TestStatus::Unavailable("timeout")];
    assert_eq!(recorded(&asking(), "opaque", statuses), unknown);
}

#[test]
fn the_audit_has_the_status_of_a_signed_token() {
    let mut always = asking();
    always["providers"][0]["introspection"]["always"] = json!(true);
    let token = sign(&claims("reader", &["Reader"]));
    for (status, expected) in [
        (
            active_status(&json!({})),
            [json!(null), json!("idp"), json!("active")],
        ),
        (
            active_status(&json!({"sub": "another"})),
            [json!("answer_disagrees"), json!("idp"), json!("active")],
        ),
        (
            TestStatus::Inactive,
            [json!("inactive"), json!("idp"), json!("inactive")],
        ),
        (
            TestStatus::Unavailable("timeout"),
            [
                json!("introspection_unavailable"),
                json!("idp"),
                json!(null),
            ],
        ),
    ] {
        assert_eq!(recorded(&always, &token, vec![status]), expected);
    }
}
