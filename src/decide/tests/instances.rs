//! Several instances of n8n behind one gate.

use super::*;
use crate::facts::{SharedMemory, WaiterId};
use crate::gate::{Action, Gate, Step};
use crate::http::HostPattern;
use crate::no_memory::without_memory;
use crate::policy::{Access, DuplicateHost, Instances};
use crate::time::UnixMillis;

const PATH: &str = "/api/v1/workflows";

/// The provider of the other tests, and two instances with a different principal each for the caller
/// `reader`. Only one of them has a principal for `admin`.
fn two_instances() -> Value {
    let whole = configuration();
    json!({
        "providers": whole["providers"],
        "instances": [
            {
                "name": "prod",
                "hosts": ["n8n.example.com", "*.prod.example.com"],
                "roles": whole["roles"],
                "principals": [
                    {"name": "reader-of-prod", "match": {"client": "reader"},
                     "api_key": {"env": "READER_KEY"}},
                ],
                "webhooks": [{"path": "/webhook/orders/**", "auth": "bearer"}],
                "public_api": {"api_keys": "refuse", "identity_headers": ["principal"]},
                "metrics": "deny",
            },
            {
                "name": "test",
                "hosts": ["test.prod.example.com", "*.example.com"],
                "roles": {"Reader": ["workflow:list"], "Admin": ["*"]},
                "principals": [
                    {"name": "reader-of-test", "match": {"client": "reader"},
                     "api_key": {"env": "PEOPLE_KEY"}},
                    {"name": "admin", "match": {"client": "admin"},
                     "api_key": {"env": "ADMIN_KEY"}},
                ],
                "endpoints": {"api": "automation"},
                "public_api": {"identity_headers": ["principal"]},
            },
        ],
    })
}

/// The same request, for another host.
fn at(host: &str, request: &RequestHead) -> RequestHead {
    let pairs = request.headers().map(|(name, value)| {
        let value = if name == ":authority" {
            host.as_bytes()
        } else {
            value
        };
        (name.to_owned(), value.to_vec())
    });
    RequestHead::new(pairs)
}

/// The name of the instance that a host leads to.
fn instance(facts: &TestFacts, host: &str) -> Option<String> {
    let decision = decide_with(facts, &at(host, &request("GET", "/", &[])));
    if let Outcome::Reject(reason) = &decision.outcome {
        assert_eq!(reason, &Reason::UnknownHost, "{host}");
        assert_eq!(decision.record.instance, None, "{host}");
    }
    decision.record.instance.map(|name| name.to_string())
}

#[test]
fn the_host_that_is_asked_for_chooses_the_instance() {
    let facts = facts(&two_instances());
    for (host, expected) in [
        ("n8n.example.com", Some("prod")),
        ("N8N.EXAMPLE.COM.:443", Some("prod")),
        ("eu.prod.example.com", Some("prod")),
        ("a.eu.prod.example.com", Some("prod")),
        ("test.prod.example.com", Some("test")),
        ("prod.example.com", Some("test")),
        ("other.example.com", Some("test")),
        ("example.com", None),
        ("n8n.example.com.evil.test", None),
        ("evil.test", None),
        ("user@n8n.example.com", None),
        ("n8n.example.com, evil.test", None),
        ("127.0.0.1", None),
        ("", None),
    ] {
        assert_eq!(instance(&facts, host).as_deref(), expected, "{host}");
    }
}

#[test]
fn a_host_of_no_instance_is_refused() {
    let facts = facts(&two_instances());
    let token = bearing("GET", PATH, &claims("reader", &["Reader"]));
    for sent in [
        at("evil.test", &token),
        at(
            "evil.test",
            &request("GET", PATH, &[("x-n8n-api-key", "static")]),
        ),
        at("evil.test", &request("GET", "/healthz", &[])),
        at(
            "evil.test",
            &request("GET", PATH, &[("x-forwarded-host", "n8n.example.com")]),
        ),
        at(
            "evil.test",
            &request("GET", PATH, &[("host", "n8n.example.com")]),
        ),
    ] {
        assert_eq!(reason(&decide_with(&facts, &sent)), "unknown_host");
    }
}

#[test]
fn each_instance_has_rules_of_its_own() {
    let facts = facts(&two_instances());
    let keyed = request("GET", PATH, &[("x-n8n-api-key", "static")]);
    let of = |host, request: &RequestHead| decide_with(&facts, &at(host, request));
    let (prod, test) = ("n8n.example.com", "test.prod.example.com");
    assert_eq!(reason(&of(prod, &keyed)), "api_key_refused");
    assert_eq!(
        reason(&of(prod, &request("GET", "/metrics", &[]))),
        "metrics_denied"
    );
    let hook = request("POST", "/webhook/orders/new", &[]);
    assert_eq!(reason(&of(prod, &hook)), "no_credential");
    for passing in [&keyed, &request("GET", "/metrics", &[]), &hook] {
        assert!(matches!(of(test, passing).outcome, Outcome::Pass(_)));
    }
    // The public API of the other instance has another path.
    assert_eq!(of(test, &keyed).record.surface, Some(Surface::Ui));
    let elsewhere = bearing(
        "GET",
        "/automation/v1/workflows",
        &claims("admin", &["Admin"]),
    );
    let head = upstream(&elsewhere, &of(test, &elsewhere));
    assert_eq!(value(&head, "x-n8n-api-key"), Some(ADMIN_KEY));
}

#[test]
fn a_principal_of_one_instance_is_none_at_the_other() {
    let facts = facts(&two_instances());
    let token = bearing("GET", PATH, &claims("admin", &["Admin"]));
    let decision = decide_with(&facts, &at("n8n.example.com", &token));
    assert_eq!(reason(&decision), "no_principal");
    let token = bearing(
        "GET",
        "/automation/v1/workflows",
        &claims("admin", &["Admin"]),
    );
    let decision = decide_with(&facts, &at("test.prod.example.com", &token));
    assert!(matches!(decision.outcome, Outcome::Forward(_)));
}

/// Who is named, which key goes on, and whether the token was remembered.
fn sent(gate: &mut Gate, host: &str, request: &RequestHead) -> (String, String, String) {
    let now = UnixMillis(NOW.0 * 1000);
    let Step::Settled(settled) = gate.request(WaiterId(1), at(host, request), now) else {
        panic!("waits");
    };
    let audit: Value = serde_json::from_str(&settled.audit()).unwrap();
    let Action::Continue(edits) = settled.action() else {
        panic!("{audit}");
    };
    let set = |wanted| {
        edits.iter().find_map(|edit| match edit {
            HeaderEdit::Set(name, value) if *name == wanted => Some(value.expose().to_owned()),
            _ => None,
        })
    };
    assert_eq!(
        audit["principal"].as_str(),
        set("x-auth-principal").as_deref()
    );
    (
        set("x-auth-principal").unwrap(),
        set("x-n8n-api-key").unwrap(),
        audit["cache"].as_str().unwrap().to_owned(),
    )
}

#[test]
fn a_remembered_token_gets_the_key_of_the_instance_that_it_is_sent_to() {
    let mut configuration = two_instances();
    configuration["instances"][1]["endpoints"] = json!({"api": "api"});
    let mut gate = Gate::new(load(&configuration), Box::new(GuestCrypto));
    gate.tick(UnixMillis(NOW.0 * 1000), &NoMemory);
    let token = bearing("GET", PATH, &claims("reader", &["Reader"]));
    for round in 0..4 {
        let cache = if round == 0 { "miss" } else { "hit" };
        let expected =
            |principal: &str, key: &str| (principal.to_owned(), key.to_owned(), cache.to_owned());
        assert_eq!(
            sent(&mut gate, "n8n.example.com", &token),
            expected("reader-of-prod", READER_KEY)
        );
        assert_eq!(
            sent(&mut gate, "test.prod.example.com", &token),
            expected("reader-of-test", PEOPLE_KEY)
        );
    }
}

struct NoMemory;

without_memory!(NoMemory);

/// A configuration that names instances without a host for one must not lead every host to it.
#[test]
fn an_instance_that_no_host_leads_to_gets_no_request() {
    let loaded = load(&configuration());
    let only = loaded.instances.iter().next().unwrap();
    let mut instances = Instances::by_host(Access::Deny);
    instances.push(only.clone());
    let request = request("GET", PATH, &[]);
    assert!(instances.of(&request).is_none());
    let host = HostPattern::parse("n8n.example.com").unwrap();
    assert_eq!(instances.lead(&host, only.id), Ok(()));
    assert_eq!(instances.lead(&host, only.id), Err(DuplicateHost(only.id)));
    assert!(instances.of(&request).is_some());
    assert!(instances.of(&at("other.example.com", &request)).is_none());
    assert!(Instances::only(only.clone()).of(&request).is_some());
}

#[test]
fn the_principals_of_all_instances_are_counted() {
    assert_eq!(load(&configuration()).instances.principals(), 3);
    assert_eq!(load(&two_instances()).instances.principals(), 3);
    assert_eq!(Instances::by_host(Access::Deny).principals(), 0);
}

/// One n8n behind a gateway that other applications share.
fn shared_gateway() -> Value {
    let mut whole = configuration();
    whole["hosts"] = json!(["n8n.example.com", "*.n8n.example.com"]);
    whole["other_hosts"] = json!("pass");
    whole
}

#[test]
fn requests_of_other_applications_pass_as_they_came() {
    let facts = facts(&shared_gateway());
    for host in [
        "shop.example.com",
        "example.com:8443",
        "badn8n.example.com",
        "192.0.2.1",
    ] {
        for path in [
            "/api/v1/workflows",
            "/webhook/orders/1",
            "/%2e%2e/api",
            "/metrics",
        ] {
            let headers = [("x-auth-subject", "theirs"), ("authorization", "Bearer x")];
            let decision = decide_with(&facts, &at(host, &request("GET", path, &headers)));
            let Outcome::Pass(edits) = &decision.outcome else {
                panic!("{host}{path}: {:?}", decision.outcome);
            };
            assert!(edits.is_empty(), "{host}{path}: {edits:?}");
            assert_eq!(decision.record.surface, Some(Surface::Outside));
        }
    }
}

/// An attacker spells the host of n8n otherwise, so that Envoy still leads the request to n8n.
#[test]
fn no_spelling_of_a_host_of_n8n_passes_as_that_of_another_application() {
    let facts = facts(&shared_gateway());
    for host in [
        "n8n.example.com",
        "N8N.EXAMPLE.com",
        "n8n.example.com.",
        "n8n.example.com:443",
        "n8n.example.com.:8443",
        "a.N8N.example.com",
    ] {
        let decision = decide_with(&facts, &at(host, &request("GET", PATH, &[])));
        assert_eq!(reason(&decision), "no_credential", "{host}");
    }
    for host in [
        "",
        ":443",
        ".",
        "n8n.example.com..",
        "n8n.example.com:",
        "n8n.example.com:443:443",
        "n8n.example.com:x",
        "user@n8n.example.com",
        "n8n.example.com, shop.example.com",
        "shop.example.com,n8n.example.com",
        "n8n.example.com ",
        "\tn8n.example.com",
        "n8n.example.com/",
        "n8n%2eexample.com",
        "[::1]:443",
    ] {
        let decision = decide_with(&facts, &at(host, &request("GET", PATH, &[])));
        let passes = matches!(decision.outcome, Outcome::Pass(_));
        assert!(!passes, "{host:?}");
    }
    let two = at(
        "shop.example.com",
        &request("GET", PATH, &[("host", "n8n.example.com")]),
    );
    assert_eq!(reason(&decide_with(&facts, &two)), "unknown_host");
    let none = request("GET", PATH, &[]);
    let none = none.headers().filter(|(name, _)| *name != ":authority");
    let none = none.map(|(name, value)| (name.to_owned(), value.to_vec()));
    let none = RequestHead::new(none);
    assert_eq!(reason(&decide_with(&facts, &none)), "unknown_host");
}

#[test]
fn other_hosts_are_refused_unless_the_operator_lets_them_pass() {
    let mut one = shared_gateway();
    one["other_hosts"] = json!("deny");
    let mut several = two_instances();
    let sent = at("evil.test", &request("GET", PATH, &[]));
    assert_eq!(reason(&decide_with(&facts(&one), &sent)), "unknown_host");
    several["other_hosts"] = json!("pass");
    let passed = decide_with(&facts(&several), &sent);
    assert!(matches!(passed.outcome, Outcome::Pass(edits) if edits.is_empty()));
    let own = at("n8n.example.com", &request("GET", PATH, &[]));
    assert_eq!(
        reason(&decide_with(&facts(&several), &own)),
        "no_credential"
    );
}
