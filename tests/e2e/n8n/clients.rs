//! Programs for n8n that can send one credential, as `X-N8N-API-KEY`: with a token of the provider in it.

use std::process::Command;

use serde_json::Value;

use crate::support::installed;
use crate::support::provider::{AUDIENCE, READ, WRITE};
use crate::{output_of, stage, Stage};

/// The API as these programs call it, and a token of application A.
fn settings(stage: &Stage) -> (String, String) {
    let url = format!("http://127.0.0.1:{}", stage.envoy.port());
    let scope = format!("{READ} {WRITE}");
    (
        url,
        stage.provider.token("app-a", &scope, AUDIENCE).unwrap(),
    )
}

/// The audit records of a gate since the first `before`.
fn records(stage: &Stage, before: usize) -> Vec<Value> {
    stage.envoy.audit().split_off(before)
}

/// Asserts that each record is of a forward for application A by a token in the header of API keys.
fn assert_are_of_a(records: &[Value]) {
    assert!(!records.is_empty());
    for record in records {
        assert_eq!(record["decision"], "forward", "{record}");
        assert_eq!(record["credential"], "bearer_as_api_key", "{record}");
        assert_eq!(record["client"], "app-a", "{record}");
    }
}

#[test]
fn an_mcp_bridge_works_with_a_token_in_place_of_its_api_key() {
    let stage = stage();
    let (url, token) = settings(&stage);
    let before = stage.envoy.audit().len();
    let api = format!("{url}/api/v1");
    let variables = [("N8N_API_URL", api.as_str()), ("N8N_API_KEY", &token)];
    let output = output_of("clients/bridge.mjs", &[], &variables);
    let listed: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_ne!(listed["isError"], true, "{listed}");
    assert_are_of_a(&records(&stage, before));
}

#[test]
fn a_command_line_tool_works_with_a_token_in_place_of_its_api_key() {
    let stage = stage();
    let (url, token) = settings(&stage);
    let before = stage.envoy.audit().len();
    let home = tempfile::tempdir().unwrap();
    let run = |key: &str| {
        // By its interpreter: a launcher holds the path at which it was installed.
        let programs = installed::clients().unwrap().join("python/bin");
        let output = Command::new(programs.join("python"))
            .arg(programs.join("n8n-cli"))
            .args(["--json", "workflows", "list"])
            .env_clear()
            .env("HOME", home.path())
            .env("N8N_API_URL", format!("{url}/api/v1"))
            .env("N8N_API_KEY", key)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    let (is_good, text) = run(&token);
    assert!(is_good, "{text}");
    assert_are_of_a(&records(&stage, before));
    // The same program with a token of the wrong audience shows the refusal of the gate.
    let elsewhere = stage.provider.token("app-a", READ, "api://something-else");
    let (is_good, text) = run(&elsewhere.unwrap());
    assert!(!is_good && text.contains("not for this resource"), "{text}");
}
