//! What n8n's response means for a request that was forwarded with an upstream API key.

use super::*;
use crate::reply::Challenge;

fn forwarded() -> Box<DecisionRecord> {
    let mut decision = decided(&bearing(
        "GET",
        "/api/v1/workflows",
        &claims("reader", &["Reader"]),
    ));
    decision.record.crypto_path = Some(CryptoPath::Host);
    decision.record
}

fn key() -> UpstreamCredential {
    UpstreamCredential::StaticKey(Secret::new("key".to_owned()))
}

#[test]
fn a_refused_key_is_a_fault_of_the_gateway_and_the_caller_stays_known() {
    let after = Decision::after_response(forwarded(), &key(), 401).unwrap();
    assert_eq!(reason(&after), "upstream_key_refused");
    let Outcome::Reject(refusal) = &after.outcome else {
        panic!("{after:?}");
    };
    assert_eq!(refusal.status(), 502);
    assert_eq!(refusal.challenge(), Challenge::None);
    let record = &after.record;
    assert_eq!(record.upstream_status, Some(401));
    assert_eq!(record.principal.as_deref(), Some("reader"));
    assert!(record.identity.is_some());
    assert_eq!(record.credential, Some(CredentialKind::Bearer));
    // It was counted as a verification when it was one.
    assert!(record.crypto_path.is_none() && record.cache.is_none());
}

#[test]
fn a_narrow_key_is_reported_to_the_operator_only() {
    let after = Decision::after_response(forwarded(), &key(), 403).unwrap();
    assert_eq!(after.outcome.as_str(), "answered");
    assert_eq!(after.record.upstream_status, Some(403));
    assert!(after.record.hint.is_some());
}

#[test]
fn other_responses_are_not_recorded() {
    for status in [100, 200, 204, 302, 400, 402, 404, 407, 429, 500, 502, 503] {
        assert!(
            Decision::after_response(forwarded(), &key(), status).is_none(),
            "{status}"
        );
    }
}

#[test]
fn only_requests_with_a_key_of_the_gate_are_followed() {
    let has_key = |request: &RequestHead| match decided(request).outcome {
        Outcome::Forward(forward) => forward.credential().is_some(),
        other => panic!("{other:?}"),
    };
    let reader = claims("reader", &["Reader", "Orders"]);
    assert!(has_key(&bearing("GET", "/api/v1/workflows", &reader)));
    assert!(!has_key(&bearing("POST", "/webhook/orders/new", &reader)));
}

#[test]
fn an_api_key_is_removed_from_the_response_to_each_request_that_n8n_gets() {
    let reader = claims("reader", &["Reader"]);
    for (request, expected) in [
        (bearing("GET", "/api/v1/workflows", &reader), true),
        (request("GET", "/rest/settings", &[]), true),
        (request("GET", "/api/v1/workflows", &[]), false),
        (request("GET", "/webhook/closed/a", &[]), false),
    ] {
        let decision = decided(&request);
        let edits = decision.outcome.response_edits();
        let removes = edits.contains(&ResponseEdit::Remove(API_KEY_HEADER));
        assert_eq!(removes, expected, "{decision:?}");
    }
}
