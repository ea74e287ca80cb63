//! The cost of rules: of a request under more and more of them, and of requests that grow where n8n
//! is below a path prefix or where there are several instances.

use serde_json::{json, Value};

use crate::host::Gate;
use crate::mint::{mint, KeyKind};
use crate::requests::{self, of_path, Kind};
use crate::{bearer, faults_of, is_linear, now, policy, wasm};

/// How many rules there are.
const COUNTS: [usize; 3] = [100, 200, 400];

/// How many instructions one more rule may cost a request: the first one with a token, and later
/// ones, whose token is in the cache.
const EACH_RULE: u64 = 10_000;
const EACH_RULE_LATER: u64 = 20;

/// A token that matches the last rule of each kind and no other.
fn token(id: &str) -> String {
    let now = now();
    let claims = json!({
        "iss": "https://idp.example.test", "aud": "n8n", "sub": "reader", "client_id": "reader",
        "iat": now, "exp": now + 3600, "roles": ["Reader"], "scope": "openid profile",
        "groups": (0..40).map(|number| format!("group-{number}")).collect::<Value>(),
        "email": "reader@example.com", "email_verified": true,
        "department": { "name": "sales", "numbers": [1, 2, 3] }, "jti": id,
    });
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "one" });
    mint(KeyKind::Ed25519).sign(&header, &claims)
}

type Condition = fn(usize) -> Value;

/// Conditions that do not hold for the token, in each way in which one is written.
const CONDITIONS: [(&str, Condition); 13] = [
    (
        "client",
        |number| json!({ "client": format!("client-{number}") }),
    ),
    (
        "subject",
        |number| json!({ "subject": format!("subject-{number}") }),
    ),
    (
        "groups",
        |number| json!({ "groups": [format!("other-{number}"), "other"] }),
    ),
    (
        "roles",
        |number| json!({ "roles": format!("role-{number}") }),
    ),
    (
        "scopes",
        |number| json!({ "scopes": format!("scope-{number}") }),
    ),
    (
        "email",
        |number| json!({ "email": format!("e{number}@example.com") }),
    ),
    (
        "email domain",
        |number| json!({ "email_domain": format!("d{number}.example.com") }),
    ),
    (
        "kind and client",
        |number| json!({ "kind": "app", "client": format!("client-{number}") }),
    ),
    (
        "provider and group",
        |number| json!({ "provider": "idp", "groups": format!("other-{number}") }),
    ),
    (
        "a claim",
        |number| json!({ "claims": [{ "claim": "department.name", "equals": format!("d{number}") }] }),
    ),
    (
        "a list in a claim",
        |number| json!({ "claims": [{ "claim": "groups", "contains": format!("other-{number}") }] }),
    ),
    (
        "a claim that is absent",
        |number| json!({ "claims": [{ "claim": format!("absent-{number}"), "exists": true }] }),
    ),
    ("several claims", |number| {
        json!({ "kind": "app", "claims": [
            { "claim": "department.name", "prefix": "sal" },
            { "claim": "sub", "not": { "one_of": ["a", "b"] } },
            { "claim": "department.name", "suffix": format!("{number}") },
        ] })
    }),
];

fn principals(count: usize, condition: Condition) -> String {
    let others = (0..count).map(|number| {
        json!({ "name": format!("p{number}"), "match": condition(number),
            "api_key": { "env": "N8N_KEY" } })
    });
    let last = json!({ "name": "last", "match": { "client": "reader" }, "grant": ["workflow:list"],
        "api_key": { "env": "N8N_KEY" } });
    let principals: Value = others.chain([last]).collect();
    policy(&bearer(), &json!({ "principals": principals }))
}

fn webhooks(count: usize, condition: Condition) -> String {
    let others = (0..count).map(
        |number| json!({ "path": format!("/webhook/t/{number}/**"), "require": condition(number) }),
    );
    let last = json!({ "path": "/webhook/t/last/**", "require": { "client": "reader" } });
    policy(&others.chain([last]).collect(), &json!({}))
}

fn instances(count: usize, condition: Condition) -> String {
    let instance = |name: String, host: String, principal: Value| {
        json!({ "name": name, "hosts": [host], "roles": { "Reader": ["workflow:list"] },
            "principals": [principal] })
    };
    let principal =
        |matched: Value| json!({ "name": "p", "match": matched, "api_key": { "env": "N8N_KEY" } });
    let others = (0..count).map(|number| {
        let host = match number % 2 {
            0 => format!("n{number}.example.org"),
            _ => format!("*.n{number}.example.com"),
        };
        instance(format!("i{number}"), host, principal(condition(number)))
    });
    let last = instance(
        "last".to_owned(),
        "n8n.example.com".to_owned(),
        principal(json!({ "client": "reader" })),
    );
    with_instances(&others.chain([last]).collect())
}

fn with_instances(instances: &Value) -> String {
    let policy = json!({
        "providers": [{
            "name": "idp", "issuer": "https://idp.example.test", "audiences": ["n8n"],
            "jwks": { "keys": [mint(KeyKind::Ed25519).jwk("one")] },
        }],
        "crypto": "guest",
        "instances": instances,
    });
    policy.to_string()
}

#[test]
fn a_request_costs_no_more_than_the_rules_that_are_asked() {
    let wasm = wasm();
    let heads = [token("first"), token("second")];
    let api = heads.clone().map(|token| requests::api(&token));
    let webhook = heads.map(|token| requests::hook("/webhook/t/last/x", &token));
    let mut faults = Vec::new();
    let families = [
        (
            "principals",
            principals as fn(usize, Condition) -> String,
            &api,
        ),
        ("webhooks", webhooks, &webhook),
        ("instances", instances, &api),
    ];
    for (family, make, [first, second]) in families {
        for (name, condition) in CONDITIONS {
            let costs = COUNTS.map(|count| {
                let mut gate = Gate::start(&wasm, &make(count, condition));
                // The first request does the work that is done only once.
                gate.send(first, u64::MAX / 4);
                [(); 2].map(|()| {
                    let outcome = gate.send(second, u64::MAX / 4);
                    if outcome.status.is_some() {
                        let line = gate.last_line();
                        faults.push(format!("{family} by {name}: {outcome:?} {line}"));
                    }
                    outcome.steps
                })
            });
            let added = u64::try_from(COUNTS[2] - COUNTS[0]).unwrap();
            for (index, each_rule) in [(0, EACH_RULE), (1, EACH_RULE_LATER)] {
                let costs = costs.map(|costs| costs[index]);
                let more = costs[2].saturating_sub(costs[0]);
                if more > each_rule * added || !is_linear(costs) {
                    faults.push(format!("{family} by {name}: {costs:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Parts of paths that are repeated, with one reading and with several.
const PIECES: [&str; 12] = [
    "/orders",
    "/t",
    "/n8n",
    "/N8N",
    "/%6e8n",
    "//",
    "/..",
    "/%2e",
    "/..%2f",
    "%25",
    ";n8n",
    "/a/../n8n",
];

const BEGINNINGS: [&str; 8] = [
    "/n8n/webhook/t",
    "/n8n/api/v1/t",
    "/n8n/rest",
    "/n8n",
    "/N8N",
    "//n8n",
    "/x",
    "",
];

fn growing(beginning: &'static str, piece: &'static str) -> Kind {
    Kind {
        name: format!("{beginning} and {piece:?} repeated"),
        goes_on: false,
        head: Box::new(move |size| of_path(beginning, piece, size)),
    }
}

#[test]
fn a_path_costs_no_more_than_its_bytes_where_n8n_is_below_a_path_prefix() {
    let wasm = wasm();
    let webhooks = json!([
        { "path": "/webhook/t/orders/**", "auth": "open" },
        { "path": "/webhook/*/*/n8n", "auth": "deny" },
    ]);
    let mut faults = Vec::new();
    for prefix in ["/n8n", "/n8n/n8n/n8n", "/a/b/c/d/e/f/g/h"] {
        for outside in ["deny", "pass"] {
            let more = json!({ "path_prefix": prefix, "outside": outside });
            let mut gate = Gate::start(&wasm, &policy(&webhooks, &more));
            for beginning in BEGINNINGS {
                for piece in PIECES {
                    let kind = growing(beginning, piece);
                    let fault = faults_of(&mut gate, &kind);
                    faults.extend(fault.map(|fault| format!("{prefix}, {outside}: {fault}")));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_host_costs_no_more_than_its_bytes_where_there_are_instances() {
    let wasm = wasm();
    let mut gate = Gate::start(&wasm, &instances(200, CONDITIONS[0].1));
    let mut faults = Vec::new();
    for (name, piece) in [
        (":authority", "a."),
        (":authority", "n1."),
        (":authority", "."),
        (":authority", "A"),
        (":authority", ":1"),
        (":authority", "%"),
        ("host", "a."),
        ("x-forwarded-host", "a."),
    ] {
        for end in ["", ".n1.example.com", ".example.com"] {
            let kind = Kind {
                name: format!("{name}: {piece:?} repeated, then {end:?}"),
                goes_on: false,
                head: Box::new(move |size| {
                    let host = format!("{}{end}", piece.repeat(size / piece.len()));
                    requests::of_host(name, &host)
                }),
            };
            faults.extend(faults_of(&mut gate, &kind));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
