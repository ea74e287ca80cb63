//! Each alert of deploy/prometheus/alerts.yaml, raised by its cause.

mod dashboard;
mod expression;

use std::fs;
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{json, Value};

use self::expression::{holds, scrape, Scrape, Series};
use crate::gate::{now, READER};
use crate::shipped_gate::{provider, ShippedGate, MINTED, STATIC, STATIC_KEY};
use crate::support::http::Request;
use crate::support::recorder::Recorder;
use crate::support::scripted_provider::DISCOVERY;
use crate::support::server::{Reply, Script};
use crate::support::{installed, ports, trap};
use crate::upstream_keys::key_of_n8n;

/// The lines of the shipped file that an edit replaces.
const CLUSTER: &str = "                                cluster: provider\n";
const RULES: &str = "                            public_api: { api_keys: pass }\n";
const REQUESTS: &str = "max_requests: 8192, max_connections: 8448";
const CONNECTIONS: &str = "max_active_downstream_connections: 10000";

/// An alert and its cause: a gate, and an event there.
struct Cause {
    alert: &'static str,
    gate: fn() -> ShippedGate,
    happens: fn(&ShippedGate),
}

const CAUSES: [Cause; 16] = [
    Cause {
        alert: "GateModuleFailed",
        gate: || failing("FAIL_RELOAD"),
        // The next request after a failure loads the module again.
        happens: |gate| many(gate, 3, 503),
    },
    Cause {
        alert: "GateAnswersServerErrors",
        gate: || failing("FAIL_CLOSED"),
        happens: |gate| many(gate, 30, 503),
    },
    Cause {
        alert: "GateCannotJudgeTokens",
        gate: || ShippedGate::waiting(|_| Script::Close),
        happens: |gate| assert_eq!(list(gate, &gate.token("app-a", &[READER])), 503),
    },
    Cause {
        alert: "GateKeysNotFetched",
        gate: with_short_lived_keys,
        happens: |gate| gate.provider.script(DISCOVERY, Script::Close),
    },
    Cause {
        alert: "GateKeysOld",
        gate: with_short_lived_keys,
        happens: |gate| gate.provider.script(DISCOVERY, Script::Close),
    },
    Cause {
        alert: "GateHasNoKeys",
        gate: || with_fetched_keys(with_short_lived_keys()),
        // The provider withdraws all of them.
        happens: |gate| gate.provider.publish(&[]),
    },
    Cause {
        alert: "GateIntrospectionFails",
        gate: || {
            ShippedGate::start(|setup| setup.edited(CLUSTER, &format!("{CLUSTER}{INTROSPECTED}")))
        },
        // The provider has no such path, so the status is 404.
        happens: |gate| assert_eq!(list(gate, "opaque"), 503),
    },
    Cause {
        alert: "GateMakesNoKeys",
        gate: || ShippedGate::start(|setup| setup.edited(STATIC, MINTED)),
        // The upstream of this test is no n8n.
        happens: |gate| assert_eq!(list(gate, &gate.token("app-a", &[READER])), 503),
    },
    Cause {
        alert: "GateRefusesMany",
        gate: || ShippedGate::start(|setup| setup),
        happens: |gate| {
            for _ in 0..110 {
                assert_eq!(gate.status(&Request::get("/api/v1/workflows")), 401);
            }
        },
    },
    Cause {
        alert: "GateRevokedTokenSent",
        gate: || ShippedGate::start(|setup| setup.edited(RULES, &format!("{RULES}{REVOKED}"))),
        happens: |gate| assert_eq!(list(gate, &gate.token("app-b", &[READER])), 401),
    },
    Cause {
        alert: "GateShadowRefuses",
        gate: || ShippedGate::start(|setup| setup.edited(RULES, &format!("{RULES}{SHADOW}"))),
        happens: |gate| {
            let request = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "a");
            assert_eq!(gate.status(&request), 200);
        },
    },
    Cause {
        alert: "N8nRefusesKey",
        gate: || ShippedGate::start(|setup| setup),
        happens: |gate| {
            gate.recorder.script(Script::Reply(Reply::status(401)));
            assert_eq!(list(gate, &gate.token("app-a", &[READER])), 502);
        },
    },
    Cause {
        alert: "N8nKeyExpires",
        gate: || {
            let expiry = now() + 7 * 24 * 3600 + 10;
            let key = key_of_n8n(&json!({"iss": "n8n", "exp": expiry}));
            ShippedGate::start(|setup| setup.secret(STATIC_KEY, &key))
        },
        happens: |_| (),
    },
    Cause {
        alert: "N8nUnreachable",
        gate: || {
            let (recorder, nowhere) = (Recorder::start().unwrap(), ports::free().unwrap());
            ShippedGate::between(recorder, nowhere, provider(), |setup| setup)
        },
        happens: |gate| many(gate, 1, 503),
    },
    Cause {
        alert: "N8nSlotsUsedUp",
        gate: || {
            let few = "max_requests: 1, max_connections: 8448";
            ShippedGate::start(|setup| setup.edited(REQUESTS, few))
        },
        happens: |gate| {
            gate.recorder.script(Script::Hang);
            let held = gate.hold(1, &Request::get("/webhook/a").bytes());
            gate.wait_for("cluster.n8n.upstream_rq_active", 1);
            many(gate, 1, 503);
            drop(held);
        },
    },
    Cause {
        alert: "GateConnectionsUsedUp",
        gate: || {
            let few = "max_active_downstream_connections: 20";
            ShippedGate::start(|setup| setup.edited(CONNECTIONS, few))
        },
        happens: |gate| drop(gate.hold(30, b"")),
    },
];

/// The tokens of a client, revoked.
const REVOKED: &str = "                            revoked: [{ provider: demo, client: app-b }]\n";

/// A second policy, which refuses static API keys.
const SHADOW: &str = "                            shadow: { public_api: { api_keys: refuse } }\n";

/// A provider with introspection.
const INTROSPECTED: &str = r"                                introspection:
                                  uri: http://127.0.0.1:9000/introspect
                                  client_id: gate
                                  client_secret: { env: N8N_GATE_SEED }
";

/// A module that fails on every request.
fn failing(policy: &str) -> ShippedGate {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("module.wasm");
    fs::write(&module, trap::module()).unwrap();
    // Envoy has read the file once it is ready.
    ShippedGate::start(|setup| {
        let filename = format!("filename: {}", module.display());
        setup
            .edited("filename: target/n8n-idp-gate.wasm", &filename)
            .edited(
                "failure_policy: FAIL_RELOAD",
                &format!("failure_policy: {policy}"),
            )
    })
}

/// Keys that are fetched every second instead of every few minutes.
fn with_short_lived_keys() -> ShippedGate {
    ShippedGate::start(|setup| {
        let keys = "keys: { ttl: 1s, min_ttl: 1s, max_ttl: 1s, discovery_ttl: 1s }";
        let indent = " ".repeat(32);
        setup.edited(CLUSTER, &format!("{CLUSTER}{indent}{keys}\n"))
    })
}

/// The gauges of a gate that has just started may say that it has no keys.
fn with_fetched_keys(gate: ShippedGate) -> ShippedGate {
    let has_keys =
        |(series, value): (&Series, &f64)| series.name == "n8n_idp_gate_keys" && *value > 0.0;
    let is_there = (0..150).any(|_| {
        thread::sleep(Duration::from_millis(100));
        taken(&gate).iter().any(has_keys)
    });
    assert!(is_there, "no keys");
    gate
}

fn many(gate: &ShippedGate, count: usize, status: u16) {
    for _ in 0..count {
        assert_eq!(gate.status(&Request::get("/healthz")), status);
    }
}

fn list(gate: &ShippedGate, token: &str) -> u16 {
    gate.status(&Request::get("/api/v1/workflows").bearer(token))
}

fn taken(gate: &ShippedGate) -> Scrape {
    scrape(&gate.envoy.stats().unwrap())
}

/// Names and expressions, in the order of the file.
fn rules() -> Vec<(String, String)> {
    let path = installed::root().join("deploy/prometheus/alerts.yaml");
    let text = fs::read_to_string(path).unwrap();
    let document = serde_norway::Deserializer::from_str(&text);
    let file = Value::deserialize(document).unwrap();
    let rules = file["groups"][0]["rules"].as_array().unwrap();
    let text = |rule: &Value, field: &str| rule[field].as_str().unwrap().to_owned();
    let rules = rules.iter();
    let rules = rules.map(|rule| (text(rule, "alert"), text(rule, "expr")));
    // No gate can raise what is for the absence of all of them; promtool tests it.
    rules
        .filter(|(_, expression)| !expression.starts_with("absent("))
        .collect()
}

#[test]
fn every_alert_is_raised_by_its_cause() {
    let rules = rules();
    let names: Vec<&str> = rules.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, CAUSES.map(|provocation| provocation.alert));
    for (provocation, (alert, expression)) in CAUSES.iter().zip(&rules) {
        // The test does not wait half an hour. 1800 is twice the longest time between two fetches;
        // 3 is the same for keys that are fetched every second.
        let expression = expression.replace("age_seconds > 1800", "age_seconds > 3");
        let gate = (provocation.gate)();
        let before = taken(&gate);
        assert_eq!(holds(&expression, &before, &before), [], "{alert}");
        (provocation.happens)(&gate);
        let is_raised = (0..150).any(|_| {
            thread::sleep(Duration::from_millis(100));
            !holds(&expression, &before, &taken(&gate)).is_empty()
        });
        let counted: Vec<_> = taken(&gate)
            .into_iter()
            .filter(|(series, value)| expression.contains(&series.name) && *value > 0.0)
            .collect();
        assert!(is_raised, "{alert}: {counted:?}");
    }
}

#[test]
fn a_gate_at_work_raises_no_alert() {
    let gate = ShippedGate::start(|setup| setup);
    let before = taken(&gate);
    let token = gate.token("app-a", &[READER]);
    for _ in 0..30 {
        assert_eq!(list(&gate, &token), 200);
        assert_eq!(gate.status(&Request::get("/api/v1/workflows")), 401);
        many(&gate, 1, 200);
    }
    let counted = gate
        .envoy
        .counted("n8n_idp_gate_decisions", "no_credential", 30);
    assert_eq!(counted.unwrap(), 30);
    let after = taken(&gate);
    for (alert, expression) in rules() {
        assert_eq!(holds(&expression, &before, &after), [], "{alert}");
    }
}
