//! The queries of deploy/grafana/dashboard.json, compared with what a gate reports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use super::{list, taken, CLUSTER, INTROSPECTED, REVOKED, RULES, SHADOW};
use crate::gate::{now, READER};
use crate::minted::n8n::N8n;
use crate::shipped_gate::{provider, ShippedGate, MINTED, STATIC, STATIC_KEY};
use crate::support::http::Request;
use crate::support::installed;
use crate::support::recorder::Recorder;
use crate::support::scripted_provider::DISCOVERY;
use crate::support::server::{Reply, Script};
use crate::upstream_keys::key_of_n8n;

/// The labels that Prometheus adds, and that of a histogram's buckets.
const OF_PROMETHEUS: [&str; 3] = ["job", "instance", "le"];

/// The queries and the legend of each.
fn queries() -> Vec<(String, String)> {
    let path = installed::root().join("deploy/grafana/dashboard.json");
    let dashboard: Value = fs::read_to_string(path).unwrap().parse().unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let text = |target: &Value, field: &str| target[field].as_str().unwrap().to_owned();
    targets
        .map(|target| (text(target, "expr"), text(target, "legendFormat")))
        .collect()
}

/// The metrics of a query.
fn metrics(query: &str) -> Vec<&str> {
    let before = query.split('{').map(|part| {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let start = part.trim_end_matches(is_name).len();
        part.get(start..).unwrap_or_default()
    });
    let mut names: Vec<&str> = before.collect();
    names.pop();
    names
}

/// The labels that a query groups by, and those of its legend.
fn labels<'q>(query: &'q str, legend: &'q str) -> BTreeSet<&'q str> {
    let groups = query.split(" by (").skip(1);
    let groups = groups.flat_map(|rest| rest.split(')').next().unwrap().split(", "));
    let shown = legend.split("{{").skip(1);
    groups
        .chain(shown.map(|rest| rest.split("}}").next().unwrap()))
        .collect()
}

/// Each metric that gates report, with its labels. Everything that the dashboard shows has happened there.
fn reported() -> BTreeMap<String, BTreeSet<String>> {
    let expiry = now() + 24 * 3600;
    let key = key_of_n8n(&json!({"iss": "n8n", "exp": expiry}));
    let with_static_key = ShippedGate::start(|setup| {
        setup
            .edited(CLUSTER, &format!("{CLUSTER}{INTROSPECTED}{SHORT}"))
            .secret(STATIC_KEY, &key)
    });
    let token = with_static_key.token("app-a", &[READER]);
    assert_eq!(list(&with_static_key, &token), 200);
    assert_eq!(list(&with_static_key, &token), 200);
    assert_eq!(list(&with_static_key, "opaque"), 503);
    let refused = Script::Reply(Reply::status(401));
    with_static_key.recorder.script(refused);
    assert_eq!(list(&with_static_key, &token), 502);
    with_static_key.provider.script(DISCOVERY, Script::Close);
    let with_minted_keys = ShippedGate::start(|setup| setup.edited(STATIC, MINTED));
    let token = with_minted_keys.token("app-a", &[READER]);
    assert_eq!(list(&with_minted_keys, &token), 503);
    let with_shadow =
        ShippedGate::start(|setup| setup.edited(RULES, &format!("{RULES}{SHADOW}{REVOKED}")));
    let request = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "a");
    assert_eq!(with_shadow.status(&request), 200);
    assert_eq!(
        list(&with_shadow, &with_shadow.token("app-b", &[READER])),
        401
    );
    let n8n = N8n::start("key-for-provisioning");
    let recorder = Recorder::start().unwrap();
    let with_n8n = ShippedGate::between(recorder, n8n.port(), provider(), |setup| {
        setup
            .edited(STATIC, MINTED)
            .edited(RULES, &format!("{RULES}{INTERNAL}"))
            .edited(ROLES, &format!("{ROLES}{INTERNAL_ROLE}"))
    });
    assert_eq!(list(&with_n8n, &with_n8n.token("app-a", &[READER])), 200);
    // Of another user: that of a key that was made is used again.
    let token = with_n8n.token("app-b", &["N8N.Internal"]);
    let internal = Request::get("/rest/workflows").bearer(&token);
    assert_eq!(with_n8n.status(&internal), 200);
    let mut reported: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // Keys are fetched every second, and gauges of API keys come every five seconds.
    for _ in 0..80 {
        thread::sleep(Duration::from_millis(100));
        for gate in [&with_static_key, &with_minted_keys, &with_shadow, &with_n8n] {
            for series in taken(gate).into_keys() {
                let labels = series.labels.into_keys();
                reported.entry(series.name).or_default().extend(labels);
            }
        }
    }
    reported
}

/// n8n's internal API with tokens, and a role for it.
const INTERNAL: &str = "                            rest: bearer\n";
const ROLES: &str = "                            roles:\n";
const INTERNAL_ROLE: &str = "                              N8N.Internal: [rest]\n";

const SHORT: &str =
    "                                keys: { ttl: 1s, min_ttl: 1s, max_ttl: 1s, discovery_ttl: 1s }\n";

#[test]
fn every_metric_and_label_of_the_dashboard_is_one_that_a_gate_reports() {
    let reported = reported();
    let queries = queries();
    assert!(queries.len() > 15);
    for (query, legend) in &queries {
        let metrics = metrics(query);
        assert!(!metrics.is_empty(), "{query}");
        for metric in metrics {
            let known = reported.get(metric);
            let known = known.unwrap_or_else(|| panic!("{metric}: {query}"));
            for label in labels(query, legend) {
                // A second API key of a principal has it.
                let is_of_second = label == "key" && metric.ends_with("_seconds_left");
                let is_there = known.contains(label) || OF_PROMETHEUS.contains(&label);
                assert!(
                    is_there || is_of_second,
                    "{metric} has no {label}: {known:?}"
                );
            }
        }
    }
}

#[test]
fn the_key_set_of_a_provider_that_never_answered_has_an_age_and_no_keys() {
    let gate = ShippedGate::waiting(|_| Script::Close);
    let value = |name: &str| {
        let scrape = taken(&gate);
        let mut found = scrape.into_iter().filter(|(series, _)| series.name == name);
        found.next().map(|(_, value)| value)
    };
    let grows = (0..150).any(|_| {
        thread::sleep(Duration::from_millis(100));
        value("n8n_idp_gate_key_set_age_seconds") >= Some(2.0)
    });
    assert!(grows, "{:?}", value("n8n_idp_gate_key_set_age_seconds"));
    assert_eq!(value("n8n_idp_gate_keys"), Some(0.0));
}
