//! Policy tests: `n8n-idp-gate test`, and what else helps to write a policy.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

mod transcript;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The status and the output of a command line without the name of the program.
fn gate(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// The tests of the configurations that are shipped.
#[test]
fn the_shipped_configurations_decide_as_their_tests_say() {
    let folder = root().join("deploy/policy-tests");
    let files = fs::read_dir(&folder).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.collect();
    files.sort();
    let expected = [
        "compose.yaml",
        "envoy-gateway.yaml",
        "envoy.yaml",
        "istio.yaml",
    ];
    assert_eq!(files, expected);
    let mut arguments = vec!["test", "--require-coverage"];
    arguments.extend(files.iter().map(String::as_str));
    let (code, text) = gate(&folder, &arguments);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(" passed, 0 failed\n"), "{text}");
}

const CONFIGURATION: &str = "\
providers:
  - { name: idp, issuer: 'https://idp.example.com', audiences: [api://n8n], roles_from: roles, cluster: idp }
roles: { Reader: [workflow:list] }
principals:
  - { name: one, match: { client: one }, api_key: { env: KEY } }
  - { name: two, match: { client: two }, api_key: { env: KEY_TWO } }
";

#[test]
fn every_failure_is_reported_with_what_differs() {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("gate.yaml"), CONFIGURATION).unwrap();
    let tests = "\
config: gate.yaml
tests:
  - name: good
    provider: idp
    claims: { sub: one, client_id: one, roles: [Reader] }
    expect: { decision: forward, headers: { X-N8N-Api-Key: '***' } }
  - name: other headers
    provider: idp
    claims: { sub: one, client_id: one, roles: [Reader] }
    expect: { headers: { x-auth-issuer: two, authorization: '***' } }
  - name: other <reason>
    provider: idp
    claims: { sub: one, client_id: one }
    expect: { reason: no_principal, missing: [] }
  - name: no such provider
    provider: idq
    claims: {}
    expect: { decision: reject }
";
    fs::write(desk.path().join("tests.yaml"), tests).unwrap();
    fs::write(
        desk.path().join("broken.yaml"),
        "config: gate.yaml\ntest: []\n",
    )
    .unwrap();
    let arguments = ["test", "tests.yaml", "broken.yaml", "--junit", "report.xml"];
    let (code, text) = gate(desk.path(), &arguments);
    assert_eq!(code, Some(1), "{text}");
    let expected = "\
FAIL tests.yaml: other headers
  headers.authorization: expected ***, found nothing
  headers.x-auth-issuer: expected two, found https://idp.example.com
FAIL tests.yaml: other <reason>
  missing: expected nothing, found workflow:list
  reason: expected no_principal, found insufficient_scope
  because of grant: needed: missing: workflow:list; expected workflow:list; insufficient_scope
FAIL tests.yaml: no such provider
  there is no provider \"idq\"; there are: idp
FAIL broken.yaml: the file can be read
  broken.yaml: test: there is no such field; did you mean tests?
  broken.yaml: tests: is required
1 passed, 4 failed
gate.yaml: reached 1 of 2 principals, 1 of 1 roles
  not reached: principal two
";
    assert_eq!(text, expected);
    let report = fs::read_to_string(desk.path().join("report.xml")).unwrap();
    assert!(
        report.contains("<testsuite name=\"tests.yaml\" tests=\"4\" failures=\"3\">"),
        "{report}"
    );
    assert!(report.contains("name=\"other &lt;reason&gt;\""), "{report}");
    assert!(
        report.contains("<failure message=\"headers.authorization: expected ***, found nothing\">"),
        "{report}"
    );
}

#[test]
fn coverage_counts_only_if_it_is_required() {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("gate.yaml"), CONFIGURATION).unwrap();
    let tests = "config: gate.yaml\ntests: [{ name: bare, expect: { reason: no_credential } }]\n";
    fs::write(desk.path().join("tests.yaml"), tests).unwrap();
    let (code, text) = gate(desk.path(), &["test", "tests.yaml"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = gate(desk.path(), &["test", "tests.yaml", "--require-coverage"]);
    assert_eq!(code, Some(1), "{text}");
}

#[test]
fn the_schemas_for_editors_are_those_of_the_reference() {
    let page = |name: &str| fs::read_to_string(root().join("docs/reference").join(name)).unwrap();
    let (_, text) = gate(&root(), &["schema"]);
    assert_eq!(text, page("configuration.schema.json"));
    let (_, text) = gate(&root(), &["schema", "policy-tests"]);
    assert_eq!(text, page("policy-tests.schema.json"));
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in ["compose", "envoy-gateway", "envoy", "istio"] {
        let file = root()
            .join("deploy/policy-tests")
            .join(name)
            .with_extension("yaml");
        let tests = fs::read_to_string(file).unwrap();
        let tests: Value = serde_norway::from_str(&tests).unwrap();
        assert!(validator.is_valid(&tests), "{name}");
    }
}

#[test]
fn each_shell_gets_its_completions() {
    for (shell, part) in [
        ("bash", "complete -F"),
        ("elvish", "edit:completion"),
        ("fish", "complete -c n8n-idp-gate"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef n8n-idp-gate"),
    ] {
        let (code, text) = gate(&root(), &["completions", shell]);
        assert_eq!(code, Some(0), "{text}");
        assert!(
            text.contains(part) && text.contains("require-coverage"),
            "{shell}: {text}"
        );
    }
}

#[test]
fn the_transcripts_of_the_guide_are_what_the_program_writes() {
    assert_eq!(transcript::check("docs/guides/explain-and-test.md"), 4);
}
