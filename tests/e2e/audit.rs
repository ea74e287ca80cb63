//! Where audit records go: a file of their own, an OpenTelemetry collector, and documents of the Elastic
//! Common Schema.

mod ecs;
mod mesh;
mod telemetry;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};
use tempfile::TempDir;

use crate::gate::READER;
use crate::shipped_gate::ShippedGate;
use crate::support::envoy::records::assert_conforms;
use crate::support::envoy::Setup;
use crate::support::envoy_file;
use crate::support::http::Request;
use crate::support::server::{Reply, Script};

/// What stands before each line of the recipe in the shipped file.
const MARK: &str = "#| ";

/// The file of the recipe.
const FILE: &str = "/var/log/envoy/n8n-audit.jsonl";

/// What `audit` is in the recipe.
const TO: &str = "audit: { to: access_log }";

/// The shipped file with its recipe, which writes to this file.
fn with_file(setup: Setup, file: &Path, to: &str) -> Setup {
    let text = envoy_file::text().unwrap();
    let lines = text.split_inclusive('\n');
    let recipe = lines.filter(|line| line.trim_start().starts_with(MARK));
    recipe.fold(setup, |setup, line| {
        let path = file.to_str().unwrap();
        let running = line.replacen(MARK, "", 1).replace(FILE, path);
        setup.edited(line, &running.replace(TO, to))
    })
}

/// A gate whose records are in a file of their own.
struct Audited {
    gate: ShippedGate,
    file: PathBuf,
    _folder: TempDir,
}

impl Audited {
    fn start(to: &str, shape: impl FnOnce(Setup) -> Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("audit.jsonl");
        let gate = ShippedGate::start(|setup| shape(with_file(setup, &file, to)));
        Self {
            gate,
            file,
            _folder: folder,
        }
    }

    /// The records in the file, as soon as there are this many.
    fn records(&self, count: usize) -> Vec<Value> {
        let mut records: Vec<Value> = Vec::new();
        for _ in 0..300 {
            let text = fs::read_to_string(&self.file).unwrap_or_default();
            let lines = text.split_inclusive('\n');
            let whole = lines.filter(|line| line.ends_with('\n'));
            records = whole.map(|line| line.parse().unwrap()).collect();
            if records.len() >= count {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(records.len(), count, "{records:?}");
        records.iter().for_each(assert_conforms);
        records
    }

    /// Requests with every kind of decision that a list of workflows and a webhook can have.
    fn decide(&self) -> usize {
        let gate = &self.gate;
        let list = Request::get("/api/v1/workflows?code=query-secret");
        let good = gate.token("app-a", &[READER]);
        let forged = format!("{}AAAA", good.split_at(good.len() - 4).0);
        let odd = "odd \"agent\" \\ {\"decision\":\"forward\"} wasm log n8n-idp-gate: {\"v\":1}";
        let requests = [
            (list.clone().bearer(&good), 200),
            (list.clone().bearer(&gate.token("app-b", &[])), 403),
            (list.clone().bearer(&forged), 401),
            (list.clone().header("User-Agent", odd), 401),
            (list.header("X-N8N-API-KEY", "static"), 200),
            (Request::get("/webhook/open"), 200),
        ];
        for (request, status) in &requests {
            assert_eq!(gate.status(request), *status);
        }
        requests.len()
    }
}

fn field<'r>(records: &'r [Value], name: &str) -> Vec<&'r Value> {
    records.iter().map(|record| &record[name]).collect()
}

#[test]
fn the_recipe_of_the_shipped_file_writes_each_record_to_a_file_of_its_own() {
    let audited = Audited::start(TO, |setup| setup);
    let count = audited.decide();
    // Envoy refuses it before the gate, so it leaves no record and no line.
    let long = Request::get("/api/v1/workflows").header("x-long", "a".repeat(30_000));
    assert_eq!(audited.gate.status(&long), 431);
    let records = audited.records(count);
    let decisions = ["forward", "reject", "reject", "reject", "pass", "pass"];
    assert_eq!(
        field(&records, "decision"),
        decisions.map(|word| json!(word)).iter().collect::<Vec<_>>()
    );
    assert_eq!(records[0]["client"], "app-a");
    assert_eq!(records[0]["principal"], "applications");
    assert_eq!(records[1]["missing"], "workflow:list");
    assert_eq!(records[2]["reason"], "bad_signature");
    assert_eq!(records[3]["address"], "127.0.0.1");
    assert!(audited.gate.envoy.audit().is_empty(), "the log has none");
    let text = fs::read_to_string(&audited.file).unwrap();
    for secret in ["query-secret", "static\"", "key-of-the-applications"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_record_of_what_n8n_said_takes_the_place_of_the_forward() {
    let audited = Audited::start("audit: { to: both }", |setup| setup);
    let list = Request::get("/api/v1/workflows");
    let request = list.bearer(&audited.gate.token("app-a", &[READER]));
    for (status, seen) in [(403, 403), (401, 502)] {
        let script = Script::Reply(Reply::status(status));
        audited.gate.recorder.script(script);
        assert_eq!(audited.gate.status(&request), seen);
    }
    let records = audited.records(2);
    assert_eq!(records[0]["decision"], "answered");
    assert_eq!(records[1]["reason"], "upstream_key_refused");
    assert_eq!(
        field(&records, "upstream_status"),
        [&json!(403), &json!(401)]
    );
    assert_eq!(field(&records, "client"), [&json!("app-a"); 2]);
    let log = audited.gate.envoy.audit();
    let decisions = ["forward", "answered", "forward", "reject"].map(|word| json!(word));
    assert_eq!(
        field(&log, "decision"),
        decisions.iter().collect::<Vec<_>>()
    );
    // The log has the same bytes.
    assert!(records.iter().all(|record| log.contains(record)));
}
