//! The verdicts of both paths on published vectors, in a real Envoy.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use crate::support::envoy::{Envoy, Setup};
use crate::support::http::Request;
use crate::support::installed;
use crate::vectors::{self, Case, Suite};

/// How many signatures are sent with one request, whose head has to be below 60 KiB.
const AT_ONCE: usize = 16;

fn envoy() -> Envoy {
    // No request reaches an upstream.
    let setup = Setup::minimal(json!({}), 9).unwrap();
    let setup = setup.module(installed::host_crypto().unwrap());
    setup.start().unwrap()
}

fn ask(envoy: &Envoy, header: &str, question: &str) -> Value {
    let request = Request::get("/").header(header, question);
    let answer = request.send(envoy.port()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The verdicts of the filter, which are those of the guest. Good signatures are told by `path`.
fn verdicts(envoy: &Envoy, path: &str, suite: &Suite, jwk: &Value, cases: &[Case]) -> Vec<bool> {
    let base64url = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let cases: Vec<_> = cases
        .iter()
        .map(|case| [base64url(&case.message), base64url(&case.signature)])
        .collect();
    let question = json!({"jwk": jwk, "alg": suite.algorithm.as_str(), "cases": cases});
    let answer = ask(envoy, "x-vectors", &question.to_string());
    assert_eq!(answer["deviations"], json!([]));
    let Some(verdicts) = answer["verdicts"].as_array() else {
        // The key is not used at all.
        return vec![false; cases.len()];
    };
    let verdict = |verdict: &Value| {
        let [by, filter, guest] = verdict.as_array().unwrap().as_slice() else {
            panic!("{verdict}");
        };
        assert_eq!(filter, guest);
        let valid = filter.as_bool().unwrap();
        assert!(!valid || by == path, "{by}");
        valid
    };
    verdicts.iter().map(verdict).collect()
}

fn judge(path: &str, suites: Vec<Suite>) {
    let envoy = envoy();
    for suite in suites {
        suite.judge(|jwk, cases| {
            let parts = cases.chunks(AT_ONCE);
            let verdicts = parts.map(|part| verdicts(&envoy, path, &suite, jwk, part));
            verdicts.flatten().collect()
        });
    }
}

#[test]
fn the_host_judges_ecdsa_signatures_as_wycheproof_and_the_guest_do() {
    judge("host", vectors::ecdsa());
}

#[test]
fn the_host_judges_pkcs1_signatures_as_wycheproof_and_the_guest_do() {
    judge("host", vectors::pkcs1());
}

#[test]
fn the_guest_judges_in_a_host_as_it_does_elsewhere() {
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
