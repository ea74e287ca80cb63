//! The gate with tokens and keys of a certified OpenID provider.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

#[path = "../support/mod.rs"]
mod support;

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};
use support::browser::Browser;
use support::certificates::{Authority, Certificate};
use support::envoy::Setup;
use support::http::Request;
use support::ports;
use support::provider::{
    clients, RealProvider, ASKING_CLIENT, AUDIENCE, OPAQUE_AUDIENCE, OTHER_AUDIENCE, READ, WRITE,
};
use support::stage::{wait_for_the_end_of_ttl, Stage};

/// A provider and a gate that trusts it.
struct Setting {
    provider: RealProvider,
    stage: Stage,
}

impl Setting {
    fn start() -> Self {
        let provider = RealProvider::start(ports::free().unwrap(), clients()).unwrap();
        let stage = Stage::start(policy(&provider.issuer()), |setup| {
            setup
                .cluster("provider", provider.port())
                .secret("N8N_KEY_APP_A", "key-of-app-a")
                .secret("N8N_KEY_APP_B", "key-of-app-b")
                .secret("INTROSPECTION_SECRET", "secret-of-n8n:gate")
        });
        Self { provider, stage }
    }

    /// The provider and the gate of all tests that do not change them.
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Setting> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }
}

fn policy(issuer: &str) -> Value {
    json!({
        "providers": [{
            "name": "certified",
            "issuer": issuer,
            "audiences": [AUDIENCE, OPAQUE_AUDIENCE],
            "typ": "at+jwt",
            "cluster": "provider",
            "keys": { "cooldown": "1s" },
            "introspection": {
                "uri": format!("{issuer}/token/introspection"),
                "client_id": ASKING_CLIENT,
                "client_secret": { "env": "INTROSPECTION_SECRET" },
                "ttl": "1s",
                "inactive_ttl": "1s",
            },
        }],
        "roles": { READ: ["workflow:list", "workflow:read"], WRITE: ["workflow:create"] },
        "principals": [
            { "name": "app-a", "match": { "client": "app-a" }, "api_key": { "env": "N8N_KEY_APP_A" } },
            { "name": "app-b", "match": { "client": "app-b" }, "api_key": { "env": "N8N_KEY_APP_B" } },
        ],
    })
}

#[test]
fn an_access_token_of_the_provider_gives_access_to_the_api() {
    let Setting { provider, stage } = Setting::shared();
    let token = provider.token("app-a", READ, AUDIENCE).unwrap();
    let request = Request::get("/api/v1/workflows?marker=an-access-token");
    let response = stage.send(request, &token);
    assert_eq!(response.status, 200, "{}", response.text());
    let recorded = stage.recorder.take();
    let recorded = recorded
        .iter()
        .find(|recorded| recorded.target.ends_with("an-access-token"))
        .unwrap();
    assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-app-a"]);
    assert_eq!(recorded.values("x-auth-client"), ["app-a"]);
    assert_eq!(recorded.values("x-auth-kind"), ["app"]);
    assert_eq!(recorded.values("authorization"), [""; 0]);
}

#[test]
fn a_client_without_the_role_learns_the_missing_operation_and_no_scope_of_n8n() {
    let Setting { provider, stage } = Setting::shared();
    let token = provider.token("app-b", "", AUDIENCE).unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (403, json!("insufficient_scope")));
    let challenge = response.header("www-authenticate").unwrap();
    // The challenge has no n8n scope, because the provider does not know them.
    assert!(!challenge.contains("scope="), "{challenge}");
    let detail = response.json()["detail"].to_string();
    assert!(detail.contains("Missing: workflow:list."), "{detail}");
}

#[test]
fn a_token_for_another_audience_is_refused() {
    let Setting { provider, stage } = Setting::shared();
    let token = provider.token("app-a", "", OTHER_AUDIENCE).unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("wrong_audience")));
}

#[test]
fn an_expired_token_of_the_provider_is_refused() {
    let Setting { provider, stage } = Setting::shared();
    let token = provider.token("app-late", READ, AUDIENCE).unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("expired")));
}

#[test]
fn a_token_of_a_provider_with_other_keys_is_refused() {
    let Setting { stage, .. } = Setting::shared();
    let other = RealProvider::start(ports::free().unwrap(), clients()).unwrap();
    let token = other.token("app-a", READ, AUDIENCE).unwrap();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("unknown_issuer")));
}

/// The provider sends the log-out token itself.
#[test]
fn a_log_out_at_the_provider_ends_the_tokens_of_the_person() {
    let port = ports::free().unwrap();
    let mut policy = policy(&format!("http://127.0.0.1:{port}"));
    policy["providers"][0]["logout"] = json!({ "audience": "portal" });
    policy["sharing_secret"] = json!({ "env": "SHARING" });
    policy["principals"] = json!([{ "name": "people", "match": { "client": "portal" },
        "api_key": { "env": "N8N_KEY_APP_A" } }]);
    let stage = Stage::start(policy, |setup| {
        setup
            .cluster("provider", port)
            .secret("N8N_KEY_APP_A", "key-of-people")
            .secret("INTROSPECTION_SECRET", "secret-of-n8n:gate")
            .secret("SHARING", "a-secret-of-all-workers")
            .holding_heads_alone()
            .workers(2)
    });
    let path = "/n8n-idp-gate/logout/certified";
    let address = format!("http://127.0.0.1:{}{path}", stage.envoy.port());
    let provider = RealProvider::start_with_portal(port, AUDIENCE, &address).unwrap();
    let mut browser = Browser::new(port);
    let [access, id_token] = provider.log_in(&mut browser, AUDIENCE).unwrap();
    let opens = |token: &str| stage.list_workflows(token).status == 200;
    assert!(wait_until(|| opens(&access)), "{}", stage.envoy.log_text());
    for _ in 0..8 {
        assert!(opens(&access));
    }
    RealProvider::log_out(&mut browser, &id_token).unwrap();
    let log = || (provider.log_text(), stage.envoy.log_text());
    let is_refused = || stage.list_workflows(&access).refusal() == (401, json!("token_revoked"));
    assert!(wait_until(is_refused), "{:?}", log());
    for _ in 0..8 {
        assert!(is_refused(), "{:?}", log());
    }
    let records = stage.envoy.audit();
    let event = records
        .iter()
        .find(|record| record["operation"] == "logout")
        .unwrap();
    assert_eq!(event["decision"], "respond", "{event}");
    assert_eq!(event["claimed"]["sub"], "ann", "{event}");
    // Neither token is one of the other kind.
    let form = format!("logout_token={access}");
    let response = Request::new("POST", path)
        .form(form)
        .send(stage.envoy.port())
        .unwrap();
    assert_eq!(response.refusal(), (400, json!("event_refused")));
}

/// Whether something holds within some seconds.
fn wait_until(holds: impl Fn() -> bool) -> bool {
    for _ in 0..200 {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    false
}

#[test]
fn tokens_of_the_new_key_open_the_api_after_a_rotation() {
    let Setting { provider, stage } = Setting::start();
    let before = provider.token("app-a", READ, AUDIENCE).unwrap();
    assert_eq!(stage.list_workflows(&before).status, 200);
    provider.rotate(true).unwrap();
    // The gate makes at most one refetch for an unknown key in a `cooldown`.
    wait_for_the_end_of_ttl();
    let after = provider.token("app-a", READ, AUDIENCE).unwrap();
    assert_eq!(stage.list_workflows(&after).status, 200);
    assert_eq!(stage.list_workflows(&before).status, 200);
}

#[test]
fn tokens_of_a_key_that_was_withdrawn_are_refused() {
    let Setting { provider, stage } = Setting::start();
    let before = provider.token("app-a", READ, AUDIENCE).unwrap();
    assert_eq!(stage.list_workflows(&before).status, 200);
    provider.rotate(false).unwrap();
    wait_for_the_end_of_ttl();
    let after = provider.token("app-a", READ, AUDIENCE).unwrap();
    assert_eq!(stage.list_workflows(&after).status, 200);
    // The token of the old key is in the cache, and must not be accepted without the key.
    let response = stage.list_workflows(&before);
    assert_eq!(response.refusal(), (401, json!("unknown_key_id")));
}

#[test]
fn an_opaque_token_of_the_provider_opens_the_api_until_it_is_revoked() {
    let Setting { provider, stage } = Setting::start();
    let [token, other] = [(); 2].map(|()| {
        let token = provider.token("app-a", READ, OPAQUE_AUDIENCE);
        token.unwrap()
    });
    assert!(!token.contains('.'), "{token}");
    let response = stage.list_workflows(&token);
    assert_eq!(response.status, 200, "{}", response.text());
    let recorded = stage.recorder.take();
    let recorded = recorded.last().unwrap();
    assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-app-a"]);
    assert_eq!(recorded.values("x-auth-client"), ["app-a"]);
    assert_eq!(recorded.values("x-auth-issuer"), [provider.issuer()]);
    assert_eq!(recorded.values("authorization"), [""; 0]);
    provider.revoke("app-a", &token).unwrap();
    // The token status is used for `ttl`.
    wait_for_the_end_of_ttl();
    let response = stage.list_workflows(&token);
    assert_eq!(response.refusal(), (401, json!("inactive")));
    assert_eq!(stage.list_workflows(&other).status, 200);
    assert!(
        !stage.envoy.log_text().contains(&token),
        "the log holds a token"
    );
}

#[test]
fn an_opaque_token_that_the_provider_never_made_is_refused() {
    let Setting { stage, .. } = Setting::shared();
    for token in ["made-up", "ya29.c.made-up", "eyJhbGciOiJSUzI1NiJ9.e30"] {
        let response = stage.list_workflows(token);
        assert_eq!(response.refusal(), (401, json!("inactive")), "{token}");
    }
}

/// The policy without introspection, which takes proofs.
fn policy_for_bound_tokens(provider: &RealProvider) -> Value {
    let mut policy = policy(&provider.issuer());
    policy["client_certificates"] = json!({ "from": "connection" });
    policy
}

fn complete(setup: Setup, provider: &RealProvider) -> Setup {
    setup
        .cluster("provider", provider.port())
        .secret("N8N_KEY_APP_A", "key-of-app-a")
        .secret("N8N_KEY_APP_B", "key-of-app-b")
        .secret("INTROSPECTION_SECRET", "secret-of-n8n:gate")
}

#[test]
fn a_client_library_with_proofs_of_each_algorithm_uses_the_api() {
    let provider = RealProvider::start(ports::free().unwrap(), clients()).unwrap();
    let stage = Stage::start(policy_for_bound_tokens(&provider), |setup| {
        complete(setup, &provider).at_own_origin("http")
    });
    let list = format!("http://127.0.0.1:{}/api/v1/workflows", stage.envoy.port());
    let paged = format!("{list}?limit=5");
    let users = format!("http://127.0.0.1:{}/api/v1/users", stage.envoy.port());
    for (algorithm, resource) in [
        ("ES256", AUDIENCE),
        ("Ed25519", AUDIENCE),
        ("RS256", AUDIENCE),
        ("PS256", AUDIENCE),
        ("ES256", OPAQUE_AUDIENCE),
    ] {
        let settings =
            json!({ "dpop": algorithm, "resource": resource, "calls": [list, paged, list, users] });
        let result = provider.run_client("app-a", &settings).unwrap();
        assert_eq!(result["type"], json!("dpop"), "{result}");
        let responses = result["responses"].as_array().unwrap();
        let statuses: Vec<_> = responses.iter().map(|one| one["status"].as_u64()).collect();
        let expected = [Some(200), Some(200), Some(200), Some(403)];
        assert_eq!(statuses, expected, "{algorithm} {resource}: {result}");
    }
    for recorded in stage.recorder.take() {
        assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-app-a"]);
        assert_eq!(recorded.values("authorization"), [""; 0]);
        assert_eq!(recorded.values("dpop"), [""; 0]);
    }
    // Without proofs, the same client still gets bearer tokens.
    let result = provider
        .run_client("app-a", &json!({ "calls": [list] }))
        .unwrap();
    assert_eq!(result["type"], json!("bearer"));
    assert_eq!(result["responses"][0]["status"], json!(200), "{result}");
}

#[test]
fn a_client_library_takes_up_the_nonce_of_the_gate() {
    let provider = RealProvider::start(ports::free().unwrap(), clients()).unwrap();
    let mut policy = policy_for_bound_tokens(&provider);
    policy["dpop_proofs"] = json!({ "nonces": true });
    policy["providers"][0]["dpop"] = json!("required");
    let stage = Stage::start(policy, |setup| {
        complete(setup, &provider).at_own_origin("http")
    });
    let list = format!("http://127.0.0.1:{}/api/v1/workflows", stage.envoy.port());
    let settings = json!({ "dpop": "ES256", "calls": [list, list] });
    let result = provider.run_client("app-a", &settings).unwrap();
    let responses = result["responses"].as_array().unwrap();
    let statuses: Vec<_> = responses.iter().map(|one| one["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(200), Some(200)], "{result}");
    let audit = stage.envoy.audit();
    let reasons: Vec<_> = audit
        .iter()
        .map(|record| record["reason"].clone())
        .collect();
    assert_eq!(reasons, [json!("use_dpop_nonce"), Value::Null, Value::Null]);
    // The provider gives this client bearer tokens, too, and the gate takes none.
    let result = provider
        .run_client("app-a", &json!({ "calls": [list] }))
        .unwrap();
    let body = result["responses"][0]["body"].as_str().unwrap();
    assert!(body.contains("dpop_required"), "{body}");
}

#[test]
fn a_client_library_with_a_certificate_uses_the_api_over_its_own_connection_alone() {
    let authority = Authority::new().unwrap();
    let server = authority
        .signed("server", "/CN=server", "IP:127.0.0.1")
        .unwrap();
    let own = authority
        .signed("own", "/CN=app-a", "DNS:a.example")
        .unwrap();
    let other = authority
        .signed("other", "/CN=app-a", "DNS:a.example")
        .unwrap();
    let mut registered = clients();
    registered[0].has_certificate = true;
    let (port, tls_port) = (ports::free().unwrap(), ports::free().unwrap());
    let tls = Some((tls_port, &server, &authority));
    let provider = RealProvider::start_with_tls(port, registered, tls).unwrap();
    let stage = Stage::start(policy_for_bound_tokens(&provider), |setup| {
        complete(setup, &provider).tls(json!({
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": { "filename": server.chain },
                    "private_key": { "filename": server.key },
                }],
                "validation_context": { "trusted_ca": { "filename": authority.root() } },
            },
        }))
    });
    let list = format!("https://127.0.0.1:{}/api/v1/workflows", stage.envoy.port());
    for resource in [AUDIENCE, OPAQUE_AUDIENCE] {
        let run = |calls_with: &Certificate| {
            let settings = json!({ "resource": resource, "calls": [list, list],
                "certificate": own.chain, "key": own.key, "authority": authority.root(),
                "call_certificate": calls_with.chain, "call_key": calls_with.key });
            provider.run_client("app-a", &settings).unwrap()
        };
        let result = run(&own);
        assert_eq!(result["responses"][1]["status"], json!(200), "{result}");
        if resource == AUDIENCE {
            let bound_to = json!({ "x5t#S256": own.thumbprint() });
            assert_eq!(result["cnf"], bound_to);
        }
        let stolen = run(&other);
        assert_eq!(stolen["responses"][0]["status"], json!(401), "{stolen}");
        let body = stolen["responses"][0]["body"].as_str().unwrap();
        assert!(body.contains("client_certificate_mismatch"), "{body}");
    }
    for recorded in stage.recorder.take() {
        assert_eq!(recorded.values("x-n8n-api-key"), ["key-of-app-a"]);
    }
}
