//! The cost of a token whose claims grow: so many instructions for each of its bytes, when it is
//! verified and when the token cache has it.

use serde_json::{json, Value};

use crate::host::Gate;
use crate::mint::{mint, KeyKind};
use crate::{bearer, is_linear, now, policy, requests, wasm};

/// How many bytes of claims a token has. A token of more than 16 KiB is refused.
const SIZES: [usize; 3] = [2_600, 5_200, 10_400];

/// How many instructions the verification of a token may cost for each of its bytes, and how many
/// for any token: its signature of Ed25519 costs more than two million.
const EACH_BYTE: u64 = 800;
const EACH_TOKEN: u64 = 4_000_000;

/// The same for a token that is in the cache: its bytes are hashed, and headers are made of its
/// claims.
const EACH_CACHED_BYTE: u64 = 150;
const EACH_CACHED_TOKEN: u64 = 1_000_000;

/// A token with these claims beside the usual ones.
fn token(claims: &Value) -> String {
    let now = now();
    let mut all = json!({
        "iss": "https://idp.example.test", "aud": "n8n", "sub": "reader", "client_id": "reader",
        "azp": "reader", "iat": now, "exp": now + 3600, "roles": ["Reader"],
    });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "one" });
    mint(KeyKind::Ed25519).sign(&header, &all)
}

/// Different names, about `size` bytes of them as JSON.
fn names(prefix: &str, size: usize) -> Vec<String> {
    let each = prefix.len() + 8;
    let names = (0..size / each).map(|number| format!("{prefix}{number:05}"));
    names.collect()
}

/// The role that the policy knows, after others.
fn with_reader(mut names: Vec<String>) -> Vec<String> {
    names.push("Reader".to_owned());
    names
}

type Claims = fn(usize) -> Value;

/// Claims of each kind. Tokens with them are forwarded.
const KINDS: [(&str, Claims); 19] = [
    (
        "roles",
        |size| json!({ "roles": with_reader(names("r", size)) }),
    ),
    (
        "one role many times",
        |size| json!({ "roles": vec!["Reader"; size / 9] }),
    ),
    (
        "empty roles",
        |size| json!({ "roles": with_reader(vec![String::new(); size / 3]) }),
    ),
    (
        "a long role",
        |size| json!({ "roles": ["Reader", "r".repeat(size)] }),
    ),
    ("groups", |size| json!({ "groups": names("g", size) })),
    (
        "scopes",
        |size| json!({ "scope": names("s", size).join(" ") }),
    ),
    (
        "spaces in scope",
        |size| json!({ "scope": " ".repeat(size) }),
    ),
    ("audiences", |size| {
        let mut audiences = names("a", size);
        audiences.push("n8n".to_owned());
        json!({ "aud": audiences })
    }),
    (
        "roles of the realm",
        |size| json!({ "realm_access": { "roles": with_reader(names("r", size)) } }),
    ),
    ("roles of clients", |size| {
        let clients = names("c", size / 4).into_iter();
        let clients: Value = clients
            .map(|client| (client, json!({ "roles": ["a:%", "b"] })))
            .collect();
        json!({ "resource_access": clients, "realm_access": { "roles": ["Reader"] } })
    }),
    ("colons in roles of a client", |size| {
        json!({ "resource_access": { "c:": { "roles": [":%".repeat(size / 2)] } },
            "realm_access": { "roles": ["Reader"] } })
    }),
    ("unknown claims", |size| {
        names("u", size * 4 / 5)
            .into_iter()
            .map(|name| (name, json!(1)))
            .collect()
    }),
    (
        "a long unknown claim",
        |size| json!({ "unknown": "u".repeat(size) }),
    ),
    ("lists in lists", |size| {
        let list = |_| (0..6).fold(json!([]), |inner, _| json!([inner]));
        json!({ "unknown": (0..size / 15).map(list).collect::<Value>() })
    }),
    ("objects in objects", |size| {
        let object = |_| (0..6).fold(json!({}), |inner, _| json!({ "a": inner }));
        json!({ "unknown": (0..size / 39).map(object).collect::<Value>() })
    }),
    ("numbers", |size| json!({ "unknown": vec![7; size / 2] })),
    (
        "quotes",
        |size| json!({ "unknown": "\"\\".repeat(size / 4) }),
    ),
    (
        "a long e-mail address",
        |size| json!({ "email": format!("{}@example.com", "e.".repeat(size / 2)), "email_verified": true }),
    ),
    (
        "a long subject",
        |size| json!({ "sub": "s\u{202e}".repeat(size / 4) }),
    ),
];

/// Policies whose rules read each of these claims.
fn policies() -> Vec<(&'static str, String)> {
    let by = |matches: Vec<Value>| {
        let mut principals: Vec<Value> = matches
            .into_iter()
            .enumerate()
            .map(|(number, matched)| {
                json!({ "name": format!("p{number}"), "match": matched, "grant": ["*"],
                    "api_key": { "env": "N8N_KEY" } })
            })
            .collect();
        principals.push(json!({ "name": "reader", "match": { "client": "reader" },
            "api_key": { "env": "N8N_KEY" } }));
        json!({ "principals": principals })
    };
    let claim = |rule: Value| json!({ "claims": [rule] });
    let keycloak = json!({ "providers": [{
        "name": "idp", "type": "keycloak", "issuer": "https://idp.example.test",
        "audiences": ["n8n"], "roles_from": "roles",
        "jwks": { "keys": [mint(KeyKind::Ed25519).jwk("one")] },
    }] });
    let names = by(vec![
        json!({ "groups": (0..100).map(|number| format!("x{number}")).collect::<Value>() }),
        json!({ "roles": ["other"] }),
        json!({ "scopes": ["other"] }),
        json!({ "email": "other@example.com" }),
        json!({ "email_domain": ["example.org", "example.net"] }),
        json!({ "subject": ["other", "another"] }),
    ]);
    let claims = by(vec![
        claim(json!({ "claim": "roles", "contains": "other" })),
        claim(json!({ "claim": "groups", "contains": "other" })),
        claim(json!({ "claim": "unknown", "suffix": "other" })),
        claim(json!({ "claim": "realm_access.roles", "contains": "other" })),
        claim(json!({ "claim": "scope", "prefix": "never" })),
        claim(json!({ "claim": "sub", "one_of": ["a", "b", "c"] })),
    ]);
    vec![
        ("a client", policy(&bearer(), &json!({}))),
        ("Keycloak", policy(&bearer(), &keycloak)),
        ("names", policy(&bearer(), &names)),
        ("rules on claims", policy(&bearer(), &claims)),
    ]
}

#[test]
fn a_token_costs_no_more_than_its_bytes() {
    let wasm = wasm();
    let mut faults = Vec::new();
    for (policy_name, policy) in policies() {
        let mut gate = Gate::start(&wasm, &policy);
        // The first request does the work that is done only once.
        gate.send(
            &requests::api(&token(&json!({ "jti": "first" }))),
            u64::MAX / 4,
        );
        for (kind, claims) in KINDS {
            let is_of_keycloak = claims(99).get("realm_access").is_some();
            if is_of_keycloak != (policy_name == "Keycloak")
                && (is_of_keycloak || kind.contains("role"))
            {
                continue;
            }
            let mut changes = json!({});
            if policy_name == "Keycloak" {
                changes["realm_access"] = json!({ "roles": ["Reader"] });
            }
            let costs = SIZES.map(|size| {
                for (name, value) in claims(size).as_object().unwrap() {
                    changes[name] = value.clone();
                }
                let token = token(&changes);
                let bytes = u64::try_from(token.len()).unwrap();
                let head = requests::api(&token);
                let sent = [0; 3].map(|_| gate.send(&head, u64::MAX / 4));
                let [verified, _, cached] = sent;
                if sent.iter().any(|outcome| outcome.status.is_some()) {
                    faults.push(format!(
                        "{policy_name}: {kind} of {bytes}: {sent:?} {}",
                        gate.last_line()
                    ));
                }
                if verified.steps > EACH_TOKEN + EACH_BYTE * bytes
                    || cached.steps > EACH_CACHED_TOKEN + EACH_CACHED_BYTE * bytes
                {
                    faults.push(format!("{policy_name}: {kind} of {bytes}: {sent:?}"));
                }
                (verified.steps, cached.steps)
            });
            let verified = costs.map(|(verified, _)| verified);
            let cached = costs.map(|(_, cached)| cached);
            if !is_linear(verified) || !is_linear(cached) {
                faults.push(format!(
                    "{policy_name}: {kind}: {verified:?}, in the cache {cached:?}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
