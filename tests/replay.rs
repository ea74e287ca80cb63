//! `n8n-idp-gate replay`: recorded requests under another configuration.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

mod transcript;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{json, Value};
use tempfile::TempDir;

/// A folder with two configurations, and the claims of a caller.
struct Desk(TempDir);

const OLD: &str = "\
providers:
  - { name: idp, issuer: 'https://idp.example.com', audiences: [n8n], roles_from: roles, cluster: idp }
roles: { Reader: [workflow:list, workflow:read] }
principals:
  - { name: one, match: { client: one }, api_key: { env: KEY } }
  - { name: ops, match: { groups: ops }, api_key: { env: KEY_OPS } }
webhooks:
  - { path: '/webhook/orders/**', require: { roles: Orders } }
  - { path: '/webhook/**', auth: open }
";

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("old.yaml", OLD);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    /// The old configuration with one text in place of another.
    fn new_is(&self, from: &str, to: &str) {
        assert!(OLD.contains(from), "{from}");
        self.write("new.yaml", &OLD.replacen(from, to, 1));
    }

    /// The record of a decision by the old configuration.
    fn record(&self, claims: &Value, method: &str, path: &str) -> Value {
        let mut all = json!({ "iss": "https://idp.example.com", "aud": "n8n", "sub": "x" });
        let own = claims.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(own);
        self.write("claims.json", &all.to_string());
        let line = [
            "explain",
            "old.yaml",
            "--claims",
            "claims.json",
            "--token-typ",
            "at+jwt",
            "--json",
            "--at",
            "1800000000",
            "--method",
            method,
            "--path",
            path,
        ];
        let (code, text) = gate(self.0.path(), &line, "");
        assert_eq!(code, Some(0), "{text}");
        let explanation: Value = serde_json::from_str(&text).unwrap();
        explanation["record"].clone()
    }

    fn replay(&self, lines: &str, more: &[&str]) -> (Option<i32>, String) {
        let mut line = vec!["replay", "-", "--config", "new.yaml", "--exit-code"];
        line.extend(more);
        gate(self.0.path(), &line, lines)
    }

    /// The report, and the status, of a replay with the old configuration given.
    fn report(&self, lines: &str) -> (Option<i32>, Value) {
        let (code, text) = self.replay(lines, &["--old", "old.yaml", "--json"]);
        (
            code,
            serde_json::from_str(&text).unwrap_or_else(|_| json!(text)),
        )
    }
}

fn gate(folder: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn one() -> Value {
    json!({ "client_id": "one", "roles": ["Reader"] })
}

#[test]
fn a_role_that_allows_less_is_found_by_what_it_allowed() {
    let desk = Desk::new();
    desk.new_is("[workflow:list, workflow:read]", "[workflow:list]");
    let list = desk.record(&one(), "GET", "/api/v1/workflows");
    let read = desk.record(&one(), "GET", "/api/v1/workflows/7");
    assert_eq!(read["decision"], "forward", "{read}");
    let (code, report) = desk.report(&format!("{list}\n{read}\n"));
    assert_eq!(code, Some(3));
    assert_eq!(report["totals"]["same"], 1, "{report}");
    let change = &report["changes"][0];
    assert_eq!(change["change"], "newly_refused");
    assert_eq!(change["caller"], "one (client one)");
    assert_eq!(change["request"], "workflow:read");
    assert_eq!(change["before"]["decision"], "forward");
    assert_eq!(change["after"]["reason"], "insufficient_scope");
    assert_eq!(change["after"]["missing"], json!(["workflow:read"]));
    assert_eq!(change["first"], "2027-01-15T08:00:00.000Z");
}

/// The record says that the caller is in one of the groups of its principal, and not in which others.
#[test]
fn a_group_is_known_only_as_far_as_its_principal_matched() {
    let desk = Desk::new();
    let claims = json!({ "client_id": "two", "groups": ["ops"], "roles": ["Reader"] });
    let record = desk.record(&claims, "GET", "/api/v1/workflows");
    assert_eq!(record["principal"], "ops", "{record}");
    for (groups, status, verdict) in [
        ("groups: ops", Some(0), "same"),
        ("groups: [ops, dev]", Some(0), "same"),
        ("client: two", Some(0), "same"),
        ("groups: ops, kind: user", Some(3), "newly_refused"),
        ("groups: dev", Some(4), "unknown"),
        ("groups: ops, tenant: t", Some(4), "unknown"),
    ] {
        desk.new_is("match: { groups: ops }", &format!("match: {{ {groups} }}"));
        let (code, report) = desk.report(&record.to_string());
        assert_eq!(code, status, "{groups}: {report}");
        assert_eq!(report["totals"][verdict], 1, "{groups}: {report}");
    }
    // Without the old configuration nothing is known of groups.
    desk.new_is("Reader", "Reader");
    let (code, text) = desk.replay(&record.to_string(), &[]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("groups, roles"), "{text}");
    assert!(text.contains("taken for granted without --old"), "{text}");
}

#[test]
fn what_was_refused_and_would_pass_is_found() {
    let desk = Desk::new();
    let claims = json!({ "client_id": "one", "roles": ["Other"] });
    let record = desk.record(&claims, "POST", "/webhook/orders/a");
    assert_eq!(record["reason"], "webhook_requirement");
    desk.new_is(", require: { roles: Orders }", ", auth: open");
    let (code, report) = desk.report(&record.to_string());
    assert_eq!(code, Some(3));
    assert_eq!(report["totals"]["newly_allowed"], 1, "{report}");
    assert_eq!(report["changes"][0]["request"], "POST /webhook/orders/a");
    assert_eq!(report["changes"][0]["after"]["decision"], "pass");
}

/// A webhook that was open left no record of a token.
#[test]
fn a_credential_that_was_not_looked_for_is_unknown() {
    let desk = Desk::new();
    let record = desk.record(&one(), "POST", "/webhook/other");
    assert_eq!(record["decision"], "pass");
    desk.new_is("auth: open", "auth: bearer");
    let (code, report) = desk.report(&record.to_string());
    assert_eq!(code, Some(4));
    let needs = &report["unknown"][0]["needs"];
    assert_eq!(*needs, json!(["whether it had a token"]), "{report}");
    desk.new_is("auth: open", "auth: deny");
    let (_, report) = desk.report(&record.to_string());
    assert_eq!(report["totals"]["newly_refused"], 1, "{report}");
}

#[test]
fn another_key_for_the_same_principal_is_a_change() {
    let desk = Desk::new();
    let record = desk.record(&one(), "GET", "/api/v1/workflows");
    desk.new_is("env: KEY }", "env: KEY_TWO }");
    let (code, report) = desk.report(&record.to_string());
    assert_eq!(code, Some(3));
    assert_eq!(report["totals"]["other_credential"], 1, "{report}");
}

#[test]
fn tokens_that_are_checked_in_another_way_are_unknown() {
    let desk = Desk::new();
    let good = desk.record(&one(), "GET", "/api/v1/workflows");
    let wrong = json!({ "client_id": "one", "aud": "other" });
    let wrong = desk.record(&wrong, "GET", "/api/v1/workflows");
    assert_eq!(wrong["reason"], "wrong_audience");
    let lines = format!("{good}\n{wrong}\n");
    desk.new_is("audiences: [n8n]", "audiences: [other]");
    let (_, report) = desk.report(&lines);
    assert_eq!(report["totals"]["unknown"], 2, "{report}");
    // Without the old configuration the audience of the refused one is known all the same.
    let (_, text) = desk.replay(&lines, &[]);
    assert!(text.contains("claims to be client one"), "{text}");
    // A refusal that has nothing to do with the policy stays.
    desk.new_is("client: one", "client: two");
    let (_, report) = desk.report(&wrong.to_string());
    assert_eq!(report["totals"]["same"], 1, "{report}");
}

#[test]
fn records_of_another_configuration_are_named() {
    let desk = Desk::new();
    let record = desk.record(&one(), "GET", "/api/v1/workflows");
    desk.new_is("Reader", "Reader");
    for (name, value) in [
        ("principal", json!("gone")),
        ("principal", json!("ops")),
        ("instance", json!("other")),
        ("path", json!("/api/v1/tags")),
    ] {
        let mut record = record.clone();
        record[name] = value;
        let (code, report) = desk.report(&record.to_string());
        assert_eq!(code, Some(4));
        let needs = report["unknown"][0]["needs"][0]
            .as_str()
            .unwrap_or_default();
        assert!(needs.ends_with("not that of --old"), "{name}: {report}");
    }
}

#[test]
fn what_no_policy_decides_is_left_out_and_what_cannot_be_read_is_named() {
    let desk = Desk::new();
    desk.new_is("Reader", "Reader");
    let record = desk.record(&one(), "GET", "/api/v1/workflows");
    let with = |changes: Value| {
        let mut record = record.clone();
        let own = changes.as_object().unwrap().clone();
        record.as_object_mut().unwrap().extend(own);
        record.to_string()
    };
    let lines = [
        with(json!({ "decision": "answered", "upstream_status": 403 })),
        with(json!({ "decision": "abandoned" })),
        with(json!({ "decision": "reject", "reason": "too_many_waiting" })),
        with(json!({ "decision": "respond", "operation": "embed_login", "surface": "rest" })),
        with(json!({ "v": 2 })),
        with(json!({ "decision": "reject", "reason": "of_tomorrow" })),
        with(json!({ "time": "2027-01-14T07:59:59.999Z" })),
        "{".to_owned(),
        "[2027-01-15 08:00:00.000][7][info][main] [server.cc:1] starting".to_owned(),
        with(json!({ "path": "/api/v1/workflows/\\u{2028}" })),
    ];
    let since = ["--since", "2027-01-15", "--old", "old.yaml", "--json"];
    let (code, text) = desk.replay(&lines.join("\n"), &since);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, Some(4));
    assert_eq!(
        report["left_out"],
        json!({
            "a log-in of an embedded page": 1,
            "about a response of n8n": 1,
            "outside of --since and --until": 1,
            "refused by a bound or failure of the gate": 1,
            "the client left before the decision": 1,
        })
    );
    let named = &report["lines_not_read"];
    assert_eq!(named["count"], 3, "{report}");
    assert!(
        named["first"][0].as_str().unwrap().starts_with("-:5: "),
        "{report}"
    );
    assert_eq!(report["lines_without_record"], 1);
    assert_eq!(report["totals"]["unknown"], 1, "{report}");
}

/// The verdict on a record that the old configuration made, by a new one. `None` in place of it: unknown.
fn verdict(old: &str, new: &str, record: &Value) -> Option<String> {
    let desk = Desk::new();
    desk.write("old.yaml", old);
    desk.write("new.yaml", new);
    let mut whole = json!({
        "decision": "forward", "host": "n8n.example.com", "method": "POST",
        "time": "2027-01-15T08:00:00.000Z", "v": 1,
    });
    let own = record.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(own);
    let (_, report) = desk.report(&whole.to_string());
    let totals = report["totals"].as_object().unwrap_or_else(|| {
        let text = report.as_str().unwrap_or_default();
        unreachable!("{text}")
    });
    let mut found = totals.iter().filter(|(_, count)| **count == 1);
    let (name, _) = found.next().unwrap();
    (name != "unknown").then(|| name.clone())
}

fn with_rules(rules: &str) -> String {
    let (head, _) = OLD.split_once("webhooks:").unwrap();
    format!("{head}webhooks:\n  - {{ path: '/webhook/a', {rules} }}\n")
}

#[test]
fn a_signed_delivery_is_good_where_the_same_is_asked_for() {
    let signed = |name: &str, secret: &str| {
        let signature = format!("sender: github, name: {name}, secrets: [{{ env: {secret} }}]");
        with_rules(&format!("auth: signature, signature: {{ {signature} }}"))
    };
    let old = signed("hooks", "SECRET");
    let record = json!({
        "credential": "signature", "delivery": {"sender": "github", "secret": 1},
        "path": "/webhook/a", "principal": "hooks", "surface": "webhook",
    });
    for (new, expected) in [
        (old.clone(), Some("same")),
        (signed("other", "SECRET"), Some("other_principal")),
        (signed("hooks", "OTHER_SECRET"), None),
        // A rule that reads no signature lets it pass, whatever it is.
        (with_rules("auth: open"), Some("other_decision")),
        (with_rules("auth: bearer"), None),
        (with_rules("auth: deny"), Some("newly_refused")),
    ] {
        let found = verdict(&old, &new, &record);
        assert_eq!(found.as_deref(), expected, "{new}");
    }
}

#[test]
fn a_certificate_is_known_only_by_the_same_rule() {
    let by = |rule: &str| {
        let rules = format!("auth: certificate, certificate: {{ {rule} }}");
        let rules = with_rules(&rules);
        format!("client_certificates: {{ from: connection, verified: true }}\n{rules}")
    };
    let old = by("dns: [a.example, b.example]");
    let record = json!({
        "credential": "certificate", "path": "/webhook/a", "principal": "a.example",
        "surface": "webhook",
    });
    assert_eq!(verdict(&old, &old, &record).as_deref(), Some("same"));
    assert_eq!(verdict(&old, &by("dns: [a.example]"), &record), None);
}

#[test]
fn a_token_in_a_cookie_is_found_where_it_was() {
    let from = |name: &str| with_rules(&format!("auth: bearer, token_from: {{ cookie: {name} }}"));
    let record = json!({
        "credential": "bearer_in_cookie", "client": "one", "iss": "https://idp.example.com",
        "kind": "unknown", "path": "/webhook/a", "principal": "one", "provider": "idp",
        "sub": "x", "surface": "webhook",
    });
    let old = from("session");
    assert_eq!(verdict(&old, &old, &record).as_deref(), Some("same"));
    assert_eq!(verdict(&old, &from("other"), &record), None);
    assert_eq!(verdict(&old, &with_rules("auth: bearer"), &record), None);
    let denied = with_rules("auth: deny");
    let found = verdict(&old, &denied, &record);
    assert_eq!(found.as_deref(), Some("newly_refused"));
}

#[test]
fn a_token_of_which_the_provider_is_not_asked_any_more_is_unknown() {
    let asking = OLD.replace(
        "cluster: idp }",
        "cluster: idp, introspection: { uri: 'https://idp.example.com/introspect', client_id: n8n, \
         client_secret: { env: SECRET }, cluster: idp } }",
    );
    let record = json!({
        "client": "one", "credential": "bearer", "introspection": "active",
        "iss": "https://idp.example.com", "kind": "unknown", "method": "GET",
        "operation": "workflow:list", "path": "/api/v1/workflows", "principal": "one",
        "provider": "idp", "sub": "x", "surface": "public_api",
    });
    assert_eq!(verdict(&asking, &asking, &record).as_deref(), Some("same"));
    assert_eq!(verdict(&asking, OLD, &record), None);
}

#[test]
fn each_record_is_decided_by_its_own_instance() {
    let several = |hosts: &str| {
        let (providers, one) = OLD.split_once("roles:").unwrap();
        let one = format!("roles:{one}").replace('\n', "\n    ");
        format!("{providers}instances:\n  - name: main\n    hosts: {hosts}\n    {one}\n")
    };
    let old = several("[n8n.example.com, old.example.com]");
    let record = |host: &str| {
        json!({
            "client": "one", "credential": "bearer", "host": host, "instance": "main",
            "iss": "https://idp.example.com", "kind": "unknown", "method": "GET",
            "operation": "workflow:list", "path": "/api/v1/workflows", "principal": "one",
            "provider": "idp", "sub": "x", "surface": "public_api",
        })
    };
    let new = several("[n8n.example.com]");
    let found = verdict(&old, &new, &record("n8n.example.com:443"));
    assert_eq!(found.as_deref(), Some("same"));
    let found = verdict(&old, &new, &record("old.example.com"));
    assert_eq!(found.as_deref(), Some("newly_refused"));
}

/// A record has texts of clients, and this is shown on a terminal.
#[test]
fn no_text_of_a_record_moves_a_cursor() {
    let desk = Desk::new();
    let mut record = desk.record(&one(), "GET", "/api/v1/workflows");
    record["client"] = json!("\u{1b}[2Jone");
    record["request_id"] = json!("\u{1b}]0;x");
    record["principal"] = Value::Null;
    desk.new_is("client: one", "client: two");
    let (_, text) = desk.replay(&record.to_string(), &[]);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn the_transcripts_of_the_guide_are_what_the_program_writes() {
    assert_eq!(transcript::check("docs/guides/replay.md"), 2);
}
