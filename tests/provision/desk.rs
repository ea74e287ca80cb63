//! The program in a folder with a configuration, before a scripted n8n.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::scripted_n8n::{self, Step};

pub(crate) const EMAIL: &str = "owner@n8n.example";
const PASSWORD: &str = "Password-of-the-owner-1";

/// Far in the future.
const END: u64 = 9_000_000_000;

/// A key of a user as n8n makes it. Its last letters tell keys apart.
pub(crate) fn raw_key(user: &str, last: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = json!({"iss": "n8n", "aud": "public-api", "sub": user, "jti": last, "exp": END});
    format!("{header}.{}.c2lnbmF0dXJl{last}", part(claims))
}

/// How n8n lists it.
pub(crate) fn listed(id: &str, label: &str, last: &str, scopes: &[&str], used: bool) -> Value {
    json!({
        "id": id, "label": label, "scopes": scopes, "apiKey": format!("******{last}"),
        "expiresAt": END, "createdAt": "2026-01-02T03:04:05.000Z", "userId": "u-1",
        "lastUsedAt": used.then_some("2026-02-02T03:04:05.000Z"),
        "owner": {"id": "u-1", "email": EMAIL, "firstName": "The", "lastName": "Owner"},
    })
}

/// The key of the first principal, which was used: an older policy asked for one scope less.
pub(crate) fn key_of_reports() -> Value {
    listed(
        "k1",
        "n8n-idp-gate:reports",
        "aaaa",
        &["workflow:list"],
        true,
    )
}

/// What n8n responds to a good log-in.
pub(crate) fn good(keys: &[Value], more: &[Step]) -> Vec<Step> {
    let mut steps = more.to_vec();
    let scopes = [
        "workflow:list",
        "workflow:read",
        "workflow:create",
        "user:create",
        "user:read",
    ];
    let made =
        json!({"data": {"id": "k-new", "rawApiKey": raw_key("u-1", "newk"), "apiKey": "***"}});
    steps.extend([
        (
            "POST /rest/login",
            200,
            json!({"data": {"id": "u-1", "email": EMAIL}}),
        ),
        ("GET /rest/api-keys/scopes", 200, json!({"data": scopes})),
        (
            "GET /rest/api-keys?take=250&skip=0",
            200,
            json!({"data": {"items": keys}}),
        ),
        ("POST /rest/api-keys", 200, made),
        (
            "PATCH /rest/api-keys/",
            200,
            json!({"data": {"success": true}}),
        ),
        (
            "DELETE /rest/api-keys/",
            200,
            json!({"data": {"success": true}}),
        ),
        ("POST /rest/logout", 200, json!({"data": {}})),
    ]);
    steps
}

pub(crate) fn configuration() -> Value {
    json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example.com", "audiences": ["n8n"],
            "cluster": "idp", "roles_from": "roles"}],
        "roles": {"Reader": "workflow:read", "Writer": ["workflow:create", "tag:list"]},
        "principals": [
            {"name": "reports", "match": {"client": "reports"}, "grant": "workflow:list",
                "allow": ["workflow:list", "workflow:read"], "api_key": {"env": "N8N_KEY_REPORTS"}},
            {"name": "orders", "match": {"client": "orders"}, "api_key": {"env": "N8N_KEY_ORDERS"}},
        ],
    })
}

/// A folder with a configuration, before an n8n.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    n8n: String,
    seen: Receiver<String>,
    pub(crate) stdout: Option<File>,
}

impl Desk {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gate.json"), configuration().to_string()).unwrap();
        let (n8n, seen) = scripted_n8n::start(steps);
        Self {
            folder,
            n8n,
            seen,
            stdout: None,
        }
    }

    pub(crate) fn with_file(self, text: &str) -> Self {
        fs::write(self.file(), text).unwrap();
        self
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("keys.env")
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Whether it succeeds, and what it prints on standard output and on the other one.
    pub(crate) fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"));
        command
            .current_dir(self.folder.path())
            .arg("provision")
            .args(arguments)
            .args(["--n8n", &self.n8n])
            .env_clear()
            .env("N8N_OWNER_EMAIL", EMAIL)
            .env("N8N_OWNER_PASSWORD", PASSWORD)
            .stdin(Stdio::null());
        if let Some(stdout) = &self.stdout {
            command.stdout(stdout.try_clone().unwrap());
        }
        let output = command.output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        for text in [&out, &err] {
            // A terminal obeys what begins with an escape.
            for unwanted in [PASSWORD, "the-session", "\u{1b}"] {
                assert!(!text.contains(unwanted), "{text}");
            }
        }
        assert!(!err.contains("c2lnbmF0dXJl"), "a key is shown: {err}");
        (output.status.success(), out, err)
    }

    /// Runs it. It must succeed and print all of these. Returns what it prints.
    pub(crate) fn succeeds(&self, arguments: &[&str], prints: &[&str]) -> String {
        let (is_good, out, err) = self.run(arguments);
        assert!(is_good, "{out}{err}");
        for text in prints {
            assert!(out.contains(text), "{text}\n{out}");
        }
        out
    }

    /// Runs it. It must fail and say all of these. Returns what it prints.
    pub(crate) fn fails(&self, arguments: &[&str], says: &[&str]) -> String {
        let (is_good, out, err) = self.run(arguments);
        assert!(!is_good, "{out}{err}");
        for text in says {
            assert!(err.contains(text), "{text}\n{err}");
        }
        out
    }

    /// What n8n was asked since this was asked last.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.try_iter().collect()
    }

    /// Those of them that change something.
    pub(crate) fn changes(&self) -> Vec<String> {
        let requests = self.requests();
        changes(&requests).into_iter().map(str::to_owned).collect()
    }

    #[track_caller]
    pub(crate) fn changed_nothing(&self) {
        assert_eq!(self.changes(), Vec::<String>::new());
    }
}

pub(crate) fn lines(requests: &[String]) -> Vec<&str> {
    let lines = requests.iter();
    lines
        .map(|one| one.split(" HTTP").next().unwrap())
        .collect()
}

/// Those that change something.
pub(crate) fn changes(requests: &[String]) -> Vec<&str> {
    let lines = lines(requests).into_iter();
    lines
        .filter(|line| {
            !line.starts_with("GET ") && !["POST /rest/login", "POST /rest/logout"].contains(line)
        })
        .collect()
}

pub(crate) fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Provides all keys to the file.
pub(crate) const ALL: [&str; 3] = ["gate.json", "--env-file", "keys.env"];
