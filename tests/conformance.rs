//! The guest's signature checks against published vectors: the examples of the RFCs, and
//! Wycheproof's collection of attacks. `tests/e2e/host_crypto.rs` has the same for the host's.

#[path = "conformance/vectors.rs"]
mod vectors;

use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use n8n_idp_gate::crypto::{Algorithm, GuestCrypto, KeySet, PublicKey, SignatureVerifier as _};
use serde_json::{json, Value};
use vectors::Suite;

fn key(jwk: &Value) -> Option<Arc<PublicKey>> {
    let document = json!({ "keys": [jwk] }).to_string();
    let set = KeySet::parse(document.as_bytes()).ok()?;
    set.keys().first().cloned()
}

fn judge(suites: Vec<Suite>) {
    for suite in suites {
        suite.judge(|jwk, cases| {
            let key = key(jwk);
            let valid = |key, message: &[u8], signature: &[u8]| {
                let check = GuestCrypto.verify(key, suite.algorithm, message, signature);
                check.valid
            };
            let accepted = cases.iter().map(|case| {
                let key = key.as_ref();
                key.is_some_and(|key| valid(key, &case.message, &case.signature))
            });
            accepted.collect()
        });
    }
}

#[test]
fn the_examples_of_the_rfcs_hold() {
    let examples: Value =
        serde_json::from_str(include_str!("conformance/rfc_examples.json")).unwrap();
    for example in examples.as_array().unwrap() {
        let name = example["name"].as_str().unwrap();
        let algorithm = Algorithm::parse(example["alg"].as_str().unwrap()).unwrap();
        let (message, signature) = example["compact"]
            .as_str()
            .unwrap()
            .rsplit_once('.')
            .unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = key(&example["jwk"]).unwrap();
        let good = GuestCrypto.verify(&key, algorithm, message.as_bytes(), &signature);
        assert!(good.valid, "{name}");
        signature[5] ^= 1;
        let bad = GuestCrypto.verify(&key, algorithm, message.as_bytes(), &signature);
        assert!(!bad.valid, "{name}, one bit changed");
    }
}

#[test]
fn ecdsa_signatures_are_judged_as_wycheproof_judges_them() {
    judge(vectors::ecdsa());
}

#[test]
fn ed25519_signatures_are_judged_as_wycheproof_judges_them() {
    judge(vectors::ed25519());
}

#[test]
fn pkcs1_signatures_are_judged_as_wycheproof_judges_them() {
    judge(vectors::pkcs1());
}

#[test]
fn pss_signatures_are_judged_as_wycheproof_judges_them() {
    judge(vectors::pss());
}
