//! Calls to n8n from this machine.

use std::sync::Arc;
use std::time::Duration;

use n8n_idp_gate::http::Address;
use n8n_idp_gate::secret::Secret;
use serde_json::Value;
use ureq::http::header::{HeaderValue, CONTENT_TYPE, COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE};
use ureq::http::{HeaderName, Request};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::Agent;

use super::shown;
use crate::file::input::now;

/// How long one call may take. n8n computes a password hash for a log-in.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest response that is read, in bytes.
const MAX_BODY: u64 = 4 * 1024 * 1024;

/// An n8n, as it is reached from here.
pub(crate) struct Client {
    agent: Agent,
    /// Scheme, host, port and the path below which it is.
    base: String,
    /// n8n's sessions have no id: two log-ins of one user in one second get one session, and to end it
    /// ends both. n8n binds a session to this value, so that no other log-in gets the same.
    browser: String,
}

/// What shows n8n for whom a call is.
#[derive(Clone, Copy)]
pub(crate) enum Credential<'c> {
    Nothing,
    ApiKey(&'c Secret),
    Cookie(&'c Secret),
}

/// A response of n8n.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) cookies: Vec<Vec<u8>>,
    /// In how many seconds n8n takes another call.
    pub(crate) retry_after: Option<u64>,
}

impl Client {
    /// The n8n at this address.
    pub(crate) fn new(address: &str) -> Result<Self, String> {
        let parts = Address::parse(address).map_err(|fault| format!("--n8n {fault}"))?;
        if parts.path.contains('?') {
            return Err("--n8n has a query (?)".to_owned());
        }
        let base = address.trim_end_matches('/').to_owned();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            // A redirect or a proxy would get the password or the key.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("n8n-idp-gate/", env!("CARGO_PKG_VERSION")))
            .build();
        let browser = format!("n8n-idp-gate-{}-{}", std::process::id(), now().0);
        Ok(Self {
            agent: agent.into(),
            base,
            browser,
        })
    }

    /// `GET`.
    pub(crate) fn get(&self, path: &str, credential: Credential<'_>) -> Result<Response, String> {
        self.send("GET", path, credential, None)
    }

    /// `POST` of a JSON body, or of nothing.
    pub(crate) fn post(
        &self,
        path: &str,
        credential: Credential<'_>,
        body: Option<Secret>,
    ) -> Result<Response, String> {
        self.send("POST", path, credential, body)
    }

    /// `PATCH` of a JSON body.
    pub(crate) fn patch(
        &self,
        path: &str,
        credential: Credential<'_>,
        body: Secret,
    ) -> Result<Response, String> {
        self.send("PATCH", path, credential, Some(body))
    }

    /// `DELETE`.
    pub(crate) fn delete(
        &self,
        path: &str,
        credential: Credential<'_>,
    ) -> Result<Response, String> {
        self.send("DELETE", path, credential, None)
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        credential: Credential<'_>,
        body: Option<Secret>,
    ) -> Result<Response, String> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("browser-id", &self.browser);
        let header = match credential {
            Credential::Nothing => None,
            Credential::ApiKey(key) => Some((HeaderName::from_static("x-n8n-api-key"), key)),
            Credential::Cookie(cookie) => Some((COOKIE, cookie)),
        };
        if let Some((name, value)) = header {
            let value = HeaderValue::from_str(value.expose());
            let mut value = value.map_err(|_| "a secret is no value of a header".to_owned())?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let sent = if matches!(method, "POST" | "PATCH") {
            // Also an empty body has a length: without one it would be sent in chunks.
            let body = body.map_or_else(String::new, |body| body.expose().to_owned());
            let request = request.body(body).map_err(|error| error.to_string())?;
            self.agent.run(request)
        } else {
            let request = request.body(()).map_err(|error| error.to_string())?;
            self.agent.run(request)
        };
        let unreachable =
            |error: ureq::Error| format!("{}: {}", self.shown(), shown(&error.to_string()));
        let mut response = sent.map_err(unreachable)?;
        let status = response.status().as_u16();
        let headers = response.headers();
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if response.status().is_redirection() {
            let to = text(LOCATION).unwrap_or_default();
            return Err(format!(
                "{} redirects to {}: give the address of n8n itself with --n8n",
                self.shown(),
                shown(to)
            ));
        }
        let retry_after = text(RETRY_AFTER).and_then(|value| value.parse().ok());
        let cookies = headers.get_all(SET_COOKIE).iter();
        let cookies = cookies.map(|value| value.as_bytes().to_vec()).collect();
        let body = response.body_mut().with_config().limit(MAX_BODY);
        let body = body.read_to_vec().map_err(unreachable)?;
        Ok(Response {
            status,
            body,
            cookies,
            retry_after,
        })
    }

    /// The address, for messages.
    pub(crate) fn shown(&self) -> String {
        format!("n8n at {}", shown(&self.base))
    }
}

impl Response {
    /// A failure that has no cause of its own: what was done, and what n8n says.
    pub(crate) fn fault(&self, what: &str) -> String {
        if self.status < 300 {
            return format!("{what}: the response is not one of n8n; is --n8n its address?");
        }
        match self.message() {
            Some(message) => format!("{what}: n8n responds with {}: {message}", self.status),
            None => format!("{what}: n8n responds with {}", self.status),
        }
    }

    /// What n8n says about a failure.
    pub(crate) fn message(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(shown(body.get("message")?.as_str()?))
    }
}
