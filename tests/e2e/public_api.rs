//! Which callers reach the public API, with which identity, and the refusals of all others.

use serde_json::json;

use crate::gate::{
    changed, claims, key, now, policy, token, token_of, Gate, ADMIN, AUDIENCE, ISSUER, KEY_A,
    KEY_ID, KEY_PEOPLE, READER,
};
use crate::mint::{KeyKind, Mint};
use crate::scenario::{arrives, refused, run_scenarios, upstream, Scenario};
use crate::support::http::Request;
use crate::support::server::{Reply, Script};

fn list() -> Request {
    Request::get("/api/v1/workflows")
}

fn with_token_of(changes: &serde_json::Value) -> Request {
    list().bearer(&changed(changes))
}

#[test]
fn callers_get_their_principal_and_no_other_identity() {
    let gate = Gate::start();
    let person = json!({"client_id": "some-app", "azp": "some-app", "email": "ada@example.com", "email_verified": true});
    run_scenarios(
        &gate,
        vec![
            arrives(
                "an application",
                list().bearer(&token("app-a", &[READER])),
                upstream()
                    .with("x-n8n-api-key", KEY_A)
                    .with("x-auth-subject", "app-a")
                    .with("x-auth-client", "app-a")
                    .with("x-auth-issuer", ISSUER)
                    .with("x-auth-roles", READER)
                    .with("x-auth-principal", "app-a")
                    .without("authorization"),
            ),
            arrives(
                "a person whose e-mail address is verified",
                with_token_of(&person),
                upstream()
                    .with("x-n8n-api-key", KEY_PEOPLE)
                    .with("x-auth-email", "ada@example.com")
                    .with("x-auth-principal", "people"),
            ),
            arrives(
                "the scheme in other letters (RFC 9110 §11.1)",
                list().header(
                    "AUTHORIZATION",
                    format!("bEARER {}", token("app-a", &[READER])),
                ),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
            arrives(
                "one of several audiences",
                with_token_of(&json!({"aud": ["api://other", AUDIENCE]})),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
            arrives(
                "upper case in the path, which n8n does not mind",
                Request::get("/API/v1/workflows").bearer(&token("app-a", &[READER])),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
            arrives(
                "the session cookie beside a token",
                list()
                    .bearer(&token("app-a", &[READER]))
                    .header("Cookie", "a=1; n8n-auth=session; b=2"),
                upstream().with("cookie", "a=1; b=2"),
            ),
            arrives(
                "the session cookie in a second header",
                list()
                    .bearer(&token("app-a", &[READER]))
                    .header("Cookie", "a=1")
                    .header("Cookie", "n8n-auth=session"),
                upstream().with("cookie", "a=1"),
            ),
            arrives(
                "an n8n API key",
                list().header("X-N8N-API-KEY", "old-key"),
                upstream()
                    .with("x-n8n-api-key", "old-key")
                    .without("x-auth-principal"),
            ),
            arrives(
                "an unknown operation, by a caller with the scope `*`",
                Request::get("/api/v1/from-the-future").bearer(&token("app-a", &[ADMIN])),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
        ],
    );
}

#[test]
fn every_other_caller_is_refused_with_the_reason() {
    let gate = Gate::start();
    let good = || token("app-a", &[READER]);
    let unverified = json!({"client_id": "x", "azp": "x", "email": "ada@example.com"});
    run_scenarios(
        &gate,
        vec![
            refused("no credential", list(), 401, "no_credential"),
            refused(
                "another scheme",
                list().header("Authorization", "Basic dTpw"),
                401,
                "no_credential",
            ),
            refused(
                "two Authorization headers",
                list().bearer(&good()).bearer(&good()),
                400,
                "duplicate_authorization",
            ),
            refused(
                "a token and an API key",
                list().bearer(&good()).header("X-N8N-API-KEY", "old-key"),
                400,
                "two_credentials",
            ),
            refused(
                "two API keys",
                list()
                    .header("X-N8N-API-KEY", "a")
                    .header("x-n8n-api-key", "b"),
                400,
                "duplicate_api_key",
            ),
            refused(
                "a header without a token",
                list().header("Authorization", "Bearer"),
                400,
                "malformed_authorization",
            ),
            refused(
                "a client without a principal",
                list().bearer(&token("app-z", &[ADMIN])),
                403,
                "no_principal",
            ),
            refused(
                "an e-mail address that is not verified",
                with_token_of(&unverified),
                403,
                "no_principal",
            ),
            refused(
                "a role that allows something else",
                Request::new("DELETE", "/api/v1/workflows/1").bearer(&good()),
                403,
                "insufficient_scope",
            ),
            refused(
                "an unknown operation",
                Request::get("/api/v1/from-the-future").bearer(&good()),
                403,
                "unknown_operation",
            ),
        ],
    );
}

#[test]
fn tokens_that_prove_nothing_are_refused() {
    let gate = Gate::start();
    run_scenarios(&gate, worthless_tokens());
}

fn worthless_tokens() -> Vec<Scenario> {
    let good_claims = claims("app-a", &[READER], &json!({}));
    let good = token_of(&good_claims);
    let (input, _) = good.rsplit_once('.').unwrap();
    let attacker = Mint::generate(KeyKind::Rsa2048);
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": KEY_ID});
    let signed = |header: &serde_json::Value| list().bearer(&key().sign(header, &good_claims));
    vec![
        refused("not a JWT", list().bearer("opaque"), 401, "not_a_jws"),
        refused(
            "an empty signature",
            list().bearer(&format!("{input}.")),
            401,
            "not_a_jws",
        ),
        refused(
            "the key of an attacker under the provider's key id",
            list().bearer(&attacker.sign(&header, &good_claims)),
            401,
            "bad_signature",
        ),
        refused(
            "a key id that the provider does not publish",
            signed(&json!({"alg": "RS256", "kid": "unknown"})),
            401,
            "unknown_key_id",
        ),
        refused(
            "a critical extension (RFC 7515 §4.1.11)",
            signed(&json!({"alg": "RS256", "kid": KEY_ID, "crit": ["b64"], "b64": false})),
            401,
            "critical_header",
        ),
        refused(
            "a log-out token",
            signed(&json!({"alg": "RS256", "kid": KEY_ID, "typ": "logout+jwt"})),
            401,
            "wrong_type",
        ),
        refused(
            "an issuer that is not configured",
            with_token_of(&json!({"iss": "https://evil.example.test"})),
            401,
            "unknown_issuer",
        ),
        refused(
            "no issuer",
            with_token_of(&json!({"iss": null})),
            401,
            "issuer_missing",
        ),
        refused(
            "another audience",
            with_token_of(&json!({"aud": "api://something-else"})),
            401,
            "wrong_audience",
        ),
        refused(
            "no audience",
            with_token_of(&json!({"aud": null})),
            401,
            "audience_missing",
        ),
        refused(
            "expired beyond the skew",
            with_token_of(&json!({"iat": now() - 600, "exp": now() - 60})),
            401,
            "expired",
        ),
        refused(
            "no expiry",
            with_token_of(&json!({"exp": null})),
            401,
            "expiry_missing",
        ),
        refused(
            "an expiry that is text (CVE-2026-25537)",
            with_token_of(&json!({"exp": "9999999999"})),
            401,
            "claim_of_wrong_type",
        ),
        refused(
            "not valid yet",
            with_token_of(&json!({"nbf": now() + 600})),
            401,
            "not_yet_valid",
        ),
    ]
}

#[test]
fn every_algorithm_family_opens_the_api() {
    let keys = [
        (
            "rsa",
            KeyKind::Rsa2048,
            ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].as_slice(),
        ),
        ("p256", KeyKind::P256, ["ES256"].as_slice()),
        ("p384", KeyKind::P384, ["ES384"].as_slice()),
        ("ed25519", KeyKind::Ed25519, ["EdDSA"].as_slice()),
    ];
    let gate = Gate::start();
    let published: Vec<_> = keys
        .iter()
        .map(|(id, kind, _)| crate::mint::mint(*kind).jwk(id))
        .collect();
    gate.provider.publish(&published);
    for (id, kind, algorithms) in keys {
        for algorithm in algorithms {
            let header = json!({"alg": algorithm, "kid": id});
            let claims = claims("app-a", &[READER], &json!({}));
            let token = crate::mint::mint(kind).sign(&header, &claims);
            let response = list().bearer(&token).send(gate.envoy.port()).unwrap();
            assert_eq!(response.status, 200, "{algorithm}: {}", response.text());
        }
    }
}

#[test]
fn where_single_sign_on_is_enforced_api_keys_are_refused() {
    let mut policy = policy();
    policy["public_api"] = json!({"api_keys": "refuse"});
    let gate = Gate::with(policy, |setup| setup);
    run_scenarios(
        &gate,
        vec![
            refused(
                "an n8n API key",
                list().header("X-N8N-API-KEY", "old-key"),
                401,
                "api_key_refused",
            ),
            arrives(
                "a token",
                list().bearer(&token("app-a", &[READER])),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
        ],
    );
}

#[test]
fn static_api_keys_pass_only_where_a_rule_allows_them() {
    let mut policy = policy();
    policy["public_api"] = json!({"api_keys": "refuse", "rules": [
        {"host": "legacy.example.test", "path": "/api/v1/executions/**", "api_keys": "pass"},
    ]});
    let gate = Gate::with(policy, |setup| setup);
    let keyed = |host: &str, path: &str| {
        let request = Request::get(path).header("X-N8N-API-KEY", "old-key");
        request.host(host)
    };
    let legacy = "legacy.example.test";
    let passes = |name, host, path| {
        let arrived = upstream().with("x-n8n-api-key", "old-key");
        arrives(name, keyed(host, path), arrived)
    };
    let refused = |name, host, path| refused(name, keyed(host, path), 401, "api_key_refused");
    let executions = "/api/v1/executions/7";
    run_scenarios(
        &gate,
        vec![
            passes("the host and path of the rule", legacy, executions),
            passes("another spelling", "LEGACY.example.test.:80", executions),
            refused("another path", legacy, "/api/v1/workflows"),
            refused("another host", "n8n.example.test", executions),
            refused("a host below it", "x.legacy.example.test", executions),
            refused("a path that looks alike", legacy, "/api/v1/executionsx"),
        ],
    );
}

/// A workflow that repeats its request head, or a proxy before n8n, must not show a key to the
/// caller.
#[test]
fn a_key_in_a_response_of_n8n_does_not_reach_the_caller() {
    let gate = Gate::start();
    let echo = Reply::json(&json!({})).header("X-N8N-API-KEY", KEY_A);
    gate.recorder
        .script(Script::Reply(echo.header("x-kept", "yes")));
    let good = token("app-a", &[READER]);
    for request in [
        Request::get("/api/v1/workflows").bearer(&good),
        Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "static"),
        Request::get("/webhook/open/x"),
        Request::get("/home"),
    ] {
        let response = request.send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.header("x-n8n-api-key"), None);
        assert_eq!(response.header("x-kept").as_deref(), Some("yes"));
    }
}
