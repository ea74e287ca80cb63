//! The cost of what a provider sends: introspection responses and discovery documents, so many
//! instructions for each of their bytes.

use serde_json::{json, Value};

use crate::host::Gate;
use crate::mint::{mint, KeyKind};
use crate::{is_linear, now, requests, wasm};

/// How many bytes of an introspection response grow. More than 16 KiB are refused.
const SIZES: [usize; 3] = [3_200, 6_400, 12_800];

/// How many bytes of a discovery document grow. More than 256 KiB are refused.
const DOCUMENTS: [usize; 3] = [50_000, 100_000, 200_000];

/// How many instructions a response may cost for each of its bytes, and how many for any response,
/// together with the request that waits for it.
const EACH_BYTE: u64 = 700;
const EACH_RESPONSE: u64 = 2_000_000;

type Members = fn(usize) -> Value;

fn names(prefix: &str, size: usize) -> Vec<String> {
    let each = prefix.len() + 8;
    let names = (0..size / each).map(|number| format!("{prefix}{number:05}"));
    names.collect()
}

/// Members of each kind, beside those that an introspection response needs. The last of them is
/// longer than what is read.
const KINDS: [(&str, Option<u32>, Members); 10] = [
    ("roles", None, |size| {
        let mut roles = names("r", size);
        roles.push("Reader".to_owned());
        json!({ "roles": roles })
    }),
    (
        "one role many times",
        None,
        |size| json!({ "roles": vec!["Reader"; size / 9] }),
    ),
    (
        "scopes",
        None,
        |size| json!({ "scope": names("s", size).join(" ") }),
    ),
    (
        "spaces in scope",
        None,
        |size| json!({ "scope": " ".repeat(size) }),
    ),
    ("groups", None, |size| json!({ "groups": names("g", size) })),
    ("audiences", None, |size| {
        let mut audiences = names("a", size);
        audiences.push("n8n".to_owned());
        json!({ "aud": audiences })
    }),
    ("unknown members", None, |size| {
        names("u", size * 4 / 5)
            .into_iter()
            .map(|name| (name, json!(1)))
            .collect()
    }),
    ("lists in lists", None, |size| {
        let list = |_| (0..6).fold(json!([]), |inner, _| json!([inner]));
        json!({ "unknown": (0..size / 30).map(list).collect::<Value>() })
    }),
    (
        "quotes",
        None,
        |size| json!({ "unknown": "\"\\".repeat(size / 4) }),
    ),
    (
        "no active token",
        Some(401),
        |size| json!({ "active": false, "unknown": "u".repeat(size) }),
    ),
];

fn asking() -> String {
    let policy = json!({
        "providers": [{
            "name": "idp", "issuer": "https://idp.example.test", "audiences": ["n8n"],
            "introspection": {
                "uri": "https://idp.example.test/introspect", "cluster": "idp",
                "client_id": "gate", "client_secret": { "env": "N8N_KEY" },
            },
        }],
        "crypto": "guest",
        "roles": { "Reader": ["workflow:list"] },
        "principals": [
            { "name": "others", "match": { "groups": ["other"] }, "api_key": { "env": "N8N_KEY" } },
            { "name": "reader", "match": { "client": "reader" }, "api_key": { "env": "N8N_KEY" } },
        ],
    });
    policy.to_string()
}

#[test]
fn an_introspection_response_costs_no_more_than_its_bytes() {
    let wasm = wasm();
    let mut gate = Gate::start(&wasm, &asking());
    let mut faults = Vec::new();
    for (kind, status, members) in KINDS {
        // The first request does the work that is done only once.
        let mut number = 0;
        let costs = [SIZES[0], SIZES[0], SIZES[1], SIZES[2]].map(|size| {
            number += 1;
            let mut response = json!({
                "active": true, "token_type": "Bearer", "iss": "https://idp.example.test",
                "aud": "n8n", "sub": "reader", "client_id": "reader", "roles": ["Reader"],
                "exp": now() + 3600,
            });
            for (name, value) in members(size).as_object().unwrap() {
                response[name] = value.clone();
            }
            let body = response.to_string();
            let most = EACH_RESPONSE + EACH_BYTE * u64::try_from(body.len()).unwrap();
            let head = requests::api(&format!("opaque-{kind}-{number}").replace(' ', "-"));
            let outcome = gate.send_and_complete(&head, body.as_bytes(), 4 * most);
            if outcome.status != status || outcome.steps > most {
                faults.push(format!(
                    "{kind} of {size}: {outcome:?}, not {status:?} {}",
                    gate.last_line()
                ));
            }
            outcome.steps
        });
        let [_, small, middle, large] = costs;
        if !is_linear([small, middle, large]) {
            faults.push(format!("{kind}: {costs:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Members of each kind, beside those that a discovery document needs.
const OF_DOCUMENTS: [(&str, Members); 6] = [
    (
        "lists of names",
        |size| json!({ "claims_supported": names("c", size) }),
    ),
    ("unknown members", |size| {
        names("u", size * 4 / 5)
            .into_iter()
            .map(|name| (name, json!(1)))
            .collect()
    }),
    (
        "a long text",
        |size| json!({ "op_policy_uri": "u".repeat(size) }),
    ),
    (
        "quotes",
        |size| json!({ "op_policy_uri": "\"\\".repeat(size / 4) }),
    ),
    ("lists in lists", |size| {
        let list = |_| (0..6).fold(json!([]), |inner, _| json!([inner]));
        json!({ "unknown": (0..size / 15).map(list).collect::<Value>() })
    }),
    ("numbers", |size| json!({ "unknown": vec![7; size / 2] })),
];

#[test]
fn a_discovery_document_costs_no_more_than_its_bytes() {
    let wasm = wasm();
    let policy = json!({
        "providers": [{
            "name": "idp", "issuer": "https://idp.example.test", "audiences": ["n8n"],
            "cluster": "idp",
        }],
        "crypto": "guest",
        "principals": [
            { "name": "reader", "match": { "client": "reader" }, "api_key": { "env": "N8N_KEY" } },
        ],
    });
    let mut faults = Vec::new();
    for (kind, members) in OF_DOCUMENTS {
        let costs = DOCUMENTS.map(|size| {
            let mut document = json!({
                "issuer": "https://idp.example.test",
                "jwks_uri": "https://idp.example.test/jwks",
            });
            for (name, value) in members(size).as_object().unwrap() {
                document[name] = value.clone();
            }
            let body = document.to_string();
            let most = EACH_RESPONSE + EACH_BYTE * u64::try_from(body.len()).unwrap();
            let mut gate = Gate::start(&wasm, &policy.to_string());
            let steps = gate.complete_call(body.as_bytes(), most);
            // The document was read: the next call is for the key set, which is good.
            let keys = json!({ "keys": [mint(KeyKind::Ed25519).jwk("one")] });
            assert!(
                !gate.logged().contains("malformed"),
                "{kind}: {}",
                gate.logged()
            );
            gate.complete_next(keys.to_string().as_bytes(), 2 * EACH_RESPONSE);
            if gate.logged().contains("could not be fetched") {
                faults.push(format!("{kind} of {size}: {}", gate.last_line()));
            }
            steps
        });
        if !is_linear(costs) {
            faults.push(format!("{kind}: {costs:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
