//! A gate before a recorder, for the tests with real providers.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops where something is not as it must be"
)]

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::envoy::{Envoy, Setup};
use super::http::{Answer, Request};
use super::recorder::Recorder;
use super::server::Heard;

/// The gate, and what stands in the place of n8n.
pub(crate) struct Stage {
    pub(crate) recorder: Recorder,
    pub(crate) envoy: Envoy,
}

impl Stage {
    /// Starts both; `complete` adds clusters and secrets.
    pub(crate) fn start(policy: Value, complete: impl FnOnce(Setup) -> Setup) -> Self {
        let recorder = Recorder::start().unwrap();
        let setup = Setup::minimal(policy, recorder.port()).unwrap();
        let envoy = complete(setup).start().unwrap();
        Self { recorder, envoy }
    }

    /// Sends a request with a token.
    pub(crate) fn send(&self, request: Request, token: &str) -> Answer {
        request.bearer(token).send(self.envoy.port()).unwrap()
    }

    /// Makes a call that most tokens of the tests may make.
    pub(crate) fn list_workflows(&self, token: &str) -> Answer {
        self.send(Request::get("/api/v1/workflows"), token)
    }

    /// What the recorder heard of such a call, which the gate must let through without the token.
    pub(crate) fn heard(&self, token: &str) -> Heard {
        let answer = self.list_workflows(token);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let heard = self.recorder.take().pop().unwrap();
        assert_eq!(heard.values("authorization"), [""; 0]);
        heard
    }

    /// The key, the client and the kind of a caller that is let through.
    pub(crate) fn caller(&self, token: &str) -> [Vec<String>; 3] {
        let heard = self.heard(token);
        ["x-n8n-api-key", "x-auth-client", "x-auth-kind"].map(|name| heard.values(name))
    }
}

/// An object with members added to it, or put in the place of its own.
pub(crate) fn with_members(mut object: Value, members: &Value) -> Value {
    let members = members.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(members);
    object
}

/// Waits until what was remembered for a second is asked for again.
pub(crate) fn wait_for_the_end_of_ttl() {
    thread::sleep(Duration::from_millis(1200));
}
