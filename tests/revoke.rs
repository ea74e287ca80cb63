//! `n8n-idp-gate revoke` against a scripted n8n.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "support/scripted_n8n.rs"]
mod scripted_n8n;

use std::fs;
use std::process::Command;
use std::sync::mpsc::Receiver;

use serde_json::{json, Value};
use tempfile::TempDir;

use self::scripted_n8n::Step;

const SEED: &str = "a-seed-of-the-tests-alone";
const KEY: &str = "provisioning-key";
const ADMIN: &str = "key-of-an-admin";
const USER: &str = "client-orders-00@minted.invalid";

/// What n8n responds to a good log-in; the cookie comes with each response.
fn good(more: &[Step]) -> Vec<Step> {
    let keys = json!({"data": {"items": [
        {"id": "k1", "label": "n8n-idp-gate 1-00000001"},
        {"id": "k2", "label": "made by a person"},
        {"id": "k3", "label": "n8n-idp-gate 2-\u{1b}[31m"},
    ]}});
    let mut steps = more.to_vec();
    steps.extend([
        ("POST /rest/login", 200, json!({"data": {}})),
        ("GET /rest/api-keys?ownership=mine&", 200, keys),
        ("DELETE /rest/api-keys/", 200, json!({"data": {}})),
        ("POST /rest/logout", 200, json!({"data": {}})),
    ]);
    steps
}

/// A folder with a configuration, and an n8n.
struct Desk {
    folder: TempDir,
    n8n: String,
    seen: Receiver<String>,
}

impl Desk {
    fn new(steps: Vec<Step>) -> Self {
        Self::of(&configuration(), steps)
    }

    fn of(configuration: &Value, steps: Vec<Step>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gate.json"), configuration.to_string()).unwrap();
        let (n8n, seen) = scripted_n8n::start(steps);
        Self { folder, n8n, seen }
    }

    /// Whether it succeeds, and what it prints.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let arguments = [&["--n8n", &self.n8n], arguments].concat();
        self.run_with(&arguments, &[("N8N_KEY", KEY), ("N8N_SEED", SEED)])
    }

    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .current_dir(self.folder.path())
            .args(["revoke", "gate.json"])
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .env("N8N_ADMIN", ADMIN)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        for secret in [SEED, KEY, ADMIN, "the-session", "\u{1b}"] {
            assert!(!text.contains(secret), "{text}");
        }
        (output.status.success(), text)
    }

    /// The first lines of all requests, without the version.
    fn lines(&self) -> Vec<String> {
        let lines = self.seen.try_iter();
        let line = |request: String| request.split(" HTTP").next().unwrap().to_owned();
        lines.map(line).collect()
    }
}

fn configuration() -> Value {
    json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example.com", "audiences": ["n8n"],
            "cluster": "idp"}],
        "n8n": n8n(),
        "principals": [
            {"name": "reports", "match": {"client": "reports"}, "grant": ["workflow:list"],
                "user": {"email": "Reports@n8n.example"}},
            {"name": "apps", "match": {"any": true}, "grant": ["workflow:list"],
                "user": {"per": "client"}},
        ],
    })
}

fn n8n() -> Value {
    json!({"cluster": "n8n", "api_key": {"env": "N8N_KEY"}, "seed": {"env": "N8N_SEED"},
        "email_domain": "minted.invalid"})
}

fn user(email: &str, is_pending: bool) -> Value {
    json!({"id": "u-1", "email": email, "firstName": "Client", "lastName": "orders",
        "isPending": is_pending})
}

#[test]
fn keys_of_the_gate_are_deleted_and_the_session_ends() {
    let desk = Desk::new(good(&[]));
    let (is_good, text) = desk.run(&["--user", USER]);
    assert!(is_good, "{text}");
    assert!(
        text.contains("deleted the API key k1: n8n-idp-gate 1-00000001\n"),
        "{text}"
    );
    assert!(
        text.contains("deleted the API key k3: n8n-idp-gate 2-"),
        "{text}"
    );
    assert!(
        text.contains(&format!("{USER} had 2 API keys of the gate\n")),
        "{text}"
    );
    assert!(text.contains("note: the principal apps"), "{text}");
    let requests: Vec<_> = desk.seen.try_iter().collect();
    let lines: Vec<_> = requests
        .iter()
        .map(|one| one.split(" HTTP").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "POST /rest/login",
            "GET /rest/api-keys?ownership=mine&take=250&skip=0",
            "DELETE /rest/api-keys/k1",
            "DELETE /rest/api-keys/k3",
            "POST /rest/logout",
        ]
    );
    assert!(requests[0].contains(USER) && !requests[0].contains("cookie:"));
    assert!(requests[1..]
        .iter()
        .all(|one| one.contains("cookie: n8n-auth=the-session")));
    // The session is bound to this value: no other log-in of the second gets the same one.
    assert!(requests
        .iter()
        .all(|one| one.contains("browser-id: n8n-idp-gate-")));
    assert!(requests.iter().all(|one| !one.contains(KEY)));
}

#[test]
fn a_dry_run_deletes_nothing() {
    let desk = Desk::new(good(&[]));
    let (is_good, text) = desk.run(&["--user", USER, "--dry-run"]);
    assert!(
        is_good && text.contains("would delete the API key k1"),
        "{text}"
    );
    let arguments = [
        "--user",
        USER,
        "--dry-run",
        "--delete-user",
        "--admin-key",
        "N8N_ADMIN",
    ];
    let found = good(&[("GET /api/v1/users/", 200, user(USER, false))]);
    let other = Desk::new(found);
    let (is_good, text) = other.run(&arguments);
    assert!(is_good && text.contains("would delete the user"), "{text}");
    for desk in [desk, other] {
        let lines = desk.lines();
        assert!(
            !lines.iter().any(|line| line.starts_with("DELETE")),
            "{lines:?}"
        );
        assert!(lines.contains(&"POST /rest/logout".to_owned()));
    }
}

#[test]
fn the_session_ends_though_a_key_cannot_be_deleted() {
    let fault = json!({"message": "no \u{1b}[2J"});
    let desk = Desk::new(good(&[("DELETE /rest/api-keys/k3", 500, fault)]));
    let (is_good, text) = desk.run(&["--user", USER]);
    assert!(
        !is_good && text.contains("n8n responds with 500: no"),
        "{text}"
    );
    assert_eq!(desk.lines().last().unwrap(), "POST /rest/logout");
}

#[test]
fn a_log_in_that_fails_says_why() {
    let refused = |code: u64| {
        (
            "POST /rest/login",
            401,
            json!({"code": code, "message": "no"}),
        )
    };
    let find = |status: u16, body: Value| ("GET /api/v1/users/", status, body);
    for (steps, expected) in [
        (vec![refused(998)], "has a second factor"),
        (
            vec![("POST /rest/login", 429, json!({}))],
            "Try again in 42 seconds",
        ),
        (
            vec![("POST /rest/login", 302, json!({}))],
            "redirects to https://elsewhere.example/",
        ),
        (
            vec![("POST /rest/login", 500, json!({}))],
            "logging in: n8n responds with 500",
        ),
        (
            vec![refused(401)],
            "n8n has no user client-orders-00@minted.invalid",
        ),
        (
            vec![refused(401), find(401, json!({}))],
            "refuses the provisioning key",
        ),
        (
            vec![refused(401), find(403, json!({}))],
            "refuses the provisioning key",
        ),
        (
            vec![refused(401), find(200, user(USER, false))],
            "with another password",
        ),
        (
            vec![refused(401), find(200, json!([]))],
            "is not one of n8n",
        ),
    ] {
        let desk = Desk::new(steps);
        let (is_good, text) = desk.run(&["--user", USER]);
        assert!(!is_good && text.contains(expected), "{expected}: {text}");
        let lines = desk.lines();
        assert!(
            !lines.iter().any(|line| line.starts_with("DELETE")),
            "{lines:?}"
        );
    }
    let pending = vec![refused(401), find(200, user(USER, true))];
    let (is_good, text) = Desk::new(pending).run(&["--user", USER]);
    assert!(is_good && text.contains("has no API keys"), "{text}");
}

#[test]
fn a_user_is_deleted_by_its_id_with_the_key_of_an_admin() {
    let find = (
        "GET /api/v1/users/client-orders-00%40minted.invalid",
        200,
        user(USER, false),
    );
    let delete = |status: u16| ("DELETE /api/v1/users/u-1", status, json!({}));
    let arguments = ["--user", USER, "--delete-user", "--admin-key", "N8N_ADMIN"];
    let desk = Desk::new(good(&[find.clone(), delete(200)]));
    let (is_good, text) = desk.run(&arguments);
    assert!(is_good && text.contains("deleted the user"), "{text}");
    let requests: Vec<_> = desk.seen.try_iter().collect();
    let [.., found, deleted] = &*requests else {
        panic!("{requests:?}")
    };
    assert!(
        found.contains(&format!("x-n8n-api-key: {KEY}\r\n")),
        "{found}"
    );
    assert!(
        deleted.contains(&format!("x-n8n-api-key: {ADMIN}\r\n")),
        "{deleted}"
    );

    let (is_good, text) = Desk::new(good(&[find, delete(403)])).run(&arguments);
    assert!(
        !is_good && text.contains("scope user:delete. The user is not deleted"),
        "{text}"
    );
    // No user with another password is deleted: it may be a person.
    let refused = ("POST /rest/login", 401, json!({"code": 401}));
    let find = ("GET /api/v1/users/", 200, user(USER, false));
    let desk = Desk::new(vec![refused, find, delete(200)]);
    let (is_good, text) = desk.run(&arguments);
    assert!(!is_good && text.contains("with another password"), "{text}");
    assert!(!desk.lines().iter().any(|line| line.starts_with("DELETE")));
}

#[test]
fn users_of_the_configuration_are_listed() {
    let part = |users: Value, next: Value| json!({"data": users, "nextCursor": next});
    let first = [user("person@n8n.example", false), user(USER, false)];
    let second = [user("reports@n8n.example", true)];
    let steps = vec![
        (
            "GET /api/v1/users?limit=100&cursor=two",
            200,
            part(json!(second), Value::Null),
        ),
        (
            "GET /api/v1/users?limit=100",
            200,
            part(json!(first), json!("two")),
        ),
    ];
    let (is_good, text) = Desk::new(steps).run(&["--list", "--admin-key", "N8N_ADMIN"]);
    assert_eq!(
        (is_good, &*text),
        (
            true,
            "client-orders-00@minted.invalid: Client orders\n\
             reports@n8n.example: Client orders, of the principal reports, invited, without a password\n"
        )
    );
    // The provisioning key finds those users whose addresses are known.
    let no = ("GET /api/v1/users?", 403, json!({}));
    let one = (
        "GET /api/v1/users/reports",
        200,
        user("reports@n8n.example", false),
    );
    let (is_good, text) = Desk::new(vec![no.clone(), one]).run(&["--list"]);
    let line = "reports@n8n.example: Client orders, of the principal reports\n";
    assert!(is_good && text.starts_with(line), "{text}");
    assert!(text.contains("note: only users with an email"), "{text}");
    let (is_good, text) = Desk::new(vec![no]).run(&["--list", "--admin-key", "N8N_ADMIN"]);
    assert!(!is_good && text.contains("the scope user:list"), "{text}");
}

#[test]
fn what_is_not_here_is_named() {
    let desk = Desk::new(good(&[]));
    let arguments = ["--n8n", &*desk.n8n, "--user", USER];
    let (is_good, text) = desk.run_with(&arguments, &[("N8N_KEY", KEY)]);
    assert!(
        !is_good && text.contains("that n8n.seed names is not set"),
        "{text}"
    );
    assert_eq!(desk.lines(), Vec::<String>::new());
    // Without the provisioning key, keys can be deleted.
    let (is_good, text) = desk.run_with(&arguments, &[("N8N_SEED", SEED)]);
    assert!(is_good && text.contains("had 2 API keys"), "{text}");
    let (is_good, text) = desk.run(&["--list", "--admin-key", "not-a-variable"]);
    assert!(!is_good && !text.contains("not-a-variable"), "{text}");
    let (is_good, text) = desk.run_with(
        &["--n8n", "http://127.0.0.1:1", "--user", USER],
        &[("N8N_SEED", SEED)],
    );
    assert!(
        !is_good && text.contains("n8n at http://127.0.0.1:1: "),
        "{text}"
    );
    for wrong in ["n8n:5678", "http://n8n/?a=b", "http://a:b@n8n"] {
        let (is_good, text) = desk.run(&["--n8n", wrong, "--user", USER]);
        assert!(!is_good && text.contains("--n8n"), "{text}");
    }
    for incomplete in [
        &[][..],
        &["--user", USER, "--list"],
        &["--user", USER, "--delete-user"],
    ] {
        let (is_good, text) = desk.run(incomplete);
        assert!(!is_good && text.contains("Usage:"), "{text}");
    }
}

#[test]
fn an_instance_is_chosen_by_its_name() {
    let mut several = configuration();
    let whole = several.as_object_mut().unwrap();
    let principals = whole.remove("principals").unwrap();
    whole.remove("n8n");
    let instance = |name: &str| {
        json!({"name": name, "hosts": [format!("{name}.example")], "principals": principals,
            "n8n": n8n()})
    };
    whole.insert(
        "instances".to_owned(),
        json!([instance("live"), instance("test")]),
    );
    let desk = Desk::of(&several, good(&[]));
    let (is_good, text) = desk.run(&["--user", USER]);
    assert!(
        !is_good && text.contains("choose one with --instance: live, test"),
        "{text}"
    );
    let (is_good, text) = desk.run(&["--user", USER, "--instance", "other"]);
    assert!(!is_good && text.contains("There are: live, test"), "{text}");
    let (is_good, text) = desk.run(&["--user", USER, "--instance", "test"]);
    assert!(is_good, "{text}");
    let mut none = configuration();
    none["principals"] = json!([{"name": "a", "match": {"any": true}, "grant": ["workflow:list"],
        "api_key": {"env": "N8N_KEY"}}]);
    none.as_object_mut().unwrap().remove("n8n");
    let (is_good, text) = Desk::of(&none, Vec::new()).run(&["--user", USER]);
    assert!(!is_good && text.contains("makes no users"), "{text}");
}
