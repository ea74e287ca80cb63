//! Another module of the same Envoy, which knows the names of the shared values.

use std::thread;
use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::{Hash, HMAC};
use n8n_idp_gate::http::Endpoint;
use serde_json::{json, Value};

use crate::gate::{claims, key, policy, token, Gate, ISSUER, KEY_A, KEY_ID, KEY_PEOPLE, READER};
use crate::mint::{KeyKind, Mint};
use crate::support::envoy::Setup;
use crate::support::http::{Request, Response};
use crate::support::scripted_provider::DISCOVERY;

/// The name of a shared value. Only a program that has the API keys can derive it.
fn name(kind: &str) -> String {
    let mut secret = HMAC::new("n8n-idp-gate shared data key, version 1");
    for key in [KEY_A, KEY_PEOPLE] {
        secret.update(Hash::hash(key.as_bytes()));
    }
    let document = Endpoint {
        cluster: "idp".to_owned(),
        scheme: "https".to_owned(),
        authority: "idp.example.test".to_owned(),
        path: DISCOVERY.to_owned(),
    };
    let parts = [
        "keys".to_owned(),
        ISSUER.to_owned(),
        "discovery".to_owned(),
        format!("{document:?} {:?}", None::<String>),
    ];
    let mut id = HMAC::new(secret.finalize());
    for part in parts {
        id.update(Hash::hash(part.as_bytes()));
    }
    let id = URL_SAFE_NO_PAD.encode(id.finalize());
    format!("n8n-idp-gate/4/{kind}/{id}")
}

/// Sends an order to the other module.
fn order(gate: &Gate, order: &Value) -> Value {
    let request = Request::get("/").header("x-shared", order.to_string());
    let response = request.send(gate.envoy.port()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

fn read(gate: &Gate, kind: &str) -> Option<String> {
    let response = order(gate, &json!({ "name": name(kind) }));
    response["value"].as_str().map(str::to_owned)
}

fn write(gate: &Gate, kind: &str, value: &str) {
    let response = order(gate, &json!({ "name": name(kind), "write": value }));
    assert_eq!(response["written"], json!(true));
}

fn list(gate: &Gate, token: &str) -> Response {
    let request = Request::get("/api/v1/workflows").bearer(token);
    request.send(gate.envoy.port()).unwrap()
}

/// A good token that was not sent before, so that it is not in the cache.
fn fresh(number: u32) -> String {
    token("app-a", &[READER, &number.to_string()])
}

fn of(mint: &Mint, key_id: &str, number: u32) -> String {
    let header = json!({"alg": "ES256", "kid": key_id});
    let roles = [READER, &number.to_string()];
    mint.sign(&header, &claims("app-a", &roles, &json!({})))
}

fn until(holds: impl Fn() -> bool) {
    for _ in 0..150 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the condition never holds");
}

/// Loads a new configuration, so that the worker knows only the shared values.
fn begin_anew(gate: &Gate, policy: &mut Value, metrics: &str) {
    let status = if metrics == "deny" { 403 } else { 200 };
    policy["metrics"] = json!(metrics);
    gate.envoy.update(policy).unwrap();
    until(|| {
        let response = Request::get("/metrics").send(gate.envoy.port());
        response.is_ok_and(|response| response.status == status)
    });
}

#[test]
fn a_module_of_the_same_vm_id_forges_no_key_and_restores_no_old_one() {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "1s", "cooldown": "1s", "ttl": "1s" });
    let gate = Gate::with(policy.clone(), |setup| setup.discovered().neighbour(None));
    assert_eq!(list(&gate, &fresh(0)).status, 200);
    until(|| read(&gate, "keys").is_some());
    let old = read(&gate, "keys").unwrap();
    let lease = read(&gate, "lease").unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(&old).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains(KEY_ID) && !text.contains(KEY_A) && !text.contains(KEY_PEOPLE));

    // Forged: the other module writes its own key under the good name, without the key for the
    // seal.
    let own = Mint::generate(KeyKind::Rsa2048);
    let modulus = |mint: &Mint| mint.jwk(KEY_ID)["n"].as_str().unwrap().to_owned();
    let forged = URL_SAFE_NO_PAD.encode(replaced(&bytes, &modulus(key()), &modulus(&own)));
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": KEY_ID});
    let stolen = own.sign(&header, &claims("app-a", &[READER], &json!({})));
    for (number, (kind, value)) in (1..).zip([
        ("keys", forged.as_str()),
        ("lease", forged.as_str()),
        // Replayed under another name, and deleted.
        ("keys", lease.as_str()),
        ("lease", old.as_str()),
        ("keys", ""),
        ("lease", ""),
    ]) {
        write(&gate, kind, value);
        if number == 1 {
            begin_anew(&gate, &mut policy, "deny");
        }
        assert_ne!(list(&gate, &stolen).status, 200, "{kind}");
        let good = list(&gate, &fresh(number));
        assert_eq!(good.status, 200, "{kind}: {}", good.text());
    }

    // Restored to a removed key: in the worker that has newer keys, and in a new worker.
    let next = Mint::generate(KeyKind::P256);
    gate.provider.publish(&[next.jwk("next")]);
    until(|| list(&gate, &of(&next, "next", 0)).status == 200);
    thread::sleep(Duration::from_secs(2));
    for number in 10..30 {
        write(&gate, "keys", &old);
        if number == 20 {
            begin_anew(&gate, &mut policy, "pass");
            write(&gate, "keys", &old);
        }
        assert_ne!(list(&gate, &fresh(number)).status, 200);
        assert_eq!(list(&gate, &of(&next, "next", number)).status, 200);
    }
}

/// The bytes with one part replaced by another of the same length.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let start = bytes
        .windows(from.len())
        .position(|window| window == from.as_bytes())
        .unwrap();
    let mut changed = bytes.to_vec();
    changed[start..start + to.len()].copy_from_slice(to.as_bytes());
    changed
}

#[test]
fn a_module_that_fills_shared_data_stops_no_worker() {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "1s", "cooldown": "1s", "ttl": "1s" });
    let gate = Gate::with(policy, |setup| setup.neighbour(None));
    assert_eq!(list(&gate, &fresh(0)).status, 200);
    for number in 0..500 {
        let junk = format!("n8n-idp-gate/4/keys/{number}");
        order(&gate, &json!({ "name": junk, "fill": 1000 }));
    }
    for kind in ["keys", "lease"] {
        order(&gate, &json!({ "name": name(kind), "fill": 64 << 20 }));
    }
    thread::sleep(Duration::from_secs(2));
    assert_eq!(list(&gate, &fresh(1)).status, 200);
    // The worker still fetches.
    let next = Mint::generate(KeyKind::P256);
    gate.provider.publish(&[next.jwk("next")]);
    until(|| list(&gate, &of(&next, "next", 0)).status == 200);
    assert_eq!(list(&gate, &fresh(2)).status, 401);
    let log = gate.envoy.log_text();
    assert!(
        !log.contains("panicked") && !log.contains("failed: "),
        "{log}"
    );
}

#[test]
fn a_module_of_another_vm_id_reads_nothing() {
    let gate = Gate::with(policy(), |setup: Setup| setup.neighbour(Some("another")));
    assert_eq!(list(&gate, &fresh(0)).status, 200);
    thread::sleep(Duration::from_secs(1));
    for kind in ["keys", "lease"] {
        assert_eq!(read(&gate, kind), None, "{kind}");
        write(&gate, kind, "AAAA");
        assert_eq!(read(&gate, kind).as_deref(), Some("AAAA"), "its own");
    }
    assert_eq!(list(&gate, &fresh(1)).status, 200);
}
