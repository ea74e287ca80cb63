//! What a worker needs of the program that runs it.

use log::Level;
use std::time::Duration;

use crate::config::Environment;
use crate::crypto::ForeignFunctions;
use crate::decide::ConnectionAttribute;
use crate::facts::{SharedMemory, WaiterId};
use crate::gate::{Connections, HeldBodies, HostView};
use crate::http::RequestHead;
use crate::time::UnixMillis;

/// The host did not do what the worker asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotDone;

/// Whether the host may let a part of a message go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a part that goes on without a decision reaches n8n"]
pub enum Flow {
    /// It goes on.
    Continue,
    /// The host keeps it until the worker resumes the request or sends a local reply.
    Hold,
}

/// A header of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// The current request.
    Request,
    /// The response to the current request.
    Response,
}

/// What the host knows about the current request beside its headers. A client cannot write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// The address that the request came from, with or without a port.
    SourceAddress,
    /// The SHA-256 digest of the certificate that the client showed, in hexadecimal digits.
    PeerCertificateDigest,
    /// The subject of that certificate.
    PeerCertificateSubject,
    /// The first URI among its alternative names.
    PeerCertificateUri,
    /// The first name of a host among its alternative names.
    PeerCertificateDns,
    /// The address of the program at the other end of the connection, with or without a port.
    PeerAddress,
    /// Which program made the response. A response that came from n8n is `via_upstream`.
    ResponseDetails,
}

/// How a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It has the last value.
    Gauge,
}

/// An HTTP request that the worker sends.
#[derive(Clone, Copy)]
pub struct HostCall<'c> {
    /// The cluster of the operator that the host sends it to.
    pub cluster: &'c str,
    /// Its headers, with the pseudo-headers of HTTP/2.
    pub headers: &'c [(&'c str, &'c str)],
    /// Its body.
    pub body: Option<&'c [u8]>,
    /// How long it may take.
    pub timeout: Duration,
}

/// The program that runs a worker.
///
/// A host calls its worker from one thread, and calls it for each event: a tick, the end of a call,
/// the parts of a request, and the end of a request. It does what the functions below say, or says
/// that it did not. A host that does less than it says costs requests: they wait and are refused.
/// It does not let a request pass, because a request goes on only after [`Flow::Continue`] or
/// [`Host::resume`].
///
/// Some functions are about the *current* request. That is the one whose event the host reports, or
/// the one that [`Host::set_effective_context`] named last.
///
/// Only from within [`Host::call`], [`Host::reply`] and [`Host::resume`] may a host call its worker
/// again, for another event. The worker keeps no lock on its own state while it calls these. When
/// such a function returns, the request that was current before is current again.
pub trait Host: Clone + Environment + ForeignFunctions + SharedMemory + 'static {
    /// The time. `None`: the host has no clock.
    fn now(&self) -> Option<UnixMillis>;

    /// Whether the host writes what is logged as [`Level::Info`]. An operator may change that.
    fn logs_information(&self) -> bool;

    /// Writes a line to the log.
    fn log(&self, level: Level, line: &str);

    /// Asks for a tick after each such period.
    fn set_tick_period(&self, period: Duration) -> Result<(), NotDone>;

    /// Makes a metric known, and gives its number.
    fn define_metric(&self, kind: MetricKind, name: &str) -> Option<u32>;

    /// Adds to a counter.
    fn add_to_metric(&self, number: u32, count: u64);

    /// Sets a gauge.
    fn set_metric(&self, number: u32, value: u64);

    /// Sends a call, and gives its number. The host reports the end of the call with this number.
    fn send_call(&self, call: &HostCall<'_>) -> Result<u32, NotDone>;

    /// The beginning of the body of the response to the call that ends now.
    fn call_body(&self, most: usize) -> Option<Vec<u8>>;

    /// Makes a request, or the worker's own context, the current one.
    fn set_effective_context(&self, context: u32) -> Result<(), NotDone>;

    /// The head of the current request, as bytes.
    fn request_head(&self) -> Result<RequestHead, NotDone>;

    /// The first `most` bytes of the body of the current request, which the host holds.
    fn request_body(&self, most: usize) -> Option<Vec<u8>>;

    /// All headers of the response to the call that ends now, as bytes.
    fn call_headers(&self) -> Option<Vec<(String, Vec<u8>)>>;

    /// The first value of a header.
    fn header(&self, headers: Headers, name: &str) -> Option<Vec<u8>>;

    /// All headers of the response to the current request, as bytes.
    fn response_headers(&self) -> Option<Vec<(String, Vec<u8>)>>;

    /// What the host knows about the current request.
    fn attribute(&self, attribute: Attribute) -> Option<Vec<u8>>;

    /// Sets a property of the current request, which access logs can read.
    fn set_property(&self, name: &str, value: &str) -> Result<(), NotDone>;

    /// Adds a header to those of its name.
    fn add_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), NotDone>;

    /// Makes this the one header of its name.
    fn replace_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), NotDone>;

    /// Removes all headers of a name. There may be none.
    fn remove_header(&self, headers: Headers, name: &str) -> Result<(), NotDone>;

    /// Sends a local reply to the current request.
    fn reply(&self, status: u16, headers: &[(&str, &str)], body: &str) -> Result<(), NotDone>;

    /// Lets the current request go on, which the host holds.
    fn resume(&self) -> Result<(), NotDone>;
}

/// What the gate needs of a host to settle requests.
pub(super) fn view<H: Host>(host: &H, now: UnixMillis) -> HostView<'_> {
    HostView {
        now,
        memory: host,
        bodies: host,
        connections: host,
    }
}

impl<H: Host> HeldBodies for H {
    fn read(&self, request: WaiterId, length: usize) -> Option<Vec<u8>> {
        self.set_effective_context(request.0).ok()?;
        self.request_body(length)
    }
}

impl<H: Host> Connections for H {
    fn attribute(&self, request: WaiterId, attribute: ConnectionAttribute) -> Option<String> {
        self.set_effective_context(request.0).ok()?;
        let value = Host::attribute(
            self,
            match attribute {
                ConnectionAttribute::CertificateDigest => Attribute::PeerCertificateDigest,
                ConnectionAttribute::CertificateSubject => Attribute::PeerCertificateSubject,
                ConnectionAttribute::CertificateUri => Attribute::PeerCertificateUri,
                ConnectionAttribute::CertificateDns => Attribute::PeerCertificateDns,
                ConnectionAttribute::Peer => Attribute::PeerAddress,
            },
        );
        String::from_utf8(value?).ok()
    }
}

/// The time of the host. Without a clock it is 1970: every token is then issued in the future, and no
/// token is accepted.
pub(super) fn now<H: Host>(host: &H) -> UnixMillis {
    host.now().unwrap_or_default()
}
