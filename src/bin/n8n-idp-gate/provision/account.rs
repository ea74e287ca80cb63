//! The user of n8n whose keys are made: its log-in, and why n8n refuses it.

use std::io::IsTerminal as _;
use std::path::Path;

use n8n_idp_gate::n8n::accounts::{read_login_fault, AccountPaths, LoginFault};
use n8n_idp_gate::n8n::Endpoints;
use n8n_idp_gate::secret::Secret;
use serde_json::{json, Map, Value};

use crate::file::environment::variable;
use crate::file::input::text_or_stdin;
use crate::n8n::client::{Client, Credential, Response};
use crate::n8n::session::{too_many, Opened, Session};
use crate::n8n::shown;

const EMAIL: &str = "N8N_OWNER_EMAIL";
const PASSWORD: &str = "N8N_OWNER_PASSWORD";
const CODE: &str = "N8N_OWNER_MFA_CODE";

/// A user of n8n, with what its log-in needs.
pub(super) struct Account {
    pub(super) email: String,
    password: Secret,
    code: Option<Secret>,
}

impl Account {
    pub(super) fn new(email: Option<&str>, password_stdin: bool) -> Result<Self, String> {
        let of_variable = || variable(EMAIL).map(|email| email.expose().to_owned());
        let email = email.map(str::to_owned).or_else(of_variable);
        let email = email.filter(|email| !email.is_empty()).ok_or_else(|| {
            format!(
                "n8n makes API keys only for a user with a session, and none for an API key: set {EMAIL} and \
                 {PASSWORD} to those of the owner, or of the user whose keys they should be"
            )
        })?;
        let password = if password_stdin {
            if std::io::stdin().is_terminal() {
                return Err(
                    "--password-stdin: send the password in, not from a terminal".to_owned(),
                );
            }
            let text = text_or_stdin(Path::new("-"))?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Some(Secret::new(
                text.strip_suffix('\r').unwrap_or(text).to_owned(),
            ))
        } else {
            variable(PASSWORD)
        };
        let password = password.filter(|password| !password.expose().is_empty());
        let password = password.ok_or_else(|| {
            format!(
                "set {PASSWORD} to the password of {}, or give --password-stdin",
                shown(&email)
            )
        })?;
        Ok(Self {
            email,
            password,
            code: variable(CODE),
        })
    }

    /// Logs in.
    pub(super) fn log_in<'c>(
        &self,
        client: &'c Client,
        endpoints: &Endpoints,
    ) -> Result<Session<'c>, String> {
        let mut body = Map::new();
        body.insert("emailOrLdapLoginId".to_owned(), self.email.clone().into());
        body.insert("password".to_owned(), self.password.expose().into());
        if let Some(code) = &self.code {
            body.insert("mfaCode".to_owned(), code.expose().into());
        }
        let body = Secret::new(Value::from(body).to_string());
        let path = AccountPaths::of(endpoints).login;
        match Session::open(client, endpoints, &path, body)? {
            Opened::Session(session) => Ok(session),
            Opened::Refused(response) => Err(self.why_refused(client, endpoints, &response)),
        }
    }

    /// Adds this user to an n8n that has no owner.
    pub(super) fn set_up<'c>(
        &self,
        client: &'c Client,
        endpoints: &Endpoints,
    ) -> Result<Session<'c>, String> {
        let body = json!({
            "email": self.email, "firstName": "The", "lastName": "Owner",
            "password": self.password.expose(),
        });
        let path = format!("/{}/owner/setup", endpoints.rest);
        match Session::open(client, endpoints, &path, Secret::new(body.to_string()))? {
            Opened::Session(session) => Ok(session),
            Opened::Refused(response) => Err(response.fault("adding the owner")),
        }
    }

    fn why_refused(&self, client: &Client, endpoints: &Endpoints, response: &Response) -> String {
        let name = shown(&self.email);
        match response.status {
            401 => {}
            429 => return too_many(response),
            404 => {
                return format!(
                    "{} has no log-in at that path: is --n8n its address, and are its endpoints those of the \
                     configuration?",
                    client.shown()
                )
            }
            _ => return response.fault("logging in"),
        }
        if is_new(client, endpoints) == Ok(true) {
            return "this n8n has no owner yet: give --set-up-owner, or add the owner in a browser"
                .to_owned();
        }
        if read_login_fault(&response.body) == LoginFault::SecondFactor {
            return format!("{name} has a second factor: set {CODE} to a code of it");
        }
        let message = response.message().unwrap_or_default();
        if message.contains("SSO") {
            return format!(
                "{name} logs in by single sign-on only: take the owner, who keeps a password, or let n8n take \
                 the user's password"
            );
        }
        if message.to_lowercase().contains("mfa") {
            return format!(
                "n8n refuses the code in {CODE}: such a code is good for half a minute"
            );
        }
        format!(
            "n8n refuses the log-in of {name}: there is no such user, or it has another password"
        )
    }
}

/// Whether n8n has no owner yet.
pub(super) fn is_new(client: &Client, endpoints: &Endpoints) -> Result<bool, String> {
    let path = format!("/{}/settings", endpoints.rest);
    let response = client.get(&path, Credential::Nothing)?;
    let body: Option<Value> = serde_json::from_slice(&response.body).ok();
    let shows = body.as_ref().and_then(|body| {
        body.pointer("/data/userManagement/showSetupOnFirstLoad")?
            .as_bool()
    });
    shows.ok_or_else(|| response.fault("reading the settings"))
}
