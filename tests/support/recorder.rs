//! An upstream in place of n8n that records requests.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::server::{Recorded, Reply, Script, Server};
use super::Outcome;

/// An upstream that records every request. It responds with 200 until a test changes its script.
#[derive(Debug)]
pub(crate) struct Recorder {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    recorded: Vec<Recorded>,
    script: Script,
}

impl Recorder {
    /// Starts it on a free loopback port.
    pub(crate) fn start() -> Outcome<Self> {
        let state = Arc::new(Mutex::new(State {
            recorded: Vec::new(),
            script: Script::Reply(Reply::json(&json!({"upstream": true}))),
        }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |recorded| {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            state.recorded.push(recorded);
            state.script.clone()
        })?;
        Ok(Self { server, state })
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.server.port()
    }

    /// Sets the script for every later request.
    pub(crate) fn script(&self, script: Script) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .script = script;
    }

    /// Whether so many requests come in time, since the last call of [`Recorder::take`]. Each of them has
    /// the script of that moment: Envoy counts a request before it is here.
    pub(crate) fn receives(&self, count: usize) -> bool {
        (0..600).any(|_| {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let is_there = state.recorded.len() >= count;
            drop(state);
            if !is_there {
                thread::sleep(Duration::from_millis(50));
            }
            is_there
        })
    }

    /// The requests since the last call.
    pub(crate) fn take(&self) -> Vec<Recorded> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.recorded)
    }
}

impl Recorded {
    /// Every value of the header `name` (lower case), in the order of the wire.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .collect()
    }
}
