//! Two instances of n8n behind one Envoy. The host of the request selects one.

use serde_json::{json, Value};

use crate::gate::{policy, provider, token, Gate, ISSUER, KEY_A, KEY_PEOPLE, READER};
use crate::support::crowd::{send_one, Parts, Protocol};
use crate::support::envoy::Setup;
use crate::support::http::{Request, Response};
use crate::support::recorder::Recorder;

const PROD: &str = "n8n.example.test";
const TEST: &str = "n8n-test.example.test";

/// All hosts of this domain but that of the first instance belong to the second one.
const DOMAIN: &str = "*.example.test";
const PATH: &str = "/api/v1/workflows";

/// The gate of both instances, and the upstream of the second. The gate has that of the first.
fn start() -> (Gate, Recorder) {
    let test = Recorder::start().unwrap();
    let shared = policy();
    let principal = |name: &str, client: &str, variable: &str| json!({"name": name, "match": {"client": client}, "api_key": {"env": variable}});
    let policy = json!({
        "providers": shared["providers"],
        "instances": [
            {
                "name": "prod",
                "hosts": [PROD],
                "roles": shared["roles"],
                "principals": [principal("a-of-prod", "app-a", "N8N_KEY_A")],
                "public_api": {"api_keys": "refuse", "identity_headers": ["principal"]},
            },
            {
                "name": "test",
                "hosts": [DOMAIN],
                "roles": shared["roles"],
                "principals": [
                    principal("a-of-test", "app-a", "N8N_KEY_PEOPLE"),
                    principal("b-of-test", "app-b", "N8N_KEY_PEOPLE"),
                ],
                "webhooks": [{"path": "/mcp/**", "auth": "bearer"}],
                "public_api": {"identity_headers": ["principal"]},
            },
        ],
    });
    let shape = |setup: Setup| setup.host(DOMAIN, test.port()).host_of_first(PROD);
    (Gate::at(provider(), policy, shape), test)
}

fn send(gate: &Gate, host: &str, request: Request) -> Response {
    request.host(host).send(gate.envoy.port()).unwrap()
}

#[test]
fn a_token_gets_the_key_of_the_instance_that_it_is_sent_to() {
    let (gate, test) = start();
    let token = token("app-a", &[READER]);
    for _ in 0..3 {
        for (host, key, principal) in [
            (PROD.to_owned(), KEY_A, "a-of-prod"),
            (format!("{TEST}:8080"), KEY_PEOPLE, "a-of-test"),
            (PROD.to_ascii_uppercase(), KEY_A, "a-of-prod"),
            // With a port, Envoy and the gate must select the same instance.
            (format!("{PROD}:443"), KEY_A, "a-of-prod"),
            ("other.example.test:443".to_owned(), KEY_PEOPLE, "a-of-test"),
        ] {
            let response = send(&gate, &host, Request::get(PATH).bearer(&token));
            assert_eq!(response.status, 200, "{host}: {}", response.text());
            let (prod, test) = (gate.recorder.take(), test.take());
            let (recorded, silent) = if key == KEY_A {
                (prod, test)
            } else {
                (test, prod)
            };
            assert!(silent.is_empty(), "{host} reached the other instance");
            assert_eq!(recorded.len(), 1, "{host}");
            assert_eq!(recorded[0].values("x-n8n-api-key"), [key], "{host}");
            assert_eq!(
                recorded[0].values("x-auth-principal"),
                [principal],
                "{host}"
            );
        }
    }
    let named: Vec<Value> = gate.envoy.audit();
    let named: Vec<_> = named.iter().map(|line| line["instance"].clone()).collect();
    assert_eq!(named, ["prod", "test", "prod", "prod", "test"].repeat(3));
}

#[test]
fn each_instance_has_its_own_rules_and_unknown_hosts_are_refused() {
    let (gate, test) = start();
    let token = token("app-b", &[READER]);
    let bearing = || Request::get(PATH).bearer(&token);
    let keyed = || Request::get(PATH).header("X-N8N-API-KEY", "old-key");
    for (host, request, status, reason) in [
        (PROD, bearing(), 403, "no_principal"),
        (PROD, keyed(), 401, "api_key_refused"),
        ("evil.test", bearing(), 421, "unknown_host"),
        (
            "evil.test",
            keyed().header("X-Forwarded-Host", TEST),
            421,
            "unknown_host",
        ),
        ("evil.test", Request::get("/healthz"), 421, "unknown_host"),
        ("127.0.0.1", bearing(), 421, "unknown_host"),
        // Envoy joins the two headers into one.
        (
            "evil.test",
            bearing().header("Host", PROD),
            421,
            "unknown_host",
        ),
    ] {
        let response = send(&gate, host, request);
        let found = response.json()["reason"].clone();
        assert_eq!((response.status, found), (status, json!(reason)), "{host}");
    }
    assert!(gate.recorder.take().is_empty() && test.take().is_empty());
    for request in [bearing(), keyed()] {
        assert_eq!(send(&gate, TEST, request).status, 200);
    }
    assert_eq!(test.take().len(), 2);
}

#[test]
fn each_instance_has_its_metadata_under_its_own_host() {
    let (gate, _test) = start();
    let host = format!("{TEST}:8080");
    for (path, resource) in [(PATH, "/api/v1"), ("/mcp/tools", "/mcp/tools")] {
        let refused = send(&gate, &host, Request::get(path));
        assert_eq!(refused.status, 401, "{path}");
        let metadata = format!("/.well-known/oauth-protected-resource{resource}");
        let challenge = refused.header("www-authenticate").unwrap();
        let named = format!("resource_metadata=\"http://{host}{metadata}\"");
        assert!(challenge.ends_with(&named), "{challenge}");
        let document = send(&gate, &host, Request::get(&metadata));
        assert_eq!(
            document.json(),
            json!({
                "resource": format!("http://{host}{resource}"),
                "authorization_servers": [ISSUER],
                "bearer_methods_supported": ["header"],
            })
        );
    }
    // An instance has no metadata for a resource of the other one.
    let elsewhere = "/.well-known/oauth-protected-resource/mcp/tools";
    send(&gate, PROD, Request::get(elsewhere));
    assert_eq!(gate.recorder.take().len(), 1);
}

/// An n8n behind a gateway that a shop shares. Every host without a route of its own leads to n8n: the
/// gate must decide about each spelling that Envoy could take for n8n's.
#[test]
fn a_shared_gateway_guards_n8n_and_nothing_else() {
    let shop = Recorder::start().unwrap();
    let host = "shop.example.test";
    let mut policy = policy();
    policy["hosts"] = json!([PROD]);
    policy["other_hosts"] = json!("pass");
    let shape = |setup: Setup| setup.host(host, shop.port()).host_of_first(PROD);
    let gate = Gate::at(provider(), policy, shape);
    let made_up = || {
        Request::get(PATH)
            .header("X-Auth-Subject", "theirs")
            .bearer("of-the-shop")
    };
    for own in ["shop.example.test", "SHOP.example.test:8443"] {
        assert_eq!(send(&gate, own, made_up()).status, 200, "{own}");
        let recorded = shop.take();
        assert_eq!(
            recorded[0].values("authorization"),
            ["Bearer of-the-shop"],
            "{own}"
        );
        assert_eq!(recorded[0].values("x-auth-subject"), ["theirs"], "{own}");
    }
    for (spelling, status) in [
        (PROD, 401),
        ("N8N.Example.Test", 401),
        ("n8n.example.test:443", 401),
        ("n8n.example.test.", 401),
        ("n8n.example.test.:443", 401),
        ("n8n.example.test:", 401),
        ("n8n.example.test..", 421),
        ("shop.example.test,n8n.example.test", 421),
        ("n8n.example.test:443:443", 421),
        ("[::1]", 421),
    ] {
        let response = send(&gate, spelling, Request::get(PATH));
        assert!(
            [status, 400].contains(&response.status),
            "{spelling}: {}",
            response.text()
        );
    }
    // The host of an absolute form goes before the header (RFC 9112 section 3.2.2).
    let absolute = format!("http://{PROD}{PATH}");
    assert_eq!(send(&gate, host, Request::get(&absolute)).status, 401);
    // Two headers.
    for (one, two) in [(host, PROD), (PROD, host)] {
        let response = send(&gate, one, Request::get(PATH).header("Host", two));
        assert!(
            [400, 421].contains(&response.status),
            "{one}: {}",
            response.status
        );
    }
    // Over HTTP/2 `:authority` goes before `host` (RFC 9113 section 8.3.1).
    let over_http2 = |host: &'static str, other: &str| {
        let parts = Parts::new("GET", PATH)
            .authority(host)
            .header("host", other);
        send_one(gate.envoy.port(), Protocol::Http2, parts).unwrap()
    };
    assert!([401, 400, 421].contains(&over_http2(PROD, host)));
    assert!(gate.recorder.take().is_empty() && shop.take().is_empty());
    let status = over_http2("shop.example.test", PROD);
    assert!([200, 400, 421].contains(&status), "{status}");
    assert!(gate.recorder.take().is_empty());
}
