//! Requests with made-up identities, odd bytes and odd paths.

use serde_json::json;

use crate::gate::{policy, token, Gate, KEY_A, ORDERS, READER};
use crate::scenario::{arrives, refused, refused_by_envoy, run_scenarios, upstream};
use crate::support::envoy::Setup;
use crate::support::http::Request;

#[test]
fn no_surface_gets_a_made_up_identity() {
    let gate = Gate::start();
    let forged = |request: Request| {
        request
            .header("X-Auth-Subject", "forged")
            .header("x_auth_client", "forged")
            .header("X-Auth_Principal", "forged")
            .header("X-AUTH-ROLES", "forged")
            .header("X-Auth-Roles", "again")
    };
    let nothing_forged = || {
        upstream()
            .without("x_auth_client")
            .without("x-auth_principal")
    };
    let no_identity = || {
        nothing_forged()
            .without("x-auth-subject")
            .without("x-auth-roles")
    };
    run_scenarios(
        &gate,
        vec![
            arrives(
                "public API with a token",
                forged(Request::get("/api/v1/workflows")).bearer(&token("app-a", &[READER])),
                nothing_forged()
                    .with("x-auth-subject", "app-a")
                    .with("x-auth-roles", READER),
            ),
            arrives(
                "public API with an API key",
                forged(Request::get("/api/v1/workflows")).header("X-N8N-API-KEY", "old-key"),
                no_identity(),
            ),
            arrives(
                "open webhook",
                forged(Request::get("/webhook/open/a")),
                no_identity(),
            ),
            arrives(
                "internal API",
                forged(Request::get("/rest/settings")),
                no_identity(),
            ),
            arrives("user interface", forged(Request::get("/")), no_identity()),
            arrives(
                "MCP",
                forged(Request::get("/mcp-server/http")),
                no_identity(),
            ),
            arrives("metrics", forged(Request::get("/metrics")), no_identity()),
        ],
    );
}

#[test]
fn a_head_of_60_kb_is_decided_and_delays_no_other_request() {
    let mut policy = policy();
    policy["webhooks"] = json!([
        { "path": "/webhook/t/orders/**", "require": { "roles": [ORDERS] } },
        { "path": "/webhook/open/**", "auth": "open" },
    ]);
    let gate = Gate::with(policy, |setup| setup.heads_of(96));
    let long = |start: &str, piece: &str| {
        let path = format!("{start}{}", piece.repeat((60 << 10) / piece.len()));
        Request::get(path)
    };
    let cookies = || "n8n-auth=x; a=b; ".repeat((60 << 10) / 17);
    let good = || Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    // If the cost were the square of the length, these would take minutes, and the client would
    // time out.
    run_scenarios(
        &gate,
        vec![
            refused(
                "equal segments",
                long("/webhook/t", "/orders"),
                400,
                "ambiguous_path",
            ),
            refused(
                "the shortest segments",
                long("/webhook/t", "/a"),
                400,
                "ambiguous_path",
            ),
            refused(
                "test endpoint",
                long("/webhook-test/t", "/t"),
                400,
                "ambiguous_path",
            ),
            refused(
                "public API",
                long("/api/v1", "/workflows"),
                400,
                "ambiguous_path",
            ),
            refused("encoded segments", long("", "/%61"), 400, "ambiguous_path"),
            refused(
                "encoded many times",
                long("/%", "25"),
                400,
                "ambiguous_path",
            ),
            refused("dots", long("", "/.."), 400, "ambiguous_path"),
            arrives("one long segment", long("/webhook/open/", "a"), upstream()),
            arrives("the user interface", long("", "/a"), upstream()),
            arrives(
                "cookies beside a good token",
                good().header("Cookie", cookies()),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
            arrives(
                "the next request",
                good(),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
        ],
    );
}

#[test]
fn odd_bytes_neither_get_through_nor_harm_the_next_request() {
    let gate = Gate::start();
    let good = || Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    run_scenarios(
        &gate,
        vec![
            arrives(
                "a header that is not UTF-8",
                good().header("X-Junk", b"a\xff\xfe"),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
            refused(
                "a token that is not UTF-8",
                Request::get("/api/v1/workflows").header("Authorization", b"Bearer \xff"),
                400,
                "malformed_authorization",
            ),
            refused(
                "a token that goes on in a folded line",
                Request::get("/api/v1/workflows").header("Authorization", "Bearer a\r\n b"),
                400,
                "malformed_authorization",
            ),
            arrives(
                "an identity header that is not UTF-8",
                good().header("X-Auth-Email", b"\xff"),
                upstream().without("x-auth-email"),
            ),
            arrives(
                "cookies that are not UTF-8",
                good().header("Cookie", b"n8n-auth=x; a=\xff"),
                upstream().without("cookie"),
            ),
            refused_by_envoy(
                "a header name beyond ASCII",
                good().header(b"X-\xff", "a"),
                400,
            ),
            refused_by_envoy("a null byte", good().header("X-Junk", b"a\0b"), 400),
            refused_by_envoy("a path beyond ASCII", Request::get(b"/api/v1/\xff"), 400),
            refused_by_envoy("a fragment", Request::get("/api/v1/workflows#x"), 400),
            arrives("a good request after all of them", good(), upstream()),
        ],
    );
    let stats = gate.envoy.stats().unwrap();
    assert!(!stats.contains("wasm_vm_failed"), "the module trapped");
}

#[test]
fn a_connection_header_cannot_remove_what_the_gate_set() {
    let gate = Gate::start();
    let good = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    run_scenarios(
        &gate,
        vec![
            arrives(
                "of the API key",
                good.clone().header("Connection", "x-n8n-api-key"),
                upstream().with("x-n8n-api-key", KEY_A),
            ),
            refused(
                "of the token",
                good.header("Connection", "authorization"),
                401,
                "no_credential",
            ),
        ],
    );
}

#[test]
fn a_path_with_two_readings_is_refused() {
    let gate = Gate::start();
    let scenarios = [
        "/api/v1/../v1/workflows",
        "/x/../api/v1/workflows",
        "/api/v1//workflows",
        "//api/v1/workflows",
        "/api/v1/workflows%2f1",
        "/api%2fv1/workflows",
        "/%61pi/v1/workflows",
        "/api/v1/%2e%2e/workflows",
        "/api/v1;a=b/workflows",
        "/api\\v1/workflows",
        "/webhook/open/..%2f..%2frest/settings",
        "/webhook/open/%00",
        "/webhook/open/%zz",
    ]
    .map(|path| {
        refused(
            path,
            Request::get(path).bearer(&token("app-a", &[READER])),
            400,
            "ambiguous_path",
        )
    });
    run_scenarios(&gate, scenarios.into());
}

#[test]
fn normalising_in_envoy_first_changes_no_decision() {
    let gate = Gate::with(policy(), Setup::normalizing);
    run_scenarios(
        &gate,
        vec![
            refused(
                "the API behind dot segments",
                Request::get("/webhook/open/%2e%2e/%2e%2e/api/v1/workflows"),
                401,
                "no_credential",
            ),
            arrives(
                "a forged identity behind dot segments",
                Request::get("/x/../webhook/open/a").header("x-auth-subject", "forged"),
                upstream().without("x-auth-subject"),
            ),
        ],
    );
    let post = Request::post("/rest/login", &json!({}));
    assert_eq!(post.send(gate.envoy.port()).unwrap().status, 200);
}
