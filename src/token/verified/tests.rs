//! Every fault of verification, and the attacks that each check stops.

use std::time::Duration;

use serde_json::{json, Value};

use super::*;
use crate::crypto::{GuestCrypto, SignatureVerifier, Verification};
use crate::mint::{base64url, jwk_set, mint, KeyKind, Mint};
use crate::token::{Issuers, TypRule, UntrustedToken};

mod attacks;
mod audience;
mod kinds;
mod signatures;
mod times;

const ISSUER: &str = "https://idp.example.test/realms/acme";
const NOW: u64 = 1_800_000_000;
const SKEW: u64 = 30;

fn rules(typ: TypRule) -> TokenRules {
    TokenRules {
        issuers: Issuers::one(ISSUER),
        audience_claim: None,
        audiences: ["api://n8n-api".to_owned(), "https://n8n.example".to_owned()].into(),
        algorithms: Algorithm::ALL.into(),
        clock_skew: Duration::from_secs(SKEW),
        typ,
        client_claims: &[],
    }
}

fn keys() -> KeySet {
    let keys = [
        mint(KeyKind::Rsa2048).jwk("rsa"),
        mint(KeyKind::P256).jwk("p256"),
        mint(KeyKind::P384).jwk("p384"),
        mint(KeyKind::Ed25519).jwk("ed25519"),
    ];
    KeySet::parse(&jwk_set(&keys)).unwrap()
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "p256", "typ": "JWT"})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": "api://n8n-api",
        "sub": "alice",
        "jti": "1",
        "iat": NOW - 60,
        "nbf": NOW - 60,
        "exp": NOW + 60,
    })
}

/// `base` with the members of `change` set; `null` removes a member.
fn with(mut base: Value, change: &Value) -> Value {
    for (name, value) in change.as_object().unwrap() {
        let members = base.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    base
}

fn verify_under(rules: &TokenRules, compact: &str) -> Result<VerifiedToken, TokenFault> {
    let token = UntrustedToken::parse(compact)?;
    let (keys, now) = (keys(), UnixSeconds(NOW));
    let verified = VerifiedToken::verify(&token, rules, &keys, &GuestCrypto, now);
    // What an explanation says of each check is what the decision stops at.
    let checks = VerifiedToken::checks(&token, rules, Some(&keys), &GuestCrypto, now);
    let first = checks.into_iter().find_map(|(_, result)| result.err());
    assert_eq!(verified.as_ref().err(), first.as_ref());
    verified
}

fn verify(compact: &str) -> Result<VerifiedToken, TokenFault> {
    verify_under(&rules(TypRule::AnyAccessToken), compact)
}

/// The fault of a properly signed token whose header or claims are changed; `None` if it is good.
fn fault(header_change: &Value, claims_change: &Value) -> Option<TokenFault> {
    fault_under(TypRule::AnyAccessToken, header_change, claims_change)
}

fn fault_under(typ: TypRule, header_change: &Value, claims_change: &Value) -> Option<TokenFault> {
    let header = with(header(), header_change);
    let compact = mint(KeyKind::P256).sign(&header, &with(claims(), claims_change));
    verify_under(&rules(typ), &compact).err()
}

/// The fault of a properly signed token with the claim `name` written as `json`.
fn fault_of_claim(name: &str, json: &str) -> Option<TokenFault> {
    let mut claims = with(claims(), &json!({ name: null })).to_string();
    claims.pop();
    let claims = format!(r#"{claims},"{name}":{json}}}"#);
    let header = header().to_string();
    let compact = mint(KeyKind::P256).raw("ES256", header.as_bytes(), claims.as_bytes());
    verify(&compact).err()
}

#[test]
fn a_good_token_of_every_algorithm_is_verified() {
    for algorithm in Algorithm::ALL {
        let (kind, key_id) = match algorithm {
            Algorithm::Es256 => (KeyKind::P256, "p256"),
            Algorithm::Es384 => (KeyKind::P384, "p384"),
            Algorithm::EdDsa => (KeyKind::Ed25519, "ed25519"),
            _ => (KeyKind::Rsa2048, "rsa"),
        };
        let header = json!({"alg": algorithm.as_str(), "kid": key_id});
        let token = verify(&mint(kind).sign(&header, &claims())).unwrap();
        assert_eq!(token.algorithm(), Some(algorithm));
        assert_eq!(token.key_id(), Some(key_id));
        assert_eq!(&**token.issuer(), ISSUER);
        assert_eq!(token.expires(), UnixSeconds(NOW + 60));
        assert_eq!(token.crypto_path(), Some(CryptoPath::Guest));
        assert_eq!(Value::from(token.claims().object().to_map()), claims());
    }
}

#[test]
fn claims_are_not_shown() {
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let shown = format!("{:?}", verify(&compact).unwrap());
    assert!(!shown.contains("alice"), "{shown}");
}

#[test]
fn claims_that_nothing_needs_any_more_are_let_go() {
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let token = verify(&compact).unwrap();
    assert!(!token.claims().is_empty());
    let token = token.without_claims();
    assert!(token.claims().is_empty());
    assert_eq!(&**token.issuer(), ISSUER);
}

#[test]
fn a_claim_of_a_wrong_type_is_never_taken_for_absent() {
    for name in ["exp", "nbf", "iat"] {
        for wrong in [
            r#""9999999999""#,
            "null",
            "true",
            "[]",
            "{}",
            "-1",
            "1e300",
            "99999999999999",
            "18446744073709551616",
        ] {
            let expected = Some(TokenFault::ClaimOfWrongType(match name {
                "exp" => "exp",
                "nbf" => "nbf",
                _ => "iat",
            }));
            assert_eq!(fault_of_claim(name, wrong), expected, "{name}: {wrong}");
        }
    }
    for (name, wrong, named) in [
        ("aud", "1", "aud"),
        ("aud", r#"{"api://n8n-api":true}"#, "aud"),
        ("aud", r#"["api://n8n-api",1]"#, "aud"),
        ("aud", r#"[["api://n8n-api"]]"#, "aud"),
        ("sub", "1", "sub"),
        ("sub", "null", "sub"),
        ("jti", "[]", "jti"),
        ("typ", "1", "typ"),
        ("token_use", "null", "token_use"),
    ] {
        let expected = Some(TokenFault::ClaimOfWrongType(named));
        assert_eq!(fault_of_claim(name, wrong), expected, "{name}: {wrong}");
    }
}

#[test]
fn an_algorithm_outside_the_allow_list_is_refused() {
    let mut rules = rules(TypRule::AnyAccessToken);
    rules.algorithms = [Algorithm::Rs256].into();
    let compact = mint(KeyKind::P256).sign(&header(), &claims());
    let expected = Some(TokenFault::AlgorithmNotAllowed(Some("ES256")));
    assert_eq!(verify_under(&rules, &compact).err(), expected);
}

#[test]
fn a_token_is_bound_or_is_refused_if_it_has_a_confirmation() {
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let header = header();
    let claims = with(claims(), &json!({"cnf": {"jkt": jkt}}));
    let token = verify(&mint(KeyKind::P256).sign(&header, &claims)).unwrap();
    let key = token.binding().unwrap().key.unwrap();
    assert_eq!(format!("{key:?}"), jkt);
    for confirmation in ["{}", "null", r#"{"jkt":"x"}"#] {
        let expected = Some(TokenFault::SenderConstrained);
        assert_eq!(fault_of_claim("cnf", confirmation), expected);
    }
}
