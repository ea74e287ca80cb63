//! A folder with a configuration, keys and tokens, in which the command runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{json, Value};
use tempfile::TempDir;

use crate::mint::{mint, KeyKind};

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const CONFIGURATION: &str = "\
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

pub(crate) const FORWARDED: &str =
    "n8n gets it for the principal reports, with an API key of the configuration";

/// A desk with files on it.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The status of `explain`, and what it said.
    pub(crate) fn command(&self, rest: &[&str]) -> (Option<i32>, String) {
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
    pub(crate) fn explain(&self, token: &str, rest: &[&str]) -> (bool, String) {
        let now = NOW.to_string();
        let of_token = ["--at", &now, "--token-file", token];
        let (status, text) = self.command(&[&of_token, rest].concat());
        (status == Some(0), text)
    }

    /// The audit record, and what happens to the request.
    pub(crate) fn said(&self, token: &str, rest: &[&str]) -> (Value, String) {
        let whole = self.json(token, rest);
        let summary = whole["summary"].as_str().unwrap().to_owned();
        (whole["record"].clone(), summary)
    }

    pub(crate) fn json(&self, token: &str, rest: &[&str]) -> Value {
        let (done, text) = self.explain(token, &[rest, &["--json"]].concat());
        assert!(done, "{text}");
        serde_json::from_str(&text).unwrap()
    }
}
