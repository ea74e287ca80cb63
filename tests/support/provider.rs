//! A certified OpenID provider in its own Node.js process.

use std::process::Command;
use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use hmac_sha256::Hash;
use serde_json::{json, Value};
use tempfile::TempDir;

use super::browser::{parameter_of_redirect, target_of, Browser};
use super::certificates::{Authority, Certificate};
use super::http::{Request, Response};
use super::process::{Ending, Process};
use super::{installed, Outcome};

/// The audience of the tokens that the gate accepts.
pub(crate) const AUDIENCE: &str = "api://n8n-api";

/// The audience of tokens for another service.
pub(crate) const OTHER_AUDIENCE: &str = "api://something-else";

/// The audience of opaque tokens.
pub(crate) const OPAQUE_AUDIENCE: &str = "api://n8n-opaque";

/// The client that introspects tokens.
pub(crate) const ASKING_CLIENT: &str = "n8n:gate";

/// The scope that lets a caller read workflows.
pub(crate) const READ: &str = "N8N.Workflow.Read";

/// The scope that lets a caller change workflows.
pub(crate) const WRITE: &str = "N8N.Workflow.Write";

/// A person who can log in.
pub(crate) const ANN: &str = "ann";

/// An application that is registered at the provider.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// `client_id`.
    pub(crate) id: &'static str,
    /// `client_secret`.
    pub(crate) secret: String,
    /// The `roles` of its tokens, and the scopes that it may request.
    pub(crate) roles: &'static [&'static str],
    /// The age of its tokens when it gets them. They expire after 5 minutes.
    pub(crate) age: Duration,
    /// Whether its tokens are bound to its certificate, if the provider asks for one.
    pub(crate) has_certificate: bool,
}

/// The applications of the demo: A may read and write, B has no role for n8n, and the tokens of the
/// third are an hour old. The fourth is the gate, which introspects tokens.
pub(crate) fn clients() -> Vec<Client> {
    let client = |id, roles, seconds| Client {
        id,
        secret: format!("secret-of-{id}"),
        roles,
        age: Duration::from_secs(seconds),
        has_certificate: false,
    };
    vec![
        client("app-a", &[READ, WRITE], 0),
        client("app-b", &["Something.Else"], 0),
        client("app-late", &[READ], 3600),
        client(ASKING_CLIENT, &[], 0),
    ]
}

/// A running provider. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct RealProvider {
    process: Process,
    port: u16,
    clients: Vec<Client>,
    _directory: TempDir,
}

impl RealProvider {
    /// Starts it on a loopback port and waits until it serves.
    pub(crate) fn start(port: u16, clients: Vec<Client>) -> Outcome<Self> {
        Self::start_as(port, clients, None, &[], None)
    }

    /// The same with a second port for mutual TLS, a certificate of the provider, and that of its
    /// authority.
    pub(crate) fn start_with_tls(
        port: u16,
        clients: Vec<Client>,
        tls: Option<(u16, &Certificate, &Authority)>,
    ) -> Outcome<Self> {
        Self::start_as(port, clients, tls, &[], None)
    }

    /// The same; any client can register and log [`ANN`] in, for tokens with one of the audiences
    /// `codes`.
    pub(crate) fn start_for_people(port: u16, codes: &[&str]) -> Outcome<Self> {
        Self::start_as(port, Vec::new(), None, codes, None)
    }

    /// The same with a client `portal`, whose log-out tokens are sent to this address.
    pub(crate) fn start_with_portal(port: u16, code: &str, address: &str) -> Outcome<Self> {
        Self::start_as(port, Vec::new(), None, &[code], Some(address))
    }

    fn start_as(
        port: u16,
        clients: Vec<Client>,
        tls: Option<(u16, &Certificate, &Authority)>,
        codes: &[&str],
        portal: Option<&str>,
    ) -> Outcome<Self> {
        let tls = tls.map(|(port, server, authority)| {
            json!({
                "port": port,
                "certificate": server.chain,
                "key": server.key,
                "authority": authority.root(),
            })
        });
        let registered: Vec<Value> = clients
            .iter()
            .map(|client| {
                json!({
                    "id": client.id,
                    "secret": client.secret,
                    "roles": client.roles,
                    "age": client.age.as_secs(),
                    "certificate": client.has_certificate,
                })
            })
            .collect();
        let settings = json!({
            "port": port,
            "resources": {
                AUDIENCE: [READ, WRITE],
                OTHER_AUDIENCE: [READ],
                OPAQUE_AUDIENCE: [READ, WRITE],
            },
            "opaque": [OPAQUE_AUDIENCE],
            "clients": registered,
            "tls": tls,
            "people": { ANN: [READ] },
            "codes": codes,
            "portal": portal,
        });
        let directory = tempfile::tempdir()?;
        let modules = installed::provider()?;
        let mut process = Process::start(
            "the OpenID provider",
            &installed::node()?,
            &directory.path().join("log"),
            Ending::Kill,
            |command| {
                command
                    .arg(installed::root().join("tests/real/provider/provider.mjs"))
                    .env("PROVIDER_DIR", modules)
                    .env("PROVIDER_SETTINGS", settings.to_string());
            },
        )?;
        process.wait_until(Duration::from_secs(30), |log| {
            log.lines().any(|line| line.starts_with("ready "))
        })?;
        Ok(Self {
            process,
            port,
            clients,
            _directory: directory,
        })
    }

    /// Its issuer identifier.
    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// An access token by the client credentials grant (RFC 6749 §4.4) for one audience
    /// (RFC 8707).
    pub(crate) fn token(&self, client: &str, scope: &str, resource: &str) -> Outcome<String> {
        let mut form = format!("grant_type=client_credentials&resource={resource}");
        if !scope.is_empty() {
            form.push_str("&scope=");
            form.push_str(&scope.replace(' ', "+"));
        }
        let response = self.post("/token", client, form)?;
        response.member("access_token")
    }

    /// Runs the client of `tests/real/provider/client.mjs`: it gets a token and makes its calls. Gives
    /// what it prints.
    pub(crate) fn run_client(&self, client: &str, settings: &Value) -> Outcome<Value> {
        let mut all = json!({
            "issuer": self.issuer(),
            "id": client,
            "secret": self.secret(client)?,
            "scope": READ,
            "resource": AUDIENCE,
        });
        let settings = settings.as_object().cloned().unwrap_or_default();
        all.as_object_mut().ok_or("no settings")?.extend(settings);
        let output = Command::new(installed::node()?)
            .arg(installed::root().join("tests/real/provider/client.mjs"))
            .env("PROVIDER_DIR", installed::provider()?)
            .env("CLIENT_SETTINGS", all.to_string())
            .output()?;
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the client ended with {}: {errors}", output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Logs [`ANN`] in at the client `portal` with a browser, for this audience. Gives the access token and
    /// the ID token.
    pub(crate) fn log_in(&self, browser: &mut Browser, audience: &str) -> Outcome<[String; 2]> {
        const VERIFIER: &str = "a-verifier-that-is-as-long-as-it-has-to-be-at-least";
        let challenge = URL_SAFE_NO_PAD.encode(Hash::hash(VERIFIER.as_bytes()));
        let to_portal = "client_id=portal&redirect_uri=http%3A%2F%2F127.0.0.1%2Fportal";
        let resource = audience.replace(':', "%3A").replace('/', "%2F");
        let page = browser.get(&format!(
            "/auth?{to_portal}&response_type=code&scope=openid&resource={resource}\
             &code_challenge={challenge}&code_challenge_method=S256"
        ))?;
        let address = page.header("location").ok_or("no page for the log-in")?;
        let login = Request::new("POST", target_of(&address)).form(format!("login={ANN}"));
        let address = browser.send(login)?.header("location");
        let response = browser.get(target_of(&address.ok_or("the log-in failed")?))?;
        let code = parameter_of_redirect(&response, "code")?;
        let form = format!(
            "grant_type=authorization_code&{to_portal}&code={code}&code_verifier={VERIFIER}\
             &resource={resource}"
        );
        let tokens = Request::new("POST", "/token").form(form).send(self.port)?;
        Ok([tokens.member("access_token")?, tokens.member("id_token")?])
    }

    /// Logs the person of a browser out, who confirms it.
    pub(crate) fn log_out(browser: &mut Browser, id_token: &str) -> Outcome<()> {
        let page = browser.get(&format!("/session/end?id_token_hint={id_token}"))?;
        let text = page.text();
        let field = text.split("name=\"xsrf\" value=\"").nth(1);
        let xsrf = field.and_then(|rest| rest.split('"').next());
        let xsrf = xsrf.ok_or_else(|| format!("no form in {}: {text}", page.status))?;
        let form = format!("xsrf={xsrf}&logout=yes");
        let response = browser.send(Request::new("POST", "/session/end/confirm").form(form))?;
        match response.status {
            200..=399 => Ok(()),
            status => Err(format!("the status of the log-out is {status}").into()),
        }
    }

    /// Revokes a token of a client (RFC 7009).
    pub(crate) fn revoke(&self, client: &str, token: &str) -> Outcome<()> {
        let response = self.post("/token/revocation", client, format!("token={token}"))?;
        match response.status {
            200 => Ok(()),
            status => Err(format!("the status of the revocation is {status}").into()),
        }
    }

    fn post(&self, path: &str, client: &str, form: String) -> Outcome<Response> {
        Request::new("POST", path)
            .basic(client, self.secret(client)?)
            .form(form)
            .send(self.port)
    }

    fn secret(&self, client: &str) -> Outcome<&str> {
        let registered = self.clients.iter().find(|known| known.id == client);
        let secret = registered.map(|known| known.secret.as_str());
        secret.ok_or_else(|| format!("{client} is not registered").into())
    }

    /// Replaces the signing key. With `keep` the old one stays published.
    pub(crate) fn rotate(&self, keep: bool) -> Outcome<()> {
        let response = Request::post("/test/rotate", &json!({ "keep": keep })).send(self.port)?;
        match response.status {
            200 => Ok(()),
            status => Err(format!("the status of the key rotation is {status}").into()),
        }
    }

    /// Its output.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }
}
