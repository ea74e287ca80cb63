//! What the body of a refusal tells its caller beside the reason.

use super::*;
use crate::reply::problem;

/// The body of the refusal of a call.
fn body(configuration: &Value, claims: &Value) -> Value {
    let facts = facts(configuration);
    let request = bearing("GET", "/api/v1/workflows", claims);
    let decision = decide_with(&facts, &request);
    let Outcome::Reject(reason) = &decision.outcome else {
        panic!("{:?}", decision.outcome);
    };
    let told = decision.record.told(reason, &facts.policy);
    serde_json::from_str(&problem(reason, None, &request, told).body).unwrap()
}

fn telling(rules: Value) -> Value {
    let mut configuration = configuration();
    configuration["refusals"] = rules;
    configuration
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[test]
fn the_type_is_the_page_of_the_operator_with_the_code_of_the_reason() {
    let claims = claims("visitor", &["Reader"]);
    let page = "https://wiki.example.com/n8n#";
    let told = body(&telling(json!({ "types": page })), &claims);
    assert_eq!(told["type"], json!(format!("{page}no_principal")));
    // RFC 9457 §4.2.1: without a type it is about:blank.
    assert_eq!(body(&configuration(), &claims).get("type"), None);
}

#[test]
fn only_a_verified_caller_without_a_principal_is_told_its_client() {
    let told = body(&configuration(), &claims("visitor", &["Reader"]));
    assert_eq!(told["reason"], "no_principal");
    assert_eq!(told["client"], "visitor");
    let outsider = body(&configuration(), &claims("intruder", &["Reader"]));
    assert_eq!(outsider["reason"], "client_not_allowed");
    assert_eq!(outsider.get("client"), None);
    let expired = with(claims("visitor", &["Reader"]), "exp", json!(1));
    assert_eq!(body(&configuration(), &expired).get("client"), None);
}

#[test]
fn accepted_audiences_are_told_only_where_the_configuration_says_so() {
    let allowed = telling(json!({"audiences": true}));
    let other = with(claims("reader", &["Reader"]), "aud", json!("api://other"));
    let told = body(&allowed, &other);
    assert_eq!(told["reason"], "wrong_audience");
    assert_eq!(told["accepted_audiences"], json!(["api://n8n-api"]));
    assert_eq!(
        body(&configuration(), &other).get("accepted_audiences"),
        None
    );
    let mut none = claims("reader", &["Reader"]);
    none.as_object_mut().unwrap().remove("aud");
    let told = body(&allowed, &none);
    assert_eq!(told["reason"], "audience_missing");
    assert_eq!(told["accepted_audiences"], json!(["api://n8n-api"]));
    // Another fault says nothing of audiences, and an unknown issuer has no provider that could accept any.
    for (name, value) in [("exp", json!(1)), ("iss", json!("https://other.example"))] {
        let claims = with(claims("reader", &["Reader"]), name, value);
        assert_eq!(body(&allowed, &claims).get("accepted_audiences"), None);
    }
}

#[test]
fn a_usual_cause_is_told_to_verified_callers_and_to_others_if_the_configuration_says_so() {
    let slash = with(claims("reader", &[]), "iss", json!(format!("{ISSUER}/")));
    assert_eq!(body(&configuration(), &slash).get("hint"), None);
    let told = body(&telling(json!({"hints": true})), &slash);
    assert_eq!(
        told["hint"],
        "a configured issuer differs in the slash at the end alone"
    );
    let without_roles = body(&configuration(), &claims("reader", &[]));
    assert_eq!(without_roles["reason"], "insufficient_scope");
    assert_eq!(without_roles["missing"], json!(["workflow:list"]));
    let hint = without_roles["hint"].as_str().unwrap();
    assert!(hint.starts_with("the token has no roles"), "{hint}");
    let with_roles = body(&configuration(), &claims("reader", &["Unknown"]));
    assert_eq!(with_roles["reason"], "insufficient_scope");
    assert_eq!(with_roles.get("hint"), None);
}

#[test]
fn the_other_name_of_the_audience_is_a_usual_cause() {
    let other = with(claims("reader", &["Reader"]), "aud", json!("n8n-api"));
    let told = body(&telling(json!({"hints": true})), &other);
    let hint = told["hint"].as_str().unwrap();
    assert!(hint.starts_with("aud is the other name"), "{hint}");
}
