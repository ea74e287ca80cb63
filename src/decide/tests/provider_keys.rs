//! What a token is worth under the keys of its provider, or without them.

use super::*;
use crate::token::{bearer, Bearer, TokenDigest};

/// Must not be asked about any signature.
struct Unasked;

impl SignatureVerifier for Unasked {
    fn verify(
        &self,
        _: &crate::crypto::PublicKey,
        _: crate::crypto::Algorithm,
        _: &[u8],
        _: &[u8],
    ) -> crate::crypto::Verification {
        panic!("a signature is looked at");
    }
}

#[test]
fn a_token_of_an_unknown_issuer_is_refused_before_its_signature_is_checked() {
    let facts = facts(&configuration());
    for issuer in [
        "https://evil.example",
        "https://idp.example/",
        "https://idp.exampl",
        "HTTPS://idp.example",
        "",
    ] {
        let mut claims = claims("reader", &["Reader"]);
        claims["iss"] = json!(issuer);
        let request = bearing("GET", WORKFLOWS, &claims);
        let token_cache = TokenCache::default();
        let context = DecisionContext {
            crypto: &Unasked,
            ..context(&facts, &token_cache)
        };
        let decision = decide(context, Request::of_head(&request));
        assert_eq!(reason(&decision), "unknown_issuer", "{issuer}");
    }
}

#[test]
fn the_fault_of_a_token_is_the_reason() {
    let good = claims("reader", &["Reader"]);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let cases = [
        (with("aud", json!("api://other")), "wrong_audience"),
        (with("exp", json!(NOW.0 - 31)), "expired"),
        (with("exp", json!("9999999999")), "claim_of_wrong_type"),
        (with("nbf", json!(NOW.0 + 31)), "not_yet_valid"),
        (with("cnf", json!({"jkt": "x"})), "sender_constrained"),
    ];
    for (claims, expected) in cases {
        let request = bearing("GET", WORKFLOWS, &claims);
        assert_eq!(reason(&decided(&request)), expected, "{claims}");
    }
    let attacker = Mint::generate(KeyKind::Ed25519);
    for (kid, expected) in [("one", "bad_signature"), ("two", "unknown_key_id")] {
        let token = attacker.sign(&json!({"alg": "EdDSA", "kid": kid}), &good);
        let authorization = format!("Bearer {token}");
        let request = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
        assert_eq!(reason(&decided(&request)), expected);
    }
}

#[test]
fn missing_keys_are_awaited_and_unknown_ones_asked_for() {
    let mut facts = facts(&configuration());
    let request = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    facts.pending = true;
    let decision = decide_with(&facts, &request);
    assert!(matches!(
        decision.outcome,
        Outcome::Await(Need::Fact(Fact::KeySet(ProviderId(0))))
    ));
    facts.pending = false;
    facts.newer_keys = NewerKeys::MayCome;
    assert!(matches!(
        decide_with(&facts, &request).outcome,
        Outcome::Forward(_)
    ));
    let attacker = Mint::generate(KeyKind::Ed25519);
    let claims = claims("reader", &["Reader"]);
    for (header, key_id) in [
        (json!({"alg": "EdDSA", "kid": "two"}), Some("two")),
        (json!({"alg": "EdDSA"}), None),
    ] {
        let authorization = format!("Bearer {}", attacker.sign(&header, &claims));
        let request = super::request("GET", WORKFLOWS, &[("authorization", &authorization)]);
        let Ok(Bearer::Token(token)) = bearer(&request) else {
            panic!("no token");
        };
        let of_token = KeyIdDigest::of_token(&TokenDigest::of(&token));
        let digest = key_id.map_or(of_token, KeyIdDigest::of);
        let decision = decide_with(&facts, &request);
        let Outcome::Await(Need::Fact(fact)) = decision.outcome else {
            panic!("{:?}", decision.outcome);
        };
        assert_eq!(fact, Fact::NewerKeySet(ProviderId(0), digest));
    }
    let header = json!({"alg": "EdDSA", "kid": "one"});
    let authorization = format!("Bearer {}", attacker.sign(&header, &claims));
    let forged = super::request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    assert_eq!(reason(&decide_with(&facts, &forged)), "bad_signature");
    facts.newer_keys = NewerKeys::Unavailable(Outage {
        retry_after: std::time::Duration::from_secs(3),
        fault: Some("server_error"),
    });
    assert_eq!(reason(&decide_with(&facts, &forged)), "bad_signature");
    let header = json!({"alg": "EdDSA", "kid": "two"});
    let authorization = format!("Bearer {}", attacker.sign(&header, &claims));
    let unknown = super::request("GET", WORKFLOWS, &[("authorization", &authorization)]);
    assert_eq!(reason(&decide_with(&facts, &unknown)), "keys_unavailable");
    facts.newer_keys = NewerKeys::NotYet(std::time::Duration::from_secs(3));
    assert_eq!(reason(&decide_with(&facts, &forged)), "bad_signature");
    assert_eq!(reason(&decide_with(&facts, &unknown)), "keys_not_current");
}

#[test]
fn keys_that_cannot_be_had_refuse_tokens_and_let_static_keys_pass() {
    let mut configuration = configuration();
    let provider = configuration["providers"][0].as_object_mut().unwrap();
    provider.remove("jwks");
    provider.insert("cluster".to_owned(), json!("idp"));
    let facts = facts(&configuration);
    let bearing = bearing("GET", WORKFLOWS, &claims("reader", &["Reader"]));
    let decision = decide_with(&facts, &bearing);
    assert_eq!(reason(&decision), "keys_unavailable");
    let keyed = request("GET", WORKFLOWS, &[("x-n8n-api-key", "static")]);
    assert!(matches!(
        decide_with(&facts, &keyed).outcome,
        Outcome::Pass(_)
    ));
}

#[test]
fn each_provider_signs_for_its_own_issuer_alone_though_key_ids_are_the_same() {
    let other = mint(KeyKind::P256);
    let other_issuer = "https://other.example";
    let mut configuration = configuration();
    configuration["providers"]
        .as_array_mut()
        .unwrap()
        .push(json!({
            "name": "other",
            "issuer": other_issuer,
            "audiences": ["api://n8n-api"],
            "jwks": {"keys": [other.jwk("one")]},
        }));
    let facts = facts(&configuration);
    let of_issuer = |issuer: &str| {
        let mut claims = claims("reader", &["Reader"]);
        claims["iss"] = json!(issuer);
        claims
    };
    let decided = |token: String| {
        let authorization = format!("Bearer {token}");
        let request = request("GET", WORKFLOWS, &[("authorization", &authorization)]);
        decide_with(&facts, &request)
    };
    for (mint, algorithm, own, foreign) in [
        (signer(), "EdDSA", ISSUER, other_issuer),
        (other, "ES256", other_issuer, ISSUER),
    ] {
        let header = json!({"alg": algorithm, "kid": "one"});
        let good = decided(mint.sign(&header, &of_issuer(own)));
        let Outcome::Forward(_) = good.outcome else {
            panic!("{:?}", good.outcome);
        };
        assert_eq!(&*good.record.identity.unwrap().issuer, own);
        let crossed = decided(mint.sign(&header, &of_issuer(foreign)));
        assert_eq!(reason(&crossed), "no_key_fits", "{algorithm}");
    }
    // A key of the same kind, so that only the signature can tell.
    let attacker = Mint::generate(KeyKind::P256);
    let header = json!({"alg": "ES256", "kid": "one"});
    let forged = decided(attacker.sign(&header, &of_issuer(other_issuer)));
    assert_eq!(reason(&forged), "bad_signature");
}
