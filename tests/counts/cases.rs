//! The requests that are counted, and the policy that decides about them: that of `make bench`.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

/// The head of a request: names and values, as Envoy hands them to the filter.
pub(crate) type Head = Vec<(String, String)>;

/// Seconds since 1970, for the clock and for the times of tokens.
pub(crate) const NOW: u64 = 1_800_000_000;

const ISSUER: &str = "https://idp-0.example.test/realms/main";
const AUDIENCE: &str = "api://n8n-api";
const READER: &str = "N8N.Workflow.Read";
const CLIENT: &str = "application-9";

/// The variables of the API keys begin so, and the number of the principal follows.
pub(crate) const KEYS: &str = "N8N_KEY_";

/// The API key of the principal with this number.
pub(crate) fn api_key(principal: &str) -> String {
    format!("n8n-key-of-principal-{principal}")
}

/// The bytes of the modulus of the provider's key, and of a signature.
const RSA: usize = 256;

/// More tokens than a worker keeps. After so many, each new one takes the place of an old one.
const FULL: usize = 4200;

/// What must become of each request of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on with the API key of the caller.
    Swapped,
    /// It goes on, and gets no API key.
    Passed,
    /// It is refused with this status.
    Refused(u16),
}

/// Requests of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// What it is called on the command line and in tables.
    pub(crate) name: &'static str,
    /// The request with this number.
    pub(crate) head: fn(usize) -> Head,
    /// What the host says about each signature.
    pub(crate) is_signature_good: bool,
    /// Whether the host writes audit records.
    pub(crate) has_audit: bool,
    /// How many requests come before those that are counted.
    pub(crate) before: usize,
    /// What must become of each.
    pub(crate) outcome: Outcome,
}

const REPEATED: Case = Case {
    name: "repeated token",
    head: |_| api(&token(0)),
    is_signature_good: true,
    has_audit: false,
    before: 10,
    outcome: Outcome::Swapped,
};

/// Every case.
pub(crate) const CASES: [Case; 8] = [
    REPEATED,
    Case {
        name: "repeated token, audit",
        has_audit: true,
        ..REPEATED
    },
    Case {
        name: "unique token",
        head: |number| api(&token(number)),
        before: FULL,
        ..REPEATED
    },
    Case {
        name: "forged token",
        head: |number| api(&token(number)),
        is_signature_good: false,
        outcome: Outcome::Refused(401),
        ..REPEATED
    },
    Case {
        name: "API key",
        head: |_| {
            request(
                "/api/v1/workflows",
                Some(("x-n8n-api-key", "a-key-of-n8n-s-own")),
            )
        },
        outcome: Outcome::Passed,
        ..REPEATED
    },
    Case {
        name: "editor",
        head: |_| request("/", None),
        outcome: Outcome::Passed,
        ..REPEATED
    },
    Case {
        name: "webhook, token",
        head: |_| {
            request(
                "/webhook/guarded",
                Some(("authorization", &bearer(&token(0)))),
            )
        },
        outcome: Outcome::Passed,
        ..REPEATED
    },
    Case {
        name: "webhook, open",
        head: |_| request("/webhook/open", None),
        outcome: Outcome::Passed,
        ..REPEATED
    },
];

/// Ten principals, of which the token matches the last one.
pub(crate) fn policy() -> Value {
    let others = (1..10).map(|number| format!("other-{number}"));
    let principals: Vec<Value> = others
        .chain([CLIENT.to_owned()])
        .enumerate()
        .map(|(at, client)| {
            json!({
                "name": format!("for-{client}"),
                "match": { "client": client },
                "api_key": { "env": format!("{KEYS}{at}") },
            })
        })
        .collect();
    json!({
        "providers": [ {
            "name": "idp",
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "jwks": { "keys": [ {
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "RS256",
                "n": base64url(&number(0)), "e": "AQAB",
            } ] },
        } ],
        "roles": { READER: ["workflow:list", "workflow:read"] },
        "principals": principals,
        "webhooks": [
            { "path": "/webhook/guarded", "auth": "bearer" },
            { "path": "/webhook/open", "auth": "open" },
        ],
    })
}

fn api(token: &str) -> Head {
    request("/api/v1/workflows", Some(("authorization", &bearer(token))))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// What `wrk` sends, and what Envoy adds before it calls the filter.
fn request(path: &str, credential: Option<(&str, &str)>) -> Head {
    let sent = [
        (":authority", "n8n.example.test"),
        (":path", path),
        (":method", "GET"),
        (":scheme", "http"),
    ];
    let added = [
        ("x-forwarded-proto", "http"),
        ("x-request-id", "9f1a36b6-6d8c-4d3e-8a7b-0d9c5f1e2a34"),
    ];
    let pairs = sent.into_iter().chain(credential).chain(added);
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A token as those of `make bench`, of about 900 bytes. No key signs it: the host is asked about
/// the signature, and its answer is part of the case.
fn token(at: usize) -> String {
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "RS256" });
    let claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": CLIENT,
        "azp": CLIENT,
        "client_id": CLIENT,
        "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "oid": "11bd2cd1-2a41-4a55-9b43-c2b6f0c1c1f0",
        "roles": [READER],
        "scope": "openid n8n",
        "iat": NOW.saturating_sub(60),
        "exp": NOW.saturating_add(3600),
        "jti": format!("bench-{at:010}"),
    });
    let [header, claims] = [header, claims].map(|part| base64url(part.to_string().as_bytes()));
    format!("{header}.{claims}.{}", base64url(&number(at)))
}

/// An odd number of 2048 bits, a different one for each `at`.
fn number(at: usize) -> [u8; RSA] {
    let mut state = u64::try_from(at).unwrap_or_default();
    let mut bytes = [0; RSA].map(|_: u8| {
        // The constants of Knuth's MMIX.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    let [first, .., last] = &mut bytes;
    *first |= 0x80;
    *last |= 1;
    bytes
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
