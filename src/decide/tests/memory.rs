//! Tokens that were verified before.

use super::*;
use crate::crypto::KeySet;
use crate::facts::Fact;
use crate::mint::jwk_set;
use crate::policy::KeySource;

const PATH: &str = "/api/v1/workflows";

/// What is remembered after a token of the reader was verified, and the request with it.
fn remembered() -> (TokenCache<Caller>, RequestHead) {
    let request = bearing("GET", PATH, &claims("reader", &["Reader"]));
    let mut token_cache = TokenCache::default();
    match decide_with_cache(&facts(&configuration()), &token_cache, &request).remember {
        Some(Remember::Verified(key, caller)) => {
            token_cache.remember(key, Arc::clone(&caller), caller.weight());
        }
        other => panic!("not verified anew: {other:?}"),
    }
    (token_cache, request)
}

fn decide_later(token_cache: &TokenCache<Caller>, request: &RequestHead, seconds: u64) -> Decision {
    let facts = facts(&configuration());
    let context = DecisionContext {
        now: UnixSeconds(NOW.0 + seconds),
        ..context(&facts, token_cache)
    };
    decide(context, Request::of_head(request))
}

fn decide_with_keys(
    token_cache: &TokenCache<Caller>,
    request: &RequestHead,
    keys: &[Value],
) -> Decision {
    let mut facts = facts(&configuration());
    facts.policy.providers[0].keys = KeySource::Inline(KeySet::parse(&jwk_set(keys)).unwrap());
    facts.newer_keys = NewerKeys::MayCome;
    decide_with_cache(&facts, token_cache, request)
}

fn is_recalled(decision: &Decision) -> bool {
    matches!(decision.record.cache, Some(CacheOutcome::Hit))
}

#[test]
fn a_token_that_was_verified_before_gets_the_same_without_a_signature_check() {
    let (token_cache, request) = remembered();
    let first = decided(&request);
    let again = decide_later(&token_cache, &request, 1);
    assert!(is_recalled(&again));
    assert_eq!(upstream(&request, &again), upstream(&request, &first));
    assert_eq!(again.record.crypto_path, None);
    let recorded = |decision: &Decision| {
        let record = &decision.record;
        let subject = record.identity.as_ref().unwrap().subject.clone();
        (record.provider.clone(), record.principal.clone(), subject)
    };
    assert_eq!(recorded(&again), recorded(&first));
}

#[test]
fn a_cached_token_with_one_other_byte_is_not_found() {
    let (token_cache, request) = remembered();
    let token = request.first("authorization").unwrap().to_vec();
    for index in (7..token.len()).step_by(11) {
        let mut other = token.clone();
        other[index] = if other[index] == b'A' { b'B' } else { b'A' };
        if other == token {
            continue;
        }
        let pairs = request.headers().map(|(name, value)| {
            let value = if name == "authorization" {
                &other[..]
            } else {
                value
            };
            (name.to_owned(), value.to_vec())
        });
        let decision = decide_later(&token_cache, &RequestHead::new(pairs), 1);
        assert!(!is_recalled(&decision), "byte {index}");
        assert!(
            matches!(decision.outcome, Outcome::Reject(_)),
            "byte {index}"
        );
    }
}

#[test]
fn a_cached_token_is_refused_once_it_has_expired() {
    let (token_cache, request) = remembered();
    // It expires after 300 s, and the clocks may differ by 30 s.
    assert!(is_recalled(&decide_later(&token_cache, &request, 329)));
    let expired = decide_later(&token_cache, &request, 330);
    assert_eq!(reason(&expired), "expired");
    assert!(!is_recalled(&expired));
}

#[test]
fn a_cached_token_is_refused_if_the_clock_went_back_before_its_issue() {
    let (token_cache, request) = remembered();
    let facts = facts(&configuration());
    let context = DecisionContext {
        now: UnixSeconds(NOW.0 - 31),
        ..context(&facts, &token_cache)
    };
    assert_eq!(
        reason(&decide(context, Request::of_head(&request))),
        "issued_in_the_future"
    );
}

#[test]
fn a_cached_token_is_verified_again_without_its_key() {
    let (token_cache, request) = remembered();
    let own = signer().jwk("one");
    let other = Mint::generate(KeyKind::Ed25519).jwk("two");
    let both = decide_with_keys(&token_cache, &request, &[other.clone(), own]);
    assert!(is_recalled(&both), "the same key in a newer document");
    let gone = decide_with_keys(&token_cache, &request, &[other]);
    assert!(matches!(
        gone.outcome,
        Outcome::Await(Need::Fact(Fact::NewerKeySet(..)))
    ));
    let impostor = Mint::generate(KeyKind::Ed25519).jwk("one");
    let replaced = decide_with_keys(&token_cache, &request, &[impostor]);
    assert_eq!(
        reason(&replaced),
        "bad_signature",
        "another key of that name"
    );
}

/// A key that is published beside a nameless one may be the one that a token means.
#[test]
fn a_token_that_does_not_name_its_key_is_verified_again() {
    let mut nameless = signer().jwk("one");
    nameless.as_object_mut().unwrap().remove("kid");
    let request = bearing("GET", PATH, &claims("reader", &["Reader"]));
    let mut token_cache = TokenCache::default();
    let first = decide_with_keys(&token_cache, &request, std::slice::from_ref(&nameless));
    let Some(Remember::Verified(key, caller)) = first.remember else {
        panic!("not verified");
    };
    token_cache.remember(key, Arc::clone(&caller), caller.weight());
    let again = decide_with_keys(&token_cache, &request, std::slice::from_ref(&nameless));
    assert!(matches!(again.outcome, Outcome::Forward(_)) && !is_recalled(&again));
    let named = Mint::generate(KeyKind::Ed25519).jwk("one");
    let joined = decide_with_keys(&token_cache, &request, &[nameless, named]);
    assert_eq!(reason(&joined), "bad_signature");
}

/// Nor does one say which key it means that names none, be it the only one that has no name either.
#[test]
fn a_token_without_a_key_id_is_verified_again() {
    let mut nameless = signer().jwk("one");
    nameless.as_object_mut().unwrap().remove("kid");
    for key in [nameless, signer().jwk("one")] {
        let token = signer().sign(&json!({"alg": "EdDSA"}), &claims("reader", &["Reader"]));
        let bearer = format!("Bearer {token}");
        let request = request("GET", PATH, &[("authorization", &bearer)]);
        let mut token_cache = TokenCache::default();
        let keys = std::slice::from_ref(&key);
        let first = decide_with_keys(&token_cache, &request, keys);
        let Some(Remember::Verified(key, caller)) = first.remember else {
            panic!("not verified");
        };
        token_cache.remember(key, Arc::clone(&caller), caller.weight());
        let again = decide_with_keys(&token_cache, &request, keys);
        assert!(matches!(again.outcome, Outcome::Forward(_)) && !is_recalled(&again));
    }
}

#[test]
fn a_cached_token_waits_and_fails_with_the_keys_of_its_provider() {
    let (token_cache, request) = remembered();
    let mut facts = facts(&configuration());
    facts.pending = true;
    let pending = decide_with_cache(&facts, &token_cache, &request);
    assert!(matches!(
        pending.outcome,
        Outcome::Await(Need::Fact(Fact::KeySet(_)))
    ));
    facts.pending = false;
    let endpoint = crate::http::Endpoint {
        cluster: String::new(),
        scheme: String::new(),
        authority: String::new(),
        path: String::new(),
    };
    facts.policy.providers[0].keys = KeySource::Jwks(endpoint);
    let stale = decide_with_cache(&facts, &token_cache, &request);
    assert_eq!(reason(&stale), "keys_unavailable");
}

#[test]
fn a_cached_token_may_do_no_more_than_it_could() {
    let (token_cache, request) = remembered();
    let authorization = String::from_utf8(request.first("authorization").unwrap().to_vec());
    let headers = [("authorization", authorization.as_deref().unwrap())];
    for (method, path, expected) in [
        ("DELETE", "/api/v1/workflows/7", "insufficient_scope"),
        ("POST", "/webhook/orders/new", "webhook_requirement"),
        ("POST", "/webhook/closed/x", "webhook_denied"),
    ] {
        let request = super::request(method, path, &headers);
        let decision = decide_later(&token_cache, &request, 1);
        assert_eq!(reason(&decision), expected, "{path}");
    }
}

#[test]
fn tokens_that_are_refused_are_not_remembered() {
    let mut unknown_client = claims("unknown", &["Reader"]);
    unknown_client["azp"] = json!("unknown");
    let mut expired = claims("reader", &["Reader"]);
    expired["exp"] = json!(NOW.0 - 60);
    for claims in [unknown_client, expired] {
        let decision = decided(&bearing("GET", PATH, &claims));
        assert!(matches!(decision.outcome, Outcome::Reject(_)));
        assert!(decision.record.cache.is_none());
    }
}

/// A rule that a claim must be absent would hold of every claim that is forgotten.
#[test]
fn a_remembered_token_keeps_the_claims_that_rules_of_webhooks_ask_for() {
    let mut configuration = configuration();
    configuration["webhooks"] = json!([
        {"path": "/webhook/absent", "require": {"claims": [{"claim": "act", "exists": false}]}},
        {"path": "/webhook/deep", "require": {"claims": [{"claim": "a.b", "equals": "x"}]}},
        {"path": "/webhook/not", "require": {"claims": [{"claim": "c", "not": {"equals": 1}}]}},
    ]);
    let facts = facts(&configuration);
    let paths = ["/webhook/absent", "/webhook/deep", "/webhook/not"];
    for (more, expected) in [
        (json!({}), [true, false, false]),
        (
            json!({"act": {"sub": "admin"}, "a": {"b": "x"}, "c": 2}),
            [false, true, true],
        ),
        (
            json!({"act": null, "a": {"b": "y"}, "c": 1}),
            [true, false, false],
        ),
    ] {
        let mut claims = claims("reader", &["Reader"]);
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let first = bearing("GET", PATH, &claims);
        let mut token_cache = TokenCache::default();
        let first = decide_with_cache(&facts, &token_cache, &first);
        let Some(Remember::Verified(key, caller)) = first.remember else {
            panic!("not verified anew");
        };
        token_cache.remember(key, Arc::clone(&caller), caller.weight());
        for (path, expected) in paths.into_iter().zip(expected) {
            let request = bearing("POST", path, &claims);
            let recalled = decide_with_cache(&facts, &token_cache, &request);
            let anew = decide_with(&facts, &request);
            for decision in [&recalled, &anew] {
                let goes_on = matches!(decision.outcome, Outcome::Forward(_));
                assert_eq!(goes_on, expected, "{path} {more}");
            }
            assert!(is_recalled(&recalled), "{path}");
        }
    }
}

/// Few letters can make many values, and each takes memory of its own.
#[test]
fn the_weight_of_claims_is_that_of_their_structure() {
    let mut configuration = configuration();
    configuration["webhooks"] = json!([
        {"path": "/webhook/a", "require": {"claims": [{"claim": "act", "exists": false}]}},
    ]);
    let facts = facts(&configuration);
    let weight = |more: Value| {
        let mut claims = claims("reader", &["Reader"]);
        claims["more"] = more;
        match decide_with(&facts, &bearing("GET", PATH, &claims)).remember {
            Some(Remember::Verified(_, caller)) => caller.weight(),
            other => panic!("not verified anew: {other:?}"),
        }
    };
    let little = weight(json!(1));
    assert!(weight(json!(vec![json!({"a": 1}); 100])) >= little + 100 * 2 * 48);
    assert!(weight(json!({"a".repeat(1000): 1})) >= little + 1000);
    assert!(weight(json!("a".repeat(1000))) <= little + 1100);
}

/// What is remembered of a caller takes memory that never shrinks: none of it is left out.
#[test]
fn the_weight_of_a_caller_is_no_less_than_its_texts() {
    let facts = facts(&configuration());
    let weight = |name: &str, value: Value| {
        let mut claims = claims("reader", &["Reader"]);
        claims[name] = value;
        let decision = decide_with(&facts, &bearing("GET", PATH, &claims));
        match decision.remember {
            Some(Remember::Verified(_, caller)) => caller.weight(),
            other => panic!("not verified anew: {other:?}"),
        }
    };
    let little = weight("more", json!(1));
    assert!(little >= size_of::<Caller>() + size_of::<Identity>());
    assert!(little <= 3000, "{little}");
    let long = "a".repeat(1000);
    // Once as a text, and once in a header.
    for name in ["sub", "scope", "roles"] {
        assert!(weight(name, json!(long)) >= little + 1900, "{name}");
    }
    for name in ["groups", "jti"] {
        assert!(weight(name, json!(long)) >= little + 990, "{name}");
    }
    // A value that is too long for a header is in none.
    let longer = weight("roles", json!("a".repeat(10_000)));
    assert!(longer <= little + 10_000 + 2048 + 100, "{longer}");
    let names: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let many = weight("groups", json!(names));
    assert!(many >= little + 100 * (1 + size_of::<String>()), "{many}");
    // Claims that no rule of a webhook looks at are not kept.
    assert!(weight("more", json!(long)) <= little + 100);
    assert!(weight("more", json!(vec![json!({"a": 1}); 100])) <= little + 100);
}
