//! Published vectors: Wycheproof's collection of attacks, and what a gate makes of each.
//!
//! Wycheproof asks what a general library should accept. A gate accepts less. Each difference is
//! listed with its reason, and a listed difference that is gone fails as well.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test must stop when its vectors are not as it needs them"
)]

use std::fmt::Debug;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use n8n_idp_gate::crypto::Algorithm;
use serde_json::{json, Value};
use wycheproof::ecdsa::{self, TestName as Ecdsa};
use wycheproof::eddsa;
use wycheproof::rsa_pkcs1_verify::{self as pkcs1, TestName as Pkcs1};
use wycheproof::rsa_pss_verify::{self as pss, TestName as Pss};
use wycheproof::TestResult;

/// Signatures of one algorithm.
pub(crate) struct Suite {
    name: String,
    pub(crate) algorithm: Algorithm,
    cases: Vec<Case>,
    expected: Expected,
}

impl Suite {
    fn new(name: impl Debug, algorithm: Algorithm, cases: Vec<Case>, expected: Expected) -> Self {
        Self {
            name: format!("{name:?}"),
            algorithm,
            cases,
            expected,
        }
    }

    /// Compares the verdicts of `accepted`, which gets the cases of one key at a time. A case that
    /// Wycheproof leaves open ("acceptable") must be refused.
    pub(crate) fn judge(&self, mut accepted: impl FnMut(&Value, &[Case]) -> Vec<bool>) {
        let name = &self.name;
        assert!(!self.cases.is_empty(), "{name}: no cases");
        for Deviation(id, _) in self.expected.deviations {
            let exists = self.cases.iter().any(|case| case.id == *id);
            assert!(exists, "{name} {id}: there is no such case");
        }
        for cases in self.cases.chunk_by(|one, next| one.jwk == next.jwk) {
            let verdicts = accepted(&cases[0].jwk, cases);
            assert_eq!(verdicts.len(), cases.len(), "{name}");
            for (case, accepted) in cases.iter().zip(verdicts) {
                let (wanted, reason) = self.expected.of(case);
                assert_eq!(accepted, wanted, "{name} {}: {reason}", case.id);
            }
        }
    }
}

/// What is expected of one suite.
#[derive(Clone, Copy)]
struct Expected {
    /// Why nothing of it is accepted; `None`: what is valid is.
    refused: Option<&'static str>,
    /// The cases that are judged the other way.
    deviations: &'static [Deviation],
}

/// A case that is judged the other way than its suite, and why.
struct Deviation(usize, &'static str);

impl Expected {
    /// Whether a case is to be accepted, and why.
    fn of(&self, case: &Case) -> (bool, &'static str) {
        let of_suite = self.refused.is_none() && case.result == TestResult::Valid;
        let mut deviations = self.deviations.iter();
        match deviations.find(|Deviation(id, _)| *id == case.id) {
            Some(Deviation(_, reason)) => (!of_suite, reason),
            None => (of_suite, self.refused.unwrap_or("as Wycheproof says")),
        }
    }
}

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
pub(crate) struct Case {
    id: usize,
    jwk: Value,
    pub(crate) message: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    result: TestResult,
}

/// ECDSA in the form of JWS.
pub(crate) fn ecdsa() -> Vec<Suite> {
    let mut suites = Vec::new();
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
        suites.push(Suite::new(name, algorithm, cases, AS_TOLD));
    }
    suites
}

/// Ed25519.
pub(crate) fn ed25519() -> Vec<Suite> {
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
    vec![Suite::new(
        eddsa::TestName::Ed25519,
        Algorithm::EdDsa,
        cases,
        AS_TOLD,
    )]
}

/// RSA with the padding of PKCS #1 v1.5.
pub(crate) fn pkcs1() -> Vec<Suite> {
    use Algorithm::{Rs256, Rs384, Rs512};
    let too_large = Expected {
        refused: Some(TOO_LARGE),
        deviations: &[],
    };
    let but = |deviations| Expected {
        refused: None,
        deviations,
    };
    let mut suites = Vec::new();
    for (name, algorithm, expected) in [
        (
            Pkcs1::Rsa2048Sha256,
            Rs256,
            but(&[
                Deviation(258, SMALL_EXPONENT),
                Deviation(259, SMALL_EXPONENT),
            ]),
        ),
        (Pkcs1::Rsa2048Sha384, Rs384, AS_TOLD),
        (
            Pkcs1::Rsa2048Sha512,
            Rs512,
            but(&[Deviation(259, SMALL_EXPONENT)]),
        ),
        (
            Pkcs1::Rsa3072Sha256,
            Rs256,
            but(&[Deviation(259, SMALL_EXPONENT)]),
        ),
        (Pkcs1::Rsa3072Sha384, Rs384, AS_TOLD),
        (
            Pkcs1::Rsa3072Sha512,
            Rs512,
            but(&[Deviation(260, SMALL_EXPONENT)]),
        ),
        (Pkcs1::Rsa4096Sha256, Rs256, AS_TOLD),
        (Pkcs1::Rsa4096Sha384, Rs384, AS_TOLD),
        (Pkcs1::Rsa4096Sha512, Rs512, AS_TOLD),
        (Pkcs1::Rsa8192Sha256, Rs256, too_large),
        (Pkcs1::Rsa8192Sha384, Rs384, too_large),
        (Pkcs1::Rsa8192Sha512, Rs512, too_large),
    ] {
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
        suites.push(Suite::new(name, algorithm, cases, expected));
    }
    suites
}

/// RSA with the padding of PSS.
pub(crate) fn pss() -> Vec<Suite> {
    use Algorithm::{Ps256, Ps384, Ps512};
    let refused = |reason, deviations| Expected {
        refused: Some(reason),
        deviations,
    };
    let salt_of_none = refused(WRONG_SALT, &[Deviation(69, RIGHT_SALT)]);
    let salt_of_half = refused(WRONG_SALT, &[]);
    let wrong_mask = refused(WRONG_MASK, &[]);
    let mut suites = Vec::new();
    for (name, algorithm, expected) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen32, Ps256, AS_TOLD),
        (Pss::RsaPss2048Sha384Mgf1SaltLen48, Ps384, AS_TOLD),
        (Pss::RsaPss3072Sha256Mgf1SaltLen32, Ps256, AS_TOLD),
        (Pss::RsaPss4096Sha256Mgf1SaltLen32, Ps256, AS_TOLD),
        (Pss::RsaPss4096Sha384Mgf1SaltLen48, Ps384, AS_TOLD),
        (Pss::RsaPss4096Sha512Mgf1SaltLen64, Ps512, AS_TOLD),
        (Pss::RsaPss2048Sha256Mgf1SaltLen0, Ps256, salt_of_none),
        (Pss::RsaPss4096Sha512Mgf1SaltLen32, Ps512, salt_of_half),
        (Pss::RsaPss2048Sha256Mgf1Sha1_20, Ps256, wrong_mask),
        (
            Pss::RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams,
            Ps512,
            wrong_mask,
        ),
    ] {
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
        suites.push(Suite::new(name, algorithm, cases, expected));
    }
    suites
}

fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "n": base64url(modulus), "e": base64url(exponent)})
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
