//! What the command writes, and its exit status.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::desk::{Desk, CONFIGURATION, NOW};

const CLAIMS: &str = r#"{ "iss": "https://idp.example.com", "aud": "api://n8n", "sub": "reports",
    "client_id": "reports", "scope": "a b" }"#;

/// The whole text, so that a change of it is looked at.
#[test]
fn a_forward_and_a_refusal_are_explained_step_by_step() {
    let desk = Desk::new();
    let keys = "--key-set=idp=jwks.json";
    let (_, forward) = desk.explain("jwt", &[keys, "--header", "x-auth-subject: root"]);
    insta::assert_snapshot!("forward", forward);
    let late = (NOW + 3600).to_string();
    let wrong = desk.command(&[
        "--token-file",
        "jwt",
        keys,
        "--at",
        &late,
        "--method",
        "POST",
    ]);
    insta::assert_snapshot!("expired", wrong.1);
    desk.put(
        "claims.json",
        &CLAIMS.replace("\"client_id\": \"reports\"", "\"client_id\": \"other\""),
    );
    let other = desk.command(&["--claims", "claims.json", "--at", &NOW.to_string()]);
    insta::assert_snapshot!("no_principal", other.1);
}

#[test]
fn a_call_that_another_line_of_n8n_has_is_said_to_be_so() {
    let desk = Desk::new();
    desk.put(
        "gate.yaml",
        &format!("{CONFIGURATION}n8n_version: \"1.123\"\n"),
    );
    let call = [
        "--key-set=idp=jwks.json",
        "--method",
        "POST",
        "--path",
        "/api/v1/workflows/7/archive",
    ];
    let (done, text) = desk.explain("jwt", &call);
    assert!(done, "{text}");
    let expected = "unknown in n8n 1.123 (n8n 2.41 has it: workflow:delete): only callers whose roles grant * may call it";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("unknown_operation"), "{text}");
}

#[test]
fn claims_without_a_signature_are_called_not_verified() {
    let desk = Desk::new();
    desk.put("claims.json", CLAIMS);
    desk.put(
        "claims.yaml",
        "iss: https://idp.example.com\naud: api://n8n\nsub: reports\nazp: reports\n",
    );
    for claims in ["claims.json", "claims.yaml"] {
        let (code, text) = desk.command(&["--claims", claims, "--exit-code"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.starts_with("NOT VERIFIED"), "{text}");
        assert!(
            text.contains("Filled in, because the claims lack it: iat, exp, alg."),
            "{text}"
        );
        assert!(text.contains("?    signature: NOT VERIFIED"), "{text}");
        let (_, text) = desk.command(&["--claims", claims, "--json"]);
        let json: Value = serde_json::from_str(&text).unwrap();
        let warning = json["not_verified"]["warning"].as_str().unwrap();
        assert!(warning.starts_with("NOT VERIFIED"), "{warning}");
    }
    let verified = desk.json("jwt", &["--key-set=idp=jwks.json"]);
    assert_eq!(verified["not_verified"], Value::Null);
    let (code, text) = desk.command(&["--claims", "claims.json", "--token-file", "jwt"]);
    assert_eq!(code, Some(2), "{text}");
}

#[test]
fn the_status_says_the_decision_if_asked() {
    let desk = Desk::new();
    let keys = "--key-set=idp=jwks.json";
    let at = NOW.to_string();
    for (rest, expected) in [
        (&["--token-file", "jwt", keys, "--exit-code"][..], 0),
        (
            &[
                "--token-file",
                "jwt",
                keys,
                "--exit-code",
                "--method",
                "POST",
            ],
            3,
        ),
        (&["--token-file", "jwt", "--exit-code"], 4),
        (&["--token-file", "jwt", keys, "--method", "POST"], 0),
        (&["--token-file", "none", "--exit-code"], 1),
    ] {
        let (code, text) = desk.command(&[rest, &["--at", &at]].concat());
        assert_eq!(code, Some(expected), "{rest:?}: {text}");
    }
}

/// A reader that has read enough is no error.
#[test]
fn a_closed_pipe_is_quiet() {
    let desk = Desk::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(desk.path("."))
        .args(["explain", "gate.yaml", "--claims", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It writes only after it has read the claims: by then no reader is left.
    drop(child.stdout.take());
    child
        .stdin
        .take()
        .unwrap()
        .write_all(CLAIMS.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn no_output_is_in_the_form_of_rust() {
    let desk = Desk::new();
    let (_, text) = desk.explain("jwt", &["--key-set", "idp=jwks.json"]);
    for debug in [
        "Some(", "None", "Set(", "Remove(", "Plain(", "Secret(", "Ok(",
    ] {
        assert!(!text.contains(debug), "{debug}: {text}");
    }
    assert!(text.contains("  added   x-n8n-api-key: ***"), "{text}");
}
