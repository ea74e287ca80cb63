//! What a replay is certain of is what the policy really decides, for any two policies and any request.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where its own values are wrong"
)]

use std::cell::Cell;

use n8n_idp_gate::decide::OtherDecision;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::observe::audit_line;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::time::UnixMillis;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestRunner;
use serde_json::{json, Map, Value};

use super::judge::{Judge, Verdict};
use super::record::Record;
use crate::explain::tests::{claims, members, policy_with, principal, webhook, NOW};
use crate::judge::claims::UnverifiedToken;
use crate::judge::known::Known;
use crate::judge::Case;

/// A request as a client sent it.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: &'static str,
    credential: Credential,
    claims: Map<String, Value>,
    is_preflight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Credential {
    None,
    Token,
    Forged,
    TokenAsApiKey,
    ApiKey,
    Dpop,
    Garbage,
}

/// A principal in one of several forms: some act as users that the gate makes.
fn any_principal() -> impl Strategy<Value = Value> {
    let user = select(vec!["key", "key", "key", "client", "tenant", "group"]);
    (principal(), user).prop_map(|(mut principal, user)| {
        let has_groups = principal["match"]["groups"].is_array();
        if user != "key" && (user != "group" || has_groups) {
            let members = principal.as_object_mut().unwrap();
            members.remove("api_key");
            members.insert("user".to_owned(), json!({ "per": user }));
        }
        principal
    })
}

fn provider() -> impl Strategy<Value = Map<String, Value>> {
    members(vec![
        ("clients", several(vec!["a", "b", "z"])),
        (
            "claims",
            Just(json!([{ "claim": "own", "exists": true }])).boxed(),
        ),
        ("tenants", several(vec!["t", "u"])),
        (
            "dpop",
            select(vec![json!("accepted"), json!("required")]).boxed(),
        ),
    ])
}

fn several(values: Vec<&'static str>) -> BoxedStrategy<Value> {
    let count = 1..=values.len();
    subsequence(values, count)
        .prop_map(|values| json!(values))
        .boxed()
}

fn roles() -> BoxedStrategy<Value> {
    let scopes = vec!["workflow:list", "workflow:read", "workflow:execute", "rest"];
    let one = option::of(subsequence(scopes, 1..4));
    (one.clone(), one, option::of(Just(json!(["*"]))))
        .prop_map(|(a, b, c)| {
            let roles = [("a", json!(a)), ("b", json!(b)), ("c", json!(c))];
            let roles = roles.into_iter().filter(|(_, scopes)| !scopes.is_null());
            let mut roles: Map<_, _> = roles
                .map(|(name, scopes)| (name.to_owned(), scopes))
                .collect();
            roles.insert("d".to_owned(), json!(["tag:list"]));
            Value::Object(roles)
        })
        .boxed()
}

/// The members of a configuration beside its lists.
fn others() -> impl Strategy<Value = Map<String, Value>> {
    let access = || select(vec![json!("pass"), json!("deny")]).boxed();
    let revoked = select(vec![
        json!([{ "sub": "b" }]),
        json!([{ "sid": "s" }]),
        json!([{ "client": "a", "before": "2027-01-15T08:00:00Z" }]),
    ]);
    let api = members(vec![(
        "api_keys",
        select(vec![json!("pass"), json!("refuse")]).boxed(),
    )]);
    let some = members(vec![
        ("metrics", access()),
        ("oauth", access()),
        ("rest", select(vec![json!("pass"), json!("bearer")]).boxed()),
        ("revoked", revoked.boxed()),
        ("public_api", api.prop_map(Value::Object).boxed()),
    ]);
    (some, roles(), any::<bool>()).prop_map(|(mut all, roles, has_origin)| {
        all.insert("roles".to_owned(), roles);
        if has_origin {
            let origin = json!("https://n8n.example");
            all.insert("public_origin".to_owned(), origin);
        }
        let n8n = json!({
            "cluster": "n8n", "api_key": { "env": "OWNER" }, "seed": { "env": "SEED" },
            "email_domain": "users.example",
        });
        all.insert("n8n".to_owned(), n8n);
        all
    })
}

/// A policy that demands proofs only where it takes them.
fn policy(
    others: Map<String, Value>,
    mut provider: Map<String, Value>,
    principals: Vec<Value>,
    webhooks: Vec<Value>,
) -> Policy {
    if !others.contains_key("public_origin") {
        provider.remove("dpop");
    }
    policy_with(others, provider, principals, webhooks)
}

/// A policy, and another one that has much in common with it.
fn policies() -> impl Strategy<Value = (Policy, Policy)> {
    let lists = || (vec(any_principal(), 0..4), vec(webhook(), 0..3));
    let one = (others(), provider(), lists());
    let other = (option::of(others()), option::of(provider()), lists());
    let kept = (0..4_usize, any::<bool>());
    (one, other, kept).prop_map(|(one, other, (kept, is_after))| {
        let (others, provider, (principals, webhooks)) = one;
        let old = policy(
            others.clone(),
            provider.clone(),
            principals.clone(),
            webhooks.clone(),
        );
        let joined = |own: Vec<Value>, new: Vec<Value>| {
            let own: Vec<_> = own.into_iter().take(kept).collect();
            let [first, second] = if is_after { [own, new] } else { [new, own] };
            [first, second].concat()
        };
        let (new_others, new_provider, (new_principals, new_webhooks)) = other;
        let new = policy(
            new_others.unwrap_or(others),
            new_provider.unwrap_or(provider),
            joined(principals, new_principals),
            joined(webhooks, new_webhooks),
        );
        (old, new)
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let request = select(vec![
        ("GET", "/api/v1/workflows"),
        ("GET", "/api/v1/workflows?limit=1"),
        ("GET", "/api/v1/workflows/7"),
        ("GET", "/api/v1/tags"),
        ("POST", "/api/v1/workflows"),
        ("POST", "/api/v1/workflows/7/run"),
        ("GET", "/api/v1/unknown"),
        ("GET", "/api/v1/openapi.yml"),
        ("POST", "/webhook/a"),
        ("POST", "/webhook/a/b"),
        ("OPTIONS", "/webhook/a/b"),
        ("POST", "/webhook/c/b"),
        ("GET", "/webhook-waiting/7"),
        ("GET", "/rest/workflows"),
        ("GET", "/rest/login"),
        ("GET", "/.well-known/oauth-protected-resource/webhook/a/b"),
        ("GET", "/.well-known/oauth-authorization-server"),
        ("GET", "/metrics"),
        ("GET", "/"),
        ("GET", "/api/v1/../x"),
    ]);
    let credential = prop_oneof![
        8 => Just(Credential::Token),
        1 => select(vec![
            Credential::None, Credential::Forged, Credential::TokenAsApiKey, Credential::ApiKey,
            Credential::Dpop, Credential::Garbage,
        ]),
    ];
    let tenant = option::of(select(vec!["t", "u"]));
    let is_bound = option::weighted(0.05, Just(()));
    let leaves_groups_out = option::weighted(0.1, Just(()));
    let more = (tenant, is_bound, leaves_groups_out, any::<bool>());
    (request, credential, claims(), more).prop_map(
        |((method, path), credential, mut claims, more)| {
            let (tenant, is_bound, leaves_groups_out, is_preflight) = more;
            let key = "a".repeat(43);
            let more = [
                ("tid", tenant.map(|tenant| json!(tenant))),
                ("cnf", is_bound.map(|()| json!({ "jkt": key }))),
                (
                    "_claim_names",
                    leaves_groups_out.map(|()| json!({ "groups": "src1" })),
                ),
            ];
            for (name, value) in more {
                claims.extend(value.map(|value| (name.to_owned(), value)));
            }
            Sent {
                method,
                path,
                credential,
                claims,
                is_preflight,
            }
        },
    )
}

/// What a policy decides, and the record of that.
fn decided(policy: &Policy, sent: &Sent) -> (OtherDecision, String) {
    let now = UnixMillis(NOW * 1000);
    let claims = (sent.claims.clone(), Map::new());
    let token = UnverifiedToken::of(policy, claims, None, now.to_seconds());
    let mut known = Known::of(policy);
    known.unverified(&token);
    let compact = token.compact();
    let header = match sent.credential {
        Credential::None => None,
        Credential::Token | Credential::Forged => {
            Some(("authorization", format!("Bearer {compact}")))
        }
        Credential::Dpop => Some(("authorization", format!("DPoP {compact}"))),
        Credential::Garbage => Some(("authorization", "Bearer".to_owned())),
        Credential::TokenAsApiKey => Some(("x-n8n-api-key", compact.to_owned())),
        Credential::ApiKey => Some(("x-n8n-api-key", "n8n_api_1".to_owned())),
    };
    let mut pairs = vec![
        (":method", sent.method.to_owned()),
        (":path", sent.path.to_owned()),
        (":authority", "n8n.example".to_owned()),
    ];
    pairs.extend(header);
    if sent.is_preflight {
        pairs.push(("origin", "https://page.example".to_owned()));
        pairs.push(("access-control-request-method", "POST".to_owned()));
    }
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.into_bytes()));
    let head = RequestHead::new(pairs);
    let case = Case {
        policy,
        head: &head,
        body: Some(b"{}"),
        now,
        known: &known,
        unverified: (sent.credential != Credential::Forged).then_some(&token),
    };
    let mut decision = case.decide();
    // As the worker records a job that has ended.
    if let n8n_idp_gate::decide::Outcome::Job(_) = &decision.outcome {
        let reply = n8n_idp_gate::reply::metadata_preflight();
        decision.outcome = n8n_idp_gate::decide::Outcome::Respond(reply);
    }
    (
        OtherDecision::of(&decision),
        audit_line(&decision, &head, now),
    )
}

/// How many of each verdict there were: same, changed, unknown, left out.
#[derive(Debug, Default)]
struct Tally([Cell<usize>; 4]);

impl Tally {
    fn count(&self, verdict: &Verdict) {
        let index = match verdict {
            Verdict::Same => 0,
            Verdict::Changed(..) => 1,
            Verdict::Unknown(_) => 2,
            Verdict::Skipped(_) => 3,
        };
        self.0[index].update(|count| count.saturating_add(1));
    }
}

/// Tries many pairs of policies, each with several requests.
fn try_many(check: impl Fn(&Policy, &Policy, &Sent) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&(policies(), vec(sent(), 12)), |((old, new), requests)| {
        requests.iter().try_for_each(|sent| check(&old, &new, sent))
    });
    if let Err(failure) = outcome {
        panic!("{failure}\n{runner}");
    }
}

#[test]
fn a_certain_verdict_is_what_the_policy_decides() {
    let with_old = Tally::default();
    let without = Tally::default();
    try_many(|old, new, sent| {
        let (before, line) = decided(old, sent);
        let (expected, _) = decided(new, sent);
        let record = Record::of(&line).unwrap();
        let now = UnixMillis(NOW * 1000);
        for (given, tally) in [(Some(old), &with_old), (None, &without)] {
            let verdict = Judge::of(new, given, now).verdict(&record);
            tally.count(&verdict);
            let mut found = match verdict {
                Verdict::Same => before.clone(),
                Verdict::Changed(_, after) => after,
                Verdict::Unknown(_) | Verdict::Skipped(_) => continue,
            };
            found.differs.clear();
            // Taken for granted: a header that no decision has read holds no token.
            if found.decision == "pass" && expected.reason == Some("token_as_api_key") {
                continue;
            }
            prop_assert_eq!(&found, &expected, "{} with {:?}", line, given.is_some());
        }
        Ok(())
    });
    // It is certain of most, and of more with the policy that made the records.
    let counts = |tally: &Tally| tally.0.each_ref().map(Cell::get);
    let ([same, changed, ..], [bare, ..]) = (counts(&with_old), counts(&without));
    assert!(
        same > 250 && changed > 15 && bare <= same,
        "{with_old:?} {without:?}"
    );
}

#[test]
fn no_record_changes_under_its_own_policy() {
    let tally = Tally::default();
    try_many(|old, _, sent| {
        let (_, line) = decided(old, sent);
        let record = Record::of(&line).unwrap();
        let now = UnixMillis(NOW * 1000);
        for given in [Some(old), None] {
            let verdict = Judge::of(old, given, now).verdict(&record);
            tally.count(&verdict);
            let is_changed = matches!(verdict, Verdict::Changed(..));
            prop_assert!(!is_changed, "{} with {:?}", line, given.is_some());
        }
        Ok(())
    });
    assert!(tally.0[0].get() > 500, "{tally:?}");
}
