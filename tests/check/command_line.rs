//! Several files, folders, standard input, options and exit codes.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{json, Value};

use super::{configuration, envoy, Desk};

fn good() -> String {
    configuration(&json!({})).to_string()
}

#[test]
fn the_others_are_checked_after_a_bad_file() {
    let desk = Desk::new(&[
        ("a.yaml", "a: ["),
        ("b.yaml", "providers: []\n"),
        ("c.yaml", &good()),
    ]);
    let (code, text) = desk.run(&["check", "absent.yaml", "a.yaml", "b.yaml", "c.yaml"]);
    assert_eq!(code, Some(2), "{text}");
    for said in [
        "a.yaml: cannot be read\n  error: a.yaml:2:1: not YAML",
        "b.yaml: the configuration has 2 errors:\n",
        "c.yaml: good\n",
        "n8n-idp-gate: absent.yaml: No such file",
        "n8n-idp-gate: 3 errors\n",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let (code, _) = desk.run(&["check", "a.yaml", "c.yaml"]);
    assert_eq!(code, Some(1));
    let (code, _) = desk.run(&["check", "c.yaml"]);
    assert_eq!(code, Some(0));
    let (code, text) = desk.run(&["check", "--no-such-option", "c.yaml"]);
    assert_eq!(code, Some(2), "{text}");
}

#[test]
fn a_folder_stands_for_its_files_and_the_others_are_counted() {
    let desk = Desk::new(&[
        ("gate.yaml", &good()),
        ("other.yml", "a: 1"),
        ("template.yaml", "a: {{ .Values.a }}: ["),
        ("notes.txt", "providers: ["),
    ]);
    let below = desk.0.path().join("x/y");
    fs::create_dir_all(&below).unwrap();
    fs::write(
        below.join("bad.json"),
        r#"{"providers": [], "webhooks": []}"#,
    )
    .unwrap();
    fs::create_dir_all(desk.0.path().join(".git")).unwrap();
    fs::write(desk.0.path().join(".git/gate.yaml"), "providers: []").unwrap();
    let (code, text) = desk.run(&["check", "."]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.starts_with("./gate.yaml: good\n./x/y/bad.json: the configuration has "),
        "{text}"
    );
    assert!(
        text.contains("\n2 files without a configuration were left out\n"),
        "{text}"
    );
    assert!(!text.contains(".git"), "{text}");
    // One that may be the gate's is not left out because it cannot be read.
    fs::write(desk.0.path().join("template.yaml"), "providers: [").unwrap();
    let (_, text) = desk.run(&["check", "."]);
    assert!(text.contains("./template.yaml: cannot be read"), "{text}");
    let empty = Desk::new(&[("other.yaml", "a: 1")]);
    let (code, text) = empty.run(&["check", "."]);
    assert!(
        code == Some(1) && text.contains("[no-configuration]"),
        "{text}"
    );
}

#[test]
fn standard_input_is_a_file_named_by_a_dash() {
    let desk = Desk::new(&[]);
    let (code, text) = desk.run_with(&["check", "-"], good().as_bytes());
    assert_eq!((code, text.as_str()), (Some(0), "-: good\n"));
    let (code, text) = desk.run_with(&["check", "-"], b"metrics: maybe\nproviders: []");
    assert_eq!(code, Some(1));
    assert!(text.contains("\n  error: -:1:1: metrics: "), "{text}");
}

#[test]
fn warnings_fail_if_they_are_denied_and_not_allowed() {
    let mut whole = configuration(&json!({}));
    whole["providers"][0]["issuer"] = json!("https://login.example.com");
    let desk = Desk::new(&[("gate.yaml", &whole.to_string())]);
    let (code, text) = desk.run(&["check", "gate.yaml"]);
    assert!(code == Some(0) && text.contains("[placeholder]"), "{text}");
    assert!(text.ends_with("n8n-idp-gate: 1 warning\n"), "{text}");
    let (code, _) = desk.run(&["check", "--deny-warnings", "gate.yaml"]);
    assert_eq!(code, Some(1));
    let denied = [
        "check",
        "--deny-warnings",
        "--allow",
        "placeholder",
        "gate.yaml",
    ];
    assert_eq!(desk.run(&denied), (Some(0), "gate.yaml: good\n".to_owned()));
    for (rule, said) in [("fail-open", "cannot be left out"), ("x", "no such rule")] {
        let (code, text) = desk.run(&["check", "--allow", rule, "gate.yaml"]);
        assert!(code == Some(2) && text.contains(said), "{text}");
    }
}

/// A bypass that is accepted passes where warnings are denied.
#[test]
fn accepted_bypasses_pass() {
    let plugin = json!({"kind": "WasmPlugin", "spec": {
        "failStrategy": "FAIL_OPEN", "pluginConfig": configuration(&json!({})),
    }});
    let desk = Desk::new(&[("gate.yaml", &plugin.to_string())]);
    let (code, text) = desk.run(&["check", "--deny-warnings", "--accept-bypasses", "gate.yaml"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("  warning: gate.yaml:1:"), "{text}");
}

#[test]
fn json_has_every_part_of_a_diagnostic() {
    let routes =
        json!([{"match": {"prefix": "/"}, "route": {"cluster": "n8n", "regex_rewrite": {}}}]);
    let file = format!("# é\n{}", envoy(&configuration(&json!({})), &routes));
    let desk = Desk::new(&[("\u{202e}gate.yaml", &file)]);
    let (code, text) = desk.run(&["check", "--format", "json", "\u{202e}gate.yaml"]);
    assert_eq!(code, Some(1));
    assert!(!text.contains('\u{202e}'), "{text}");
    let report: Value = serde_json::from_str(text.split("n8n-idp-gate: ").next().unwrap()).unwrap();
    assert_eq!(
        (&report["errors"], &report["version"]),
        (&json!(1), &json!(1))
    );
    let one = &report["diagnostics"][0];
    let position = file
        .lines()
        .nth(1)
        .unwrap()
        .find("\"regex_rewrite\"")
        .unwrap();
    assert_eq!(one["line"], 2);
    assert_eq!(one["column"], json!(position.saturating_add(1)));
    assert_eq!(one["file"], "\\u{202e}gate.yaml");
    assert_eq!(one["severity"], "error");
    assert_eq!(one["rule"], "path-rewritten");
    for member in ["path", "message", "hint"] {
        assert!(!one[member].as_str().unwrap().is_empty(), "{one}");
    }
}

/// As `| head -1` does.
#[test]
fn a_closed_pipe_is_no_error() {
    for format in ["text", "json", "sarif"] {
        let desk = Desk::new(&[("gate.yaml", &good())]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .current_dir(desk.0.path())
            .args(["check", "--format", format, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The reader is gone before the report is written, which waits for the input.
        drop(child.stdout.take());
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, good().as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert_eq!(output.stderr, b"", "{format}");
    }
}
