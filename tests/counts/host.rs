//! A host that does nothing, so that what is counted is the worker's. It says that it did all that it
//! was asked for, and gives its answer about a signature without looking at it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use log::Level;
use n8n_idp_gate::config::Environment;
use n8n_idp_gate::crypto::ForeignFunctions;
use n8n_idp_gate::facts::SharedMemory;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::secret::Secret;
use n8n_idp_gate::time::UnixMillis;
use n8n_idp_gate::worker::{Attribute, Headers, Host, HostCall, MetricKind, NotDone};

use crate::cases::{api_key, Case, KEYS, NOW};
use crate::no_memory::without_memory;

/// The API key of the last principal, which the tokens match.
const KEY: &str = "n8n-key-of-principal-9";

/// How often the self-test asks about each algorithm. The first signature of each is a good one.
const SELF_TEST: usize = 6;

struct Inner {
    head: Cell<Option<Vec<u8>>>,
    has_started: Cell<bool>,
    is_signature_good: bool,
    has_audit: bool,
    asked: Cell<usize>,
    metrics: Cell<u32>,
    keys: Cell<usize>,
    status: Cell<Option<u16>>,
}

/// The host. Its clones are the same one.
#[derive(Clone)]
pub(crate) struct Idle(Rc<Inner>);

impl Idle {
    pub(crate) fn new(case: &Case) -> Self {
        Self(Rc::new(Inner {
            head: Cell::new(None),
            has_started: Cell::new(false),
            is_signature_good: case.is_signature_good,
            has_audit: case.has_audit,
            asked: Cell::new(0),
            metrics: Cell::new(0),
            keys: Cell::new(0),
            status: Cell::new(None),
        }))
    }

    /// The self-test is over: from now on the host answers as its case says.
    pub(crate) fn has_started(&self) {
        self.0.has_started.set(true);
        self.0.asked.set(0);
    }

    /// The head of the next request, as a header map.
    pub(crate) fn receives(&self, head: Vec<u8>) {
        self.0.head.set(Some(head));
    }

    /// How often the host was asked about a signature since it started.
    pub(crate) fn asked(&self) -> usize {
        self.0.asked.get()
    }

    /// How many requests got the API key.
    pub(crate) fn keys(&self) -> usize {
        self.0.keys.get()
    }

    /// The status of the last local reply.
    pub(crate) fn status(&self) -> Option<u16> {
        self.0.status.get()
    }

    fn writes(&self, name: &str, value: &str) {
        if name == "x-n8n-api-key" && value == KEY {
            self.0.keys.set(self.0.keys.get().wrapping_add(1));
        }
    }
}

impl Host for Idle {
    fn now(&self) -> Option<UnixMillis> {
        Some(UnixMillis(NOW.saturating_mul(1000)))
    }

    fn logs_information(&self) -> bool {
        self.0.has_audit
    }

    fn log(&self, level: Level, line: &str) {
        assert_ne!(level, Level::Error, "{line}");
    }

    fn set_tick_period(&self, _: Duration) -> Result<(), NotDone> {
        Ok(())
    }

    fn define_metric(&self, _: MetricKind, _: &str) -> Option<u32> {
        self.0.metrics.set(self.0.metrics.get().wrapping_add(1));
        Some(self.0.metrics.get())
    }

    fn add_to_metric(&self, _: u32, _: u64) {}

    fn set_metric(&self, _: u32, _: u64) {}

    fn send_call(&self, _: &HostCall<'_>) -> Result<u32, NotDone> {
        Err(NotDone)
    }

    fn call_body(&self, _: usize) -> Option<Vec<u8>> {
        None
    }

    fn set_effective_context(&self, _: u32) -> Result<(), NotDone> {
        Ok(())
    }

    fn request_head(&self) -> Result<RequestHead, NotDone> {
        let head = self.0.head.take().and_then(RequestHead::of_map);
        head.ok_or(NotDone)
    }

    fn request_body(&self, _: usize) -> Option<Vec<u8>> {
        None
    }

    fn call_headers(&self) -> Option<Vec<(String, Vec<u8>)>> {
        None
    }

    fn header(&self, _: Headers, name: &str) -> Option<Vec<u8>> {
        (name == ":status").then(|| b"200".to_vec())
    }

    fn response_headers(&self) -> Option<Vec<(String, Vec<u8>)>> {
        None
    }

    fn attribute(&self, attribute: Attribute) -> Option<Vec<u8>> {
        (attribute == Attribute::SourceAddress).then(|| b"127.0.0.1:43210".to_vec())
    }

    fn set_property(&self, _: &str, _: &str) -> Result<(), NotDone> {
        Ok(())
    }

    fn add_header(&self, _: Headers, name: &str, value: &str) -> Result<(), NotDone> {
        self.writes(name, value);
        Ok(())
    }

    fn replace_header(&self, _: Headers, name: &str, value: &str) -> Result<(), NotDone> {
        self.writes(name, value);
        Ok(())
    }

    fn remove_header(&self, _: Headers, _: &str) -> Result<(), NotDone> {
        Ok(())
    }

    fn reply(&self, status: u16, _: &[(&str, &str)], _: &str) -> Result<(), NotDone> {
        self.0.status.set(Some(status));
        Ok(())
    }

    fn resume(&self) -> Result<(), NotDone> {
        Err(NotDone)
    }
}

without_memory!(Idle);

impl ForeignFunctions for Idle {
    /// Envoy's `VerifySignatureResult`: field 1 says whether the signature is good.
    fn call(&self, _: &str, _: &[u8]) -> Option<Vec<u8>> {
        let asked = self.0.asked.get();
        self.0.asked.set(asked.wrapping_add(1));
        let is_good = if self.0.has_started.get() {
            self.0.is_signature_good
        } else {
            asked.is_multiple_of(SELF_TEST)
        };
        Some(vec![0x08, u8::from(is_good)])
    }
}

impl Environment for Idle {
    fn secret(&self, name: &str) -> Option<Secret> {
        Some(Secret::new(api_key(name.strip_prefix(KEYS)?)))
    }
}
