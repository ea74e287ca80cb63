//! Ory Hydra in its own process, with a database in a file and the clients of the tests.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{json, Value};
use tempfile::TempDir;

use super::browser::{parameter_of_redirect, target_of, Browser};
use super::http::{Request, Response};
use super::process::{Ending, Process};
use super::session::Session;
use super::{installed, ports, Outcome};

/// The longest time for its start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Hydra {
    process: Process,
    port: u16,
    admin: u16,
    _directory: TempDir,
}

impl Hydra {
    /// Starts it on free loopback ports.
    pub(crate) fn start() -> Outcome<Self> {
        let program = installed::hydra()?.join("hydra");
        let directory = tempfile::tempdir()?;
        let [port, admin] = [ports::free()?, ports::free()?];
        let file = directory.path().join("hydra.json");
        fs::write(&file, settings(directory.path(), port, admin).to_string())?;
        let log = directory.path().join("log-of-the-database");
        let mut making = Process::start("Hydra", &program, &log, Ending::Kill, |command| {
            command.args(["migrate", "sql", "up", "-e", "--yes", "-c"]);
            command.arg(&file);
        })?;
        if !making.wait_for_end(START)?.success() {
            return Err(format!("its database was not made: {}", making.log_text()).into());
        }
        let log = directory.path().join("log");
        let mut process = Process::start("Hydra", &program, &log, Ending::Kill, |command| {
            command.args(["serve", "all", "--dev", "--sqa-opt-out", "-c"]);
            command.arg(&file);
        })?;
        let document = Request::get("/.well-known/openid-configuration");
        process.wait_until(START, |_| {
            let response = document.send(port);
            response.is_ok_and(|response| response.status == 200)
        })?;
        let mut hydra = Self {
            process,
            port,
            admin,
            _directory: directory,
        };
        for client in clients() {
            let made = hydra.administer("POST", "/admin/clients", &client)?;
            made.member("client_id")?;
        }
        // The first token waits for a new RSA key, and Hydra closes the connection after ten
        // seconds.
        hydra.process.wait_until(START, |_| {
            let response = post(port, "token", "orders", "grant_type=client_credentials");
            response.is_ok_and(|response| response.status == 200)
        })?;
        // The first ID token waits for a key too. Two log-ins at once would both make a key, and
        // each would lock the database for the other. A request for the key set makes the key here.
        let keys = Request::get("/.well-known/jwks.json");
        hydra.process.wait_until(START, |_| {
            let response = keys.send_within(port, START);
            response.is_ok_and(|response| response.status == 200)
        })?;
        Ok(hydra)
    }

    /// The issuer of its tokens.
    pub(crate) fn issuer(&self) -> String {
        issuer(self.port)
    }

    /// The port on 127.0.0.1 of the public endpoints.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The port on 127.0.0.1 of the admin endpoints, which the gate calls.
    pub(crate) const fn admin_port(&self) -> u16 {
        self.admin
    }

    /// A token of an application by the client credentials grant (RFC 6749 §4.4). Hydra's parameter
    /// `audience` sets its audience.
    pub(crate) fn token(&self, client: &str, audience: Option<&str>) -> Outcome<String> {
        let audience = audience.map_or_else(String::new, |name| format!("&audience={name}"));
        let form = format!("grant_type=client_credentials&scope=workflow.read{audience}");
        post(self.port, "token", client, &form)?.member("access_token")
    }

    /// The tokens of a person at a client. The consent page adds claims.
    pub(crate) fn log_in(&self, person: &str, client: &str, claims: &Value) -> Outcome<Session> {
        let back = "http%3A%2F%2F127.0.0.1%2Fback";
        let mut browser = Browser::new(self.port);
        let started = browser.get(&format!(
            "/oauth2/auth?response_type=code&client_id={client}&audience=n8n&redirect_uri={back}\
             &scope=openid%20offline%20workflow.read&state=of-enough-characters"
        ))?;
        let consent = self.accept(
            &mut browser,
            &started,
            "login",
            &json!({ "subject": person }),
        )?;
        let granted = json!({
            "grant_scope": ["openid", "offline", "workflow.read"],
            "grant_access_token_audience": ["n8n"],
            "session": { "access_token": claims, "id_token": claims },
        });
        let ended = self.accept(&mut browser, &consent, "consent", &granted)?;
        let code = parameter_of_redirect(&ended, "code")?;
        let form = format!("grant_type=authorization_code&code={code}&redirect_uri={back}");
        let response = post(self.port, "token", client, &form)?;
        Session::of(&response)
    }

    /// Does the work of the log-in or consent page to which a response redirected the browser.
    fn accept(
        &self,
        browser: &mut Browser,
        response: &Response,
        what: &str,
        body: &Value,
    ) -> Outcome<Response> {
        let name = format!("{what}_challenge");
        let challenge = parameter_of_redirect(response, &name)?;
        let path = format!("/admin/oauth2/auth/requests/{what}/accept?{name}={challenge}");
        let next = self.administer("PUT", &path, body)?.member("redirect_to")?;
        browser.get(target_of(&next))
    }

    /// Revokes a token of a client (RFC 7009).
    pub(crate) fn revoke(&self, client: &str, token: &str) -> Outcome<()> {
        let response = post(self.port, "revoke", client, &format!("token={token}"))?;
        response.expect_status(200)
    }

    /// Makes a new key for access tokens. It is a key on a curve, because that is made quickly.
    pub(crate) fn rotate(&self, key_id: &str) -> Outcome<()> {
        let body = json!({ "alg": "ES256", "use": "sig", "kid": key_id });
        let path = "/admin/keys/hydra.jwt.access-token";
        let response = self.administer("POST", path, &body)?;
        response.expect_status(201)
    }

    fn administer(&self, method: &str, path: &str, body: &Value) -> Outcome<Response> {
        Request::new(method, path)
            .json(body)
            .send_within(self.admin, START)
    }

    /// Its output.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }
}

fn post(port: u16, endpoint: &str, client: &str, form: &str) -> Outcome<Response> {
    let request = Request::new("POST", format!("/oauth2/{endpoint}"))
        .basic(client, &format!("secret-of-{client}"))
        .form(form);
    request.send_within(port, START)
}

fn issuer(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn settings(directory: &Path, port: u16, admin: u16) -> Value {
    let database = directory.join("database");
    // A transaction that reads and then writes would fail if another one writes in between, so each
    // starts with the lock of the database. Hydra's library has locks of its own for SQLite, one for
    // transactions and one for statements: a transaction and a single write would wait for each
    // other until the time for the database is over. The database's lock is enough.
    let options = "_fk=true&_txlock=immediate&_journal_mode=WAL&_busy_timeout=20000&lock=false";
    json!({
        "dsn": format!("sqlite://{}?{options}", database.display()),
        "serve": {
            "public": { "host": "127.0.0.1", "port": port },
            "admin": { "host": "127.0.0.1", "port": admin },
        },
        // The tests do the work of these pages.
        "urls": {
            "self": { "issuer": issuer(port) },
            "login": "http://127.0.0.1/login", "consent": "http://127.0.0.1/consent",
        },
        "secrets": { "system": ["a-secret-for-this-test-alone"] },
        "log": { "level": "warn" },
    })
}

/// `orders` and `desk` get JWTs, `opaque` and `opaque-desk` get opaque tokens.
fn clients() -> [Value; 4] {
    let client = |id: &str, strategy: &str, people: bool| {
        let grants: &[&str] = if people {
            &["authorization_code", "refresh_token"]
        } else {
            &["client_credentials"]
        };
        json!({
            "client_id": id, "client_secret": format!("secret-of-{id}"),
            "grant_types": grants, "response_types": ["code"],
            "redirect_uris": ["http://127.0.0.1/back"],
            "scope": "openid offline workflow.read", "audience": ["n8n"],
            "access_token_strategy": strategy,
        })
    };
    [
        client("orders", "jwt", false),
        client("desk", "jwt", true),
        client("opaque", "opaque", false),
        client("opaque-desk", "opaque", true),
    ]
}
