//! The files that this repository ships: what `check` says of them is known, line by line.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each warning of a shipped file, and why it is right: these are lines to change.
const EXPLAINED: [(&str, &str); 6] = [
    ("deploy/envoy-gateway/policy.yaml", "providers[0].issuer"),
    ("deploy/istio/wasmplugin.yaml", "providers[0].issuer[0]"),
    ("deploy/istio/wasmplugin.yaml", "providers[0].issuer[1]"),
    ("deploy/istio/wasmplugin.yaml", "providers[0].audiences[1]"),
    ("deploy/istio/wasmplugin.yaml", "principals[0].match.client"),
    ("deploy/istio/wasmplugin.yaml", "public_api.resource"),
];

fn check(arguments: &[&str]) -> (Option<i32>, Vec<u8>) {
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .arg("check")
        .args(arguments)
        .output()
        .unwrap();
    (output.status.code(), output.stdout)
}

#[test]
fn shipped_files_have_no_warnings_but_placeholders() {
    let (code, out) = check(&["--format", "json", "envoy.yaml", "deploy"]);
    assert_eq!(code, Some(0));
    let report: Value = serde_json::from_slice(&out).unwrap();
    let list = report["diagnostics"].as_array().unwrap();
    let found: Vec<_> = list
        .iter()
        .map(|one| {
            assert_eq!(one["rule"], "placeholder", "{one}");
            (one["file"].as_str().unwrap(), one["path"].as_str().unwrap())
        })
        .collect();
    assert_eq!(found, EXPLAINED);
    let files = report["files"].as_array().unwrap();
    assert!(files.len() >= 4, "{files:?}");
}

#[test]
fn shipped_files_pass_with_denied_warnings() {
    let (code, _) = check(&[
        "--deny-warnings",
        "--allow",
        "placeholder",
        "envoy.yaml",
        "deploy",
    ]);
    assert_eq!(code, Some(0));
    let (code, _) = check(&["--deny-warnings", "envoy.yaml", "deploy/compose"]);
    assert_eq!(code, Some(0));
    let (code, _) = check(&["--deny-warnings", "deploy"]);
    assert_eq!(code, Some(1));
}
