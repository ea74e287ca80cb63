//! How an operator tells applications and people.

use serde_json::json;

use super::*;

fn kinds(app: Option<ClaimRule>, user: Option<ClaimRule>) -> KindRules {
    KindRules {
        app: app.map(|rule| vec![rule]),
        user: user.map(|rule| vec![rule]),
    }
}

#[test]
fn an_operator_says_how_applications_and_people_are_told() {
    let of = |kind: &KindRules, claims: Value| {
        let mut rules = rules(Dialect::Oidc, false);
        rules.kind = kind.clone();
        let identity = read_as(&rules, &claims, false);
        identity.expect("an identity").kind
    };
    let both = kinds(Some(claim_is("who", "svc")), Some(claim_is("who", "human")));
    for (claims, expected) in [
        (json!({"sub": "x", "who": "svc"}), Kind::App),
        (json!({"sub": "x", "who": "human"}), Kind::User),
        (json!({"sub": "x", "who": "robot"}), Kind::Unknown),
        (json!({"sub": "x", "who": ["svc"]}), Kind::Unknown),
        (json!({"sub": "x"}), Kind::Unknown),
        // In place of what the type knows.
        (
            json!({"sub": "c", "client_id": "c", "who": "human"}),
            Kind::User,
        ),
        (json!({"sub": "c", "client_id": "c"}), Kind::Unknown),
    ] {
        assert_eq!(of(&both, claims.clone()), expected, "{claims}");
    }
    let people = kinds(None, Some(claim_is("who", "human")));
    for (claims, expected) in [
        (json!({"sub": "x", "who": "human"}), Kind::User),
        (json!({"sub": "c", "client_id": "c"}), Kind::App),
        (
            json!({"sub": "c", "client_id": "c", "who": "human"}),
            Kind::Unknown,
        ),
        (json!({"sub": "x", "sid": "s"}), Kind::Unknown),
    ] {
        assert_eq!(of(&people, claims.clone()), expected, "{claims}");
    }
    let contradicting = kinds(Some(claim_is("a", "1")), Some(claim_is("b", "1")));
    let claims = json!({"sub": "x", "a": "1", "b": "1"});
    assert_eq!(of(&contradicting, claims), Kind::Unknown);
}

/// If the token leaves groups out, an absent group means nothing.
#[test]
fn a_rule_on_groups_that_are_left_out_means_nothing() {
    let mut rules = rules(Dialect::Oidc, false);
    let mut app = claim_is("groups", "services");
    app.path = vec!["groups".to_owned()].into();
    rules.kind = kinds(Some(app), Some(claim_is("who", "human")));
    let mut claims = json!({"sub": "x", "who": "human"});
    let kind = |claims: &Value| read_as(&rules, claims, false).expect("one").kind;
    assert_eq!(kind(&claims), Kind::User);
    claims["_claim_names"] = json!({"groups": "src1"});
    assert_eq!(kind(&claims), Kind::Unknown);
}
