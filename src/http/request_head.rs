//! The head of a request, as bytes: nothing here assumes that a header is UTF-8.

/// Method, path, authority and headers of one request.
///
/// Header values may hold any byte (Envoy forwards 0x80 to 0xFF), so they stay `Vec<u8>` until a
/// reader needs text, and decides what happens if they are not text.
#[derive(Clone, Default)]
pub struct RequestHead {
    headers: Vec<(String, Vec<u8>)>,
}

/// Shows no value: one of them may be a credential.
impl std::fmt::Debug for RequestHead {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.headers().map(|(name, _)| name);
        formatter.debug_list().entries(names).finish()
    }
}

impl RequestHead {
    /// Takes the pairs as the host gives them, pseudo-headers (`:method`, `:path`) among them.
    pub const fn new(headers: Vec<(String, Vec<u8>)>) -> Self {
        Self { headers }
    }

    /// The part of the head that reports and refusals need, without credentials and query. It may be
    /// kept as long as n8n takes for a response.
    #[must_use]
    pub fn for_reports(mut self) -> Self {
        const KEPT: [&str; 7] = [
            ":method",
            ":path",
            ":authority",
            "host",
            "x-request-id",
            "accept",
            "user-agent",
        ];
        let path = self.path().len();
        self.headers
            .retain(|(name, _)| KEPT.iter().any(|kept| name.eq_ignore_ascii_case(kept)));
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| name == ":path") {
            value.truncate(path);
        }
        self.headers.shrink_to_fit();
        self
    }

    /// All pairs, in the order of the wire.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Every value of the header `name` (lower case), in the order of the wire.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.headers()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The first value of the header `name`, which must not decide anything.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.headers()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
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
        let target = self.target();
        target
            .split(|byte| matches!(byte, b'?' | b'#'))
            .next()
            .unwrap_or_default()
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
