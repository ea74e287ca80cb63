//! Which upstream API key a request gets: one of the operator's, or one that the gate makes.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;

use super::*;
use crate::decide::Forward;

const SEED: &str = "0123456789abcdef";
const MINTED: &str = "n8n-key-that-the-gate-made";

struct WithSeed;

impl config::Environment for WithSeed {
    fn secret(&self, name: &str) -> Option<Secret> {
        match name {
            "SEED" => Some(Secret::new(SEED.to_owned())),
            "FIRST" | "SECOND" | "THIRD" => {
                Some(Secret::new(format!("n8n-key-{}", name.to_lowercase())))
            }
            "EXPIRED" => Some(Secret::new(key_until(NOW.0))),
            "LASTING" => Some(Secret::new(key_until(NOW.0 + 1))),
            _ => TestEnvironment.secret(name),
        }
    }
}

/// A key as n8n makes it, which ends then.
fn key_until(end: u64) -> String {
    let claims = json!({"iss": "n8n", "sub": "u-1", "aud": "public-api", "exp": end});
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "typ": "JWT"});
    format!("{}.{}.c2lnbmF0dXJl", encoded(&header), encoded(&claims))
}

pub(super) fn facts_of(principal: &Value) -> TestFacts {
    let mut configuration = configuration();
    configuration["n8n"] = json!({
        "cluster": "n8n", "api_key": {"env": "FIRST"}, "seed": {"env": "SEED"},
    });
    let mut reader = json!({"name": "reader", "match": {"client": "reader"}});
    let fields = principal.as_object().unwrap().clone();
    reader.as_object_mut().unwrap().extend(fields);
    configuration["principals"][0] = reader;
    facts_from(&configuration)
}

/// Facts of a configuration with `n8n`.
pub(super) fn facts_from(configuration: &Value) -> TestFacts {
    let text = configuration.to_string();
    let loaded = config::load(text.as_bytes(), &WithSeed);
    TestFacts {
        policy: loaded.unwrap_or_else(|errors| panic!("{errors}")).policy,
        ..facts(&super::configuration())
    }
}

/// Principals act as a user for each client.
pub(super) fn per_client() -> TestFacts {
    facts_of(&json!({"user": {"per": "client"}}))
}

fn list() -> RequestHead {
    bearing("GET", "/api/v1/workflows", &claims("reader", &["Reader"]))
}

fn awaited(decision: &Decision) -> &MintRequest {
    match &decision.outcome {
        Outcome::Await(Need::Fact(Fact::MintedKey(request))) => request,
        other => panic!("waits for no key: {other:?}"),
    }
}

fn forwarded(decision: &Decision) -> &Forward {
    match &decision.outcome {
        Outcome::Forward(forward) => forward,
        other => panic!("not forwarded: {other:?}"),
    }
}

/// The key that n8n gets.
fn key_of(facts: &TestFacts, request: &RequestHead) -> String {
    let head = upstream(request, &decide_with(facts, request));
    value(&head, "x-n8n-api-key").unwrap().to_owned()
}

#[test]
fn an_allowed_request_waits_for_its_key_and_gets_it() {
    let mut facts = per_client();
    let decision = decide_with(&facts, &list());
    let email = awaited(&decision).email().to_owned();
    assert!(email.starts_with("client-reader-"), "{email}");
    assert!(email.ends_with("@n8n-idp-gate.invalid"), "{email}");
    facts.minted = Some(Ok(Secret::new(MINTED.to_owned())));
    assert_eq!(key_of(&facts, &list()), MINTED);
    let decision = decide_with(&facts, &list());
    let Some(UpstreamCredential::MintedKey(request, _)) = forwarded(&decision).credential() else {
        panic!("{decision:?}");
    };
    assert_eq!(request.email(), email);
    let head = upstream(&list(), &decision);
    assert_eq!(value(&head, "authorization"), None);
    assert_eq!(value(&head, "x-auth-principal"), Some("reader"));
}

#[test]
fn the_key_is_asked_for_with_the_scopes_of_the_caller_and_no_others() {
    let facts = per_client();
    let request = |roles: &[&str]| {
        let request = bearing("GET", "/api/v1/workflows", &claims("reader", roles));
        awaited(&decide_with(&facts, &request)).clone()
    };
    let reader = request(&["Reader"]);
    assert_eq!(reader, request(&["Reader", "Other"]));
    assert_ne!(reader, request(&["Admin"]));
    assert_eq!(reader.email(), request(&["Admin"]).email());
}

/// A caller without the scope must not make users and keys.
#[test]
fn no_key_is_made_for_a_request_that_is_not_allowed() {
    let facts = per_client();
    let reader = claims("reader", &["Reader"]);
    let mut late = claims("reader", &["Reader"]);
    late["exp"] = json!(NOW.0 - 300);
    for (request, expected) in [
        (
            bearing("DELETE", "/api/v1/workflows/1", &reader),
            "insufficient_scope",
        ),
        (
            bearing("GET", "/api/v1/workflows", &claims("reader", &[])),
            "insufficient_scope",
        ),
        (
            bearing("GET", "/api/v1/what-is-this", &reader),
            "unknown_operation",
        ),
        (bearing("GET", "/api/v1/workflows", &late), "expired"),
        (
            bearing("GET", "/api/v1/workflows", &claims("visitor", &["Admin"])),
            "no_principal",
        ),
        (request("GET", "/api/v1/workflows", &[]), "no_credential"),
    ] {
        assert_eq!(reason(&decide_with(&facts, &request)), expected);
    }
}

#[test]
fn without_a_key_the_request_is_refused_with_its_fault_and_the_time_of_the_next_attempt() {
    let mut facts = per_client();
    facts.minted = Some(Err("user_password"));
    let decision = decide_with(&facts, &list());
    assert_eq!(reason(&decision), "upstream_key_unavailable");
    let Outcome::Reject(refusal) = &decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!(refusal.status(), 503);
    assert_eq!(
        refusal.retry_after(),
        Some(std::time::Duration::from_secs(3))
    );
    assert_eq!(refusal.fault(), Some("user_password"));
    assert_eq!(decision.record.principal.as_deref(), Some("reader"));
}

#[test]
fn a_token_that_does_not_name_its_user_is_refused() {
    let facts = facts_of(&json!({"user": {"per": "tenant"}}));
    let decision = decide_with(&facts, &list());
    assert_eq!(reason(&decision), "no_user");
    let Outcome::Reject(refusal) = &decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!(refusal.status(), 403);
    // Not being allowed comes first.
    let request = bearing("DELETE", "/api/v1/workflows/1", &claims("reader", &[]));
    assert_eq!(reason(&decide_with(&facts, &request)), "insufficient_scope");
}

#[test]
fn a_caller_in_several_groups_acts_as_the_user_of_the_first_that_is_listed() {
    let facts = facts_of(&json!({
        "match": {"client": "reader", "groups": ["ops", "sales"]},
        "user": {"per": "group"},
    }));
    let email = |groups: &[&str]| {
        let mut claims = claims("reader", &["Reader"]);
        claims["groups"] = json!(groups);
        let request = bearing("GET", "/api/v1/workflows", &claims);
        awaited(&decide_with(&facts, &request)).email().to_owned()
    };
    assert_eq!(email(&["sales", "ops"]), email(&["ops"]));
    assert_ne!(email(&["sales"]), email(&["ops"]));
}

#[test]
fn all_callers_of_a_principal_can_act_as_one_user() {
    let facts = facts_of(&json!({"user": {"email": "Reader@Example.com"}}));
    let decision = decide_with(&facts, &list());
    assert_eq!(awaited(&decision).email(), "reader@example.com");
}

#[test]
fn a_webhook_needs_no_key() {
    let facts = per_client();
    let reader = claims("reader", &["Orders"]);
    let request = bearing("POST", "/webhook/orders/new", &reader);
    let decision = decide_with(&facts, &request);
    assert!(forwarded(&decision).credential().is_none());
    let head = upstream(&request, &decision);
    assert_eq!(value(&head, "x-n8n-api-key"), None);
}

#[test]
fn the_next_key_is_used_when_n8n_refused_one_or_it_has_expired() {
    let keys = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| json!({"env": name})).collect();
        facts_of(&json!({"api_keys": names, "grant": ["workflow:list"]}))
    };
    let refuse = |facts: &mut TestFacts, keys: &[&str]| {
        facts.refused = keys
            .iter()
            .map(|key| Secret::new((*key).to_owned()))
            .collect();
    };
    let mut facts = keys(&["SECOND", "THIRD"]);
    assert_eq!(key_of(&facts, &list()), "n8n-key-second");
    refuse(&mut facts, &["n8n-key-second"]);
    assert_eq!(key_of(&facts, &list()), "n8n-key-third");
    refuse(&mut facts, &["n8n-key-third"]);
    assert_eq!(key_of(&facts, &list()), "n8n-key-second");
    // If n8n accepts none, its response says so.
    refuse(&mut facts, &["n8n-key-second", "n8n-key-third"]);
    assert_eq!(key_of(&facts, &list()), "n8n-key-second");
    let decision = decide_with(&facts, &list());
    let credential = forwarded(&decision).credential();
    assert!(matches!(credential, Some(UpstreamCredential::StaticKey(_))));

    assert_eq!(
        key_of(&keys(&["EXPIRED", "SECOND"]), &list()),
        "n8n-key-second"
    );
    assert_eq!(
        key_of(&keys(&["LASTING", "SECOND"]), &list()),
        key_until(NOW.0 + 1)
    );
    // The only key is used whatever it says: n8n decides.
    let mut only = keys(&["SECOND"]);
    refuse(&mut only, &["n8n-key-second"]);
    assert_eq!(key_of(&only, &list()), "n8n-key-second");
}
