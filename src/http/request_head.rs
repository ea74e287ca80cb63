//! The head of a request, as bytes: nothing here assumes that a header is UTF-8.

use std::fmt;

use super::header_map::{self, Pair};

/// Room for the names of the headers of most requests, in bytes.
const NAMES: usize = 256;

/// Room for the values that reports of most requests need, in bytes.
const VALUES: usize = 192;

/// Method, path, authority and headers of one request.
///
/// Header values may hold any byte (Envoy forwards 0x80 to 0xFF), so they stay bytes until a reader
/// needs text, and decides what happens if they are not text.
///
/// A head has few allocations, however many headers there are: each request pays for them.
#[derive(Clone, Default)]
pub struct RequestHead {
    /// The names, one after the other.
    names: String,
    /// What the values are in.
    values: Vec<u8>,
    headers: Vec<Pair>,
}

/// Shows no value: one of them may be a credential.
impl fmt::Debug for RequestHead {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers().map(|(name, _)| name);
        formatter.debug_list().entries(names).finish()
    }
}

impl RequestHead {
    /// Takes a header map as the host gives it, pseudo-headers (`:method`, `:path`) among them. `None`: it is
    /// no header map, or the name of a header is not ASCII.
    pub fn of_map(map: Vec<u8>) -> Option<Self> {
        let mut headers = header_map::read(&map)?;
        let mut names = Vec::with_capacity(NAMES);
        for header in &mut headers {
            let start = names.len();
            names.extend_from_slice(map.get(header.name.clone())?);
            header.name = start..names.len();
        }
        // All at once, which is possible because the parts of an ASCII text are texts (RFC 9110 §5.1).
        let names = names.is_ascii().then(|| String::from_utf8(names).ok());
        Some(Self {
            names: names.flatten()?,
            values: map,
            headers,
        })
    }

    /// A head with these headers, pseudo-headers among them.
    pub fn new<N: AsRef<str>, V: AsRef<[u8]>>(headers: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut head = Self::default();
        for (name, value) in headers {
            head.push(name.as_ref(), value.as_ref());
        }
        head
    }

    fn push(&mut self, name: &str, value: &[u8]) {
        let (name_start, value_start) = (self.names.len(), self.values.len());
        self.names.push_str(name);
        self.values.extend_from_slice(value);
        self.headers.push(Pair {
            name: name_start..self.names.len(),
            value: value_start..self.values.len(),
        });
    }

    /// The part of the head that reports and refusals need, without credentials and query. It may be
    /// kept as long as n8n takes for a response.
    #[must_use]
    pub fn for_reports(&self) -> Self {
        const KEPT: [&str; 7] = [
            ":method",
            ":path",
            ":authority",
            "host",
            "x-request-id",
            "accept",
            "user-agent",
        ];
        let mut kept = Self {
            names: String::with_capacity(KEPT.map(str::len).into_iter().sum()),
            values: Vec::with_capacity(VALUES),
            headers: Vec::with_capacity(KEPT.len()),
        };
        for (name, value) in self.headers() {
            if KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept)) {
                let is_path = name == ":path";
                kept.push(name, if is_path { without_query(value) } else { value });
            }
        }
        kept
    }

    /// All pairs, in the order of the wire.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|header| {
            let name = self.names.get(header.name.clone());
            let value = self.values.get(header.value.clone());
            (name.unwrap_or_default(), value.unwrap_or_default())
        })
    }

    /// Every value of the header `name` (lower case), in the order of the wire.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        // Most names differ in their lengths.
        let of_length = move |header: &&Pair| header.name.len() == name.len();
        let is_it = move |header: &&Pair| {
            let other = self.names.get(header.name.clone());
            other.is_some_and(|other| other.eq_ignore_ascii_case(name))
        };
        let named = self.headers.iter().filter(of_length).filter(is_it);
        named.filter_map(|header| self.values.get(header.value.clone()))
    }

    /// The first value of the header `name`, which must not decide anything.
    pub fn first<'h>(&'h self, name: &'h str) -> Option<&'h [u8]> {
        self.values(name).next()
    }

    /// The request method; empty if the host gave none.
    pub fn method(&self) -> &[u8] {
        self.first(":method").unwrap_or_default()
    }

    /// The request target as it came: path and query.
    pub fn target(&self) -> &[u8] {
        self.first(":path").unwrap_or_default()
    }

    /// The request target up to its query (`?`) or fragment (`#`).
    pub fn path(&self) -> &[u8] {
        without_query(self.target())
    }

    /// What follows the first `?` of the request target, up to a fragment (`#`).
    pub fn query(&self) -> &[u8] {
        let target = self.target().split(|byte| *byte == b'#').next();
        let mut parts = target.unwrap_or_default().splitn(2, |byte| *byte == b'?');
        parts.nth(1).unwrap_or_default()
    }

    /// Whether this is a CORS preflight, as the Fetch standard sends it: a browser asks whether a
    /// script may send another request.
    pub fn is_preflight(&self) -> bool {
        self.method() == b"OPTIONS"
            && self.first("origin").is_some()
            && self.first("access-control-request-method").is_some()
    }

    /// The length of the body, as the head announces it. A host refuses a head with two lengths.
    pub fn content_length(&self) -> Option<usize> {
        std::str::from_utf8(self.first("content-length")?)
            .ok()?
            .parse()
            .ok()
    }

    /// Host and port that the client asked for.
    pub fn authority(&self) -> Option<&[u8]> {
        self.first(":authority").or_else(|| self.first("host"))
    }
}

/// A request target up to its query (`?`) or fragment (`#`).
fn without_query(target: &[u8]) -> &[u8] {
    let mut parts = target.split(|byte| matches!(byte, b'?' | b'#'));
    parts.next().unwrap_or_default()
}
