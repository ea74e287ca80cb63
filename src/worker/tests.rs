//! The worker against a scripted host.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test stops when a number overflows"
)]

mod calls;
mod host;
mod loading;
mod minted;
mod model;
mod reports;
mod requests;
mod responses;
mod sinks;
mod waiting;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{json, Value};

use self::host::{CallResponse, Function, Progress, Stream, TestHost, ROOT};
use log::Level;

use super::{load, Flow, Request, Worker};
use crate::mint::{mint, KeyKind, Mint};
use crate::time::UnixMillis;

const START: UnixMillis = UnixMillis(1_800_000_000_000);

/// A worker, its host, and the requests of the host. Its clones are the same.
#[derive(Clone)]
struct Scene {
    host: TestHost,
    worker: Worker<TestHost>,
    requests: Rc<RefCell<BTreeMap<u32, Request<TestHost>>>>,
}

/// One provider with its key set in the configuration.
fn with_keys() -> Value {
    let keys = json!({"keys": [mint(KeyKind::Ed25519).jwk("one")]});
    configuration(&json!({"jwks": keys}))
}

/// One provider whose key set is fetched.
fn with_fetch() -> Value {
    configuration(&json!({"cluster": "idp", "jwks_uri": "https://idp.example/jwks"}))
}

fn configuration(keys: &Value) -> Value {
    let mut provider = json!({"name": "idp", "issuer": "https://idp.example",
        "audiences": ["api"]});
    let fields = keys.as_object().unwrap().clone();
    provider.as_object_mut().unwrap().extend(fields);
    json!({
        "crypto": "guest",
        "providers": [provider],
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
        "public_api": {"identity_headers": ["subject", "issuer"]},
        "caller_properties": ["principal", "client", "subject"],
    })
}

impl Scene {
    fn new(configuration: &Value) -> Self {
        let host = TestHost::default();
        let policy = load(&host, configuration.to_string().as_bytes()).unwrap();
        let worker = Worker::new(host.clone(), ROOT, policy);
        host.0.current.set(ROOT);
        let requests = Rc::default();
        Self {
            host,
            worker,
            requests,
        }
    }

    /// The host gets a request.
    fn request(&self, context: u32, head: Vec<(String, String)>) -> Flow {
        let stream = Stream {
            head,
            body: Vec::new(),
            response: Vec::new(),
            response_details: Some("via_upstream"),
            certificate: None,
            properties: BTreeMap::new(),
            progress: Progress::Held,
        };
        self.host.0.streams.borrow_mut().insert(context, stream);
        let mut request = Request::new(self.host.clone(), context, Some(self.worker.clone()));
        self.host.0.current.set(context);
        let flow = request.head(true);
        if flow == Flow::Continue {
            self.host.edit_stream(context, |stream| {
                assert_eq!(stream.progress, Progress::Held, "replied and released");
                stream.progress = Progress::Upstream(stream.head.clone());
            });
        }
        self.requests.borrow_mut().insert(context, request);
        flow
    }

    /// The host gets a part of the body.
    fn body(&self, context: u32) -> Flow {
        self.with(context, |request| request.body(0, false))
    }

    /// The host gets n8n's response.
    fn response(&self, context: u32, status: u16) -> Flow {
        self.host.edit_stream(context, |stream| {
            stream.response = vec![
                (":status".to_owned(), status.to_string()),
                ("x-n8n-api-key".to_owned(), "echo".to_owned()),
            ];
        });
        self.with(context, Request::response_head)
    }

    /// The client closes the connection.
    fn end(&self, context: u32) {
        let request = self.requests.borrow_mut().remove(&context);
        drop(request);
        self.host.0.streams.borrow_mut().remove(&context);
    }

    fn with<R>(&self, context: u32, event: impl FnOnce(&mut Request<TestHost>) -> R) -> R {
        self.host.0.current.set(context);
        let mut request = self.requests.borrow_mut().remove(&context).unwrap();
        let result = event(&mut request);
        self.requests.borrow_mut().insert(context, request);
        result
    }

    /// So many milliseconds pass, and the host ticks.
    fn tick_after(&self, millis: u64) {
        let time = &self.host.0.time;
        time.set(time.get() + millis);
        self.host.0.current.set(ROOT);
        self.worker.tick();
    }

    /// The call that was sent last ends with this response.
    fn end_call(&self, response: CallResponse) {
        self.end_call_number(self.host.last_call().number, response);
    }

    fn end_call_number(&self, number: u32, response: CallResponse) {
        let (headers, body) = (response.headers.len(), response.body.len());
        *self.host.0.call_response.borrow_mut() = response;
        self.host.0.current.set(ROOT);
        self.worker.call_ended(number, headers, body);
    }

    fn progress(&self, context: u32) -> Progress {
        self.host.stream(context).progress
    }

    /// The status of the local reply to a request that is held.
    fn replied(&self, context: u32) -> Option<u16> {
        match self.progress(context) {
            Progress::Replied(status, _) => Some(status),
            _ => None,
        }
    }

    fn is_upstream(&self, context: u32) -> bool {
        matches!(self.progress(context), Progress::Upstream(_))
    }

    /// One member of the last audit record.
    fn last_record(&self, member: &str) -> Value {
        self.host.audit().last().unwrap()[member].clone()
    }
}

fn keys() -> CallResponse {
    let body = json!({"keys": [mint(KeyKind::Ed25519).jwk("one")]});
    CallResponse {
        headers: vec![(":status", "200")],
        body: body.to_string().into_bytes(),
    }
}

/// A request with a token of the provider.
fn good() -> Vec<(String, String)> {
    bearing(&token(mint(KeyKind::Ed25519), "one"))
}

/// A request with a token that another key signed.
fn forged() -> Vec<(String, String)> {
    thread_local!(static TOKEN: String = token(&Mint::generate(KeyKind::Ed25519), "one"));
    bearing(&TOKEN.with(Clone::clone))
}

fn token(key: &Mint, key_id: &str) -> String {
    let seconds = START.to_seconds().0;
    let claims = json!({"iss": "https://idp.example", "aud": "api", "sub": "app", "azp": "app",
        "iat": seconds, "exp": seconds + 9000, "jti": "t"});
    key.sign(&json!({"alg": "EdDSA", "kid": key_id}), &claims)
}

fn bearing(token: &str) -> Vec<(String, String)> {
    let pairs = [
        (":method", "GET"),
        (":path", "/api/v1/workflows"),
        (":authority", "n8n.example.com"),
        ("authorization", &format!("Bearer {token}")),
        ("x-auth-subject", "made-up"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pairs.to_vec()
}
