//! The command line on files: `n8n-idp-gate check`, and what it shares with `explain`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "check/bodies.rs"]
mod bodies;
#[path = "check/bounds.rs"]
mod bounds;
#[path = "check/bypasses.rs"]
mod bypasses;
#[path = "check/clusters.rs"]
mod clusters;
#[path = "check/command_line.rs"]
mod command_line;
#[path = "check/configurations.rs"]
mod configurations;
#[path = "check/istio.rs"]
mod istio;
#[path = "check/n8n.rs"]
mod n8n;
#[path = "check/readers.rs"]
mod readers;
#[path = "check/rules.rs"]
mod rules;
#[path = "check/sarif.rs"]
mod sarif;
#[path = "check/shipped.rs"]
mod shipped;
#[path = "check/wrong.rs"]
mod wrong;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{json, Value};
use tempfile::TempDir;

/// A directory with files in it, where the command line runs.
struct Desk(TempDir);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            fs::write(desk.0.path().join(name), text).unwrap();
        }
        desk
    }

    /// The exit code, and what was written to standard output and error.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        self.run_with(arguments, b"")
    }

    /// The same with something on standard input, in less than 1.5 GB of memory.
    fn run_with(&self, arguments: &[&str], input: &[u8]) -> (Option<i32>, String) {
        let mut child = Command::new("sh")
            .current_dir(self.0.path())
            .args(["-c", "ulimit -v 1500000; exec \"$@\"", "sh"])
            .arg(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What is not read to its end closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }
}

fn checked(file: &str) -> (Option<i32>, String) {
    Desk::new(&[("gate.yaml", file)]).run(&["check", "gate.yaml"])
}

/// A configuration, with these members beside.
fn configuration(more: &Value) -> Value {
    let mut whole = json!({
        "providers": [
            {"name": "idp", "issuer": "https://idp.corp.test", "audiences": "n8n", "cluster": "idp"},
        ],
        "webhooks": [{"path": "/webhook/**", "auth": "bearer"}],
    });
    let members = whole.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    whole
}

/// An Envoy file with the gate and these routes.
fn envoy(configuration: &Value, routes: &Value) -> Value {
    json!({"static_resources": {"listeners": [{"filter_chains": [{"filters": [{"typed_config": {
        "use_remote_address": true,
        "http_filters": [
            {"name": "gate", "typed_config": {"config": {
                "failure_policy": "FAIL_RELOAD", "configuration": {"value": configuration},
            }}},
            {"name": "envoy.filters.http.router"},
        ],
        "route_config": {"virtual_hosts": [{"name": "n8n", "domains": ["*"], "routes": routes}]},
    }}]}]}]}})
}
