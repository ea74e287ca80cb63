//! The cost of a key set for the worker that fetched it: a bounded number of instructions for each
//! of its bytes. The module reads a document in one call, so a costly document would block the
//! worker.

use serde_json::{json, Value};

use crate::host::Gate;
use crate::mint::{mint, KeyKind};
use crate::{is_linear, wasm};

/// How many keys a set has. The gate refuses sets of more than 100 keys.
const SIZES: [usize; 3] = [24, 48, 96];

/// How many instructions a set may cost for each of its bytes, and how many for any set. A point of
/// an elliptic curve costs the most, because it must be on its curve.
const EACH_BYTE: u64 = 3_000;
const EACH_SET: u64 = 2_000_000;

fn policy() -> String {
    let policy = json!({
        "providers": [{
            "name": "idp", "issuer": "https://idp.example.test", "audiences": ["n8n"],
            "cluster": "idp", "jwks_uri": "https://idp.example.test/jwks",
            "keys": {"grace": "1h"},
        }],
        "crypto": "guest",
        "principals": [
            { "name": "reader", "match": { "client": "reader" }, "grant": ["*"],
              "api_key": { "env": "N8N_KEY" } },
        ],
    });
    policy.to_string()
}

/// Key sets of each kind, with this number of keys.
fn kinds(size: usize) -> Vec<(&'static str, Value)> {
    let each = |key: &dyn Fn(usize) -> Value| (0..size).map(key).collect::<Value>();
    let of = |kind: KeyKind| move |number: usize| mint(kind).jwk(&format!("key-{number}"));
    let with = |name: &'static str, value: &'static dyn Fn(usize) -> Value| {
        move |number: usize| {
            let mut key = mint(KeyKind::Ed25519).jwk(&format!("key-{number}"));
            key[name] = value(number);
            key
        }
    };
    vec![
        ("RSA", each(&of(KeyKind::Rsa2048))),
        ("P-256", each(&of(KeyKind::P256))),
        ("Ed25519", each(&of(KeyKind::Ed25519))),
        ("one key id", each(&|_| mint(KeyKind::Ed25519).jwk("one"))),
        (
            "long key ids",
            each(&with("kid", &|number| json!(format!("{number:0>250}")))),
        ),
        (
            "keys that are skipped",
            each(&with("kty", &|number| json!(format!("kind-{number}")))),
        ),
        (
            "certificates",
            each(&with("x5c", &|_| json!(["A".repeat(1500)]))),
        ),
        (
            "many members",
            each(&with("x", &|_| {
                (0..40)
                    .map(|name| (format!("m{name}"), json!(name)))
                    .collect()
            })),
        ),
        ("no keys", each(&|number| json!(number))),
    ]
}

#[test]
fn a_key_set_costs_no_more_than_its_bytes() {
    let wasm = wasm();
    let mut faults = Vec::new();
    let names: Vec<_> = kinds(0).into_iter().map(|(name, _)| name).collect();
    for (index, name) in names.iter().enumerate() {
        let costs = SIZES.map(|size| {
            let (_, keys) = &kinds(size)[index];
            let body = json!({ "keys": keys }).to_string();
            let most = EACH_SET + EACH_BYTE * u64::try_from(body.len()).unwrap();
            let mut gate = Gate::start(&wasm, &policy());
            gate.complete_call(body.as_bytes(), most)
        });
        if !is_linear(costs) {
            faults.push(format!("{name}: {costs:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A key set that the gate does not read would cost little for the wrong reason.
#[test]
fn the_sets_that_are_counted_are_those_that_a_gate_reads() {
    let wasm = wasm();
    for (name, keys) in kinds(24) {
        let body = json!({ "keys": keys }).to_string();
        let mut gate = Gate::start(&wasm, &policy());
        gate.complete_call(body.as_bytes(), u64::MAX / 4);
        let has_failed = gate.logged().contains("could not be fetched");
        let is_useless = ["keys that are skipped", "many members", "no keys"].contains(&name);
        assert_eq!(has_failed, is_useless, "{name}: {}", gate.logged());
    }
}
