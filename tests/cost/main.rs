//! The cost of a request for the worker that decides it: a bounded number of instructions for each
//! of its bytes, for any bytes.
//!
//! Envoy runs the module on the thread that serves all connections of a worker. A request whose
//! cost is the square of its length would delay all other clients. The tests measure no time: the
//! shipped module runs in an interpreter that counts instructions, so the figures are the same on
//! every machine.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

mod counted;
mod exchanges;
mod host;
mod key_sets;
mod memory;
mod requests;
mod responses;
mod rules;
mod tokens;

#[path = "../counts/cases.rs"]
mod cases;
#[path = "../support/mint.rs"]
mod mint;
#[path = "../counts/pinned.rs"]
mod pinned;

use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use serde_json::{json, Value};

use self::host::{Gate, Head, Outcome};
use self::mint::{mint, KeyKind};
use self::requests::{kinds, Kind};

/// The lengths of the part of a request that grows.
const SIZES: [usize; 3] = [2 << 10, 4 << 10, 8 << 10];

/// The longest head that Envoy accepts by default.
const LONGEST: usize = 60 << 10;

/// How many instructions a request may cost for each of its bytes, and how many for any request.
const EACH_BYTE: u64 = 400;
const EACH_REQUEST: u64 = 600_000;

fn wasm() -> Vec<u8> {
    let path = env::var("GATE_WASM").unwrap_or_else(|_| "target/n8n-idp-gate.wasm".to_owned());
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}; make wasm"))
}

/// Seconds since 1970.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs()
}

/// Whether a cost grows no faster than a size that is doubled twice. The second step adds twice as
/// much, so it may cost twice as many instructions. A quadratic cost would be four times as many, and
/// millions.
fn is_linear([small, middle, large]: [u64; 3]) -> bool {
    let (first, second) = (middle.saturating_sub(small), large.saturating_sub(middle));
    second <= 2 * first + first / 2 + 200_000
}

/// A token that the policies below accept.
fn token() -> String {
    let now = now();
    let claims = json!({
        "iss": "https://idp.example.test", "aud": "n8n", "sub": "reader", "client_id": "reader",
        "iat": now, "exp": now + 3600, "roles": ["Reader"],
    });
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "one" });
    mint(KeyKind::Ed25519).sign(&header, &claims)
}

/// A policy with these webhook rules, and with these fields beside them.
fn policy(webhooks: &Value, more: &Value) -> String {
    let mut policy = json!({
        "providers": [{
            "name": "idp", "issuer": "https://idp.example.test", "audiences": ["n8n"],
            "jwks": { "keys": [mint(KeyKind::Ed25519).jwk("one")] },
        }],
        "crypto": "guest",
        "roles": { "Reader": ["workflow:list"] },
        "principals": [
            { "name": "reader", "match": { "client": "reader" }, "api_key": { "env": "N8N_KEY" } },
        ],
        "webhooks": webhooks,
    });
    let fields = policy.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    policy.to_string()
}

/// Rules that ask for any good token.
fn bearer() -> Value {
    json!([{ "path": "/webhook/**", "auth": "bearer" },
        { "path": "/webhook-waiting/**", "auth": "bearer" }])
}

/// One policy for each kind of rule.
fn policies() -> Vec<(&'static str, String)> {
    let open = |paths: Vec<String>| -> Value {
        let rules = paths
            .into_iter()
            .map(|path| json!({ "path": path, "auth": "open" }));
        rules.collect()
    };
    let few = |paths: &[&str]| open(paths.iter().map(|path| (*path).to_owned()).collect());
    let none = json!({});
    let bearer = bearer();
    let many = (0..300).flat_map(|index| {
        ["webhook", "form", "mcp"].map(|endpoint| format!("/{endpoint}/t/orders/*/{index}/**"))
    });
    let deep = ["orders"; 60].join("/");
    let static_keys = json!({ "public_api": { "api_keys": "refuse", "rules": [
        { "host": "*.example.com", "path": "/api/v1/workflows/*/executions/**", "api_keys": "pass" },
        { "path": "/api/v1/executions/**", "api_keys": "pass" },
        { "path": "/api/v1/*/t/orders/**", "api_keys": "refuse" },
        { "path": "/api/v1/*/t/**", "api_keys": "pass" },
    ] } });
    vec![
        ("a token for everything", policy(&bearer, &none)),
        (
            "literals and a wildcard for any number",
            policy(
                &few(&[
                    "/webhook/t/orders/**",
                    "/form/t/orders/**",
                    "/mcp/t/orders/**",
                ]),
                &none,
            ),
        ),
        (
            "literals alone",
            policy(
                &few(&["/webhook/t/orders", "/webhook-test/t/orders/x", "/chat"]),
                &none,
            ),
        ),
        (
            "wildcards for one",
            policy(
                &few(&[
                    "/webhook/*/*/orders",
                    "/webhook/*/orders/**",
                    "/webhook-waiting/*/orders",
                ]),
                &none,
            ),
        ),
        (
            "a deep rule",
            policy(
                &few(&[
                    &format!("/webhook/t/{deep}/**"),
                    "/rest/projects/*/agents/v2/*/webhooks/**",
                ]),
                &none,
            ),
        ),
        (
            "many rules with the same literals",
            policy(&open(many.collect()), &none),
        ),
        (
            "static keys by host and path",
            policy(&bearer, &static_keys),
        ),
    ]
}

/// What a request may cost.
fn bound(head: &Head) -> u64 {
    EACH_REQUEST + EACH_BYTE * bytes_of(head)
}

fn bytes_of(head: &Head) -> u64 {
    let lengths = head.iter().map(|(name, value)| name.len() + value.len());
    u64::try_from(lengths.sum::<usize>()).unwrap()
}

/// Sends a request of one kind in each size, and returns how its cost exceeds the bounds.
fn faults_of(gate: &mut Gate, kind: &Kind) -> Option<String> {
    // The first request does the work that is done only once.
    let first = (kind.head)(SIZES[0]);
    gate.send(&first, 4 * bound(&first));
    let costs = SIZES.map(|size| {
        let head = (kind.head)(size);
        (bound(&head), gate.send(&head, 4 * bound(&head)))
    });
    let [(_, small), (_, middle), (most, large)] = costs;
    let grows = !is_linear([small.steps, middle.steps, large.steps]);
    let costs_much = large.steps > most;
    let sent = [small, middle, large];
    let is_refused = kind.goes_on && sent.iter().any(|one| one.status.is_some());
    (grows || costs_much || is_refused).then(|| {
        let shown = |one: Outcome| format!("{:?} {}", one.status, one.steps);
        format!(
            "{}: {} | {} | {} of {most}",
            kind.name,
            shown(small),
            shown(middle),
            shown(large)
        )
    })
}

#[test]
fn a_request_costs_no_more_than_its_bytes() {
    let wasm = wasm();
    let token = token();
    let mut faults = Vec::new();
    for (index, (name, policy)) in policies().into_iter().enumerate() {
        // The cost of a part that no rule reads is the same under each policy.
        let is_first = index == 0;
        let mut gate = Gate::start(&wasm, &policy);
        // A token is verified once, and that costs the same beside any other headers.
        let api = requests::api(&token);
        assert_eq!(gate.send(&api, u64::from(u32::MAX)).status, None, "{name}");
        for kind in kinds(is_first, &token) {
            faults.extend(faults_of(&mut gate, &kind).map(|fault| format!("{name}: {fault}")));
        }
        for path in [
            "/webhook/t",
            "/webhook-test/t",
            "/form/t",
            "/api/v1/x",
            "/rest",
        ] {
            for piece in ["/orders", "/%6f"] {
                let head = requests::of_path(path, piece, LONGEST);
                let outcome = gate.send(&head, 4 * bound(&head));
                if outcome.steps > bound(&head) {
                    faults.push(format!("{name}: {path} and {piece}: {outcome:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
