//! An upstream in n8n's place that keeps what reached it.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::server::{Heard, Reply, Script, Server};
use super::Outcome;

/// An upstream that records every request and answers 200 until it is told otherwise.
#[derive(Debug)]
pub(crate) struct Recorder {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    heard: Vec<Heard>,
    script: Script,
}

impl Recorder {
    /// Starts it on a free loopback port.
    pub(crate) fn start() -> Outcome<Self> {
        let state = Arc::new(Mutex::new(State {
            heard: Vec::new(),
            script: Script::Reply(Reply::json(&json!({"upstream": true}))),
        }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |heard| {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            state.heard.push(heard);
            state.script.clone()
        })?;
        Ok(Self { server, state })
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.server.port()
    }

    /// Answers every later request in this way.
    pub(crate) fn script(&self, script: Script) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .script = script;
    }

    /// What arrived since the last call.
    pub(crate) fn take(&self) -> Vec<Heard> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.heard)
    }
}

impl Heard {
    /// Every value of the header `name` (lower case), in the order of the wire.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }
}
