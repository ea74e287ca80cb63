//! The labels that Prometheus makes of the gate's metrics where Envoy makes none, by a real Prometheus
//! of a real Envoy.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::rendered::{free_port, get, start, Running};
use super::repository::root;

#[test]
fn prometheus_makes_the_labels_that_envoy_does_not_make() {
    let admin = free_port();
    // Istio's bootstrap has no `stats_tags`.
    let (envoy, at) = start(|text| {
        let text = text.replace("port_value: 9901", &format!("port_value: {admin}"));
        let (before, after) = text.split_once("stats_config:").unwrap();
        assert!(
            !after.contains("\n- ") && after.contains("tag_name: surface"),
            "{after}"
        );
        // The shadow would refuse what passes.
        let shadow = "shadow: { webhooks: [{ path: /webhook/**, auth: deny }] }";
        let public_api = "                            public_api:\n";
        assert!(before.contains(public_api), "{before}");
        before.replace(
            public_api,
            &format!("                            {shadow}\n{public_api}"),
        )
    });
    assert!(get(&at, "/webhook/a").unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(&at, "/api/v1/workflows")
        .unwrap()
        .starts_with("HTTP/1.1 401"));
    let admin = format!("127.0.0.1:{admin}");
    let raw = get(&admin, "/stats/prometheus").unwrap();
    let chain = "n8n_idp_gate_decisions_surface_public_api_outcome_reject_reason_no_credential";
    assert!(raw.contains(chain), "{raw}");
    let rules = fs::read_to_string(root().join("deploy/istio/relabelling.yaml")).unwrap();
    let rules: Vec<&str> = rules.lines().collect();
    let rules = rules.join("\n    ");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yaml");
    let job = format!(
        "scrape_configs:\n  - job_name: gateway\n    scrape_interval: 1s\n    \
         metrics_path: /stats/prometheus\n    static_configs: [{{ targets: [\"{admin}\"] }}]\n    {rules}\n"
    );
    fs::write(&config, job).unwrap();
    let port = format!("127.0.0.1:{}", free_port());
    let mut prometheus = Command::new(installed());
    prometheus
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _prometheus = Running(prometheus.spawn().unwrap());
    let query = "/api/v1/query?query=%7B__name__%3D~%22n8n_idp_gate.%2A%22%7D";
    let mut patience = 300;
    let series = loop {
        let response = get(&port, query).unwrap_or_default();
        let body = response.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        // A body may come in chunks.
        let document = body.find('{').zip(body.rfind('}'));
        let document = document.and_then(|(first, last)| body.get(first..=last));
        let document = document.unwrap_or_default();
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let series = document["data"]["result"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        if series
            .iter()
            .any(|one| one["metric"]["reason"] == "no_credential")
        {
            break series;
        }
        patience -= 1;
        assert!(patience > 0, "{series:?} {response}");
        thread::sleep(Duration::from_millis(200));
    };
    let metric = |name: &str| {
        let mut all = series.iter().map(|one| &one["metric"]);
        all.find(|metric| metric["__name__"] == name)
            .cloned()
            .unwrap_or_default()
    };
    let decision = series.iter().map(|one| &one["metric"]);
    let mut decisions = decision.filter(|metric| metric["reason"] == "no_credential");
    let decision = decisions.next().unwrap();
    for (label, value) in [
        ("__name__", "n8n_idp_gate_decisions"),
        ("surface", "public_api"),
        ("outcome", "reject"),
        ("provider", "none"),
    ] {
        assert_eq!(decision[label], value, "{decision}");
    }
    let of_shadow = metric("n8n_idp_gate_shadow_differences");
    for (label, value) in [
        ("surface", "webhook"),
        ("outcome", "reject"),
        ("reason", "webhook_denied"),
    ] {
        assert_eq!(of_shadow[label], value, "{series:?}");
    }
    let judged = series.iter().map(|one| &one["metric"]);
    let judged = judged.filter(|metric| metric["__name__"] == "n8n_idp_gate_shadow_decisions");
    let outcomes: Vec<_> = judged.map(|metric| &metric["outcome"]).collect();
    assert!(outcomes.contains(&&"different".into()), "{series:?}");
    let age = metric("n8n_idp_gate_key_set_age_seconds");
    assert!(age["provider"].is_string(), "{series:?}");
    // No name has a pair left in it.
    for one in &series {
        let name = one["metric"]["__name__"].as_str().unwrap();
        for pair in [
            "_provider_",
            "_surface_",
            "_fault_",
            "_crypto_",
            "_principal_",
            "_instance_",
            "_outcome_",
            "_reason_",
        ] {
            assert!(!name.contains(pair), "{name}");
        }
    }
    drop(envoy);
}

#[allow(
    clippy::disallowed_methods,
    reason = "make names the programs in the environment"
)]
fn installed() -> PathBuf {
    let folder = env::var_os("OBSERVERS_DIR");
    let folder = folder.map_or_else(|| root().join(".local/observers"), PathBuf::from);
    let path = folder.join("usr/bin/prometheus");
    assert!(
        path.exists(),
        "{} does not exist: scripts/install-observers.sh",
        path.display()
    );
    path
}
