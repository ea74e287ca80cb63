//! Keycloak in its own process, with the realm of `tests/real/keycloak`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{json, Value};
use tempfile::TempDir;

use super::http::{exchange_within, Request, Response};
use super::process::{Ending, Process};
use super::session::Session;
use super::{installed, Outcome};

/// The longest time for its start, and to make a realm, on a busy machine.
const START: Duration = Duration::from_secs(180);

/// The password of the administrator, an account that exists only in this process.
const ADMINISTRATOR: &str = "password-of-the-administrator";

/// A running Keycloak. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Keycloak {
    process: Process,
    port: u16,
    _directory: TempDir,
}

impl Keycloak {
    /// Starts it on a loopback port, with a database in memory, and makes the realm.
    pub(crate) fn start(port: u16) -> Outcome<Self> {
        let home = installed::keycloak()?;
        let directory = tempfile::tempdir()?;
        // Keycloak's script would start Java as a child, which could still run after this process.
        let mut process = Process::start(
            "Keycloak",
            Path::new("/usr/bin/env"),
            &directory.path().join("log"),
            Ending::Kill,
            |command| {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let home = home.display();
                command
                    .env("PATH", path)
                    .env("KC_BOOTSTRAP_ADMIN_USERNAME", "administrator")
                    .env("KC_BOOTSTRAP_ADMIN_PASSWORD", ADMINISTRATOR)
                    .args(["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
                    .args(["-Xmx512m", "-Dkc.config.built=true"])
                    .arg("-Djava.util.logging.manager=org.jboss.logmanager.LogManager")
                    .arg(format!("-Dkc.home.dir={home}"))
                    .arg(format!("-Djboss.server.config.dir={home}/conf"))
                    .arg(format!("-Djava.io.tmpdir={}", directory.path().display()))
                    .arg("-cp")
                    .arg(format!("{home}/lib/quarkus-run.jar"))
                    .arg("io.quarkus.bootstrap.runner.QuarkusEntryPoint")
                    .args(["--profile=prod", "start", "--optimized", "--cache=local"])
                    .args(["--http-enabled=true", "--http-host=127.0.0.1"])
                    .arg(format!("--http-port={port}"))
                    .arg(format!("--hostname=http://127.0.0.1:{port}"));
            },
        )?;
        process.wait_until(START, |log| log.contains("Listening on: "))?;
        let keycloak = Self {
            process,
            port,
            _directory: directory,
        };
        let realm = installed::root().join("tests/real/keycloak/realm.json");
        keycloak.make_realm(&fs::read_to_string(realm)?)?;
        Ok(keycloak)
    }

    /// Makes another realm from a file.
    pub(crate) fn make_realm(&self, file: &str) -> Outcome<()> {
        succeeded(&self.administer("POST", "", Some(&serde_json::from_str(file)?))?)
    }

    /// The issuer of its tokens.
    pub(crate) fn issuer(&self) -> String {
        self.issuer_of("main")
    }

    /// The issuer of a realm's tokens.
    pub(crate) fn issuer_of(&self, realm: &str) -> String {
        format!("http://127.0.0.1:{}/realms/{realm}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// A token of an application by the client credentials grant (RFC 6749 §4.4).
    pub(crate) fn token(&self, client: &str) -> Outcome<String> {
        self.token_of("main", client)
    }

    /// A token of an application of a realm by the client credentials grant.
    pub(crate) fn token_of(&self, realm: &str, client: &str) -> Outcome<String> {
        let form = "grant_type=client_credentials";
        let response = self.post(realm, "token", client, form)?;
        response.member("access_token")
    }

    /// The tokens of a person at `desk`.
    pub(crate) fn log_in(&self, person: &str) -> Outcome<Session> {
        let form = format!(
            "grant_type=password&username={person}&password=password-of-{person}&scope=openid"
        );
        let response = self.post("main", "token", "desk", &form)?;
        Session::of(&response)
    }

    /// Ends a person's session.
    pub(crate) fn log_out(&self, session: &Session) -> Outcome<()> {
        let form = format!("refresh_token={}", session.refresh);
        succeeded(&self.post("main", "logout", "desk", &form)?)
    }

    /// Registers an address to which it sends log-out tokens for a client.
    pub(crate) fn send_log_outs(&self, client: &str, address: &str) -> Outcome<()> {
        let path = format!("/main/clients?clientId={client}");
        let mut found = self.administer("GET", &path, None)?.json();
        let mut registered = found.get_mut(0).map(Value::take).ok_or("no such client")?;
        let id = registered.get("id").and_then(Value::as_str);
        let path = format!("/main/clients/{}", id.ok_or("the client has no id")?);
        let attributes = registered
            .get_mut("attributes")
            .and_then(Value::as_object_mut);
        let attributes = attributes.ok_or("the client has no attributes")?;
        for (name, value) in [("url", address), ("session.required", "true")] {
            attributes.insert(format!("backchannel.logout.{name}"), json!(value));
        }
        succeeded(&self.administer("PUT", &path, Some(&registered))?)
    }

    /// Revokes a token of a client (RFC 7009).
    pub(crate) fn revoke(&self, client: &str, token: &str) -> Outcome<()> {
        succeeded(&self.post("main", "revoke", client, &format!("token={token}"))?)
    }

    /// Makes a new signing key.
    pub(crate) fn rotate(&self) -> Outcome<()> {
        let realm = self.administer("GET", "/main", None)?.member("id")?;
        let key = json!({
            "name": "newer", "parentId": realm, "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": { "priority": ["1000"] },
        });
        succeeded(&self.administer("POST", "/main/components", Some(&key))?)
    }

    fn post(&self, realm: &str, endpoint: &str, client: &str, form: &str) -> Outcome<Response> {
        let path = format!("/realms/{realm}/protocol/openid-connect/{endpoint}");
        let request = Request::new("POST", path)
            .basic(client, &format!("secret-of-{client}"))
            .form(form);
        request.send(self.port)
    }

    fn administer(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Response> {
        let form = format!(
            "grant_type=password&client_id=admin-cli&username=administrator&password={ADMINISTRATOR}"
        );
        let token_path = "/realms/master/protocol/openid-connect/token";
        let response = Request::new("POST", token_path)
            .form(form)
            .send(self.port)?;
        let token = response.member("access_token")?;
        let request = Request::new(method, format!("/admin/realms{path}")).bearer(&token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        exchange_within(self.port, &request.bytes(), START)
    }

    /// Its output.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }
}

fn succeeded(response: &Response) -> Outcome<()> {
    match response.status {
        200..=299 => Ok(()),
        status => Err(format!("Keycloak's status is {status}: {}", response.text()).into()),
    }
}
