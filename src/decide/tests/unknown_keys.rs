//! Tokens whose key is not among those that are known, and what the provider is asked for then.

use super::*;
use crate::crypto::KeySet;
use crate::facts::Fact;
use crate::mint::jwk_set;
use crate::policy::KeySource;

const OUTAGE: Outage = Outage {
    retry_after: std::time::Duration::from_secs(7),
    fault: Some("not_found"),
};

/// The decision for a token with this header, signed by `signer`, where these keys are known.
fn decided_under(
    keys: &[Value],
    newer_keys: NewerKeys,
    header: &Value,
    signer: &Mint,
    change: &Value,
) -> Decision {
    let mut facts = facts(&configuration());
    facts.policy.providers[0].keys = KeySource::Inline(KeySet::parse(&jwk_set(keys)).unwrap());
    facts.newer_keys = newer_keys;
    let mut claims = claims("reader", &["Reader"]);
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let authorization = format!("Bearer {}", signer.sign(header, &claims));
    let headers = [("authorization", authorization.as_str())];
    decide_with(&facts, &request("GET", "/api/v1/workflows", &headers))
}

/// What stands for the key that is waited for: `None` where nothing is.
fn awaited(decision: &Decision) -> Option<KeyIdDigest> {
    match decision.outcome {
        Outcome::Await(Need::Fact(Fact::NewerKeySet(ProviderId(0), key_id))) => Some(key_id),
        _ => None,
    }
}

#[test]
fn a_key_that_is_not_known_is_asked_for_by_its_id() {
    let known = [signer().jwk("one")];
    let header = json!({"alg": "EdDSA", "kid": "two"});
    let other = Mint::generate(KeyKind::Ed25519);
    let none = json!({});
    let at = |newer_keys| decided_under(&known, newer_keys, &header, &other, &none);
    let two = KeyIdDigest::of("two");
    assert_eq!(awaited(&at(NewerKeys::MayCome)), Some(two));
    let soon = NewerKeys::NotYet(std::time::Duration::from_secs(3));
    assert_eq!(reason(&at(soon)), "keys_not_current");
    assert_eq!(reason(&at(NewerKeys::Unlikely)), "unknown_key_id");
    let outage = at(NewerKeys::Unavailable(OUTAGE));
    assert_eq!(reason(&outage), "keys_unavailable");
}

/// A provider that names no keys in its tokens may have changed its one key: by its signature, or
/// by its type.
#[test]
fn a_token_without_a_key_id_asks_for_a_new_key_where_no_known_key_made_its_signature() {
    let header = json!({"alg": "EdDSA"});
    let other = Mint::generate(KeyKind::Ed25519);
    let none = json!({});
    for (known, refused) in [
        (signer().jwk("one"), "bad_signature"),
        (mint(KeyKind::P256).jwk("one"), "no_key_fits"),
    ] {
        let known = [known];
        let at = |newer_keys| decided_under(&known, newer_keys, &header, &other, &none);
        assert!(awaited(&at(NewerKeys::MayCome)).is_some(), "{refused}");
        let soon = NewerKeys::NotYet(std::time::Duration::from_secs(3));
        assert_eq!(reason(&at(soon)), "keys_not_current");
        assert_eq!(reason(&at(NewerKeys::Unlikely)), refused);
        let outage = at(NewerKeys::Unavailable(OUTAGE));
        assert_eq!(reason(&outage), "keys_unavailable", "{refused}");
    }
}

/// A provider may keep the key id when it changes the key. But any client can write a known key id under
/// a signature that is none: where no fetch is possible, such a token is refused as what it is.
#[test]
fn a_token_that_names_a_known_key_asks_for_another_only_where_one_may_have_come() {
    let header = json!({"alg": "EdDSA", "kid": "one"});
    let other = Mint::generate(KeyKind::Ed25519);
    for (known, refused) in [
        (signer().jwk("one"), "bad_signature"),
        (mint(KeyKind::P256).jwk("one"), "no_key_fits"),
    ] {
        for newer_keys in [
            NewerKeys::MayCome,
            NewerKeys::NotYet(std::time::Duration::from_secs(3)),
            NewerKeys::Unavailable(OUTAGE),
        ] {
            let mut facts = facts(&configuration());
            let keys = KeySet::parse(&jwk_set(std::slice::from_ref(&known))).unwrap();
            facts.policy.providers[0].keys = KeySource::Inline(keys);
            facts.newer_keys = newer_keys;
            let bearer = format!(
                "Bearer {}",
                other.sign(&header, &claims("reader", &["Reader"]))
            );
            let headers = [("authorization", bearer.as_str())];
            let request = request("GET", "/api/v1/workflows", &headers);
            assert_eq!(reason(&decide_with(&facts, &request)), refused);
            facts.may_have_changed = true;
            let outcome = decide_with(&facts, &request).outcome;
            let Outcome::Await(Need::Fact(Fact::ChangedKeySet(ProviderId(0), _, fault))) = outcome
            else {
                panic!("{outcome:?}");
            };
            assert_eq!(Reason::Token(fault).as_str(), refused);
        }
    }
}

/// The refusal names the fault of the token although the provider has no keys.
#[test]
fn a_token_that_no_key_could_save_is_refused_without_keys() {
    let mut facts = facts(&configuration());
    facts.policy.providers[0].keys = KeySource::Jwks(crate::http::Endpoint {
        cluster: String::new(),
        scheme: String::new(),
        authority: String::new(),
        path: String::new(),
    });
    for (header, change, refused) in [
        (json!({"alg": "HS256"}), json!({}), "algorithm_not_allowed"),
        (json!({"alg": "ES512"}), json!({}), "algorithm_not_allowed"),
        (
            json!({"alg": "EdDSA"}),
            json!({"aud": "x"}),
            "wrong_audience",
        ),
        (
            json!({"alg": "EdDSA"}),
            json!({"exp": 1, "iat": 1}),
            "expired",
        ),
        (
            json!({"alg": "EdDSA", "typ": "logout+jwt"}),
            json!({}),
            "wrong_type",
        ),
        (json!({"alg": "Ed25519"}), json!({}), "keys_unavailable"),
        (json!({"alg": "EdDSA"}), json!({}), "keys_unavailable"),
    ] {
        let mut claims = claims("reader", &["Reader"]);
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let signed = signer().sign(&json!({"alg": "EdDSA"}), &claims);
        let (_, rest) = signed.split_once('.').unwrap();
        let header = crate::mint::base64url(header.to_string());
        let bearer = format!("Bearer {header}.{rest}");
        let headers = [("authorization", bearer.as_str())];
        let request = request("GET", "/api/v1/workflows", &headers);
        for pending in [false, true] {
            facts.pending = pending;
            let decision = decide_with(&facts, &request);
            if pending && refused == "keys_unavailable" {
                assert!(matches!(
                    decision.outcome,
                    Outcome::Await(Need::Fact(Fact::KeySet(_)))
                ));
            } else {
                assert_eq!(reason(&decision), refused, "{header} {change}");
            }
        }
    }
}

#[test]
fn a_token_may_call_ed25519_by_its_new_name() {
    let known = [signer().jwk("one")];
    let header = json!({"alg": "Ed25519", "kid": "one"});
    let none = json!({});
    let decision = decided_under(&known, NewerKeys::Unlikely, &header, signer(), &none);
    assert!(
        matches!(decision.outcome, Outcome::Forward(_)),
        "{decision:?}"
    );
}

/// The audit tells a key that is missing from one that is left out.
#[test]
fn the_audit_says_that_the_key_of_a_token_is_published_and_left_out() {
    let mut skipped = mint(KeyKind::P256).jwk("two");
    skipped["use"] = json!("enc");
    let known = [signer().jwk("one"), skipped];
    let none = json!({});
    for (kid, fault) in [("two", Some("skipped: use")), ("three", None)] {
        let header = json!({"alg": "EdDSA", "kid": kid});
        let decision = decided_under(&known, NewerKeys::Unlikely, &header, signer(), &none);
        let Outcome::Reject(reason) = &decision.outcome else {
            panic!("{decision:?}");
        };
        assert_eq!((reason.as_str(), reason.fault()), ("unknown_key_id", fault));
    }
}

#[test]
fn a_token_that_no_key_could_save_asks_for_none() {
    let known = [signer().jwk("one")];
    for (header, change, refused) in [
        (
            json!({"alg": "EdDSA"}),
            json!({"aud": "x"}),
            "wrong_audience",
        ),
        (
            json!({"alg": "EdDSA"}),
            json!({"exp": 1, "iat": 1}),
            "expired",
        ),
        (
            json!({"alg": "EdDSA", "kid": "two"}),
            json!({"cnf": {}}),
            "sender_constrained",
        ),
        (
            json!({"alg": "EdDSA", "kid": "two", "typ": "logout+jwt"}),
            json!({}),
            "wrong_type",
        ),
    ] {
        let decision = decided_under(&known, NewerKeys::MayCome, &header, signer(), &change);
        assert_eq!(reason(&decision), refused, "{header} {change}");
    }
}
