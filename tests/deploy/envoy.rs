//! Every Envoy file, validated by a real Envoy with the real module.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::manifests::compose_in_one_file;
use super::plugin::Plugin;
use super::repository::{documents, files, root, File};

/// The paths of the module: in the repository, and in the container of compose.
const MODULES: [&str; 2] = ["target/n8n-idp-gate.wasm", "/etc/envoy/n8n-idp-gate.wasm"];

#[test]
fn envoy_accepts_every_envoy_file() {
    let mut accepted = Vec::new();
    for file in files(&["yaml", "yml", "json"]) {
        let documents = documents(&file.name, &file.text);
        if documents
            .iter()
            .any(|document| !document["static_resources"].is_null())
        {
            validate(&file.name, &in_one_file(&file));
            accepted.push(file.name);
        }
    }
    assert!(accepted.contains(&"envoy.yaml".to_owned()), "{accepted:?}");
    assert!(
        accepted.contains(&"deploy/compose/envoy.yaml".to_owned()),
        "{accepted:?}"
    );
}

/// The text of the file. Envoy does not look at a listener that it discovers when it validates a
/// file, so the one of compose is put into it.
fn in_one_file(file: &File) -> String {
    if file.name == "deploy/compose/envoy.yaml" {
        serde_norway::to_string(&compose_in_one_file()).unwrap()
    } else {
        file.text.clone()
    }
}

/// Validates a copy of a file in which only the path of the module is changed.
fn validate(name: &str, text: &str) {
    let document = &documents(name, text)[0];
    let mut text = text.to_owned();
    for module in MODULES {
        let path = installed("GATE_WASM", "target/n8n-idp-gate.wasm");
        text = text.replace(
            &format!("filename: {module}"),
            &format!("filename: {}", path.display()),
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("envoy.yaml");
    fs::write(&copy, text).unwrap();
    let mut command = Command::new(installed("ENVOY_BIN", ".local/bin/envoy"));
    command
        .args([
            "--mode",
            "validate",
            "--use-dynamic-base-id",
            "--log-level",
            "warning",
        ])
        .args(["--concurrency", "1", "--config-path"])
        .arg(&copy);
    for variable in Plugin::all_in(document)
        .iter()
        .flat_map(|plugin| &plugin.variables)
    {
        command.env(variable, format!("key-of-{variable}"));
    }
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {log}");
}

#[allow(
    clippy::disallowed_methods,
    reason = "make names the programs in the environment"
)]
pub(crate) fn installed(variable: &str, usual: &str) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| root().join(usual), PathBuf::from);
    assert!(
        path.exists(),
        "{} does not exist: `make wasm envoy`",
        path.display()
    );
    path
}
