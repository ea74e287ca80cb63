//! `n8n-idp-gate provision` against a scripted n8n.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "support/scripted_n8n.rs"]
mod scripted_n8n;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};
use tempfile::TempDir;

use self::scripted_n8n::Step;

const EMAIL: &str = "owner@n8n.example";
const PASSWORD: &str = "Password-of-the-owner-1";

/// Far in the future.
const END: u64 = 9_000_000_000;

/// A key of a user as n8n makes it. Its last letters tell keys apart.
fn raw_key(user: &str, last: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = json!({"iss": "n8n", "aud": "public-api", "sub": user, "jti": last, "exp": END});
    format!("{header}.{}.c2lnbmF0dXJl{last}", part(claims))
}

/// How n8n lists it.
fn listed(id: &str, label: &str, last: &str, scopes: &[&str], used: bool) -> Value {
    json!({
        "id": id, "label": label, "scopes": scopes, "apiKey": format!("******{last}"),
        "expiresAt": END, "createdAt": "2026-01-02T03:04:05.000Z", "userId": "u-1",
        "lastUsedAt": used.then_some("2026-02-02T03:04:05.000Z"),
        "owner": {"id": "u-1", "email": EMAIL, "firstName": "The", "lastName": "Owner"},
    })
}

/// What n8n responds to a good log-in.
fn good(keys: &[Value], more: &[Step]) -> Vec<Step> {
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

fn configuration() -> Value {
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

struct Desk {
    folder: TempDir,
    n8n: String,
    seen: Receiver<String>,
    stdout: Option<File>,
}

impl Desk {
    fn new(steps: Vec<Step>) -> Self {
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

    fn with_file(self, text: &str) -> Self {
        fs::write(self.file(), text).unwrap();
        self
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("keys.env")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Whether it succeeds, and what it prints on standard output and on the other one.
    fn run(&self, arguments: &[&str]) -> (bool, String, String) {
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
            assert!(
                !text.contains(PASSWORD) && !text.contains("the-session"),
                "{text}"
            );
        }
        assert!(!err.contains("c2lnbmF0dXJl"), "a key is shown: {err}");
        (output.status.success(), out, err)
    }

    fn requests(&self) -> Vec<String> {
        self.seen.try_iter().collect()
    }
}

fn lines(requests: &[String]) -> Vec<&str> {
    let lines = requests.iter();
    lines
        .map(|one| one.split(" HTTP").next().unwrap())
        .collect()
}

/// Those that change something.
fn changes(requests: &[String]) -> Vec<&str> {
    let lines = lines(requests).into_iter();
    lines
        .filter(|line| {
            !line.starts_with("GET ") && !["POST /rest/login", "POST /rest/logout"].contains(line)
        })
        .collect()
}

fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

const ALL: [&str; 3] = ["gate.json", "--env-file", "keys.env"];

#[test]
fn each_principal_gets_a_key_with_the_scopes_of_its_roles() {
    let desk = Desk::new(good(&[], &[])).with_file("# mine\nOTHER=1\n");
    let (is_good, out, err) = desk.run(&ALL);
    assert!(is_good, "{out}{err}");
    assert!(!out.contains("c2lnbmF0dXJl"), "{out}");
    let key = raw_key("u-1", "newk");
    assert_eq!(
        desk.text(),
        format!("# mine\nOTHER=1\nN8N_KEY_REPORTS={key}\nN8N_KEY_ORDERS={key}\n")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(desk.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // n8n cannot give tag:list to a key of this user.
    assert!(
        out.contains("orders can be granted what this user can give to no key"),
        "{out}"
    );
    assert!(out.contains("tag:list"), "{out}");
    let requests = desk.requests();
    assert_eq!(changes(&requests), ["POST /rest/api-keys"; 2]);
    assert_eq!(*lines(&requests).last().unwrap(), "POST /rest/logout");
    let made = requests
        .iter()
        .filter(|one| one.starts_with("POST /rest/api-keys"));
    let made: Vec<_> = made.map(|one| body(one)).collect();
    assert_eq!(made[0]["label"], "n8n-idp-gate:reports");
    assert_eq!(made[0]["scopes"], json!(["workflow:list", "workflow:read"]));
    assert_eq!(made[1]["label"], "n8n-idp-gate:orders");
    assert_eq!(
        made[1]["scopes"],
        json!(["workflow:create", "workflow:read"])
    );
    // n8n 1 refuses two keys of one second with one end.
    assert_ne!(made[0]["expiresAt"], made[1]["expiresAt"]);
    assert!(made[0]["expiresAt"].as_u64().unwrap() > 1_700_000_000 + 90 * 24 * 3600);
    assert!(requests
        .iter()
        .skip(1)
        .all(|one| one.contains("cookie: n8n-auth=the-session")));
}

#[test]
fn a_second_run_changes_nothing() {
    let keys = [
        listed(
            "k1",
            "n8n-idp-gate:reports",
            "aaaa",
            &["workflow:read", "workflow:list"],
            true,
        ),
        // A person made this one, with other scopes. It stays as it is.
        listed("k2", "of a person", "bbbb", &["workflow:read"], true),
    ];
    let (one, two) = (raw_key("u-1", "aaaa"), raw_key("u-1", "bbbb"));
    let text = format!("N8N_KEY_REPORTS={one}\nexport N8N_KEY_ORDERS='{two}'\n");
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    let (is_good, out, err) = desk.run(&ALL);
    assert!(is_good, "{out}{err}");
    assert!(
        out.contains("N8N_KEY_REPORTS: is there, as n8n-idp-gate:reports, which ends in "),
        "{out}"
    );
    assert!(
        out.contains("N8N_KEY_ORDERS: is there, as of a person"),
        "{out}"
    );
    assert_eq!(changes(&desk.requests()), Vec::<&str>::new());
    assert_eq!(desk.text(), text);
}

#[test]
fn a_dry_run_says_what_it_would_do() {
    let keys = [listed(
        "k1",
        "n8n-idp-gate:reports",
        "aaaa",
        &["workflow:list"],
        true,
    )];
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    let (is_good, out, err) = desk.run(&["gate.json", "--env-file", "keys.env", "--dry-run"]);
    assert!(is_good, "{out}{err}");
    assert!(
        out.contains("would change the scopes of n8n-idp-gate:reports: +workflow:read"),
        "{out}"
    );
    assert!(
        out.contains("N8N_KEY_ORDERS: would make the API key n8n-idp-gate:orders: "),
        "{out}"
    );
    assert_eq!(changes(&desk.requests()), Vec::<&str>::new());
    assert_eq!(desk.text(), text);
}

#[test]
fn a_key_of_the_program_follows_the_policy() {
    let keys = [
        listed(
            "k1",
            "n8n-idp-gate:reports",
            "aaaa",
            &["workflow:list", "workflow:create"],
            true,
        ),
        listed(
            "k2",
            "n8n-idp-gate:orders#3",
            "bbbb",
            &["workflow:create", "workflow:read"],
            true,
        ),
    ];
    // n8n has no key that ends in these letters any more, so that orders gets another generation.
    let (one, gone) = (raw_key("u-1", "aaaa"), raw_key("u-1", "cccc"));
    let text = format!("N8N_KEY_REPORTS={one}\nN8N_KEY_ORDERS={gone}\n");
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    let (is_good, out, err) = desk.run(&ALL);
    assert!(is_good, "{out}{err}");
    assert!(
        out.contains("changed the scopes of n8n-idp-gate:reports: +workflow:read -workflow:create"),
        "{out}"
    );
    assert!(
        out.contains("made the API key n8n-idp-gate:orders#4 (n8n does not have"),
        "{out}"
    );
    let requests = desk.requests();
    assert_eq!(
        changes(&requests),
        ["PATCH /rest/api-keys/k1", "POST /rest/api-keys"]
    );
    let patched = requests
        .iter()
        .find(|one| one.starts_with("PATCH"))
        .unwrap();
    let expected =
        json!({"label": "n8n-idp-gate:reports", "scopes": ["workflow:list", "workflow:read"]});
    assert_eq!(body(patched), expected);
}

#[test]
fn a_key_whose_value_is_lost_or_of_another_user_is_left_to_a_person() {
    let keys = [listed(
        "k1",
        "n8n-idp-gate:reports",
        "aaaa",
        &["workflow:list"],
        true,
    )];
    let text = format!("N8N_KEY_ORDERS={}\n", raw_key("u-2", "dddd"));
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    let (is_good, out, err) = desk.run(&ALL);
    assert!(!is_good, "{out}");
    assert!(err.contains("2 of the keys could not be provided"), "{err}");
    assert!(
        err.contains("n8n shows a key once") && err.contains("provision rotate CONFIG reports"),
        "{err}"
    );
    assert!(
        err.contains("N8N_KEY_ORDERS holds a value that is no key"),
        "{err}"
    );
    assert_eq!(changes(&desk.requests()), Vec::<&str>::new());
    assert_eq!(desk.text(), text);
}

#[test]
fn a_key_that_cannot_be_kept_is_not_left_in_n8n() {
    let desk = Desk::new(good(&[], &[]));
    let (is_good, out, err) = desk.run(&["gate.json", "--env-file", "none/keys.env"]);
    assert!(!is_good && err.contains("cannot be written"), "{out}{err}");
    assert_eq!(desk.requests(), Vec::<String>::new());

    let mut desk = Desk::new(good(&[], &[]));
    desk.stdout = Some(File::options().write(true).open("/dev/full").unwrap());
    let secret = ["gate.json", "--kubernetes-secret", "n8n-keys"];
    let (is_good, _, err) = desk.run(&secret);
    assert!(
        !is_good && err.contains("k-new could not be kept, and was deleted again"),
        "{err}"
    );
    let make = "POST /rest/api-keys";
    let delete = "DELETE /rest/api-keys/k-new";
    assert_eq!(changes(&desk.requests()), [make, make, delete, delete]);

    let fault = ("DELETE /rest/api-keys/", 500, json!({"message": "no"}));
    let mut desk = Desk::new(good(&[], &[fault]));
    desk.stdout = Some(File::options().write(true).open("/dev/full").unwrap());
    let (is_good, _, err) = desk.run(&secret);
    assert!(
        !is_good && err.contains("k-new could not be kept, and is still in n8n: delete it"),
        "{err}"
    );

    let (is_good, _, err) = Desk::new(Vec::new()).run(&["gate.json"]);
    assert!(
        !is_good && err.contains("--env-file FILE, --kubernetes-secret NAME or --dry-run"),
        "{err}"
    );
}

#[test]
fn a_secret_of_kubernetes_has_all_variables() {
    let secret = [
        "gate.json",
        "--kubernetes-secret",
        "n8n-keys",
        "--namespace",
        "istio",
    ];
    let desk = Desk::new(good(&[], &[]));
    let (is_good, out, err) = desk.run(&secret);
    assert!(is_good, "{err}");
    let key = raw_key("u-1", "newk");
    let expected = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: n8n-keys\n  namespace: istio\ntype: Opaque\n\
         stringData:\n  N8N_KEY_REPORTS: \"{key}\"\n  N8N_KEY_ORDERS: \"{key}\"\n"
    );
    assert_eq!(out, expected);
    assert!(err.contains("N8N_KEY_REPORTS: made the API key"), "{err}");

    // Without the value of a key that exists, the Secret would delete it.
    let keys = [listed(
        "k1",
        "n8n-idp-gate:reports",
        "aaaa",
        &["workflow:list"],
        true,
    )];
    let desk = Desk::new(good(&keys, &[]));
    let (is_good, out, err) = desk.run(&secret);
    assert!(
        !is_good && out.is_empty() && err.contains("Nothing was made"),
        "{err}"
    );
    assert_eq!(changes(&desk.requests()), Vec::<&str>::new());
    let (is_good, _, err) = desk.run(&[
        "add",
        "gate.json",
        "orders",
        "--kubernetes-secret",
        "n8n-keys",
    ]);
    assert!(
        !is_good && err.contains("would be without N8N_KEY_REPORTS"),
        "{err}"
    );
    assert_eq!(desk.requests(), Vec::<String>::new());
    let (is_good, _, err) = desk.run(&["gate.json", "--kubernetes-secret", "a: b"]);
    assert!(!is_good && err.contains("a name of Kubernetes"), "{err}");
}

#[test]
fn a_new_key_stands_beside_the_old_one_until_it_is_used() {
    let old = listed(
        "k1",
        "n8n-idp-gate:reports",
        "aaaa",
        &["workflow:list"],
        true,
    );
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let desk = Desk::new(good(std::slice::from_ref(&old), &[])).with_file(&text);
    let rotate = ["rotate", "gate.json", "reports", "--env-file", "keys.env"];
    let (is_good, out, err) = desk.run(&rotate);
    assert!(is_good, "{out}{err}");
    assert!(
        out.contains("made the API key n8n-idp-gate:reports#2"),
        "{out}"
    );
    assert!(
        out.contains("provision rotate CONFIG reports --finish"),
        "{out}"
    );
    assert_eq!(changes(&desk.requests()), ["POST /rest/api-keys"]);
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "newk"));
    assert_eq!(desk.text(), text);

    let both = |used| {
        [
            old.clone(),
            listed(
                "k2",
                "n8n-idp-gate:reports#2",
                "newk",
                &["workflow:list"],
                used,
            ),
        ]
    };
    let finish = [&rotate[..], &["--finish"]].concat();
    let unused = Desk::new(good(&both(false), &[])).with_file(&text);
    let (is_good, _, err) = unused.run(&rotate);
    assert!(
        !is_good && err.contains("replaces n8n-idp-gate:reports already"),
        "{err}"
    );
    let (is_good, _, err) = unused.run(&finish);
    assert!(
        !is_good && err.contains("n8n has not seen n8n-idp-gate:reports#2 used"),
        "{err}"
    );
    assert_eq!(changes(&unused.requests()), Vec::<&str>::new());
    let (is_good, out, err) = unused.run(&[&finish[..], &["--unused"]].concat());
    assert!(
        is_good && out.contains("deleted the API key n8n-idp-gate:reports\n"),
        "{out}{err}"
    );
    assert_eq!(changes(&unused.requests()), ["DELETE /rest/api-keys/k1"]);

    let used = Desk::new(good(&both(true), &[])).with_file(&text);
    let (is_good, out, _) = used.run(&[&finish[..], &["--dry-run"]].concat());
    assert!(
        is_good && out.contains("would delete the API key n8n-idp-gate:reports\n"),
        "{out}"
    );
    assert_eq!(changes(&used.requests()), Vec::<&str>::new());
    let (is_good, out, err) = used.run(&finish);
    assert!(is_good, "{out}{err}");
    assert_eq!(changes(&used.requests()), ["DELETE /rest/api-keys/k1"]);
    // The file of an operator who did not take the new key.
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let late = Desk::new(good(&both(true), &[])).with_file(&text);
    let (is_good, _, err) = late.run(&finish);
    assert!(
        !is_good && err.contains("the old key may still be in use"),
        "{err}"
    );
    assert_eq!(changes(&late.requests()), Vec::<&str>::new());
}

#[test]
fn one_principal_can_be_added_and_others_are_named() {
    let desk = Desk::new(good(&[], &[]));
    let add = |name| desk.run(&["add", "gate.json", name, "--env-file", "keys.env"]);
    let (is_good, out, err) = add("orders");
    assert!(is_good, "{out}{err}");
    assert_eq!(
        desk.text(),
        format!("N8N_KEY_ORDERS={}\n", raw_key("u-1", "newk"))
    );
    let (is_good, _, err) = add("order");
    assert!(
        !is_good && err.contains("There are: reports, orders"),
        "{err}"
    );
}

#[test]
fn keys_are_listed_with_their_use() {
    let keys = [
        listed(
            "k1",
            "n8n-idp-gate:reports",
            "aaaa",
            &["workflow:list"],
            true,
        ),
        listed("k2", "n8n-idp-gate:sold#2", "bbbb", &[], false),
        listed("k3", "n8n-idp-gate 1-00000001", "cccc", &[], false),
        listed("k4", "nightly \u{1b}[2J", "dddd", &[], true),
        listed("k5", "n8n-idp-gate:orders", "eeee", &[], true),
    ];
    let text = format!("N8N_KEY_REPORTS={}\n", raw_key("u-1", "aaaa"));
    let desk = Desk::new(good(&keys, &[])).with_file(&text);
    let record = |sub: &str, jti: &str| {
        let key = json!({"sub": sub, "jti": jti, "verified": false});
        json!({"credential": "api_key", "api_key": key, "time": "2026-11-01T00:00:00Z"}).to_string()
    };
    let log = [
        record("u-1", "dddd"),
        record("u-1", "dddd"),
        record("u-1", "aaaa"),
        record("u-9", "x"),
    ];
    fs::write(desk.folder.path().join("audit.log"), log.join("\n")).unwrap();
    let list = [
        "list",
        "gate.json",
        "--env-file",
        "keys.env",
        "--audit",
        "audit.log",
    ];
    let (is_good, out, err) = desk.run(&list);
    assert!(is_good, "{out}{err}");
    assert!(!out.contains('\u{1b}'), "{out}");
    for expected in [
        format!("n8n-idp-gate:reports, of {EMAIL}, made "),
        " days ago: reports, in N8N_KEY_REPORTS\n".to_owned(),
        "never used: made for something that this configuration does not have\n".to_owned(),
        "never used: minted by the gate\n".to_owned(),
        " days ago: a static key that is not the gate's\n".to_owned(),
        " days ago: made for orders; N8N_KEY_ORDERS does not have it here\n".to_owned(),
        format!("  {EMAIL}, key dddd: 2 requests, the last at 2026-11-01T00:00:00Z\n"),
        format!("  {EMAIL}, key aaaa: 1 request, the last at 2026-11-01T00:00:00Z: the key in N8N_KEY_REPORTS"),
        "  user u-9, key x: 1 request".to_owned(),
    ] {
        assert!(out.contains(&expected), "{expected}\n{out}");
    }
    assert_eq!(changes(&desk.requests()), Vec::<&str>::new());
}

#[test]
fn the_owner_of_a_new_n8n_is_added_only_when_asked() {
    let settings = json!({"data": {"userManagement": {"showSetupOnFirstLoad": true}}});
    let new = [
        ("GET /rest/settings", 200, settings),
        (
            "POST /rest/owner/setup",
            200,
            json!({"data": {"id": "u-1"}}),
        ),
        (
            "POST /rest/login",
            401,
            json!({"code": 401, "message": "Wrong username or password."}),
        ),
    ];
    let desk = Desk::new(good(&[], &new));
    let (is_good, _, err) = desk.run(&ALL);
    assert!(
        !is_good && err.contains("has no owner yet: give --set-up-owner"),
        "{err}"
    );
    let set_up = [&ALL[..], &["--set-up-owner"]].concat();
    let (is_good, out, _) = desk.run(&[&set_up[..], &["--dry-run"]].concat());
    assert!(
        is_good && out.contains("would add the owner owner@n8n.example"),
        "{out}"
    );
    assert_eq!(changes(&desk.requests()), Vec::<&str>::new());
    let (is_good, out, err) = desk.run(&set_up);
    assert!(
        is_good && out.contains("added the owner owner@n8n.example"),
        "{out}{err}"
    );
    let made = "POST /rest/api-keys";
    assert_eq!(
        changes(&desk.requests()),
        ["POST /rest/owner/setup", made, made]
    );
}

#[test]
fn what_n8n_refuses_is_said_with_what_to_do() {
    let log_in = |status: u16, code: u64, message: &str| {
        vec![(
            "POST /rest/login",
            status,
            json!({"code": code, "message": message}),
        )]
    };
    let forbidden = |line, status| good(&[], &[(line, status, json!({"message": "no \u{1b}[2J"}))]);
    for (steps, expected) in [
        (
            log_in(401, 998, "MFA Error"),
            "has a second factor: set N8N_OWNER_MFA_CODE",
        ),
        (
            log_in(401, 401, "Invalid mfa token or recovery code"),
            "refuses the code in N8N_OWNER_MFA_CODE",
        ),
        (
            log_in(401, 401, "SSO is enabled, please log in with SSO"),
            "single sign-on only",
        ),
        (
            log_in(401, 401, "Wrong username or password."),
            "or it has another password",
        ),
        (log_in(429, 0, ""), "Try again in 42 seconds"),
        (log_in(404, 0, ""), "has no log-in at that path"),
        (
            log_in(302, 0, ""),
            "redirects to https://elsewhere.example/",
        ),
        (
            forbidden("GET /rest/api-keys?", 404),
            "N8N_PUBLIC_API_DISABLED",
        ),
        (
            forbidden("GET /rest/api-keys?", 403),
            "the role of this user has no API keys",
        ),
        (
            forbidden("POST /rest/api-keys", 400),
            "making the API key n8n-idp-gate:reports: n8n responds with 400",
        ),
    ] {
        let (is_good, out, err) = Desk::new(steps).run(&ALL);
        assert!(!is_good && err.contains(expected), "{expected}: {out}{err}");
        assert!(!err.contains('\u{1b}'), "{err}");
    }
}

#[test]
fn a_gate_that_makes_users_gets_its_own_key_and_a_seed_once() {
    let desk = Desk::new(good(&[], &[]));
    let mut minting = configuration();
    minting["n8n"] = json!({"cluster": "n8n", "api_key": {"env": "N8N_PROVISIONING_KEY"},
        "seed": {"env": "N8N_GATE_SEED"}});
    minting["principals"] =
        json!([{"name": "apps", "match": {"any": true}, "user": {"per": "client"}}]);
    fs::write(desk.folder.path().join("gate.json"), minting.to_string()).unwrap();
    let (is_good, out, err) = desk.run(&ALL);
    assert!(is_good, "{out}{err}");
    let text = desk.text();
    let seed = text
        .lines()
        .find_map(|line| line.strip_prefix("N8N_GATE_SEED="))
        .unwrap();
    assert_eq!(seed.len(), 64);
    assert!(!out.contains(seed), "{out}");
    let requests = desk.requests();
    let made = requests
        .iter()
        .find(|one| one.starts_with("POST /rest/api-keys"))
        .unwrap();
    assert_eq!(body(made)["scopes"], json!(["user:create", "user:read"]));
    assert_eq!(body(made)["label"], "n8n-idp-gate");
    // The scripted n8n lists no key: so it is made again. The seed stays.
    desk.run(&ALL);
    assert!(desk.text().contains(seed));
}
