//! Published test vectors for signatures, checked on both paths in a real Envoy.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use crate::support::envoy::{Envoy, Setup};
use crate::support::http::Request;
use crate::support::installed;
use crate::vectors::{self, Case, Suite};

/// How many signatures one request has. Its head must be below 60 KiB.
const AT_ONCE: usize = 16;

fn envoy() -> Envoy {
    // No request reaches an upstream.
    let setup = Setup::minimal(json!({}), 9).unwrap();
    let setup = setup.module(installed::host_crypto().unwrap());
    setup.start().unwrap()
}

fn ask(envoy: &Envoy, header: &str, question: &str) -> Value {
    let request = Request::get("/").header(header, question);
    let response = request.send(envoy.port()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// The results of the filter, which must be those of the guest. Good signatures must be checked on
/// `path`.
fn results(envoy: &Envoy, path: &str, suite: &Suite, jwk: &Value, cases: &[Case]) -> Vec<bool> {
    let base64url = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let cases: Vec<_> = cases
        .iter()
        .map(|case| [base64url(&case.message), base64url(&case.signature)])
        .collect();
    let question = json!({"jwk": jwk, "alg": suite.algorithm.as_str(), "cases": cases});
    let response = ask(envoy, "x-vectors", &question.to_string());
    assert_eq!(response["deviations"], json!([]));
    let Some(results) = response["results"].as_array() else {
        // The gate does not use this key.
        return vec![false; cases.len()];
    };
    let result = |result: &Value| {
        let [by, filter, guest] = result.as_array().unwrap().as_slice() else {
            panic!("{result}");
        };
        assert_eq!(filter, guest);
        let valid = filter.as_bool().unwrap();
        assert!(!valid || by == path, "{by}");
        valid
    };
    results.iter().map(result).collect()
}

fn judge(path: &str, suites: Vec<Suite>) {
    let envoy = envoy();
    for suite in suites {
        suite.judge(|jwk, cases| {
            let parts = cases.chunks(AT_ONCE);
            let results = parts.map(|part| results(&envoy, path, &suite, jwk, part));
            results.flatten().collect()
        });
    }
}

#[test]
fn the_host_checks_ecdsa_signatures_as_wycheproof_and_the_guest_do() {
    judge("host", vectors::ecdsa());
}

#[test]
fn the_host_checks_pkcs1_signatures_as_wycheproof_and_the_guest_do() {
    judge("host", vectors::pkcs1());
}

#[test]
fn the_guest_checks_signatures_in_a_host_as_it_does_elsewhere() {
    judge("guest", vectors::pss());
    judge("guest", vectors::ed25519());
}

#[test]
fn calls_of_foreign_functions_fail_in_ways_that_do_not_trap() {
    let envoy = envoy();
    assert_eq!(ask(&envoy, "x-call", "no_such_function"), json!("NotFound"));
    assert_eq!(
        ask(&envoy, "x-call", "verify_signature"),
        json!("BadArgument")
    );
}
