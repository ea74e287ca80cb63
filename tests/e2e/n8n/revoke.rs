//! What `n8n-idp-gate revoke` ends in a real n8n, and what it does not.

use std::fs;
use std::process::Command;

use n8n_idp_gate::config::{load, Environment};
use n8n_idp_gate::secret::Secret;
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::applications::applications;
use crate::minted::{
    eventually, list, per_client, policy, random, token, with_key, Accounts, SEED,
};
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::{stage, Stage};

/// A machine of an operator, with the configuration of a gate.
struct Desk<'s> {
    stage: &'s Stage,
    accounts: Accounts<'s>,
    policy: Value,
    provisioning_key: String,
    folder: TempDir,
}

impl Environment for Desk<'_> {
    fn secret(&self, name: &str) -> Option<Secret> {
        let value = match name {
            "N8N_SEED" => SEED,
            "N8N_PROVISIONING_KEY" => &self.provisioning_key,
            _ => return None,
        };
        Some(Secret::new(value.to_owned()))
    }
}

impl<'s> Desk<'s> {
    fn new(stage: &'s Stage, domain: &str) -> Self {
        let accounts = Accounts::of(stage);
        let policy = policy(stage, &per_client(), domain, "1h");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("gate.json"), policy.to_string()).unwrap();
        Self {
            stage,
            provisioning_key: accounts.provisioning_key(),
            accounts,
            policy,
            folder,
        }
    }

    fn gate(&self) -> Envoy {
        self.gate_of(self.policy.clone())
    }

    fn gate_of(&self, policy: Value) -> Envoy {
        let setup = with_key(self.stage, policy, &self.provisioning_key);
        setup.start().unwrap()
    }

    /// Whether the command succeeds, and what it prints.
    fn revoke(&self, arguments: &[&str]) -> (bool, String) {
        self.revoke_as_admin(arguments, "")
    }

    fn revoke_as_admin(&self, arguments: &[&str], admin_key: &str) -> (bool, String) {
        let n8n = format!("http://127.0.0.1:{}", self.stage.n8n.port());
        let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
            .current_dir(self.folder.path())
            .args(["revoke", "gate.json", "--n8n", &n8n])
            .args(arguments)
            .env("N8N_SEED", SEED)
            .env("N8N_PROVISIONING_KEY", &self.provisioning_key)
            .env("N8N_ADMIN_KEY", admin_key)
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        for secret in [SEED, &*self.provisioning_key, "n8n-auth"] {
            assert!(!text.contains(secret), "{text}");
        }
        (output.status.success(), text)
    }

    /// A session as a browser has it.
    fn session(&self, email: &str) -> String {
        let policy = load(self.policy.to_string().as_bytes(), self)
            .unwrap()
            .policy;
        let instance = policy.instances.iter().next().unwrap();
        let password = instance.provisioning.as_ref().unwrap().password(email);
        let log_in = json!({ "emailOrLdapLoginId": email, "password": password.expose() });
        let response = Request::post("/rest/login", &log_in);
        let response = response.send(self.stage.n8n.port()).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
        let cookie = response.header("set-cookie").unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// The status with which n8n responds to a browser.
    fn browse(&self, session: &str) -> u16 {
        let request = Request::get("/rest/workflows").header("Cookie", session);
        request.send(self.stage.n8n.port()).unwrap().status
    }

    fn only_user(&self, domain: &str) -> Value {
        let mut users = self.accounts.users(domain);
        assert_eq!(users.len(), 1, "{users:?}");
        users.remove(0)
    }
}

#[test]
fn revoked_keys_end_at_once_and_come_back_only_with_a_principal() {
    let stage = stage();
    let domain = "revoked.invalid";
    let desk = Desk::new(&stage, domain);
    let gate = desk.gate();
    let token = token(&stage, "app-a");
    assert_eq!(list(&gate, &token).status, 200);
    let user = desk.only_user(domain);
    let email = user["email"].as_str().unwrap();
    let session = desk.session(email);
    let key = desk.accounts.keys(&user).remove(0);
    let named = format!(
        "the API key {}: {}",
        key["id"].as_str().unwrap(),
        key["label"].as_str().unwrap()
    );

    let (is_good, text) = desk.revoke(&["--user", email, "--dry-run"]);
    assert!(
        is_good && text.contains(&format!("would delete {named}")),
        "{text}"
    );
    assert_eq!(desk.accounts.keys(&user).len(), 1);
    assert_eq!(list(&gate, &token).status, 200);

    // Another case of the address is the same user.
    let (is_good, text) = desk.revoke(&["--user", &email.to_uppercase()]);
    assert!(
        is_good && text.contains(&format!("deleted {named}")),
        "{text}"
    );
    assert!(text.contains("the principal clients"), "{text}");
    assert_eq!(desk.accounts.keys(&user), Vec::<Value>::new());
    // n8n refuses the key with the next request.
    let refused = list(&gate, &token);
    let refusal = (502, json!("upstream_key_refused"));
    assert_eq!(refused.refusal(), refusal, "{}", refused.text());
    // The principal is still there: after a pause, because the key was new, there is another key.
    let is_good = || {
        let response = list(&gate, &token);
        if response.status != 200 {
            assert_eq!(response.refusal(), (503, json!("upstream_key_unavailable")));
        }
        response.status == 200
    };
    assert!(eventually(60, is_good));
    assert_eq!(desk.accounts.keys(&user).len(), 1);
    // Keys are no sessions.
    assert_eq!(desk.browse(&session), 200);

    // Without the principal, there is no new key after the command.
    drop(gate);
    let mut without = desk.policy.clone();
    without["principals"][0]["match"] = json!({ "client": "app-b" });
    let gate = desk.gate_of(without);
    let (is_good, text) = desk.revoke(&["--user", email]);
    assert!(
        is_good && text.contains("had 1 API key of the gate"),
        "{text}"
    );
    for _ in 0..3 {
        let refused = list(&gate, &token);
        assert_eq!(refused.status, 403, "{}", refused.text());
    }
    assert_eq!(desk.accounts.keys(&user), Vec::<Value>::new());
}

#[test]
fn a_deleted_user_loses_sessions_and_workflows() {
    let stage = stage();
    let domain = "ended.invalid";
    let desk = Desk::new(&stage, domain);
    let gate = desk.gate();
    let token = token(&stage, "app-a");
    let workflow = json!({ "name": format!("of a user that ends {}", random()), "nodes": [],
        "connections": {}, "settings": {} });
    let made = Request::post("/api/v1/workflows", &workflow).bearer(&token);
    let made = made.send(gate.port()).unwrap();
    assert_eq!(made.status, 200, "{}", made.text());
    let path = format!("/rest/workflows/{}", made.json()["id"].as_str().unwrap());
    let user = desk.only_user(domain);
    let email = user["email"].as_str().unwrap();
    let session = desk.session(email);
    assert_eq!(desk.browse(&session), 200);

    let (is_good, text) = desk.revoke(&["--list"]);
    assert!(
        is_good && text.contains("note: only users with an email"),
        "{text}"
    );
    let admin_key = desk.accounts.key_of_owner(&["user:list", "user:delete"]);
    let list = ["--list", "--admin-key", "N8N_ADMIN_KEY"];
    let (is_good, text) = desk.revoke_as_admin(&list, &admin_key);
    assert_eq!((is_good, text), (true, format!("{email}: Client app-a\n")));

    // The public API hands nothing on to another user.
    let id = user["id"].as_str().unwrap();
    let delete = Request::new("DELETE", format!("/api/v1/users/{id}?transferId=x"));
    let delete = delete.header("X-N8N-API-KEY", &admin_key);
    let refused = delete.send(stage.n8n.port()).unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("transferId"), "{}", refused.text());

    let delete = [
        "--user",
        email,
        "--delete-user",
        "--admin-key",
        "N8N_ADMIN_KEY",
    ];
    let (is_good, text) = desk.revoke_as_admin(&delete, &desk.provisioning_key);
    assert!(!is_good && text.contains("scope user:delete"), "{text}");
    assert_eq!(desk.browse(&session), 200, "the user is not deleted");
    let (is_good, text) = desk.revoke_as_admin(&delete, &admin_key);
    assert!(
        is_good && text.contains(&format!("deleted the user {email}")),
        "{text}"
    );
    assert_eq!(desk.accounts.users(domain), Vec::<Value>::new());
    assert_eq!(desk.browse(&session), 401);
    let gone = Request::get(&path).header("Cookie", crate::caller::cookie_of_the_owner(&stage));
    let gone = gone.send(stage.n8n.port()).unwrap();
    assert_eq!(gone.status, 404, "{}", gone.text());
}

#[test]
fn no_other_user_is_touched_and_attempts_are_limited() {
    let stage = stage();
    let desk = Desk::new(&stage, "untouched.invalid");
    let other = &applications(&stage).b.email;
    let (is_good, text) = desk.revoke(&["--user", other]);
    assert!(!is_good && text.contains("with another password"), "{text}");
    let none = format!("{}@untouched.invalid", random());
    for _ in 0..5 {
        let (is_good, text) = desk.revoke(&["--user", &none]);
        assert!(!is_good && text.contains("n8n has no user"), "{text}");
    }
    let (is_good, text) = desk.revoke(&["--user", &none]);
    assert!(!is_good && text.contains("Try again in "), "{text}");
}
