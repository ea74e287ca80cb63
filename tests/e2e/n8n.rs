//! A real Envoy in front of a real n8n, with tokens of a certified OpenID provider: the steps of
//! the demo, and tests that need a real n8n.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

#[path = "../support/mint.rs"]
mod mint;
#[path = "../demo/runner.rs"]
mod runner;
#[path = "../demo/stage.rs"]
mod stage;
#[path = "../demo/steps.rs"]
mod steps;
#[path = "../support/mod.rs"]
mod support;

#[path = "n8n/addresses.rs"]
mod addresses;
#[path = "n8n/applications.rs"]
mod applications;
#[path = "n8n/caller.rs"]
mod caller;
#[path = "n8n/clients.rs"]
mod clients;
#[path = "n8n/description.rs"]
mod description;
#[path = "n8n/editions.rs"]
mod editions;
#[path = "n8n/embed.rs"]
mod embed;
#[path = "n8n/internal_api.rs"]
mod internal_api;
#[path = "n8n/keys.rs"]
mod keys;
#[path = "n8n/lines.rs"]
mod lines;
#[path = "n8n/mcp.rs"]
mod mcp;
#[path = "n8n/minted.rs"]
mod minted;
#[path = "n8n/operations.rs"]
mod operations;
#[path = "n8n/provision.rs"]
mod provision;
#[path = "n8n/publishing.rs"]
mod publishing;
#[path = "n8n/refused_key.rs"]
mod refused_key;
#[path = "n8n/revoke.rs"]
mod revoke;
#[path = "n8n/routing.rs"]
mod routing;
#[path = "n8n/runs.rs"]
mod runs;
#[path = "n8n/signed.rs"]
mod signed;
#[path = "n8n/transcripts.rs"]
mod transcripts;
#[path = "n8n/websockets.rs"]
mod websockets;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{json, Value};

use self::applications::applications;
use self::runner::Runner;
use self::stage::Stage;
use self::steps::{STEPS, TOKENS};
use self::support::envoy::{Envoy, Setup};
use self::support::envoy_file::Ports;
use self::support::provider::AUDIENCE;
use self::support::{installed, ports, Outcome};

/// The servers of all tests, because n8n starts slowly. One test at a time uses them.
fn stage() -> MutexGuard<'static, Stage> {
    static STAGE: OnceLock<Result<Mutex<Stage>, String>> = OnceLock::new();
    let started = STAGE.get_or_init(|| match start() {
        Ok(stage) => Ok(Mutex::new(stage)),
        Err(error) => Err(error.to_string()),
    });
    match started {
        Ok(stage) => stage.lock().unwrap_or_else(PoisonError::into_inner),
        Err(error) => panic!("{error}"),
    }
}

/// Starts all servers on free ports, with a new n8n.
fn start() -> Outcome<Stage> {
    let ports = Ports {
        gate: ports::free()?,
        admin: ports::free()?,
        n8n: ports::free()?,
        provider: ports::free()?,
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e_n8n");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Stage::start(ports, &folder, None, |_| ())
}

/// Another gate in front of the same n8n, with other roles and webhook rules.
fn gate_with(stage: &Stage, roles: &Value, webhooks: &Value) -> Envoy {
    setup_with(stage, roles, webhooks).start().unwrap()
}

/// The settings of such a gate.
fn setup_with(stage: &Stage, roles: &Value, webhooks: &Value) -> Setup {
    setup_of(stage, policy_with(stage, roles, webhooks))
}

/// Its configuration.
fn policy_with(stage: &Stage, roles: &Value, webhooks: &Value) -> Value {
    json!({
        "providers": [{
            "name": "demo",
            "issuer": stage.provider.issuer(),
            "audiences": [AUDIENCE],
            "cluster": "provider",
        }],
        "roles": roles,
        "principals": [
            { "name": "app-a", "match": { "client": "app-a" }, "api_key": { "env": "N8N_KEY_APP_A" } },
            { "name": "app-b", "match": { "client": "app-b" }, "api_key": { "env": "N8N_KEY_APP_B" } },
        ],
        "webhooks": webhooks,
    })
}

/// The settings of a gate with this configuration and the keys of the applications.
fn setup_of(stage: &Stage, policy: Value) -> Setup {
    let applications = applications(stage);
    Setup::minimal(policy, stage.n8n.port())
        .unwrap()
        .cluster("provider", stage.provider.port())
        .secret("N8N_KEY_APP_A", &applications.a.api_key)
        .secret("N8N_KEY_APP_B", &applications.b.api_key)
}

/// Runs a script below `tests/real`, and shows its output if it fails.
fn run_script(name: &str, arguments: &[&str]) {
    output_of(name, arguments, &[]);
}

/// The same with these variables; returns its output.
fn output_of(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = Command::new(installed::node().unwrap())
        .arg(installed::root().join("tests/real").join(name))
        .args(arguments)
        .env("CLIENTS_DIR", installed::clients().unwrap())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{name} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_steps_of_the_demo_give_the_documented_results() {
    let stage = stage();
    let mut runner = Runner::on(&stage);
    for token in &TOKENS {
        if let Err(error) = runner.token(token) {
            panic!("{}: {error}", token.title);
        }
    }
    let mut faults = Vec::new();
    for step in &STEPS {
        let result = runner.step(step).unwrap();
        let title = step.title;
        let of_pages = transcripts::faults(title, &result.audit);
        faults.extend(
            result
                .faults
                .into_iter()
                .chain(of_pages)
                .map(|fault| format!("{title}: {fault}")),
        );
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn the_table_of_operations_equals_that_of_the_installed_n8n() {
    let package = installed::n8n().unwrap().join("node_modules/n8n");
    run_script("operations.mjs", &["--check", package.to_str().unwrap()]);
}
