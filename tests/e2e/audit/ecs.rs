//! Documents of the Elastic Common Schema, which rsyslog makes with the shipped configuration.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use super::{Audited, FILE};
use crate::replay::replay;
use crate::shipped_gate::{MINTED, STATIC};
use crate::support::envoy::Setup;
use crate::support::envoy_file;
use crate::support::installed;
use crate::support::process::{Ending, Process};

/// The other paths of the shipped configuration.
const LOG: &str = "/var/log/envoy/envoy.log";
const DOCUMENTS: &str = "/var/log/n8n-audit-ecs.jsonl";

/// Envoy's own log as JSON.
fn in_json(setup: Setup) -> Setup {
    let format = r#"{ time: "%Y-%m-%dT%T.%e", level: "%l", component: "%n", message: "%j" }"#;
    let admin = "admin:\n";
    let log = format!("application_log_config: {{ log_format: {{ json_format: {format} }} }}\n");
    setup.edited(admin, &format!("{log}{admin}"))
}

/// Runs rsyslog with the shipped configuration on these files until it has made `count` documents.
fn documents(log: &str, file: &Path, count: usize) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("envoy.log"), log).unwrap();
    let shipped = installed::root().join("deploy/rsyslog/n8n-idp-gate.conf");
    let shipped = fs::read_to_string(shipped).unwrap();
    for text in [LOG, FILE, DOCUMENTS] {
        assert_eq!(shipped.matches(text).count(), 1, "{text}");
    }
    let shipped = shipped
        .replace(LOG, &path("envoy.log"))
        .replace(FILE, file.to_str().unwrap())
        .replace(DOCUMENTS, &path("ecs.jsonl"));
    let work = folder.path().to_str().unwrap();
    let head = format!("global(workDirectory=\"{work}\" maxMessageSize=\"64k\")\n");
    fs::write(path("rsyslog.conf"), format!("{head}{shipped}")).unwrap();
    let observers = installed::observers().unwrap();
    let libraries = fs::read_dir(observers.join("usr/lib")).unwrap();
    let mut libraries = libraries.map(|entry| entry.unwrap().path());
    let libraries = libraries
        .find(|path| path.join("rsyslog").is_dir())
        .unwrap();
    let program = observers.join("usr/sbin/rsyslogd");
    let output = folder.path().join("rsyslog.log");
    let mut process = Process::start("rsyslog", &program, &output, Ending::Kill, |command| {
        command
            .env("LD_LIBRARY_PATH", &libraries)
            .args(["-n", "-f", &path("rsyslog.conf"), "-i", &path("pid"), "-M"])
            .arg(libraries.join("rsyslog"));
    })
    .unwrap();
    let made = || fs::read_to_string(path("ecs.jsonl")).unwrap_or_default();
    let patience = Duration::from_secs(30);
    let is_made = |_: &str| made().matches('\n').count() >= count;
    process.wait_until(patience, is_made).unwrap();
    // More than there should be would come now.
    thread::sleep(Duration::from_millis(500));
    drop(process);
    let made: Vec<Value> = made().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(made.len(), count, "{made:?}");
    made
}

/// The document that the guide says of a record.
fn expected(record: &Value) -> Value {
    let (outcome, kinds) = match record["decision"].as_str().unwrap() {
        "reject" => ("failure", json!(["access", "denied"])),
        "abandoned" => ("unknown", json!(["access"])),
        _ => ("success", json!(["access", "allowed"])),
    };
    let host = record["host"].as_str().unwrap();
    let mut document = json!({
        "@timestamp": record["time"],
        "ecs": { "version": "8.11.0" },
        "event": {
            "kind": "event", "category": ["api", "authentication"], "module": "n8n_idp_gate",
            "dataset": "n8n_idp_gate.audit", "action": record["decision"], "outcome": outcome,
            "type": kinds,
        },
        "client": { "ip": record["address"] },
        "source": { "ip": record["address"] },
        "http": { "request": { "method": record["method"], "id": record["request_id"] } },
        "url": { "path": record["path"], "domain": host.split(':').next().unwrap() },
        "n8n_idp_gate": record,
    });
    for (name, path) in [
        ("reason", ["event", "reason", ""]),
        ("status", ["http", "response", "status_code"]),
        ("sub", ["user", "id", ""]),
        ("iss", ["user", "domain", ""]),
        ("principal", ["user", "effective", "name"]),
        ("user_agent", ["user_agent", "original", ""]),
    ] {
        if let Some(value) = record.get(name) {
            let mut at = &mut document;
            for part in path.into_iter().filter(|part| !part.is_empty()) {
                at = &mut at[part];
            }
            *at = value.clone();
        }
    }
    document
}

#[test]
fn rsyslog_makes_ecs_documents_of_the_log_as_text_and_of_the_file() {
    let audited = Audited::start("audit: { to: both }", |setup| setup);
    let count = audited.decide();
    let records = audited.records(count);
    assert_eq!(audited.gate.envoy.audit(), records);
    let log = audited.gate.envoy.log_text();
    let made = documents(&log, &audited.file, 2 * count);
    for record in &records {
        let expected = expected(record);
        let same = made.iter().filter(|document| **document == expected);
        assert_eq!(same.count(), 2, "{expected}: {made:?}");
    }
}

#[test]
fn rsyslog_makes_ecs_documents_of_the_log_as_json() {
    let audited = Audited::start("audit: { to: both }", in_json);
    let count = audited.decide();
    let records = audited.records(count);
    let log = audited.gate.envoy.log_text();
    let nothing = audited.file.with_extension("none");
    fs::write(&nothing, "").unwrap();
    let made = documents(&log, &nothing, count);
    for record in &records {
        assert!(made.contains(&expected(record)), "{record}: {made:?}");
    }
    // `replay` reads this form, too.
    let policy = envoy_file::text().unwrap().replace(MINTED, STATIC);
    let policy = policy.replace("https://idp.example.com", &audited.gate.issuer);
    let report = replay(&log, ("yaml", &policy), &policy);
    assert_eq!(report["replayed"], count, "{report}");
    assert_eq!(report["changes"], json!([]), "{report}");
}
