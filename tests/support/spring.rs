//! Spring Authorization Server in its own process, with the clients of `tests/real/spring`.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::browser::{parameter_of_redirect, Browser};
use super::http::{Request, Response};
use super::process::{Ending, Process};
use super::session::Session;
use super::{installed, Outcome};

/// The longest time for its start on a busy machine.
const START: Duration = Duration::from_secs(120);

/// The client of the gate.
pub(crate) const ASKING_CLIENT: &str = "gate";

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Spring {
    process: Process,
    port: u16,
    _directory: TempDir,
}

impl Spring {
    /// Starts it on a loopback port.
    pub(crate) fn start(port: u16) -> Outcome<Self> {
        let home = installed::spring()?;
        let settings = installed::root().join("tests/real/spring/application.yml");
        let directory = tempfile::tempdir()?;
        let mut process = Process::start(
            "Spring Authorization Server",
            Path::new("/usr/bin/env"),
            &directory.path().join("log"),
            Ending::Kill,
            |command| {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let home = home.display();
                command
                    .env("PATH", path)
                    .args(["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
                    .arg("-Xmx256m")
                    .arg(format!("-Djava.io.tmpdir={}", directory.path().display()))
                    .arg("-cp")
                    .arg(format!("{home}/classes:{home}/lib/*"))
                    .arg("AuthorizationServer")
                    .arg(format!("--server.port={port}"))
                    .arg(format!("--spring.config.location={}", settings.display()))
                    .arg(format!(
                        "--spring.security.oauth2.authorizationserver.issuer={}",
                        issuer(port)
                    ));
            },
        )?;
        let document = Request::get("/.well-known/openid-configuration");
        process.wait_until(START, |_| {
            let response = document.send(port);
            response.is_ok_and(|response| response.status == 200)
        })?;
        Ok(Self {
            process,
            port,
            _directory: directory,
        })
    }

    /// The issuer of its tokens.
    pub(crate) fn issuer(&self) -> String {
        issuer(self.port)
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// A token of an application by the client credentials grant (RFC 6749 §4.4).
    pub(crate) fn token(&self, client: &str) -> Outcome<String> {
        let form = "grant_type=client_credentials&scope=workflow.read";
        self.post("token", client, form)?.member("access_token")
    }

    /// Revokes a token of a client (RFC 7009).
    pub(crate) fn revoke(&self, client: &str, token: &str) -> Outcome<()> {
        let response = self.post("revoke", client, &format!("token={token}"))?;
        response.expect_status(200)
    }

    /// The tokens of a person at `known-desk`, after a log-in at the log-in page.
    pub(crate) fn log_in(&self, person: &str) -> Outcome<Session> {
        let client = "known-desk";
        let back = "http%3A%2F%2F127.0.0.1%2Fback";
        let start = format!(
            "/oauth2/authorize?response_type=code&client_id={client}\
             &scope=openid%20workflow.read&redirect_uri={back}&state=any"
        );
        let mut browser = Browser::new(self.port);
        browser.get(&start)?;
        let page = browser.get("/login")?.text();
        let field = page.split_once("name=\"_csrf\"").map(|(_, rest)| rest);
        let value = field.and_then(|rest| rest.split_once("value=\""));
        let value = value.and_then(|(_, rest)| rest.split('"').next());
        let against_forgery = value.ok_or("the log-in page has changed")?;
        let form =
            format!("_csrf={against_forgery}&username={person}&password=password-of-{person}");
        browser.send(Request::new("POST", "/login").form(form))?;
        let code = parameter_of_redirect(&browser.get(&start)?, "code")?;
        let form = format!("grant_type=authorization_code&code={code}&redirect_uri={back}");
        let response = self.post("token", client, &form)?;
        Session::of(&response)
    }

    fn post(&self, endpoint: &str, client: &str, form: &str) -> Outcome<Response> {
        let request = Request::new("POST", format!("/oauth2/{endpoint}"))
            .basic(client, &format!("secret-of-{client}"))
            .form(form);
        request.send(self.port)
    }

    /// Its output.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }
}

fn issuer(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
