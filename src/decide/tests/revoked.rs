//! Tokens that the operator revoked.

use super::*;

/// What comes of a token of the reader, if these entries are in the configuration.
fn outcome_of(token: &Value, revoked: &Value) -> &'static str {
    let mut configuration = configuration();
    configuration["revoked"] = revoked.clone();
    let request = bearing("GET", "/api/v1/workflows", token);
    result(&decide_with(&facts(&configuration), &request))
}

fn token() -> Value {
    let mut token = claims("reader", &["Reader"]);
    token["sub"] = json!("u-17");
    token["sid"] = json!("s-17");
    token
}

#[test]
fn an_entry_revokes_the_tokens_that_it_names_and_no_others() {
    for (entry, expected) in [
        (json!({"sub": "u-17"}), "token_revoked"),
        (json!({"sub": ["u-16", "u-17"]}), "token_revoked"),
        (json!({"client": "reader"}), "token_revoked"),
        (json!({"sid": "s-17"}), "token_revoked"),
        (json!({"jti": "t-1"}), "token_revoked"),
        (json!({"kid": "one"}), "token_revoked"),
        (json!({"provider": "idp", "sub": "u-17"}), "token_revoked"),
        (json!({"sub": "u-17", "client": "reader"}), "token_revoked"),
        (json!({"sub": "u-17", "client": "admin"}), "forward"),
        (json!({"sub": "s-17", "sid": "u-17"}), "forward"),
        (json!({"kid": "two"}), "forward"),
    ] {
        assert_eq!(outcome_of(&token(), &json!([entry])), expected, "{entry}");
    }
    let several = json!([{"sub": "ada"}, {"sid": "s-17"}]);
    assert_eq!(outcome_of(&token(), &several), "token_revoked");
}

/// A comparison in lower case, or of normal forms, would revoke the tokens of others, or pass those of
/// this caller: providers compare `sub` byte by byte (OpenID Connect Core 1.0 §5.7).
#[test]
fn values_are_compared_byte_by_byte() {
    for (sub, listed, expected) in [
        ("u-17", "U-17", "forward"),
        ("u-17", "u-17 ", "refused by the configuration"),
        ("caf\u{e9}", "cafe\u{301}", "forward"),
        ("caf\u{e9}", "caf\u{e9}", "token_revoked"),
        ("u-17\u{0}", "u-17", "forward"),
        ("u-1", "u-17", "forward"),
    ] {
        let mut token = token();
        token["sub"] = json!(sub);
        let revoked = json!([{"sub": listed}]);
        if expected.starts_with("refused") {
            let mut configuration = configuration();
            configuration["revoked"] = revoked;
            let text = configuration.to_string();
            assert!(config::load(text.as_bytes(), &TestEnvironment).is_err());
            continue;
        }
        assert_eq!(outcome_of(&token, &revoked), expected, "{sub} {listed}");
    }
}

#[test]
fn tokens_of_the_time_before_are_revoked_and_those_that_do_not_say_when() {
    // 2027-01-15T08:00:00Z is NOW.
    for (before, issued, expected) in [
        ("2027-01-15T08:00:00Z", json!(NOW.0 - 1), "token_revoked"),
        ("2027-01-15T08:00:00Z", json!(NOW.0), "forward"),
        ("2027-01-15T08:00:01Z", json!(NOW.0), "token_revoked"),
        ("2027-01-15T08:00:00Z", Value::Null, "token_revoked"),
    ] {
        let mut token = token();
        if issued.is_null() {
            token.as_object_mut().unwrap().remove("iat");
        } else {
            token["iat"] = issued;
        }
        for entry in [
            json!({"before": before}),
            json!({"kid": "one", "before": before}),
        ] {
            let found = outcome_of(&token, &json!([entry]));
            assert_eq!(found, expected, "{entry} {token}");
        }
    }
}

#[test]
fn a_subject_of_one_provider_is_not_that_of_another() {
    let mut configuration = configuration();
    let mut other = configuration["providers"][0].clone();
    other["name"] = json!("other");
    other["issuer"] = json!("https://other.example");
    configuration["providers"]
        .as_array_mut()
        .unwrap()
        .push(other);
    configuration["revoked"] = json!([{"provider": "other", "sub": "u-17"}]);
    let facts = facts(&configuration);
    let mut token = token();
    for (issuer, expected) in [
        (ISSUER, "forward"),
        ("https://other.example", "token_revoked"),
    ] {
        token["iss"] = json!(issuer);
        let request = bearing("GET", "/api/v1/workflows", &token);
        assert_eq!(result(&decide_with(&facts, &request)), expected, "{issuer}");
    }
}

/// Every surface that takes tokens asks the same question.
#[test]
fn a_revoked_token_opens_no_surface() {
    let mut configuration = configuration();
    configuration["revoked"] = json!([{"sid": "s-17"}]);
    let facts = facts(&configuration);
    for path in ["/api/v1/workflows", "/webhook/orders/1", "/webhook/browser"] {
        let mut token = token();
        token["roles"] = json!(["Reader", "Orders"]);
        let request = bearing("GET", path, &token);
        let decision = decide_with(&facts, &request);
        assert_eq!(result(&decision), "token_revoked", "{path}");
        assert!(decision.remember.is_none(), "{path}");
        let identity = decision.record.identity.as_ref().unwrap();
        assert_eq!(identity.subject.as_deref(), Some("u-17"));
    }
}

#[test]
fn a_token_that_is_not_good_is_refused_for_its_fault() {
    let mut token = token();
    token["exp"] = json!(NOW.0 - 3600);
    token["iat"] = json!(NOW.0 - 7200);
    assert_eq!(outcome_of(&token, &json!([{"sub": "u-17"}])), "expired");
}
