//! A provider that publishes a key set without a usable key while tokens of its old key are in use.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::gate::{claims, key, policy, Gate, KEY_ID, READER};
use crate::mint::{KeyKind, Mint};
use crate::support::http::{Request, Response};
use crate::support::scripted_provider::JWKS;
use crate::support::server::{Reply, Script};

/// A gate that asks for keys every second and has a key in use.
fn gate(keys: &Value) -> Gate {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "1s", "cooldown": "1s", "ttl": "1s" });
    for (name, value) in keys.as_object().unwrap() {
        policy["providers"][0]["keys"][name] = value.clone();
    }
    let gate = Gate::with(policy, |setup| setup);
    assert_eq!(list(&gate, &signed(key(), KEY_ID)).status, 200);
    gate
}

fn list(gate: &Gate, token: &str) -> Response {
    let request = Request::get("/api/v1/workflows").bearer(token);
    request.send(gate.envoy.port()).unwrap()
}

/// A token that was not sent before.
fn signed(mint: &Mint, key_id: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst).to_string();
    let header = json!({"alg": mint.algorithm(), "typ": "at+jwt", "kid": key_id});
    mint.sign(
        &header,
        &claims("app-a", &[READER], &json!({ "jti": number })),
    )
}

fn publish(gate: &Gate, body: &str) {
    let reply = Reply::new(200, "application/json", body);
    gate.provider.script(JWKS, Script::Reply(reply));
}

/// Until when tokens of the first key were taken, also one that the gate keeps as verified. All of
/// them are refused from then on.
#[allow(clippy::disallowed_methods, reason = "the test waits in real time")]
fn taken_for(gate: &Gate, fault: &str) -> Duration {
    let begin = Instant::now();
    let verified = signed(key(), KEY_ID);
    assert_eq!(list(gate, &verified).status, 200, "{fault}");
    while list(gate, &signed(key(), KEY_ID)).status == 200 {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "{fault}: still in use"
        );
        thread::sleep(Duration::from_millis(100));
    }
    let taken = begin.elapsed();
    for _ in 0..20 {
        for token in [&verified, &signed(key(), KEY_ID)] {
            let refused = list(gate, token);
            assert_eq!(
                refused.refusal(),
                (503, json!("keys_unavailable")),
                "{fault}"
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
    let record = gate.envoy.audit().pop().unwrap();
    assert_eq!(record["fault"], json!(fault), "{record}");
    taken
}

/// A key that the provider publishes again is used again.
fn recovers(gate: &Gate) {
    gate.provider.publish(&[key().jwk(KEY_ID)]);
    for _ in 0..150 {
        if list(gate, &signed(key(), KEY_ID)).status == 200 {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the key is not used again");
}

#[test]
fn a_key_counts_for_its_grace_and_no_longer_when_a_set_without_a_usable_key_comes() {
    let gate = gate(&json!({ "grace": "4s", "max_stale": "1h" }));
    let mut weak = key().jwk(KEY_ID);
    weak["n"] = json!("AQAB");
    let symmetric = json!({"kty": "oct", "kid": KEY_ID, "k": "AAAA"});
    publish(&gate, &json!({ "keys": [symmetric, weak] }).to_string());
    let taken = taken_for(&gate, "no_usable_key");
    // It is fetched within a second, and the grace begins then. A busy machine is slower.
    let bounds = Duration::from_secs(3)..Duration::from_secs(12);
    assert!(bounds.contains(&taken), "{taken:?}");
    recovers(&gate);
}

/// Two readers could read two key sets. Neither of them counts, as if none had come.
#[test]
fn of_a_set_with_two_lists_of_keys_none_counts_and_old_keys_end_when_they_are_stale() {
    let gate = gate(&json!({ "grace": "0s", "max_stale": "4s" }));
    let other = Mint::generate(KeyKind::P256);
    let (first, second) = (key().jwk(KEY_ID), other.jwk("other"));
    publish(&gate, &format!(r#"{{"keys":[{first}],"keys":[{second}]}}"#));
    let taken = taken_for(&gate, "duplicate_member");
    let bounds = Duration::from_millis(2500)..Duration::from_secs(12);
    assert!(bounds.contains(&taken), "{taken:?}");
    assert_ne!(list(&gate, &signed(&other, "other")).status, 200);
    publish(&gate, &format!(r#"{{"keys":[{second}],"keys":[{first}]}}"#));
    thread::sleep(Duration::from_secs(3));
    for token in [signed(&other, "other"), signed(key(), KEY_ID)] {
        assert_ne!(list(&gate, &token).status, 200);
    }
    recovers(&gate);
}
