//! Proofs, and the attacks on them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::cell::Cell;

use serde_json::{json, Value};

use super::*;
use crate::crypto::{CryptoPath, GuestCrypto, Verification};
use crate::mint::{mint, KeyKind, Mint, KEY_KINDS};
use crate::token::{bearer, Bearer};

const NOW: u64 = 1_800_000_000;
const URL: &str = "https://n8n.example.com/api/v1/workflows";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

/// The digest of [`TOKEN`]: these two are the example of RFC 9449 §7.1.
const ATH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

fn client() -> &'static Mint {
    mint(KeyKind::P256)
}

fn header() -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(client())})
}

/// The public key as clients show it.
fn jwk(key: &Mint) -> Value {
    let mut jwk = key.jwk("x");
    let members = jwk.as_object_mut().unwrap();
    members.remove("kid");
    members.remove("use");
    jwk
}

fn claims() -> Value {
    json!({"htm": "GET", "htu": URL, "iat": NOW, "jti": "one", "ath": ATH})
}

fn with(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change == &json!("absent") {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

fn head(proofs: &[&str]) -> RequestHead {
    let pairs = [(":method", "GET"), (":path", "/api/v1/workflows?limit=5")];
    let authorization = format!("Bearer {TOKEN}");
    let pairs = pairs
        .into_iter()
        .chain([("authorization", authorization.as_str())]);
    let proofs = proofs.iter().map(|proof| ("DPoP", *proof));
    let pairs = pairs.chain(proofs);
    RequestHead::new(pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())))
}

fn verify_with(
    crypto: &dyn SignatureVerifier,
    proofs: &[&str],
) -> Result<VerifiedProof, ProofFault> {
    verify_with_nonces(crypto, proofs, None)
}

fn verify_with_nonces(
    crypto: &dyn SignatureVerifier,
    proofs: &[&str],
    nonces: Option<&NonceKey>,
) -> Result<VerifiedProof, ProofFault> {
    let request = head(proofs);
    let Ok(Bearer::Token(token)) = bearer(&request) else {
        panic!("no token");
    };
    let (_, key) = PublicKey::of_client(jwk(client()).as_object().unwrap()).unwrap();
    let target = ProofTarget {
        request: &request,
        origins: &[Origin::parse("https://n8n.example.com").unwrap()],
        token: &token,
        key: &key,
        now: UnixSeconds(NOW),
        window: Duration::from_secs(60),
        nonces,
    };
    VerifiedProof::verify(&target, crypto)
}

fn verify(proof: &str) -> Result<VerifiedProof, ProofFault> {
    verify_with(&GuestCrypto, &[proof])
}

/// The fault of a proof that is signed properly, with these changes.
fn fault(header_change: &Value, claims_change: &Value) -> Option<ProofFault> {
    let header = with(header(), header_change);
    let proof = client().raw(
        "ES256",
        header.to_string().as_bytes(),
        with(claims(), claims_change).to_string().as_bytes(),
    );
    verify(&proof).err()
}

fn good() -> String {
    client().sign(&header(), &claims())
}

#[test]
fn a_good_proof_is_accepted() {
    let expected = VerifiedProof {
        id: "one".to_owned(),
        accepted_until: UnixSeconds(NOW + 60),
    };
    assert_eq!(verify(&good()), Ok(expected));
    for change in [
        json!({"iat": NOW - 60}),
        json!({"iat": NOW + 60}),
        json!({"iat": 1_800_000_000.5}),
        json!({"htu": "HTTPS://N8N.example.com:443/api/v1/../v1/workflows?limit=6#x"}),
        json!({"jti": "x".repeat(256)}),
        json!({"exp": 1, "nonce": "n", "aud": 7}),
    ] {
        assert_eq!(fault(&json!({}), &change), None, "{change}");
    }
    let ext = with(
        jwk(client()),
        &json!({"key_ops": ["verify"], "ext": true, "kid": "k"}),
    );
    assert_eq!(fault(&json!({"jwk": ext}), &json!({})), None);
}

/// RFC 7638 §3.1 has an example for RSA, RFC 8037 §A.3 one for Ed25519.
#[test]
fn thumbprints_are_those_of_the_standards() {
    let rsa = json!({"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"});
    let okp = json!({"kty": "OKP", "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    // RFC 9449 §6.1 binds a token to this key, whose proofs are in §4.1.
    let ec = json!({"kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"});
    for (jwk, expected) in [
        (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (okp, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        (ec, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
    ] {
        let (_, thumbprint) = PublicKey::of_client(jwk.as_object().unwrap()).unwrap();
        assert_eq!(format!("{thumbprint:?}"), expected);
    }
}

#[test]
fn keys_of_every_kind_make_proofs() {
    for kind in KEY_KINDS {
        let key = mint(kind);
        let header = json!({"typ": "dpop+jwt", "alg": key.algorithm(), "jwk": jwk(key)});
        let proof = key.sign(&header, &claims());
        let other = kind != KeyKind::P256;
        let expected = other.then_some(ProofFault::OtherKey);
        assert_eq!(verify(&proof).err(), expected, "{kind:?}");
    }
}

#[test]
fn a_request_has_exactly_one_proof() {
    let good = good();
    let joined = format!("{good},{good}");
    for (proofs, expected) in [
        (&[][..], ProofFault::Missing),
        (&[&*good, &*good], ProofFault::Several),
        (&[&*good, ""], ProofFault::Several),
        (&[&*joined], ProofFault::Several),
        (&[""], ProofFault::Malformed),
    ] {
        assert_eq!(
            verify_with(&GuestCrypto, proofs),
            Err(expected),
            "{proofs:?}"
        );
    }
}

#[test]
fn the_form_of_a_proof_is_checked() {
    let good = good();
    let unsigned = format!("{}.", good.rsplit_once('.').unwrap().0);
    for proof in [
        "a.b.c",
        &unsigned,
        &format!("{good}="),
        &format!("{good}.x.y"),
        &format!("Bearer {good}"),
        &"a.".repeat(3000),
    ] {
        assert_eq!(verify(proof), Err(ProofFault::Malformed), "{proof}");
    }
    let long = client().sign(
        &with(header(), &json!({"x": "x".repeat(MAX_PROOF_BYTES)})),
        &claims(),
    );
    assert_eq!(verify(&long), Err(ProofFault::TooLong));
    for change in [
        json!({"crit": ["x"]}),
        json!({"b64": false}),
        json!({"jwk": "absent"}),
        json!({"jwk": "x"}),
        json!({"jwk": null}),
        json!({"alg": 7}),
        json!({"alg": "absent"}),
    ] {
        assert_eq!(
            fault(&change, &json!({})),
            Some(ProofFault::Malformed),
            "{change}"
        );
    }
    for change in [
        json!({"htm": "absent"}),
        json!({"htm": ["GET"]}),
        json!({"htu": "absent"}),
        json!({"htu": [URL]}),
        json!({"iat": "absent"}),
        json!({"iat": NOW.to_string()}),
        json!({"iat": null}),
        json!({"iat": -1}),
        json!({"ath": "absent"}),
        json!({"ath": null}),
    ] {
        assert_eq!(
            fault(&json!({}), &change),
            Some(ProofFault::Malformed),
            "{change}"
        );
    }
    // Two members of one name: programs take either.
    let twice = claims().to_string().replacen('{', "{\"htm\":\"POST\",", 1);
    let proof = client().raw("ES256", header().to_string().as_bytes(), twice.as_bytes());
    assert_eq!(verify(&proof), Err(ProofFault::Malformed));
}

/// An access token or an ID token that the client signed with the same key is no proof.
#[test]
fn another_jwt_of_the_key_is_no_proof() {
    for typ in [
        "JWT",
        "at+jwt",
        "DPOP+JWT",
        "application/dpop+jwt",
        "absent",
    ] {
        let change = json!({ "typ": typ });
        assert_eq!(
            fault(&change, &json!({})),
            Some(ProofFault::WrongType),
            "{typ}"
        );
    }
}

#[test]
fn a_proof_is_signed_with_an_asymmetric_algorithm() {
    for (name, known) in [
        ("none", Some("none")),
        ("HS256", Some("HS256")),
        ("HS512", Some("HS512")),
        ("ES256K", Some("ES256K")),
        ("None", None),
        ("es256", None),
        ("", None),
    ] {
        let expected = Some(ProofFault::AlgorithmNotSupported(known));
        assert_eq!(fault(&json!({"alg": name}), &json!({})), expected, "{name}");
    }
}

#[test]
fn a_proof_shows_a_public_key_that_may_be_used() {
    let changed = |change: Value| with(jwk(client()), &change);
    let weak = URL_SAFE_NO_PAD.encode([0xab; 128]);
    for (jwk, expected) in [
        (changed(json!({"d": "x"})), SkipReason::PrivateKey),
        (changed(json!({"d": null})), SkipReason::PrivateKey),
        (changed(json!({"k": "x"})), SkipReason::Symmetric),
        (json!({"kty": "oct", "k": "x"}), SkipReason::Symmetric),
        (
            json!({"kty": "RSA", "e": "AQAB", "n": weak}),
            SkipReason::TooWeak,
        ),
        (changed(json!({"crv": "P-521"})), SkipReason::Curve),
        (changed(json!({"crv": "secp256k1"})), SkipReason::Curve),
        (changed(json!({"x": "AA", "y": "AA"})), SkipReason::Unsound),
        (changed(json!({"use": "enc"})), SkipReason::Use),
        (changed(json!({"alg": "ES384"})), SkipReason::Algorithm),
        (jwk(mint(KeyKind::P384)), SkipReason::Algorithm),
        (json!({}), SkipReason::KeyType),
    ] {
        let expected = Some(ProofFault::KeyNotSupported(expected));
        assert_eq!(fault(&json!({"jwk": jwk}), &json!({})), expected, "{jwk}");
    }
}

#[test]
fn a_proof_is_for_one_request() {
    for (change, expected) in [
        (json!({"htm": "POST"}), ProofFault::OtherMethod),
        (json!({"htm": "get"}), ProofFault::OtherMethod),
        (json!({"htm": ""}), ProofFault::OtherMethod),
        (
            json!({"htu": "https://other.example/api/v1/workflows"}),
            ProofFault::OtherUrl,
        ),
        (
            json!({"htu": "http://n8n.example.com/api/v1/workflows"}),
            ProofFault::OtherUrl,
        ),
        (
            json!({"htu": "https://n8n.example.com:8443/api/v1/workflows"}),
            ProofFault::OtherUrl,
        ),
        (
            json!({"htu": "https://n8n.example.com/api/v1/users"}),
            ProofFault::OtherUrl,
        ),
        (json!({"htu": "/api/v1/workflows"}), ProofFault::OtherUrl),
        (json!({"htu": ""}), ProofFault::OtherUrl),
        (json!({"ath": "x"}), ProofFault::OtherToken),
        (json!({"ath": format!("{ATH}=")}), ProofFault::OtherToken),
        (json!({"ath": ""}), ProofFault::OtherToken),
    ] {
        assert_eq!(fault(&json!({}), &change), Some(expected), "{change}");
    }
}

#[test]
fn a_proof_is_fresh() {
    for (change, expected) in [
        (json!({"iat": NOW - 61}), ProofFault::TooOld),
        (json!({"iat": 0}), ProofFault::TooOld),
        (json!({"iat": NOW + 61}), ProofFault::FromTheFuture),
        (
            json!({"iat": 253_402_300_799_u64}),
            ProofFault::FromTheFuture,
        ),
        (json!({"jti": "absent"}), ProofFault::IdMalformed),
        (json!({"jti": ""}), ProofFault::IdMalformed),
        (json!({"jti": 7}), ProofFault::IdMalformed),
        (json!({"jti": "x".repeat(257)}), ProofFault::IdMalformed),
    ] {
        assert_eq!(fault(&json!({}), &change), Some(expected), "{change}");
    }
}

#[test]
fn a_proof_has_the_nonce_of_the_gate_where_one_is_asked_for() {
    let nonces = NonceKey::new([7; 32]);
    let made = |nonce: &Value| client().sign(&header(), &with(claims(), &json!({"nonce": nonce})));
    let now = UnixSeconds(NOW);
    let before = UnixSeconds(NOW - 600);
    for (nonce, is_good) in [
        (json!(nonces.current(now)), true),
        (json!(nonces.current(before)), false),
        (json!(NonceKey::new([8; 32]).current(now)), false),
        (json!([nonces.current(now)]), false),
        (json!(""), false),
        (json!("absent"), false),
    ] {
        let result = verify_with_nonces(&GuestCrypto, &[&made(&nonce)], Some(&nonces));
        let expected = (!is_good).then_some(ProofFault::OtherNonce);
        assert_eq!(result.err(), expected, "{nonce}");
    }
}

#[test]
fn the_key_of_a_proof_is_that_of_the_token_and_signed_it() {
    let thief = Mint::generate(KeyKind::P256);
    let own_key = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&thief)});
    let proof = thief.sign(&own_key, &claims());
    assert_eq!(verify(&proof), Err(ProofFault::OtherKey));
    // The key of the token, and a signature with another one.
    let proof = thief.sign(&header(), &claims());
    assert_eq!(verify(&proof), Err(ProofFault::BadSignature));
    let good = good();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (head, _) = input.split_once('.').unwrap();
    let other = with(claims(), &json!({"htm": "GET", "jti": "two"})).to_string();
    let changed = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(other));
    assert_eq!(verify(&changed), Err(ProofFault::BadSignature));
    let zeros = format!("{input}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
    assert_eq!(verify(&zeros), Err(ProofFault::BadSignature));
}

/// Counts how often it is asked.
#[derive(Default)]
struct Counting(Cell<u32>);

impl SignatureVerifier for Counting {
    fn verify(&self, _: &PublicKey, _: Algorithm, _: &[u8], _: &[u8]) -> Verification {
        self.0.set(self.0.get().saturating_add(1));
        Verification {
            valid: true,
            path: CryptoPath::Host,
        }
    }
}

#[test]
fn no_signature_is_checked_for_a_proof_that_cannot_hold() {
    let counting = Counting::default();
    let asked = |header_change: Value, claims_change: Value| {
        let header = with(header(), &header_change);
        let proof = client().raw(
            "ES256",
            header.to_string().as_bytes(),
            with(claims(), &claims_change).to_string().as_bytes(),
        );
        let _ = verify_with(&counting, &[&proof]);
        counting.0.replace(0)
    };
    assert_eq!(asked(json!({}), json!({})), 1);
    for header in [
        json!({"typ": "JWT"}),
        json!({"alg": "HS256"}),
        json!({"jwk": jwk(&Mint::generate(KeyKind::P256))}),
    ] {
        assert_eq!(asked(header, json!({})), 0);
    }
    for claims in [
        json!({"htm": "POST"}),
        json!({"htu": "https://other.example"}),
        json!({"iat": 1}),
        json!({"jti": ""}),
        json!({"ath": "x"}),
    ] {
        assert_eq!(asked(json!({}), claims), 0);
    }
}
