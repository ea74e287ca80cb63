//! A gate in front of a recorder, for the tests with real providers.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

use std::thread;
use std::time::Duration;

use n8n_idp_gate::policy::IdentityHeader;
use serde_json::{json, Value};

use super::envoy::{Envoy, Setup};
use super::http::{Request, Response};
use super::recorder::Recorder;
use super::server::Recorded;

/// The gate, and the recorder in place of n8n.
pub(crate) struct Stage {
    pub(crate) recorder: Recorder,
    pub(crate) envoy: Envoy,
}

impl Stage {
    /// Starts both; `complete` adds clusters and secrets. The upstream gets every identity header, so that
    /// tests see who the caller is.
    pub(crate) fn start(mut policy: Value, complete: impl FnOnce(Setup) -> Setup) -> Self {
        policy["public_api"]["identity_headers"] =
            json!(IdentityHeader::ALL.map(IdentityHeader::as_str));
        let recorder = Recorder::start().unwrap();
        let setup = Setup::minimal(policy, recorder.port()).unwrap();
        let envoy = complete(setup).start().unwrap();
        Self { recorder, envoy }
    }

    /// Sends a request with a token.
    pub(crate) fn send(&self, request: Request, token: &str) -> Response {
        request.bearer(token).send(self.envoy.port()).unwrap()
    }

    /// Lists the workflows, which most tokens of the tests may do.
    pub(crate) fn list_workflows(&self, token: &str) -> Response {
        self.send(Request::get("/api/v1/workflows"), token)
    }

    /// The recorded request of such a call. The gate must forward it without the token.
    pub(crate) fn recorded(&self, token: &str) -> Recorded {
        let response = self.list_workflows(token);
        assert_eq!(response.status, 200, "{}", response.text());
        let recorded = self.recorder.take().pop().unwrap();
        assert_eq!(recorded.values("authorization"), [""; 0]);
        recorded
    }

    /// The API key, client and kind of a caller whose request is forwarded.
    pub(crate) fn caller(&self, token: &str) -> [Vec<String>; 3] {
        let recorded = self.recorded(token);
        ["x-n8n-api-key", "x-auth-client", "x-auth-kind"].map(|name| recorded.values(name))
    }
}

/// An object with members added or replaced.
pub(crate) fn with_members(mut object: Value, members: &Value) -> Value {
    let members = members.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(members);
    object
}

/// Waits until values with a `ttl` of one second have expired.
pub(crate) fn wait_for_the_end_of_ttl() {
    thread::sleep(Duration::from_millis(1200));
}
