//! The guest's signature checks against published vectors: the examples of the RFCs, and
//! Wycheproof's collection of attacks.
//!
//! Wycheproof asks what a general library should accept. A gate accepts less. Each difference is
//! listed with its reason, and a listed difference that is gone fails as well.

use std::rc::Rc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use n8n_idp_gate::crypto::{Algorithm, GuestCrypto, KeySet, PublicKey, SignatureVerifier as _};
use serde_json::{json, Value};
use wycheproof::ecdsa::{self, TestName as Ecdsa};
use wycheproof::eddsa;
use wycheproof::rsa_pkcs1_verify::{self as pkcs1, TestName as Pkcs1};
use wycheproof::rsa_pss_verify::{self as pss, TestName as Pss};
use wycheproof::TestResult;

/// What is expected of one suite.
struct Expected {
    /// Why nothing of it is accepted; `None`: what is valid is.
    refused: Option<&'static str>,
    /// The cases that are judged the other way.
    deviations: &'static [Deviation],
}

/// A case that is judged the other way than its suite, and why.
struct Deviation(usize, &'static str);

const AS_TOLD: Expected = Expected {
    refused: None,
    deviations: &[],
};

const SMALL_EXPONENT: &str = "the public exponent is 3: only 65537 is used";
const WRONG_SALT: &str = "RFC 7518 §3.5: the salt is as long as the digest";
const WRONG_MASK: &str = "RFC 7518 §3.5: the mask is made with the same digest";
const TOO_LARGE: &str = "an RSA key of more than 4096 bits costs too much time";
const RIGHT_SALT: &str = "wrong for its suite, but its salt is as long as the digest";

/// One signature of a suite.
struct Case {
    id: usize,
    jwk: Value,
    message: Vec<u8>,
    signature: Vec<u8>,
    result: TestResult,
}

fn key(jwk: &Value) -> Option<Rc<PublicKey>> {
    let document = json!({ "keys": [jwk] }).to_string();
    let set = KeySet::parse(document.as_bytes()).ok()?;
    set.keys().first().cloned()
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Runs a suite. A case that Wycheproof leaves open ("acceptable") must be refused.
fn run(suite: &str, algorithm: Algorithm, cases: &[Case], expected: &Expected) {
    assert!(!cases.is_empty(), "{suite}: no cases");
    for Deviation(id, _) in expected.deviations {
        let exists = cases.iter().any(|case| case.id == *id);
        assert!(exists, "{suite} {id}: there is no such case");
    }
    // Keys come in groups: each is read once.
    let mut last: Option<(&Value, Option<Rc<PublicKey>>)> = None;
    for case in cases {
        let key = match last.take() {
            Some((jwk, key)) if *jwk == case.jwk => key,
            _ => key(&case.jwk),
        };
        let accepted = key.as_ref().is_some_and(|key| {
            let check = GuestCrypto.verify(key, algorithm, &case.message, &case.signature);
            check.valid
        });
        last = Some((&case.jwk, key));
        let of_suite = expected.refused.is_none() && case.result == TestResult::Valid;
        let mut deviations = expected.deviations.iter();
        let (wanted, reason) = match deviations.find(|Deviation(id, _)| *id == case.id) {
            Some(Deviation(_, reason)) => (!of_suite, *reason),
            None => (of_suite, expected.refused.unwrap_or("as Wycheproof says")),
        };
        assert_eq!(accepted, wanted, "{suite} {}: {reason}", case.id);
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
    for (name, curve, octets, algorithm) in [
        (
            Ecdsa::EcdsaSecp256r1Sha256P1363,
            "P-256",
            32,
            Algorithm::Es256,
        ),
        (
            Ecdsa::EcdsaSecp384r1Sha384P1363,
            "P-384",
            48,
            Algorithm::Es384,
        ),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut cases = Vec::new();
        for group in &set.test_groups {
            let (x, y) = group.key.key[1..].split_at(octets);
            let jwk = json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y)});
            cases.extend(group.tests.iter().map(|test| Case {
                id: test.tc_id,
                jwk: jwk.clone(),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                result: test.result,
            }));
        }
        run(curve, algorithm, &cases, &AS_TOLD);
    }
}

#[test]
fn ed25519_signatures_are_judged_as_wycheproof_judges_them() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut cases = Vec::new();
    for group in &set.test_groups {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(&group.key.pk)});
        cases.extend(group.tests.iter().map(|test| Case {
            id: test.tc_id,
            jwk: jwk.clone(),
            message: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            result: test.result,
        }));
    }
    run("Ed25519", Algorithm::EdDsa, &cases, &AS_TOLD);
}

#[test]
fn pkcs1_signatures_are_judged_as_wycheproof_judges_them() {
    use Algorithm::{Rs256, Rs384, Rs512};
    let too_large = Expected {
        refused: Some(TOO_LARGE),
        deviations: &[],
    };
    let but = |deviations| Expected {
        refused: None,
        deviations,
    };
    for (name, algorithm, expected) in [
        (
            Pkcs1::Rsa2048Sha256,
            Rs256,
            &but(&[
                Deviation(258, SMALL_EXPONENT),
                Deviation(259, SMALL_EXPONENT),
            ]),
        ),
        (Pkcs1::Rsa2048Sha384, Rs384, &AS_TOLD),
        (
            Pkcs1::Rsa2048Sha512,
            Rs512,
            &but(&[Deviation(259, SMALL_EXPONENT)]),
        ),
        (
            Pkcs1::Rsa3072Sha256,
            Rs256,
            &but(&[Deviation(259, SMALL_EXPONENT)]),
        ),
        (Pkcs1::Rsa3072Sha384, Rs384, &AS_TOLD),
        (
            Pkcs1::Rsa3072Sha512,
            Rs512,
            &but(&[Deviation(260, SMALL_EXPONENT)]),
        ),
        (Pkcs1::Rsa4096Sha256, Rs256, &AS_TOLD),
        (Pkcs1::Rsa4096Sha384, Rs384, &AS_TOLD),
        (Pkcs1::Rsa4096Sha512, Rs512, &AS_TOLD),
        (Pkcs1::Rsa8192Sha256, Rs256, &too_large),
        (Pkcs1::Rsa8192Sha384, Rs384, &too_large),
        (Pkcs1::Rsa8192Sha512, Rs512, &too_large),
    ] {
        let suite = format!("{name:?}");
        let set = pkcs1::TestSet::load(name).unwrap();
        let mut cases = Vec::new();
        for group in &set.test_groups {
            let jwk = rsa_jwk(&group.key.n, &group.key.e);
            cases.extend(group.tests.iter().map(|test| Case {
                id: test.tc_id,
                jwk: jwk.clone(),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                result: test.result,
            }));
        }
        run(&suite, algorithm, &cases, expected);
    }
}

#[test]
fn pss_signatures_are_judged_as_wycheproof_judges_them() {
    use Algorithm::{Ps256, Ps384, Ps512};
    let refused = |reason, deviations| Expected {
        refused: Some(reason),
        deviations,
    };
    let salt_of_none = refused(WRONG_SALT, &[Deviation(69, RIGHT_SALT)]);
    let salt_of_half = refused(WRONG_SALT, &[]);
    let wrong_mask = refused(WRONG_MASK, &[]);
    for (name, algorithm, expected) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen32, Ps256, &AS_TOLD),
        (Pss::RsaPss2048Sha384Mgf1SaltLen48, Ps384, &AS_TOLD),
        (Pss::RsaPss3072Sha256Mgf1SaltLen32, Ps256, &AS_TOLD),
        (Pss::RsaPss4096Sha256Mgf1SaltLen32, Ps256, &AS_TOLD),
        (Pss::RsaPss4096Sha384Mgf1SaltLen48, Ps384, &AS_TOLD),
        (Pss::RsaPss4096Sha512Mgf1SaltLen64, Ps512, &AS_TOLD),
        (Pss::RsaPss2048Sha256Mgf1SaltLen0, Ps256, &salt_of_none),
        (Pss::RsaPss4096Sha512Mgf1SaltLen32, Ps512, &salt_of_half),
        (Pss::RsaPss2048Sha256Mgf1Sha1_20, Ps256, &wrong_mask),
        (
            Pss::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams,
            Ps512,
            &wrong_mask,
        ),
    ] {
        let suite = format!("{name:?}");
        let set = pss::TestSet::load(name).unwrap();
        let mut cases = Vec::new();
        for group in &set.test_groups {
            let jwk = rsa_jwk(&group.key.n, &group.key.e);
            cases.extend(group.tests.iter().map(|test| Case {
                id: test.tc_id,
                jwk: jwk.clone(),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                result: test.result,
            }));
        }
        run(&suite, algorithm, &cases, expected);
    }
}

fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "n": base64url(modulus), "e": base64url(exponent)})
}
