//! An HTTP client that sends exact bytes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use serde_json::Value;

use super::Outcome;

/// How long a test waits for a response.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// A request as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    line: Vec<u8>,
    host: Vec<u8>,
    headers: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    /// A request without headers but `Host` and `Connection: close`.
    pub(crate) fn new(method: &str, target: impl AsRef<[u8]>) -> Self {
        let mut line = format!("{method} ").into_bytes();
        line.extend_from_slice(target.as_ref());
        line.extend_from_slice(b" HTTP/1.1\r\n");
        Self {
            line,
            host: b"n8n.example.test".to_vec(),
            headers: b"Connection: close\r\n".to_vec(),
            body: Vec::new(),
        }
    }

    /// `GET`.
    pub(crate) fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// `POST` of a JSON body.
    pub(crate) fn post(target: impl AsRef<[u8]>, body: &Value) -> Self {
        Self::new("POST", target).json(body)
    }

    /// Sets another host than `n8n.example.test`.
    #[must_use]
    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = host.as_bytes().to_vec();
        self
    }

    /// Adds a header. Names and values are sent byte for byte.
    #[must_use]
    pub(crate) fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.extend_from_slice(name.as_ref());
        self.headers.extend_from_slice(b": ");
        self.headers.extend_from_slice(value.as_ref());
        self.headers.extend_from_slice(b"\r\n");
        self
    }

    /// Adds `Authorization: Bearer TOKEN`.
    #[must_use]
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Adds `Authorization: Basic` for a name and a password.
    #[must_use]
    pub(crate) fn basic(self, name: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{name}:{password}"));
        self.header("Authorization", format!("Basic {pair}"))
    }

    /// Adds an encoded form as the body.
    #[must_use]
    pub(crate) fn form(self, form: impl Into<Vec<u8>>) -> Self {
        self.body("application/x-www-form-urlencoded", form)
    }

    /// Adds a JSON body.
    #[must_use]
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Adds a body.
    #[must_use]
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Type", content_type)
            .header("Content-Length", length)
    }

    /// The bytes of the whole request.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [
            self.line.as_slice(),
            b"Host: ",
            &self.host,
            b"\r\n",
            &self.headers,
            b"\r\n".as_slice(),
            &self.body,
        ]
        .concat()
    }

    /// Sends the request to a loopback port and reads the response.
    pub(crate) fn send(&self, port: u16) -> Outcome<Response> {
        exchange(port, &self.bytes())
    }

    /// Like [`Request::send`], for a server with slow responses.
    pub(crate) fn send_within(&self, port: u16, patience: Duration) -> Outcome<Response> {
        exchange_within(port, &self.bytes(), patience)
    }
}

/// The response to a request.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// Name in lower case and value of each header, in the order of the wire.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The body, without its transfer coding.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Fails if the status is another one.
    pub(crate) fn expect_status(&self, status: u16) -> Outcome<()> {
        if self.status == status {
            return Ok(());
        }
        Err(format!("status {} and not {status}: {}", self.status, self.text()).into())
    }

    /// The value of the header `name` (lower case), if there is exactly one.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(other, _)| other == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(String::from_utf8_lossy(value).into_owned()),
            _ => None,
        }
    }

    /// The body as JSON; `null` if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A string member of the JSON object in the body.
    pub(crate) fn member(&self, name: &str) -> Outcome<String> {
        let text = self
            .json()
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned);
        text.ok_or_else(|| format!("no {name} in {}: {}", self.status, self.text()).into())
    }

    /// The status and the reason of a refusal.
    pub(crate) fn refusal(&self) -> (u16, Value) {
        let reason = self.json().get("reason").cloned();
        (self.status, reason.unwrap_or_default())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends `bytes` to a loopback port and reads one response.
pub(crate) fn exchange(port: u16, bytes: &[u8]) -> Outcome<Response> {
    exchange_within(port, bytes, PATIENCE)
}

/// Like [`exchange`], with another time limit between two bytes of the response.
pub(crate) fn exchange_within(port: u16, bytes: &[u8], patience: Duration) -> Outcome<Response> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("127.0.0.1:{port}: {error}"))?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_nodelay(true)?;
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(bytes);
    let response = read_response(&mut stream, bytes.starts_with(b"HEAD "));
    let _ = stream.shutdown(Shutdown::Both);
    response
}

/// Reads one response. A response to `HEAD` has no body, with any headers (RFC 9110 §9.3.2).
fn read_response(stream: &mut TcpStream, to_head: bool) -> Outcome<Response> {
    let mut received = Vec::new();
    let (status, headers, head) = loop {
        let mut slots = [httparse::EMPTY_HEADER; 128];
        let mut parsed = httparse::Response::new(&mut slots);
        if let httparse::Status::Complete(head) = parsed.parse(&received)? {
            let status = parsed.code.unwrap_or_default();
            if status != 100 {
                break (status, owned(parsed.headers), head);
            }
            // The response that counts may have come with it.
            received.drain(..head);
            continue;
        }
        if !read_more(stream, &mut received)? {
            return Err(format!(
                "the connection ended within the head: {:?}",
                String::from_utf8_lossy(&received)
            )
            .into());
        }
    };
    let mut body = received.split_off(head);
    let value = |name: &str| {
        headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    if to_head || matches!(status, 101 | 204 | 304) {
        body.clear();
    } else if let Some(length) = value("content-length") {
        let length = length.parse()?;
        while body.len() < length && read_more(stream, &mut body)? {}
        body.truncate(length);
    } else if value("transfer-encoding").is_some() {
        body = read_chunks(stream, body)?;
    } else {
        while read_more(stream, &mut body)? {}
    }
    Ok(Response {
        status,
        headers,
        body,
    })
}

/// Reads the bytes that have arrived; false at the end of the stream.
fn read_more(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; 16 * 1024];
    let count = stream.read(&mut buffer)?;
    received.extend(buffer.iter().take(count));
    Ok(count > 0)
}

/// Reads a chunked body (RFC 9112 §7.1). Extensions and trailers are not supported, because no
/// server here sends them.
fn read_chunks(stream: &mut TcpStream, mut received: Vec<u8>) -> Outcome<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(&received) {
            Ok(httparse::Status::Complete((_, 0))) => return Ok(body),
            Ok(httparse::Status::Complete((head, length))) => {
                let end = head.saturating_add(usize::try_from(length)?);
                while received.len() < end.saturating_add(2) {
                    if !read_more(stream, &mut received)? {
                        return Err("the connection ended within a chunk".into());
                    }
                }
                body.extend(received.drain(..end).skip(head));
                received.drain(..2);
            }
            Ok(httparse::Status::Partial) => {
                if !read_more(stream, &mut received)? {
                    return Err("the connection ended between chunks".into());
                }
            }
            Err(_) => return Err("the size of a chunk could not be read".into()),
        }
    }
}

/// Parsed headers with names in lower case.
pub(crate) fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()))
        .collect()
}
