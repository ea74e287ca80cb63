//! `n8n-idp-gate provision` with a real n8n, as a team without a licence uses it: one user, several keys.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};
use tempfile::TempDir;

use crate::applications::PASSWORD;
use crate::minted::token;
use crate::support::envoy::{Envoy, Setup};
use crate::support::http::Request;
use crate::support::provider::{AUDIENCE, READ};
use crate::{stage, Stage};

/// The user of a team. n8n takes five log-ins of it in a minute, which the test needs.
const TEAM: &str = "team@provisioned.test";

struct Desk<'s> {
    stage: &'s Stage,
    folder: TempDir,
    policy: Value,
}

impl Desk<'_> {
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .current_dir(self.folder.path())
            .arg("provision")
            .args(arguments)
            .args(["--env-file", "keys.env", "--email", TEAM])
            .args([
                "--n8n",
                &format!("http://127.0.0.1:{}", self.stage.n8n.port()),
            ])
            .env("N8N_OWNER_PASSWORD", PASSWORD)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains(PASSWORD) && !text.contains("eyJ"), "{text}");
        (output.status.success(), text)
    }

    fn key(&self, variable: &str) -> String {
        let text = fs::read_to_string(self.folder.path().join("keys.env")).unwrap();
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(variable)?.strip_prefix('='));
        found.unwrap().to_owned()
    }

    fn gate(&self) -> Envoy {
        let port = self.stage.n8n.port();
        let setup = Setup::minimal(self.policy.clone(), port).unwrap();
        let setup = setup.cluster("provider", self.stage.provider.port());
        let setup = setup.secret("N8N_KEY_READER", &self.key("N8N_KEY_READER"));
        let setup = setup.secret("N8N_KEY_WRITER", &self.key("N8N_KEY_WRITER"));
        setup.start().unwrap()
    }

    /// The status with which n8n itself responds to a key.
    fn direct(&self, key: &str, request: Request) -> u16 {
        let request = request.header("X-N8N-API-KEY", key);
        request.send(self.stage.n8n.port()).unwrap().status
    }
}

fn policy(stage: &Stage) -> Value {
    json!({
        "providers": [{
            "name": "demo",
            "issuer": stage.provider.issuer(),
            "audiences": [AUDIENCE],
            "cluster": "provider",
        }],
        "roles": { READ: ["workflow:list", "workflow:read"] },
        "principals": [
            { "name": "reader", "match": { "client": "app-a" }, "allow": ["workflow:list"],
                "api_key": { "env": "N8N_KEY_READER" } },
            { "name": "writer", "match": { "client": "app-b" }, "grant": ["workflow:create"],
                "api_key": { "env": "N8N_KEY_WRITER" } },
        ],
    })
}

fn list() -> Request {
    Request::get("/api/v1/workflows")
}

fn create() -> Request {
    let workflow = json!({ "name": "of the team", "nodes": [], "connections": {}, "settings": {} });
    Request::post("/api/v1/workflows", &workflow)
}

#[test]
fn one_user_has_a_key_for_each_principal_and_each_is_replaced_without_a_gap() {
    let stage = stage();
    let owner = stage.n8n.session_of_owner().unwrap();
    owner.member(TEAM, PASSWORD, &["workflow:list"]).unwrap();
    let policy = policy(&stage);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gate.json"), policy.to_string()).unwrap();
    let desk = Desk {
        stage: &stage,
        folder,
        policy,
    };

    let (is_good, text) = desk.run(&["gate.json"]);
    assert!(is_good, "{text}");
    assert!(
        text.contains("N8N_KEY_READER: made the API key n8n-idp-gate:reader: workflow:list\n"),
        "{text}"
    );
    let (reader, writer) = (desk.key("N8N_KEY_READER"), desk.key("N8N_KEY_WRITER"));
    // n8n enforces what each key is for.
    assert_eq!(desk.direct(&reader, list()), 200);
    assert_eq!(desk.direct(&reader, create()), 403);
    assert_eq!(desk.direct(&writer, create()), 200);
    // The gate uses them.
    let gate = desk.gate();
    let token = token(&stage, "app-a");
    let response = list().bearer(&token).send(gate.port()).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());

    let (is_good, text) = desk.run(&["gate.json"]);
    // Within the first second it is the whole 90 days.
    let ends = ["89", "90"]
        .map(|days| format!("is there, as n8n-idp-gate:writer, which ends in {days} days"));
    let says_when = ends.iter().any(|end| text.contains(end));
    assert!(is_good && says_when, "{text}");
    assert!(
        !text.contains("made") && !text.contains("changed"),
        "{text}"
    );
    assert_eq!(desk.key("N8N_KEY_READER"), reader);

    let (is_good, text) = desk.run(&["rotate", "gate.json", "reader"]);
    assert!(is_good && text.contains("n8n-idp-gate:reader#2"), "{text}");
    let new = desk.key("N8N_KEY_READER");
    assert_ne!(new, reader);
    assert_eq!(
        [&reader, &new].map(|key| desk.direct(key, list())),
        [200, 200]
    );
    // n8n stores the use of a key after its response.
    thread::sleep(Duration::from_secs(1));
    let (is_good, text) = desk.run(&["rotate", "gate.json", "reader", "--finish"]);
    assert!(
        is_good && text.contains("deleted the API key n8n-idp-gate:reader\n"),
        "{text}"
    );
    assert_eq!(
        [&reader, &new].map(|key| desk.direct(key, list())),
        [401, 200]
    );

    let (is_good, text) = desk.run(&["list", "gate.json"]);
    assert!(is_good, "{text}");
    let line = |label: &str| {
        let mut lines = text.lines();
        let found = lines.find(|line| line.starts_with(&format!("{label}, of {TEAM}, ")));
        found
            .unwrap_or_else(|| panic!("{label}: {text}"))
            .to_owned()
    };
    assert!(line("n8n-idp-gate:reader#2")
        .ends_with("last used within a day: reader, in N8N_KEY_READER"));
    // The key that a person made before.
    assert!(
        line("end-to-end").ends_with("never ends, never used: a static key that is not the gate's")
    );
}

#[test]
fn an_api_key_makes_no_api_keys() {
    let stage = stage();
    let mut keys = crate::keys::Keys::of_the_owner(&stage);
    let all = keys.scopes();
    let key = keys.with(&all);
    let wanted = json!({ "label": "of a key", "scopes": ["workflow:list"], "expiresAt": null });
    for request in [
        Request::post("/rest/api-keys", &wanted),
        Request::get("/rest/api-keys"),
    ] {
        let response = request
            .header("X-N8N-API-KEY", &key)
            .send(stage.n8n.port())
            .unwrap();
        assert_eq!(response.status, 401, "{}", response.text());
    }
}
