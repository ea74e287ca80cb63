//! Rules for applications and for people, and what an introspection response adds to a token.

use super::introspection::{active_status, asking, decided_on, reason};
use super::*;

/// A rule for people alone, and one for applications alone.
fn by_kind(mut configuration: Value) -> Value {
    configuration["principals"] = json!([
        {"name": "people", "match": {"kind": "user"}, "grant": "*", "api_key": {"env": "PEOPLE_KEY"}},
        {"name": "apps", "match": {"kind": "app"}, "grant": "*", "api_key": {"env": "ADMIN_KEY"}},
    ]);
    let provider = configuration["providers"][0].as_object_mut().unwrap();
    provider.remove("clients");
    configuration
}

fn becomes(configuration: &Value, claims: &Value, statuses: Vec<TestStatus>) -> Option<String> {
    let decision = decided_on(configuration, &sign(claims), statuses);
    match &decision.outcome {
        Outcome::Forward(_) => decision.record.principal.map(|name| name.to_string()),
        Outcome::Reject(reason) => Some(reason.as_str().to_owned()),
        other => panic!("{other:?}"),
    }
}

/// As Spring Authorization Server makes tokens of applications: without any claim of the client.
fn of_spring(subject: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": "api://n8n-api", "sub": subject, "scope": ["a"], "jti": "t-1",
        "nbf": NOW.0, "iat": NOW.0, "exp": NOW.0 + 300,
    })
}

#[test]
fn a_caller_whose_token_does_not_tell_is_neither_an_application_nor_a_person() {
    let configuration = by_kind(configuration());
    let mut person = claims("portal", &[]);
    person["sub"] = json!("u-17");
    for claims in [of_spring("reports"), of_spring("ann"), person] {
        let decision = decided_on(&configuration, &sign(&claims), Vec::new());
        assert_eq!(reason(&decision), "no_principal", "{claims}");
        let identity = decision.record.identity.unwrap();
        assert_eq!(identity.kind.as_str(), "unknown");
    }
    let mut configuration = configuration;
    configuration["principals"] = json!([
        {"name": "all", "match": {"any": true}, "grant": "*", "api_key": {"env": "PEOPLE_KEY"}},
    ]);
    let request = bearing("GET", "/api/v1/workflows", &of_spring("reports"));
    let head = upstream(&request, &decide_with(&facts(&configuration), &request));
    assert_eq!(value(&head, "x-auth-kind"), Some("unknown"));
}

/// RFC 9068 §2.2.1: `auth_time` is the time at which a person logged in. Some providers write it into
/// the tokens of applications, too, which do not keep RFC 9068.
#[test]
fn auth_time_marks_a_person_only_in_a_token_that_keeps_rfc_9068() {
    let configuration = by_kind(configuration());
    let mut claims = of_spring("u-17");
    claims["client_id"] = json!("portal");
    claims["auth_time"] = json!(NOW.0 - 60);
    for (typ, expected, kind) in [
        ("at+jwt", "people", "user"),
        ("JWT", "no_principal", "unknown"),
    ] {
        let header = json!({"alg": "EdDSA", "kid": "one", "typ": typ});
        let token = signer().sign(&header, &claims);
        let decision = decided_on(&configuration, &token, Vec::new());
        let identity = decision.record.identity.as_deref().unwrap();
        assert_eq!(identity.kind.as_str(), kind, "{typ}");
        let principal = decision.record.principal.as_deref();
        assert_eq!(principal.unwrap_or(reason(&decision)), expected, "{typ}");
    }
}

#[test]
fn an_operator_s_rule_tells_what_the_provider_does_not_mark() {
    let mut configuration = by_kind(configuration());
    configuration["providers"][0]["kind"] = json!({
        "app": [{"claim": "kind_of_caller", "equals": "service"}],
        "user": [{"claim": "kind_of_caller", "equals": "person"}],
    });
    for (value, expected) in [
        ("service", "apps"),
        ("person", "people"),
        ("robot", "no_principal"),
    ] {
        let mut claims = of_spring("reports");
        claims["kind_of_caller"] = json!(value);
        assert_eq!(
            becomes(&configuration, &claims, Vec::new()).as_deref(),
            Some(expected)
        );
    }
}

/// The same, with introspection of each token.
fn always() -> Value {
    let mut configuration = by_kind(asking());
    configuration["providers"][0]["introspection"]["always"] = json!(true);
    configuration
}

fn says(client: &Value) -> Value {
    json!({"sub": null, "azp": null, "aud": null, "jti": null, "roles": null, "client_id": client})
}

#[test]
fn a_response_names_the_client_of_a_token_that_names_none() {
    let configuration = always();
    for (subject, response, expected) in [
        ("reports", says(&json!("reports")), "apps"),
        ("ann", says(&json!("portal")), "no_principal"),
        ("reports", says(&json!("")), "no_principal"),
        ("reports", says(&Value::Null), "no_principal"),
        ("reports", says(&json!(["reports"])), "claim_of_wrong_type"),
    ] {
        let statuses = vec![active_status(&response)];
        let became = becomes(&configuration, &of_spring(subject), statuses);
        assert_eq!(became.as_deref(), Some(expected), "{subject} {response}");
    }
    // A person who chose a user name that is the name of the client.
    let mut response = says(&json!("reports"));
    response["username"] = json!("reports");
    let became = becomes(
        &configuration,
        &of_spring("reports"),
        vec![active_status(&response)],
    );
    assert_eq!(became.as_deref(), Some("no_principal"));
}

#[test]
fn a_response_never_overrides_the_client_that_a_token_names() {
    let configuration = always();
    for name in ["azp", "client_id", "cid", "appid"] {
        let mut claims = of_spring("reports");
        claims[name] = json!("reports");
        let agrees = becomes(
            &configuration,
            &claims,
            vec![active_status(&says(&json!("reports")))],
        );
        assert_eq!(agrees.as_deref(), Some("apps"), "{name}");
        let disagrees = becomes(
            &configuration,
            &claims,
            vec![active_status(&says(&json!("other")))],
        );
        assert_eq!(disagrees.as_deref(), Some("answer_disagrees"), "{name}");
    }
}

/// A token without a client is asked about first, and then must be of a listed client.
#[test]
fn the_list_of_clients_is_for_those_that_the_provider_names_too() {
    let mut configuration = always();
    configuration["providers"][0]["clients"] = json!(["reports"]);
    for (client, expected) in [
        (json!("reports"), "apps"),
        (json!("other"), "client_not_allowed"),
        (Value::Null, "client_not_allowed"),
    ] {
        let statuses = vec![active_status(&says(&client))];
        let became = becomes(&configuration, &of_spring("reports"), statuses);
        assert_eq!(became.as_deref(), Some(expected), "{client}");
    }
    configuration["providers"][0]["tenants"] = json!(["t"]);
    let decision = decided_on(&configuration, &sign(&of_spring("reports")), Vec::new());
    assert_eq!(
        reason(&decision),
        "tenant_not_allowed",
        "no question is asked"
    );
}

#[test]
fn a_token_without_a_subject_is_refused() {
    let configuration = by_kind(configuration());
    let mut claims = claims("reader", &["Reader"]);
    claims["sub"] = json!("");
    let refused = becomes(&configuration, &claims, Vec::new());
    assert_eq!(refused.as_deref(), Some("subject_missing"));
    claims.as_object_mut().unwrap().remove("sub");
    let refused = becomes(&configuration, &claims, Vec::new());
    assert_eq!(refused.as_deref(), Some("subject_missing"));
    let mut configuration = configuration;
    configuration["providers"][0]["accept_no_subject"] = json!(true);
    configuration["providers"][0]["kind"] = json!({"app": [{"claim": "sub", "exists": false}]});
    let became = becomes(&configuration, &claims, Vec::new());
    assert_eq!(became.as_deref(), Some("apps"));
}

#[test]
fn what_may_be_an_id_token_is_marked_in_the_audit() {
    let mut claims = claims("reader", &["Reader"]);
    claims["aud"] = json!(["reader", "api://n8n-api"]);
    for (changes, is_marked) in [
        (json!({}), true),
        (json!({"scope": "a"}), false),
        (json!({"azp": "portal"}), false),
    ] {
        let mut claims = claims.clone();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let request = bearing("GET", "/api/v1/workflows", &claims);
        let mut configuration = configuration();
        configuration["principals"] = json!([
            {"name": "all", "match": {"any": true}, "grant": "*", "api_key": {"env": "PEOPLE_KEY"}},
        ]);
        let facts = facts(&configuration);
        let mut token_cache = TokenCache::default();
        let first = decide_with_cache(&facts, &token_cache, &request);
        assert_eq!(first.record.hint.is_some(), is_marked, "{claims}");
        let Some(Remember::Verified(key, caller)) = first.remember else {
            panic!("not new");
        };
        token_cache.remember(key, caller, 1);
        let again = decide_with_cache(&facts, &token_cache, &request);
        assert_eq!(again.record.hint, first.record.hint, "remembered: {claims}");
    }
}

#[test]
fn an_id_token_is_refused_with_a_hint_at_what_to_send() {
    for mark in ["nonce", "at_hash", "c_hash", "s_hash"] {
        let mut claims = claims("reader", &["Reader"]);
        claims[mark] = json!("x");
        let decision = decided_on(&configuration(), &sign(&claims), Vec::new());
        assert_eq!(reason(&decision), "wrong_type");
        assert!(decision
            .record
            .hint
            .is_some_and(|hint| hint.contains("typ: id_token")));
    }
}
