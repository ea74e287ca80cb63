//! Callers in more groups than their token holds.

use super::*;

const PATH: &str = "/api/v1/workflows";

/// Contractors may do less than the rest, and come first.
fn for_contractors() -> Value {
    let mut configuration = configuration();
    configuration["principals"] = json!([
        {"name": "contractors", "match": {"groups": "contractors"}, "allow": ["workflow:list"],
         "api_key": {"env": "PEOPLE_KEY"}},
        {"name": "all", "match": {"client": "reader"}, "api_key": {"env": "READER_KEY"}},
    ]);
    configuration["webhooks"] = json!([
        {"path": "/webhook/staff", "require": {"groups": "staff"}},
        {"path": "/webhook/any", "auth": "bearer"},
    ]);
    configuration
}

/// A token of the reader, with these groups or with a claim that says where they are.
fn with_groups(groups: Option<&[&str]>) -> Value {
    let mut claims = claims("reader", &["Reader"]);
    match groups {
        Some(groups) => claims["groups"] = json!(groups),
        None => claims["_claim_names"] = json!({"groups": "src1"}),
    }
    claims
}

#[test]
fn a_caller_who_may_be_in_a_group_that_decides_is_not_taken_for_the_next_principal() {
    let facts = facts(&for_contractors());
    for (groups, key) in [
        (&["contractors"][..], PEOPLE_KEY),
        (&["staff"], READER_KEY),
        (&[], READER_KEY),
    ] {
        let request = bearing("GET", PATH, &with_groups(Some(groups)));
        let head = upstream(&request, &decide_with(&facts, &request));
        assert_eq!(value(&head, "x-n8n-api-key"), Some(key), "{groups:?}");
    }
    let request = bearing("GET", PATH, &with_groups(None));
    let decision = decide_with(&facts, &request);
    assert_eq!(reason(&decision), "groups_left_out");
    assert_eq!(decision.record.principal, None);
}

#[test]
fn a_webhook_tells_groups_that_are_left_out_from_groups_that_are_others() {
    let facts = facts(&for_contractors());
    let at = |path, groups| {
        let request = bearing("POST", path, &with_groups(groups));
        let decision = decide_with(&facts, &request);
        (request, decision)
    };
    let (_, left_out) = at("/webhook/staff", None);
    assert_eq!(reason(&left_out), "groups_left_out");
    let (_, another) = at("/webhook/staff", Some(&["contractors"]));
    assert_eq!(reason(&another), "webhook_requirement");
    let (request, of_staff) = at("/webhook/staff", Some(&["staff"]));
    let head = upstream(&request, &of_staff);
    assert_eq!(value(&head, "x-auth-principal"), Some("all"));
    let (request, decision) = at("/webhook/any", None);
    let head = upstream(&request, &decision);
    assert_eq!(value(&head, "x-auth-client"), Some("reader"));
    assert_eq!(value(&head, "x-auth-principal"), None, "it may be another");
}
