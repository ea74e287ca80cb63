//! An explanation agrees with the decision that it explains, for any policy and caller.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where its own values are wrong"
)]

use n8n_idp_gate::config::{self, Environment};
use n8n_idp_gate::decide::Outcome;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::UnixMillis;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{json, Map, Value};

use super::explanation::Explanation;
use crate::judge::claims::UnverifiedToken;
use crate::judge::known::Known;
use crate::judge::Case;

pub(crate) const NOW: u64 = 1_800_000_000;

struct AnySecret;

impl Environment for AnySecret {
    fn secret(&self, name: &str) -> Option<Secret> {
        Some(Secret::new(format!("an-api-key-of-n8n-for-{name}")))
    }
}

fn load(configuration: &Value) -> Option<Policy> {
    let text = configuration.to_string();
    let mut policy = config::load(text.as_bytes(), &AnySecret).ok()?.policy;
    policy.instances.keep_claims();
    Some(policy)
}

/// The policy with those of the principals and webhook rules that the configuration takes: it refuses some
/// that can never be reached.
fn policy(provider: Map<String, Value>, principals: Vec<Value>, webhooks: Vec<Value>) -> Policy {
    policy_with(Map::new(), provider, principals, webhooks)
}

/// The same with other members of the configuration.
pub(crate) fn policy_with(
    others: Map<String, Value>,
    provider: Map<String, Value>,
    principals: Vec<Value>,
    webhooks: Vec<Value>,
) -> Policy {
    let mut idp = json!({
        "name": "idp", "issuer": "https://idp.example", "audiences": ["api://n8n"],
        "cluster": "idp", "roles_from": "both",
    });
    idp.as_object_mut().unwrap().extend(provider);
    let last = json!({ "name": "last", "match": { "client": "z" }, "api_key": { "env": "LAST" } });
    let mut whole = json!({
        "providers": [idp],
        "roles": {
            "a": ["workflow:list"], "b": ["workflow:list", "workflow:read"], "c": ["*"],
        },
        "principals": [last],
        "webhooks": [{ "path": "/webhook/z", "auth": "deny" }],
    });
    whole.as_object_mut().unwrap().extend(others);
    assert!(load(&whole).is_some(), "{whole}");
    for (list, items) in [("principals", principals), ("webhooks", webhooks)] {
        for item in items {
            let mut longer = whole.clone();
            longer[list].as_array_mut().unwrap().insert(0, item);
            if load(&longer).is_some() {
                whole = longer;
            }
        }
    }
    load(&whole).unwrap()
}

fn value() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c"])
}

/// An object with some of these members.
pub(crate) fn members(
    all: Vec<(&'static str, BoxedStrategy<Value>)>,
) -> impl Strategy<Value = Map<String, Value>> {
    let all = all.into_iter().map(|(name, value)| {
        option::weighted(0.4, value).prop_map(move |value| Some((name.to_owned(), value?)))
    });
    all.collect::<Vec<_>>()
        .prop_map(|members| members.into_iter().flatten().collect())
}

fn one() -> BoxedStrategy<Value> {
    value().prop_map(|value| json!(value)).boxed()
}

fn several() -> BoxedStrategy<Value> {
    vec(value(), 1..3).prop_map(|values| json!(values)).boxed()
}

fn condition() -> impl Strategy<Value = Value> {
    let claim = value().prop_map(|value| json!([{ "claim": "own", "equals": value }]));
    let fields = members(vec![
        ("client", several()),
        ("subject", several()),
        ("roles", several()),
        ("scopes", several()),
        ("groups", several()),
        ("claims", claim.boxed()),
        ("kind", select(vec![json!("app"), json!("user")]).boxed()),
    ]);
    fields.prop_map(|fields| {
        if fields.is_empty() {
            json!({ "any": true })
        } else {
            Value::Object(fields.into_iter().take(2).collect())
        }
    })
}

prop_compose! {
    pub(crate) fn principal()(
        name in "[a-z]{8}",
        matches in condition(),
        grant in option::of(Just(json!(["tag:list"]))),
        allow in option::of(Just(json!(["workflow:list", "tag:list"]))),
    ) -> Value {
        let mut principal = json!({ "name": name, "match": matches, "api_key": { "env": name } });
        for (field, value) in [("grant", grant), ("allow", allow)] {
            if let Some(value) = value {
                principal[field] = value;
            }
        }
        principal
    }
}

prop_compose! {
    pub(crate) fn webhook()(
        path in select(vec!["/webhook/a/**", "/webhook/a/b", "/webhook/**", "/webhook/*/b"]),
        auth in select(vec!["bearer", "open", "deny"]),
        require in condition(),
    ) -> Value {
        match auth {
            "bearer" => json!({ "path": path, "auth": auth, "require": require }),
            _ => json!({ "path": path, "auth": auth }),
        }
    }
}

pub(crate) fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let mostly =
        |good: Value, bad: Vec<Value>| prop_oneof![20 => Just(good), 1 => select(bad)].boxed();
    let always = (
        mostly(
            json!("https://idp.example"),
            vec![json!("https://other.example"), json!(1)],
        ),
        mostly(
            json!("api://n8n"),
            vec![json!("api://other"), json!([]), json!({})],
        ),
        mostly(json!(NOW + 60), vec![json!(NOW - 3600), json!("soon")]),
        mostly(json!("a"), vec![json!("b"), json!(""), json!(7)]),
    );
    let sometimes = members(vec![
        ("client_id", one()),
        ("azp", one()),
        ("scope", one()),
        ("roles", several()),
        ("groups", several()),
        ("own", one()),
        ("gty", Just(json!("client-credentials")).boxed()),
        ("nbf", select(vec![json!(NOW), json!(NOW + 3600)]).boxed()),
        (
            "typ",
            select(vec![
                json!("Bearer"),
                json!("Bearer"),
                json!("Bearer"),
                json!("ID"),
            ])
            .boxed(),
        ),
        ("cnf", select(vec![json!({}), json!(1)]).boxed()),
    ]);
    (always, sometimes).prop_map(|((iss, aud, exp, sub), mut claims)| {
        for (name, value) in [("iss", iss), ("aud", aud), ("exp", exp), ("sub", sub)] {
            claims.insert(name.to_owned(), value);
        }
        // Most of these two make the token unusable, and other checks are of interest too.
        if claims.len() % 5 != 0 {
            claims.remove("nbf");
            claims.remove("cnf");
        }
        claims
    })
}

fn request() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("GET", "/api/v1/workflows"),
        ("HEAD", "/api/v1/workflows"),
        ("GET", "/api/v1/workflows?limit=1"),
        ("GET", "/api/v1/workflows/7"),
        ("GET", "/api/v1/tags"),
        ("POST", "/api/v1/workflows"),
        ("GET", "/api/v1/unknown"),
        ("POST", "/webhook/a"),
        ("POST", "/webhook/a/b"),
        ("POST", "/webhook/c/b"),
        ("GET", "/"),
        ("GET", "/api/v1/../x"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn an_explanation_agrees_with_the_decision(
        provider in members(vec![
            ("clients", Just(json!(["a", "b", "z"])).boxed()),
            ("claims", Just(json!([{ "claim": "own", "exists": true }])).boxed()),
            ("algorithms", Just(json!(["ES256"])).boxed()),
            ("roles_from", Just(json!("roles")).boxed()),
        ]),
        principals in vec(principal(), 0..4),
        webhooks in vec(webhook(), 0..4),
        claims in claims(),
        (method, path) in request(),
    ) {
        let policy = policy(provider, principals, webhooks);
        let now = UnixMillis(NOW * 1000);
        let token = UnverifiedToken::of(&policy, (claims, Map::new()), None, now.to_seconds());
        let mut known = Known::of(&policy);
        known.unverified(&token);
        let bearer = format!("Bearer {}", token.compact());
        let head = [(":method", method), (":path", path), (":authority", "n8n.example"),
            ("authorization", &bearer)];
        let head = head.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let head = RequestHead::new(head.to_vec());
        let case = Case {
            policy: &policy, head: &head, body: None, now, known: &known,
            unverified: Some(&token),
        };
        let explanation = Explanation::of(&case);
        let decision = &explanation.decision;
        let reason = explanation.reason().map(n8n_idp_gate::reply::Reason::as_str);
        prop_assert_eq!(explanation.first_failed(), reason, "{:?}", explanation.steps);
        let principal = decision.record.principal.as_deref();
        if principal.is_some() || matches!(decision.outcome, Outcome::Forward(_)) {
            prop_assert_eq!(explanation.principal.as_deref(), principal);
        }
        if let Some(missing) = explanation.reason().map(n8n_idp_gate::reply::Reason::missing_scopes) {
            for scope in missing {
                prop_assert!(!explanation.granted.iter().any(|granted| granted == scope));
            }
        }
    }
}

#[test]
fn claims_without_a_signature_count_for_that_token_alone() {
    let policy = policy(Map::new(), Vec::new(), Vec::new());
    let now = UnixMillis(NOW * 1000);
    let claims =
        json!({ "iss": "https://idp.example", "aud": "api://n8n", "sub": "z", "client_id": "z" });
    let claims = claims.as_object().unwrap();
    let make = |claims: &Map<String, Value>| {
        UnverifiedToken::of(
            &policy,
            (claims.clone(), Map::new()),
            None,
            now.to_seconds(),
        )
    };
    let token = make(claims);
    let mut other = claims.clone();
    other.insert("scope".to_owned(), json!("c"));
    let other = make(&other);
    let mut known = Known::of(&policy);
    known.unverified(&token);
    for (sent, expected) in [(&token, "insufficient_scope"), (&other, "bad_signature")] {
        let bearer = format!("Bearer {}", sent.compact());
        let head = [
            (":method", "GET"),
            (":path", "/api/v1/workflows"),
            ("authorization", &bearer),
        ];
        let head = head.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let head = RequestHead::new(head.to_vec());
        let case = Case {
            policy: &policy,
            head: &head,
            body: None,
            now,
            known: &known,
            unverified: Some(&token),
        };
        let explanation = Explanation::of(&case);
        assert_eq!(explanation.reason().unwrap().as_str(), expected);
    }
}
