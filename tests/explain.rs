//! The command line's word on a request: `n8n-idp-gate explain`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "support/mint.rs"]
mod mint;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mint::{mint, KeyKind};
use serde_json::{json, Value};
use tempfile::TempDir;

const NOW: u64 = 1_800_000_000;

const CONFIGURATION: &str = "\
providers:
  - name: idp
    issuer: https://idp.example.com
    audiences: [api://n8n]
    cluster: idp
    introspection:
      uri: https://idp.example.com/introspect
      client_id: gate
      client_secret: { env: GATE_SECRET }
principals:
  - name: reports
    match: { client: reports }
    grant: [workflow:list]
    api_key: { env: N8N_KEY_REPORTS }
";

const FORWARDED: &str =
    "n8n gets it for the principal reports, with an API key of the configuration";

/// A desk with files on it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.put("gate.yaml", CONFIGURATION);
        let keys = json!({ "keys": [mint(KeyKind::Ed25519).jwk("one")] });
        desk.put("jwks.json", &keys.to_string());
        let claims = json!({
            "iss": "https://idp.example.com", "aud": "api://n8n", "sub": "reports",
            "client_id": "reports", "iat": NOW, "exp": NOW + 300,
        });
        let header = json!({ "alg": "EdDSA", "kid": "one", "typ": "at+jwt" });
        desk.put("jwt", &mint(KeyKind::Ed25519).sign(&header, &claims));
        desk.put("opaque", "an-opaque-token\n");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The status of `explain`, and what it said.
    fn command(&self, rest: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .current_dir(self.0.path())
            .args(["explain", "gate.yaml"])
            .args(rest)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    /// Whether it could say, and what it said.
    fn explain(&self, token: &str, rest: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .current_dir(self.0.path())
            .args(["explain", "gate.yaml", "--at", &NOW.to_string()])
            .args(["--token-file", token])
            .args(rest)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// The audit record, and what happens to the request.
    fn said(&self, token: &str, rest: &[&str]) -> (Value, String) {
        let whole = self.json(token, rest);
        let summary = whole["summary"].as_str().unwrap().to_owned();
        (whole["record"].clone(), summary)
    }

    fn json(&self, token: &str, rest: &[&str]) -> Value {
        let (done, text) = self.explain(token, &[rest, &["--json"]].concat());
        assert!(done, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}

#[test]
fn a_jwt_is_judged_with_the_keys_that_are_given() {
    let desk = Desk::new();
    let keys = ["--key-set", "idp=jwks.json"];
    let (record, line) = desk.said("jwt", &keys);
    assert_eq!(record["principal"], "reports");
    assert_eq!(line, FORWARDED);
    let (record, _) = desk.said("jwt", &[&keys[..], &["--method", "POST"]].concat());
    assert_eq!(record["reason"], "insufficient_scope");
    let (_, line) = desk.said("jwt", &[]);
    assert_eq!(
        line,
        "waits for the keys of idp: give them with --key-set idp=FILE"
    );
}

#[test]
fn an_opaque_token_is_decided_by_the_response_that_is_given() {
    let desk = Desk::new();
    let active = json!({
        "active": true, "token_type": "Bearer", "aud": "api://n8n", "client_id": "reports",
    });
    desk.put("active.json", &active.to_string());
    desk.put("inactive.json", "{\"active\": false}");
    let (record, line) = desk.said("opaque", &["--response", "idp=active.json"]);
    assert_eq!(record["introspection"], "active");
    assert_eq!(line, FORWARDED);
    // The former name of the option.
    let (record, _) = desk.said("opaque", &["--answer", "idp=inactive.json"]);
    assert_eq!(record["reason"], "inactive");
    let (_, line) = desk.said("opaque", &[]);
    assert_eq!(
        line,
        "waits for the response of idp about the token: give it with --response idp=FILE"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let desk = Desk::new();
    desk.put("not.json", "<html>");
    for (rest, said) in [
        (
            ["--response", "idp=not.json"],
            "not.json: the response is malformed",
        ),
        (
            ["--response", "idp=absent.json"],
            "absent.json: No such file",
        ),
        (["--response", "idp"], "is not of the form PROVIDER=FILE"),
        (
            ["--key-set", "other=jwks.json"],
            "there is no provider \"other\"",
        ),
    ] {
        let (done, text) = desk.explain("opaque", &rest);
        assert!(!done && text.contains(said), "{rest:?}: {text}");
    }
}

#[test]
fn no_token_and_no_key_is_shown() {
    let desk = Desk::new();
    let token = fs::read_to_string(desk.path("jwt")).unwrap();
    let (_, text) = desk.explain("jwt", &["--key-set", "idp=jwks.json"]);
    assert!(!text.contains(&token), "{text}");
    let (_, text) = desk.explain("opaque", &[]);
    assert!(!text.contains("an-opaque-token"), "{text}");
}

#[test]
fn one_of_several_configurations_is_chosen_by_name_or_number() {
    let desk = Desk::new();
    let policy = fs::read_to_string(desk.path("gate.yaml")).unwrap();
    let plugin = |name: &str, policy: &str| {
        let lines = policy.lines();
        let inner: String = lines.flat_map(|line| ["    ", line, "\n"]).collect();
        format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n\
             metadata: {{ name: {name} }}\nspec:\n  pluginConfig:\n{inner}"
        )
    };
    let other = policy.replace("workflow:list", "tag:list");
    let file = [plugin("one", &policy), plugin("two", &other)].join("---\n");
    desk.put("gate.yaml", &file);
    let keys = "--key-set=idp=jwks.json";
    let (done, text) = desk.explain("jwt", &[keys]);
    assert_eq!(
        (done, text.as_str()),
        (
            false,
            "n8n-idp-gate: gate.yaml: 2 configurations; choose one with --name, by its name or \
             number:\n  1: one\n  2: two\n"
        )
    );
    for (choice, is_forwarded) in [("one", true), ("1", true), ("two", false), ("2", false)] {
        let (record, _) = desk.said("jwt", &[keys, "--name", choice]);
        assert_eq!(record["decision"] == "forward", is_forwarded, "{choice}");
    }
    let (done, text) = desk.explain("jwt", &[keys, "--name", "three"]);
    assert!(
        !done && text.contains("no configuration of that name or number:\n  1: one\n  2: two"),
        "{text}"
    );
}

/// What is read differently on the way to the filter is no ground to explain a decision on.
#[test]
fn a_configuration_that_readers_disagree_on_is_not_explained() {
    let desk = Desk::new();
    let policy = fs::read_to_string(desk.path("gate.yaml")).unwrap();
    let matched = "match: { client: reports, claims: [{ claim: num, equals: 2147483648 }] }";
    desk.put(
        "gate.yaml",
        &policy.replace("match: { client: reports }", matched),
    );
    let (done, text) = desk.explain("jwt", &["--key-set", "idp=jwks.json"]);
    assert!(
        !done
            && text.contains("\n  gate.yaml:12:")
            && text.contains(".equals: a whole number beyond 32 bits without quotes"),
        "{text}"
    );
}

/// The same faults as the filter's, with the words of its log.
#[test]
fn faults_of_keys_and_documents_are_reported_as_by_the_filter() {
    let desk = Desk::new();
    let mut skipped = mint(KeyKind::Ed25519).jwk("one");
    skipped["use"] = json!("enc");
    let other = mint(KeyKind::P256).jwk("two");
    desk.put(
        "skipped.json",
        &json!({ "keys": [skipped, other] }).to_string(),
    );
    desk.put("none.json", &json!({ "keys": [skipped] }).to_string());
    desk.put("empty.json", "\u{feff}{}");
    desk.put("page.json", "<html>");
    let wrong = json!({ "issuer": "http://idp:8080", "jwks_uri": "http://idp:8080/jwks" });
    desk.put("wrong.json", &wrong.to_string());
    let right = json!({
        "issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/jwks",
    });
    desk.put("right.json", &right.to_string());
    for (option, reason, fault, words) in [
        (
            ["--key-set", "idp=skipped.json"],
            "unknown_key_id",
            "skipped: use",
            "keys of the key set are skipped: keys[0] (kid \"one\"): not for signatures",
        ),
        (
            ["--key-set", "idp=none.json"],
            "keys_unavailable",
            "no_usable_key",
            "keys of the key set are skipped: keys[0] (kid \"one\"): not for signatures",
        ),
        (
            ["--key-set", "idp=empty.json"],
            "keys_unavailable",
            "keys_missing",
            "the document is a JSON object without `keys`",
        ),
        (
            ["--key-set", "idp=page.json"],
            "keys_unavailable",
            "page",
            "log-in page",
        ),
        (
            ["--discovery", "idp=wrong.json"],
            "keys_unavailable",
            "issuer_mismatch",
            "expected \"https://idp.example.com\", found \"http://idp:8080\"",
        ),
    ] {
        let (done, text) = desk.explain("jwt", &option);
        assert!(done && text.contains(words), "{option:?}: {text}");
        let (record, _) = desk.said("jwt", &option);
        assert_eq!(
            (&record["reason"], &record["fault"]),
            (&json!(reason), &json!(fault))
        );
    }
    let both = [
        "--discovery",
        "idp=right.json",
        "--key-set",
        "idp=jwks.json",
    ];
    let (done, text) = desk.explain("jwt", &both);
    assert!(done, "{text}");
    assert!(text.contains("its keys would be fetched from https://idp.example.com/jwks"));
    assert!(text.contains("decision: forward"));
}

/// A configuration whose shadow differs for the public API, for one webhook that needs the body and for one that needs the
/// status of a token.
const WITH_SHADOW: &str = "\
shadow:
  principals:
    - { name: reports, match: { client: reports, tenant: acme }, grant: [workflow:list], api_key: { env: A } }
  webhooks:
    - path: /webhook/signed
      auth: signature
      signature: { sender: github, name: github, secrets: [{ env: B }] }
    - { path: /webhook/tokens, auth: bearer }
    - { path: /webhook/**, auth: open }
";

#[test]
fn the_decision_of_a_shadow_is_explained_beside_the_one_in_force() {
    let desk = Desk::new();
    let keys = "--key-set=idp=jwks.json";
    let before = desk.json("jwt", &[keys]);
    assert_eq!(before["shadow"], Value::Null);
    desk.put("gate.yaml", &format!("{CONFIGURATION}{WITH_SHADOW}"));
    let both = desk.json("jwt", &[keys]);
    let shadow = &both["shadow"];
    assert_eq!(both["decision"], "forward");
    assert_eq!(both["steps"], before["steps"]);
    assert_eq!(
        (&shadow["comparison"], &shadow["differs"]),
        (
            &json!("different"),
            &json!(["decision", "reason", "principal"])
        )
    );
    assert_eq!(
        (&shadow["decision"], &shadow["reason"], &shadow["status"]),
        (&json!("reject"), &json!("no_principal"), &json!(403))
    );
    // As the filter would log it.
    assert_eq!(both["record"]["shadow"]["reason"], "no_principal");
    let steps = shadow["steps"].as_array().unwrap();
    let of_principals = |step: &&Value| step["section"] == "principals";
    let own: Vec<_> = steps.iter().filter(of_principals).collect();
    assert!(
        own[0]["text"].as_str().unwrap().contains("tenant"),
        "{own:?}"
    );
    // The text has the steps that both take once.
    let (_, text) = desk.explain("jwt", &[keys, "--exit-code"]);
    let (first, second) = text.split_once("\nshadow: differs from").unwrap();
    assert!(
        first.contains("audience:") && !second.contains("audience:"),
        "{text}"
    );
    assert!(second.contains("  decision: reject\n"), "{second}");
    let (status, _) = desk.command(&[
        "--token-file",
        "jwt",
        keys,
        "--at",
        &NOW.to_string(),
        "--exit-code",
    ]);
    assert_eq!(status, Some(0));
}

#[test]
fn a_shadow_is_compared_with_what_the_filter_has_for_it() {
    let desk = Desk::new();
    desk.put("gate.yaml", &format!("{CONFIGURATION}{WITH_SHADOW}"));
    desk.put("body", "{}");
    let active = json!({
        "active": true, "token_type": "Bearer", "aud": "api://n8n", "client_id": "reports",
    });
    desk.put("active.json", &active.to_string());
    let signature = format!("x-hub-signature-256: sha256={}", "0".repeat(64));
    let compared = |path: &str, rest: &[&str]| {
        let json = desk.json(
            "opaque",
            &[&["--path", path, "--method", "POST"], rest].concat(),
        );
        let shadow = &json["shadow"];
        assert_eq!(json["record"]["shadow"]["decision"], Value::Null);
        let text = |name: &str| shadow[name].as_str().unwrap().to_owned();
        [text("comparison"), text("decision"), text("compared")]
    };
    for (path, rest, comparison, decision, sentence) in [
        ("/webhook/other", &[][..], "same", "pass", "agrees"),
        // It is explained with what was given, but the filter would not have it.
        (
            "/webhook/signed",
            &["--body", "body", "--header", &signature],
            "unknown",
            "reject",
            "holds no body",
        ),
        (
            "/webhook/tokens",
            &["--response", "idp=active.json"],
            "unknown",
            "forward",
            "asks no provider",
        ),
        (
            "/webhook/tokens",
            &[],
            "unknown",
            "await",
            "asks no provider",
        ),
        (
            "/api/v1/workflows",
            &[],
            "unknown",
            "await",
            "the decision in force waits",
        ),
    ] {
        let said = compared(path, rest);
        assert_eq!((&*said[0], &*said[1]), (comparison, decision), "{path}");
        assert!(said[2].contains(sentence), "{path}: {said:?}");
    }
    let (_, text) = desk.explain("opaque", &["--path", "/webhook/other"]);
    let (_, shadow) = text
        .split_once("\nshadow: agrees with the decision in force\n")
        .unwrap();
    assert!(!shadow.contains("decision:"), "{shadow}");
}

/// Each n8n has a shadow of its own, or none.
#[test]
fn an_instance_without_a_shadow_has_one_decision() {
    let desk = Desk::new();
    let (providers, _) = CONFIGURATION.split_once("principals:").unwrap();
    let principal = |grant: &str| {
        format!("principals: [{{ name: reports, match: {{ client: reports }}, grant: [{grant}], api_key: {{ env: A }} }}]")
    };
    let (now, next) = (principal("workflow:list"), principal("tag:list"));
    desk.put(
        "gate.yaml",
        &format!(
            "{providers}instances:\n  - name: a\n    hosts: [a.example]\n    {now}\n    shadow: {{ {next} }}\n  - name: \
             b\n    hosts: [b.example]\n    {now}\n"
        ),
    );
    let keys = "--key-set=idp=jwks.json";
    let shadow = |host: &str| desk.json("jwt", &[keys, "--host", host])["shadow"].clone();
    assert_eq!(shadow("a.example")["reason"], "insufficient_scope");
    assert_eq!(shadow("a.example")["missing"], json!(["workflow:list"]));
    assert_eq!(shadow("b.example"), Value::Null);
    assert_eq!(shadow("c.example"), Value::Null);
}

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
        .current_dir(desk.0.path())
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
