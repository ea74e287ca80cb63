//! Which side checks a signature. The result does not depend on it.

use serde_json::{json, Value};

use crate::gate::{claims, policy, token, Gate, READER};
use crate::mint::{mint, KeyKind};
use crate::support::http::Request;

/// The algorithms that Envoy offers, and the others.
const ALGORITHMS: [(KeyKind, &str, &str); 9] = [
    (KeyKind::Rsa2048, "RS256", "host"),
    (KeyKind::Rsa2048, "RS384", "host"),
    (KeyKind::Rsa2048, "RS512", "host"),
    (KeyKind::P256, "ES256", "host"),
    (KeyKind::P384, "ES384", "host"),
    (KeyKind::Rsa2048, "PS256", "guest"),
    (KeyKind::Rsa2048, "PS384", "guest"),
    (KeyKind::Rsa2048, "PS512", "guest"),
    (KeyKind::Ed25519, "EdDSA", "guest"),
];

/// A gate whose provider has a key of every kind.
fn gate(crypto: Option<&str>) -> Gate {
    let kinds = [
        KeyKind::Rsa2048,
        KeyKind::P256,
        KeyKind::P384,
        KeyKind::Ed25519,
    ];
    let provider = crate::gate::provider();
    provider.publish(&kinds.map(|kind| mint(kind).jwk(&format!("{kind:?}"))));
    let mut policy = policy();
    if let Some(crypto) = crypto {
        policy["crypto"] = json!(crypto);
    }
    Gate::at(provider, policy, |setup| setup)
}

/// Sends a good and some bad tokens of every algorithm, and compares which side checked the good
/// ones.
fn judge(gate: &Gate, path: impl Fn(&'static str) -> &'static str) {
    for (kind, algorithm, host_or_guest) in ALGORITHMS {
        let header = json!({"alg": algorithm, "kid": format!("{kind:?}")});
        let good = mint(kind).sign(&header, &claims("app-a", &[READER], &json!({})));
        let (input, signature) = good.rsplit_once('.').unwrap();
        let other = mint(kind).sign(&header, &claims("app-b", &[READER], &json!({})));
        let (_, of_another_text) = other.rsplit_once('.').unwrap();
        let (_, shorter) = signature.split_at(4);
        let zeros = "A".repeat(signature.len());
        let send = |token: &str| {
            let request = Request::get("/api/v1/workflows").bearer(token);
            let response = request.send(gate.envoy.port()).unwrap();
            let record = gate.envoy.audit().pop().unwrap();
            (
                response.status,
                record["reason"].clone(),
                record["crypto"].clone(),
            )
        };
        let passed = (200, Value::Null, json!(path(host_or_guest)));
        assert_eq!(send(&good), passed, "{algorithm}");
        let refused = (401, json!("bad_signature"), Value::Null);
        for bad in [of_another_text, &zeros, shorter] {
            assert_eq!(send(&format!("{input}.{bad}")), refused, "{algorithm}");
        }
    }
}

#[test]
fn the_host_checks_what_it_offers_and_the_gate_the_rest() {
    let gate = gate(None);
    judge(&gate, |host_or_guest| host_or_guest);
    let log = gate.envoy.log_text();
    let line = "signatures checked by the host: RS256 RS384 RS512 ES256 ES384";
    assert!(log.contains(line), "{log}");
    let counted = |path: &str, count| {
        let name = "n8n_idp_gate_verifications";
        gate.envoy.counted(name, path, count).unwrap()
    };
    assert_eq!((counted("host", 5), counted("guest", 4)), (5, 4));
}

#[test]
fn the_decisions_are_the_same_where_the_host_is_not_asked() {
    let gate = gate(Some("guest"));
    judge(&gate, |_| "guest");
    assert!(!gate.envoy.log_text().contains("checked by the host"));
}

#[test]
fn the_gate_works_with_a_host_that_offers_no_functions() {
    let gate = Gate::with(policy(), |setup| {
        setup.withholding("proxy_call_foreign_function")
    });
    let request = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    assert_eq!(request.send(gate.envoy.port()).unwrap().status, 200);
    let record = gate.envoy.audit().pop().unwrap();
    assert_eq!(record["crypto"], json!("guest"));
    let log = gate.envoy.log_text();
    for algorithm in ["RS256", "RS384", "RS512", "ES256", "ES384"] {
        let line = format!(
            "the host is not asked to check signatures of {algorithm}: a good signature got no result"
        );
        assert!(log.contains(&line), "{log}");
    }
}
