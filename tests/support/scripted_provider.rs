//! An identity provider in this process that a test scripts: it can rotate keys, fail, or send
//! false data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{json, Value};

use super::server::{Recorded, Reply, Script, Server};
use super::Outcome;

/// The path of the discovery document (OpenID Connect Discovery 1.0 §4).
pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";

/// The path of the key set.
pub(crate) const JWKS: &str = "/jwks";

/// A provider whose response for each path can be changed while it runs.
#[derive(Debug)]
pub(crate) struct ScriptedProvider {
    issuer: String,
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    scripts: BTreeMap<String, Script>,
    requests: BTreeMap<String, usize>,
    last: BTreeMap<String, Recorded>,
}

impl ScriptedProvider {
    /// Starts it with a correct discovery document and the key set `{"keys": [...]}`.
    pub(crate) fn start(issuer: &str, keys: &[Value]) -> Outcome<Self> {
        Self::start_as(|_| issuer.to_owned(), keys)
    }

    /// The same, with its own address as the issuer.
    pub(crate) fn start_at_own_address(keys: &[Value]) -> Outcome<Self> {
        Self::start_as(|port| format!("http://127.0.0.1:{port}"), keys)
    }

    fn start_as(issuer: impl FnOnce(u16) -> String, keys: &[Value]) -> Outcome<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |recorded| {
            let path = recorded
                .target
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned();
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let script = state.scripts.get(&path).cloned();
            let count = state.requests.entry(path.clone()).or_default();
            *count = count.saturating_add(1);
            state.last.insert(path, recorded);
            script.unwrap_or(Script::Reply(Reply::status(404)))
        })?;
        let provider = Self {
            issuer: issuer(server.port()),
            server,
            state,
        };
        provider.script(DISCOVERY, Script::Reply(Reply::json(&provider.document())));
        provider.publish(keys);
        Ok(provider)
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.server.port()
    }

    /// The correct discovery document.
    pub(crate) fn document(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{}{JWKS}", self.issuer),
            "token_endpoint": format!("{}/token", self.issuer),
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        })
    }

    /// Publishes these keys and no others.
    pub(crate) fn publish(&self, keys: &[Value]) {
        self.script(JWKS, Script::Reply(Reply::json(&json!({ "keys": keys }))));
    }

    /// Sets the script for every later request for `path`.
    pub(crate) fn script(&self, path: &str, script: Script) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.scripts.insert(path.to_owned(), script);
    }

    /// The number of requests for `path`.
    pub(crate) fn requests(&self, path: &str) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.get(path).copied().unwrap_or_default()
    }

    /// The last request for `path`.
    pub(crate) fn last(&self, path: &str) -> Option<Recorded> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last.get(path).cloned()
    }
}
