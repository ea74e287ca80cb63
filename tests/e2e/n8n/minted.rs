//! Users and API keys of a real n8n that the gate makes itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::applications::{applications, PASSWORD};
use crate::caller::cookie_of_the_owner;
use crate::support::envoy::{Envoy, Setup};
use crate::support::http::{Request, Response};
use crate::support::n8n::{RealN8n, JWT_SECRET};
use crate::support::ports;
use crate::support::provider::{AUDIENCE, READ};
use crate::{stage, Stage};

pub(crate) const SEED: &str = "a-seed-for-the-tests-alone";

/// How the gate's users differ from those of other tests.
const DOMAIN: &str = "minted.invalid";

/// An n8n whose accounts the tests look at.
pub(crate) struct Accounts<'s> {
    stage: &'s Stage,
    cookie: String,
}

impl<'s> Accounts<'s> {
    pub(crate) fn of(stage: &'s Stage) -> Self {
        Self {
            stage,
            cookie: cookie_of_the_owner(stage),
        }
    }

    pub(crate) fn send(&self, request: Request) -> Value {
        let request = request.header("Cookie", &self.cookie);
        let response = request.send(self.stage.n8n.port()).unwrap();
        assert!(response.status < 300, "{}", response.text());
        response.json()["data"].clone()
    }

    /// The one API key that an operator makes.
    pub(crate) fn provisioning_key(&self) -> String {
        self.key_of_owner(&["user:create", "user:read"])
    }

    /// An API key of the owner.
    pub(crate) fn key_of_owner(&self, scopes: &[&str]) -> String {
        let label = format!("provisioning {}", random());
        let wanted = json!({ "label": label, "scopes": scopes, "expiresAt": null });
        let made = self.send(Request::post("/rest/api-keys", &wanted));
        made["rawApiKey"].as_str().unwrap().to_owned()
    }

    /// The users with these addresses.
    pub(crate) fn users(&self, domain: &str) -> Vec<Value> {
        let users = self.send(Request::get("/rest/users?take=100"));
        let users = users["items"].as_array().unwrap().clone();
        let is_of = |user: &Value| user["email"].as_str().unwrap().ends_with(domain);
        users.into_iter().filter(is_of).collect()
    }

    /// The keys of a user, as n8n lists them for an owner.
    pub(crate) fn keys(&self, user: &Value) -> Vec<Value> {
        let all = self.send(Request::get("/rest/api-keys?ownership=all&take=250"));
        let all = all["items"].as_array().unwrap().clone();
        all.into_iter()
            .filter(|key| key["userId"] == user["id"])
            .collect()
    }
}

pub(crate) fn random() -> String {
    let random = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    random.trim().to_owned()
}

/// A gate that makes the user and the keys of each caller.
fn gate(stage: &Stage, key: &str, user: &Value, domain: &str, ttl: &str) -> Envoy {
    setup(stage, key, user, domain, ttl).start().unwrap()
}

fn setup(stage: &Stage, key: &str, user: &Value, domain: &str, ttl: &str) -> Setup {
    with_key(stage, policy(stage, user, domain, ttl), key)
}

/// A gate that makes a user and keys for each caller of a principal.
pub(crate) fn policy(stage: &Stage, user: &Value, domain: &str, ttl: &str) -> Value {
    json!({
        "providers": [{ "name": "demo", "issuer": stage.provider.issuer(),
            "audiences": [AUDIENCE], "cluster": "provider", "roles_from": "both" }],
        "n8n": { "cluster": "n8n", "api_key": { "env": "N8N_PROVISIONING_KEY" },
            "seed": { "env": "N8N_SEED" }, "email_domain": domain, "key_ttl": ttl },
        "principals": [{ "name": "clients", "match": { "any": true },
            "grant": ["workflow:list", "workflow:create", "workflow:delete"], "user": user }],
    })
}

/// A gate with this provisioning key.
pub(crate) fn with_key(stage: &Stage, policy: Value, key: &str) -> Setup {
    before(stage, &stage.n8n, policy, key)
}

/// The same before another n8n.
fn before(stage: &Stage, n8n: &RealN8n, policy: Value, key: &str) -> Setup {
    Setup::minimal(policy, n8n.port())
        .unwrap()
        .cluster("provider", stage.provider.port())
        .cluster("n8n", n8n.port())
        .secret("N8N_PROVISIONING_KEY", key)
        .secret("N8N_SEED", SEED)
}

pub(crate) fn token(stage: &Stage, client: &str) -> String {
    stage.provider.token(client, READ, AUDIENCE).unwrap()
}

pub(crate) fn list(gate: &Envoy, token: &str) -> Response {
    let request = Request::get("/api/v1/workflows").bearer(token);
    request.send(gate.port()).unwrap()
}

/// Tries twice a second.
pub(crate) fn eventually(attempts: u32, mut is_so: impl FnMut() -> bool) -> bool {
    (0..attempts).any(|_| {
        let so = is_so();
        if !so {
            thread::sleep(Duration::from_millis(500));
        }
        so
    })
}

pub(crate) fn per_client() -> Value {
    json!({ "per": "client" })
}

#[test]
fn callers_get_users_and_keys_of_their_own() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let gate = gate(
        &stage,
        &accounts.provisioning_key(),
        &per_client(),
        DOMAIN,
        "1h",
    );
    let [a, b] = ["app-a", "app-b"].map(|client| token(&stage, client));
    let name = format!("made by A {}", random());
    let workflow = json!({ "name": name, "nodes": [], "connections": {}, "settings": {} });
    let made = Request::post("/api/v1/workflows", &workflow).bearer(&a);
    let made = made.send(gate.port()).unwrap();
    assert_eq!(made.status, 200, "{}", made.text());
    // B has a user, too, and sees nothing of A.
    let of_b = list(&gate, &b);
    assert_eq!(of_b.status, 200, "{}", of_b.text());
    assert_eq!(of_b.json()["data"], json!([]));
    let of_a = list(&gate, &a).json();
    assert_eq!(of_a["data"].as_array().unwrap().len(), 1, "{of_a}");
    assert_eq!(of_a["data"][0]["name"], name.as_str());

    let users = accounts.users(DOMAIN);
    assert_eq!(users.len(), 2, "{users:?}");
    let user_a = users.iter().find(|user| user["lastName"] == "app-a");
    let user_a = user_a.unwrap();
    assert_eq!(user_a["firstName"], "Client");
    assert_eq!(user_a["role"], "global:member");
    let email = user_a["email"].as_str().unwrap();
    assert!(email.starts_with("client-app-a-"), "{email}");
    let keys = accounts.keys(user_a);
    assert_eq!(keys.len(), 1, "{keys:?}");
    let scopes = json!(["workflow:create", "workflow:delete", "workflow:list"]);
    let mut of_key: Vec<_> = keys[0]["scopes"].as_array().unwrap().clone();
    of_key.sort_by_key(ToString::to_string);
    assert_eq!(json!(of_key), scopes, "the key has the scopes of the grant");

    let events = stage.n8n.events().unwrap();
    let created = events.iter().rev().find(|event| {
        event["eventName"] == "n8n.audit.workflow.created"
            && event["payload"]["workflowName"] == name.as_str()
    });
    let created = created.unwrap();
    assert_eq!(created["payload"]["_email"], email, "{created}");
    // What the gate logs has no secret.
    let log = gate.log_text();
    for secret in ["rawApiKey", "n8n-auth=", SEED] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

#[test]
fn a_key_is_renewed_before_it_ends_and_the_old_one_is_deleted() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let domain = "renewed.invalid";
    let key = accounts.provisioning_key();
    let gate = gate(&stage, &key, &per_client(), domain, "10s");
    let token = token(&stage, "app-a");
    let mut ids = BTreeSet::new();
    for _ in 0..75 {
        let response = list(&gate, &token);
        assert_eq!(response.status, 200, "{}", response.text());
        let user = accounts.users(domain).remove(0);
        let keys = accounts.keys(&user).into_iter();
        ids.extend(keys.map(|key| key["id"].as_str().unwrap().to_owned()));
        thread::sleep(Duration::from_millis(300));
    }
    assert!((3..=5).contains(&ids.len()), "{ids:?}");
    let refusals = gate.audit().into_iter();
    let refusals: Vec<_> = refusals
        .filter(|line| line["decision"] == "reject")
        .collect();
    assert_eq!(refusals, Vec::<Value>::new());
    // Half a minute after a key was replaced, it is deleted.
    let user = accounts.users(domain).remove(0);
    let first = ids.iter().next().unwrap().clone();
    let is_deleted = || {
        let keys = accounts.keys(&user);
        keys.len() <= 4 && !keys.iter().any(|key| key["id"] == first.as_str())
    };
    assert!(eventually(60, is_deleted), "{:?}", accounts.keys(&user));
}

#[test]
fn a_key_that_was_deleted_in_n8n_is_made_anew_once() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let domain = "deleted.invalid";
    let key = accounts.provisioning_key();
    let gate = gate(&stage, &key, &per_client(), domain, "1h");
    let token = token(&stage, "app-a");
    assert_eq!(list(&gate, &token).status, 200);
    let user = accounts.users(domain).remove(0);
    // The user goes, and all that it had.
    let id = user["id"].as_str().unwrap();
    accounts.send(Request::new("DELETE", format!("/rest/users/{id}")));
    thread::sleep(Duration::from_millis(100));
    let refused = list(&gate, &token);
    assert_eq!(
        refused.refusal(),
        (502, json!("upstream_key_refused")),
        "{}",
        refused.text()
    );
    // The key was made a moment ago, so that the next one is not made at once.
    let is_good = || {
        let response = list(&gate, &token);
        if response.status != 200 {
            assert_eq!(response.refusal(), (503, json!("upstream_key_unavailable")));
        }
        response.status == 200
    };
    assert!(eventually(20, is_good));
    let users = accounts.users(domain);
    assert_eq!(users.len(), 1, "{users:?}");
    assert_ne!(users[0]["id"], user["id"]);
}

#[test]
fn the_user_of_another_password_is_not_touched() {
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let user = &applications(&stage).b;
    let email = &user.email;
    let key = accounts.provisioning_key();
    let gate = gate(&stage, &key, &json!({ "email": email }), "x.invalid", "1h");
    let response = list(&gate, &token(&stage, "app-a"));
    assert_eq!(
        response.refusal(),
        (503, json!("upstream_key_unavailable")),
        "{}",
        response.text()
    );
    assert!(response.header("retry-after").is_some());
    let record = gate.audit().pop().unwrap();
    assert_eq!(record["fault"], "user_password", "{record}");
    assert_eq!(record["principal"], "clients", "{record}");
    // Its own password and key go on working.
    let log_in = json!({
        "emailOrLdapLoginId": email, "password": PASSWORD,
    });
    let logged_in = Request::post("/rest/login", &log_in).send(stage.n8n.port());
    assert_eq!(logged_in.unwrap().status, 200);
    let keyed = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", &user.api_key);
    assert_eq!(keyed.send(stage.n8n.port()).unwrap().status, 200);
}

#[test]
fn a_wrong_provisioning_key_is_a_fault_of_the_gate() {
    let stage = stage();
    let key = &applications(&stage).b.api_key;
    let gate = gate(&stage, key, &per_client(), "wrong.invalid", "1h");
    let response = list(&gate, &token(&stage, "app-a"));
    assert_eq!(response.refusal(), (503, json!("upstream_key_unavailable")));
    let record = gate.audit().pop().unwrap();
    assert_eq!(record["fault"], "client_refused", "{record}");
}

/// Eight replicas that start at once, each with several workers, and a crowd before each.
#[test]
fn replicas_that_start_at_once_share_one_user() {
    const REPLICAS: usize = 8;
    let stage = stage();
    let accounts = Accounts::of(&stage);
    let domain = "replicas.invalid";
    let key = accounts.provisioning_key();
    let token = token(&stage, "app-a");
    let gates: Vec<_> = (0..REPLICAS)
        .map(|_| {
            let setup = setup(&stage, &key, &per_client(), domain, "1h");
            setup.workers(4).start().unwrap()
        })
        .collect();
    thread::scope(|scope| {
        for gate in &gates {
            for _ in 0..4 {
                scope.spawn(|| {
                    let is_good = || {
                        let response = list(gate, &token);
                        if response.status != 200 {
                            let refusal = (503, json!("upstream_key_unavailable"));
                            assert_eq!(response.refusal(), refusal);
                        }
                        response.status == 200
                    };
                    for _ in 0..20 {
                        // n8n takes five log-ins of a user in a minute.
                        assert!(eventually(300, is_good));
                    }
                });
            }
        }
    });
    let users = accounts.users(domain);
    assert_eq!(users.len(), 1, "{users:?}");
    let keys = accounts.keys(&users[0]);
    assert_eq!(keys.len(), REPLICAS, "one key for each replica: {keys:?}");
}

/// After `N8N_USER_MANAGEMENT_JWT_SECRET` was changed, n8n has 500 for each key, and the provisioning key
/// is good no more.
#[test]
fn a_changed_secret_of_n8n_ends_no_service() {
    let stage = stage();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e_n8n_secret");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let port = ports::free().unwrap();
    let n8n = RealN8n::start(port, &folder).unwrap();
    let key = n8n.provisioned().provisioning_key.clone();
    let mut policy = policy(&stage, &per_client(), DOMAIN, "1h");
    policy["rest"] = json!("bearer");
    policy["roles"] = json!({ READ: ["rest"] });
    let gate = before(&stage, &n8n, policy, &key).start().unwrap();
    let token = token(&stage, "app-a");
    let list_internally = || Request::get("/rest/workflows").bearer(&token);
    let list_internally = || list_internally().send(gate.port()).unwrap();
    assert_eq!(list(&gate, &token).status, 200);
    assert_eq!(list_internally().status, 200);
    drop(n8n);
    fs::remove_file(folder.join(JWT_SECRET)).unwrap();
    let _n8n = RealN8n::start(port, &folder).unwrap();
    let refused = list_internally();
    let refusal = (502, json!("upstream_session_refused"));
    assert_eq!(refused.refusal(), refusal, "{}", refused.text());
    let first = list(&gate, &token);
    assert_eq!(first.status, 500, "{}", first.text());
    assert_eq!(list_internally().status, 200);
    assert!(eventually(20, || list(&gate, &token).status == 200));
    let minted = gate.counted("n8n_idp_gate_minted_keys", "default", 2);
    assert_eq!(minted.unwrap(), 2, "one key before, and one after");
}
