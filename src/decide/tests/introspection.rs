//! Tokens that their provider must speak for.

use super::*;
use crate::facts::Fact;
use crate::formats::json::Document;
use crate::time::UnixMillis;
use crate::token::Term;

const PATH: &str = "/api/v1/workflows";
pub(super) const OTHER: &str = "https://other.example";

/// Two providers that are asked about opaque tokens.
pub(super) fn asking() -> Value {
    let mut configuration = configuration();
    let asked = json!({"uri": "https://idp.example/introspect", "client_id": "gate",
        "client_secret": {"env": "READER_KEY"}, "cluster": "idp"});
    let mut other = configuration["providers"][0].clone();
    other["name"] = json!("other");
    other["issuer"] = json!(OTHER);
    configuration["providers"][0]["introspection"] = asked.clone();
    other["introspection"] = asked;
    configuration["providers"]
        .as_array_mut()
        .unwrap()
        .push(other);
    configuration
}

pub(super) fn active_status(changes: &Value) -> TestStatus {
    let mut response = claims("reader", &["Reader"]);
    response["active"] = json!(true);
    response["token_type"] = json!("Bearer");
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => response.as_object_mut().unwrap().remove(name),
            value => response
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    let now = NOW.0 * 1000;
    let term = Term {
        since: UnixMillis(now),
        until: UnixMillis(now + 60_000),
    };
    TestStatus::Active(ActiveResponse::new(Document::from(&response), term))
}

pub(super) fn decided_on(
    configuration: &Value,
    token: &str,
    statuses: Vec<TestStatus>,
) -> Decision {
    let mut facts = facts(configuration);
    facts.statuses = statuses;
    let bearer = format!("Bearer {token}");
    decide_with(&facts, &request("GET", PATH, &[("authorization", &bearer)]))
}

pub(super) fn reason(decision: &Decision) -> &'static str {
    match &decision.outcome {
        Outcome::Reject(reason) => reason.as_str(),
        other => other.as_str(),
    }
}

fn provider(decision: &Decision) -> Option<&str> {
    decision.record.provider.as_deref()
}

#[test]
fn an_active_opaque_token_is_forwarded() {
    let decision = decided_on(&asking(), "opaque", vec![active_status(&json!({}))]);
    let head = upstream(&request("GET", PATH, &[]), &decision);
    assert_eq!(value(&head, "x-n8n-api-key"), Some(READER_KEY));
    assert_eq!(value(&head, "x-auth-client"), Some("reader"));
    assert_eq!(provider(&decision), Some("idp"));
    assert_eq!(decision.record.principal.as_deref(), Some("reader"));
    assert_eq!(decision.record.introspection, Some("active"));
    assert_eq!(decision.record.crypto_path, None);
}

#[test]
fn a_token_that_its_provider_repeats_as_its_id_is_not_written_down() {
    for (response, id) in [
        ("opaque", None),
        ("paq", None),
        ("urn:token:opaque", None),
        ("t-1", Some("t-1")),
    ] {
        let decision = decided_on(
            &asking(),
            "opaque",
            vec![active_status(&json!({"jti": response}))],
        );
        let identity = decision.record.identity.as_ref().unwrap();
        assert_eq!(identity.token_id.as_deref(), id, "{response}");
    }
}

#[test]
fn providers_are_asked_in_turn_and_the_first_that_says_active_is_the_one() {
    let other = || active_status(&json!({"iss": OTHER}));
    for (words, expected, named) in [
        (vec![], "abandoned", Some("idp")),
        (vec![TestStatus::Inactive], "abandoned", Some("other")),
        (
            vec![TestStatus::Inactive, other()],
            "forward",
            Some("other"),
        ),
        (
            vec![TestStatus::Unavailable("timeout"), other()],
            "forward",
            Some("other"),
        ),
        (
            vec![active_status(&json!({})), other()],
            "forward",
            Some("idp"),
        ),
        (
            vec![TestStatus::Inactive, TestStatus::Inactive],
            "inactive",
            None,
        ),
        (
            vec![TestStatus::Unavailable("timeout"), TestStatus::Inactive],
            "introspection_unavailable",
            None,
        ),
        (
            vec![TestStatus::Inactive, TestStatus::Unavailable("timeout")],
            "introspection_unavailable",
            None,
        ),
    ] {
        let decision = decided_on(&asking(), "opaque", words);
        assert_eq!((reason(&decision), provider(&decision)), (expected, named));
    }
}

#[test]
fn a_token_with_the_prefix_of_one_provider_is_shown_to_no_other() {
    let mut configuration = asking();
    configuration["providers"][1]["token_prefix"] = json!(["oth_", "other-"]);
    for (token, asked) in [
        ("oth_1", ProviderId(1)),
        ("other-1", ProviderId(1)),
        ("Oth_1", ProviderId(0)),
        ("opaque", ProviderId(0)),
    ] {
        let decision = decided_on(&configuration, token, vec![]);
        let Outcome::Await(Need::Fact(Fact::TokenStatusToDecide(provider, _))) = decision.outcome
        else {
            panic!("{token}: {decision:?}");
        };
        assert_eq!(provider, asked, "{token}");
    }
    configuration["providers"][0]["token_prefix"] = json!("idp_");
    let decision = decided_on(&configuration, "opaque", vec![]);
    assert_eq!(reason(&decision), "not_a_jws", "no provider is asked");
}

#[test]
fn a_jwt_is_never_taken_on_a_provider_s_word_alone() {
    let good = sign(&claims("reader", &["Reader"]));
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    for (token, expected) in [(forged.as_str(), "bad_signature"), (unsigned, "not_a_jws")] {
        for always in [false, true] {
            let mut configuration = asking();
            configuration["providers"][0]["introspection"]["always"] = json!(always);
            let decision = decided_on(&configuration, token, vec![active_status(&json!({}))]);
            assert_eq!(reason(&decision), expected);
        }
    }
}

#[test]
fn with_always_a_good_jwt_must_be_active_too() {
    let mut configuration = asking();
    configuration["providers"][0]["introspection"]["always"] = json!(true);
    let token = sign(&claims("reader", &["Reader"]));
    for (words, expected) in [
        (vec![], "abandoned"),
        (vec![TestStatus::Inactive], "inactive"),
        (
            vec![TestStatus::Unavailable("timeout")],
            "introspection_unavailable",
        ),
        (vec![active_status(&json!({}))], "forward"),
        (vec![TestStatus::Active(bare())], "forward"),
        (vec![active_status(&json!({"exp": NOW.0}))], "expired"),
        (
            vec![active_status(&json!({"iss": OTHER}))],
            "answer_disagrees",
        ),
        (
            vec![active_status(&json!({"sub": "another"}))],
            "answer_disagrees",
        ),
        (
            vec![active_status(&json!({"jti": "another"}))],
            "answer_disagrees",
        ),
    ] {
        let decision = decided_on(&configuration, &token, words);
        assert_eq!(reason(&decision), expected);
    }
    let refused = sign(&claims("unlisted", &["Reader"]));
    let decision = decided_on(&configuration, &refused, vec![]);
    assert_eq!(
        reason(&decision),
        "client_not_allowed",
        "no provider is asked"
    );
}

/// `{"active": true}`, which is all that a response must say.
fn bare() -> ActiveResponse {
    let TestStatus::Active(whole) = active_status(&json!({})) else {
        panic!("not active");
    };
    let claims = json!({"active": true});
    ActiveResponse::new(Document::from(&claims), whole.term())
}

#[test]
fn a_cached_token_ends_with_its_token_status() {
    let mut configuration = asking();
    configuration["providers"][0]["introspection"]["always"] = json!(true);
    let jwt = sign(&claims("reader", &["Reader"]));
    for (token, changes, last) in [
        ("opaque", json!({"exp": null}), 59),
        ("opaque", json!({"exp": NOW.0 + 20}), 19),
        (jwt.as_str(), json!({}), 59),
        (jwt.as_str(), json!({"exp": NOW.0 + 20}), 19),
    ] {
        let mut facts = facts(&configuration);
        facts.statuses = vec![active_status(&changes)];
        let bearer = format!("Bearer {token}");
        let request = request("GET", PATH, &[("authorization", &bearer)]);
        let mut token_cache = TokenCache::default();
        match decide_with_cache(&facts, &token_cache, &request).remember {
            Some(Remember::Verified(key, caller)) => {
                token_cache.remember(key, caller, 1);
            }
            other => panic!("{other:?}"),
        }
        facts.statuses = vec![TestStatus::Inactive, TestStatus::Inactive];
        let at = |seconds: u64| {
            let context = DecisionContext {
                now: UnixSeconds(seconds),
                ..context(&facts, &token_cache)
            };
            reason(&decide(context, Request::of_head(&request)))
        };
        assert_eq!(at(NOW.0), "forward", "{changes}");
        assert_eq!(at(NOW.0 + last), "forward", "{changes}");
        assert_eq!(at(NOW.0 + last + 1), "inactive", "{changes}");
        assert_eq!(at(NOW.0 - 1), "inactive", "a clock that was set back");
    }
}

#[test]
fn userinfo_accepts_any_audience_only_if_configured() {
    let mut configuration = configuration();
    configuration["providers"][0]["userinfo"] = json!({"uri": "https://idp.example/me",
        "cluster": "idp", "accept_any_audience": true});
    let person = |changes: Value| {
        let mut response = json!({"aud": null, "iss": null, "exp": null, "iat": null, "azp": null,
            "jti": null, "sub": "u-17", "email": "ann@example.com", "email_verified": true,
            "roles": ["Reader"]});
        for (name, value) in changes.as_object().unwrap() {
            response[name] = value.clone();
        }
        active_status(&response)
    };
    configuration["providers"][0]
        .as_object_mut()
        .unwrap()
        .remove("clients");
    for (changes, expected) in [
        (json!({}), "forward"),
        (json!({"email_verified": false}), "no_principal"),
        // The client of ID tokens, which Ory Hydra names.
        (json!({"aud": ["portal"]}), "forward"),
        (json!({"aud": "api://other"}), "forward"),
        (json!({"aud": []}), "forward"),
        (json!({"aud": 7}), "forward"),
        (json!({"iss": "https://else.example"}), "answer_disagrees"),
        (json!({"cnf": {}}), "sender_constrained"),
        (json!({"exp": NOW.0}), "expired"),
    ] {
        let decision = decided_on(&configuration, "opaque", vec![person(changes.clone())]);
        assert_eq!(reason(&decision), expected, "{changes}");
    }
}

/// That is what userinfo says of an application, and it says so again when it is asked again.
#[test]
fn a_token_without_a_subject_at_userinfo_is_refused_with_a_hint() {
    let mut configuration = configuration();
    configuration["providers"][0]["userinfo"] = json!({"uri": "https://idp.example/me",
        "cluster": "idp", "accept_any_audience": true});
    for accept in [false, true] {
        configuration["providers"][0]["accept_no_subject"] = json!(accept);
        let decision = decided_on(&configuration, "opaque", vec![TestStatus::Nameless]);
        assert_eq!(reason(&decision), "subject_missing");
        assert_eq!(decision.record.introspection, Some("active"));
        assert!(decision
            .record
            .hint
            .unwrap()
            .contains("introspection instead"));
    }
    let decision = decided_on(&configuration, "opaque", vec![TestStatus::Inactive]);
    assert_eq!(reason(&decision), "inactive");
    assert!(decision.record.hint.unwrap().contains("scope openid"));
    let decision = decided_on(
        &asking(),
        "opaque",
        vec![TestStatus::Inactive, TestStatus::Inactive],
    );
    assert_eq!(
        (reason(&decision), decision.record.hint),
        ("inactive", None)
    );
    // What the first says of the second's token is no hint.
    let unlisted = active_status(&json!({"iss": OTHER, "azp": "unlisted"}));
    let decision = decided_on(&asking(), "opaque", vec![TestStatus::Nameless, unlisted]);
    assert_eq!(
        (reason(&decision), decision.record.hint),
        ("client_not_allowed", None)
    );
    // The next provider may know the token.
    for (words, expected) in [
        (vec![TestStatus::Nameless], "abandoned"),
        (
            vec![TestStatus::Nameless, active_status(&json!({"iss": OTHER}))],
            "forward",
        ),
        (
            vec![TestStatus::Nameless, TestStatus::Inactive],
            "subject_missing",
        ),
        (
            vec![TestStatus::Inactive, TestStatus::Nameless],
            "subject_missing",
        ),
        (
            vec![TestStatus::Nameless, TestStatus::Unavailable("timeout")],
            "introspection_unavailable",
        ),
    ] {
        assert_eq!(reason(&decided_on(&asking(), "opaque", words)), expected);
    }
}

#[test]
fn a_refused_opaque_token_leaves_the_claims_of_its_response_and_not_itself() {
    let claimed = |changes: &Value| {
        let decision = decided_on(&asking(), "opaque", vec![active_status(changes)]);
        assert!(matches!(decision.outcome, Outcome::Reject(_)), "{changes}");
        decision.record.claimed.unwrap()
    };
    let response = claimed(&json!({"aud": ["a", "opaque", "x opaque"], "client_id": "app"}));
    assert_eq!(response.issuer.as_deref(), Some(ISSUER));
    assert_eq!(response.audience, ["a"]);
    assert_eq!(response.subject.as_deref(), Some("reader"));
    assert_eq!(response.key_id, None);
    let response = claimed(&json!({"iss": null, "aud": null, "sub": "opaque", "azp": "opaque.1"}));
    assert_eq!(response, UnverifiedClaims::default());
    // Who it stands for is unclear.
    let response = claimed(&json!({"azp": "a", "client_id": "b"}));
    assert_eq!(response.client.as_deref(), Some("a"));
    let inactive = decided_on(
        &asking(),
        "opaque",
        vec![TestStatus::Inactive, TestStatus::Inactive],
    );
    assert_eq!(inactive.record.claimed, None);
}
