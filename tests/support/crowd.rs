//! Many requests at a time, over HTTP/1 or HTTP/2, whose parts are sent one by one.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::Outcome;

/// The longest time from the first byte of a request to the status of its response.
const PATIENCE: Duration = Duration::from_secs(40);

/// How many streams one connection of HTTP/2 carries.
const STREAMS: usize = 100;

/// The protocol of a crowd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A request in parts.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    method: &'static str,
    authority: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<Vec<u8>>>,
    trailers: bool,
    pause: Duration,
}

impl Parts {
    /// A request without a body.
    pub(crate) fn new(method: &'static str, path: &str) -> Self {
        Self {
            method,
            authority: "n8n.example.test",
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
            trailers: false,
            pause: Duration::ZERO,
        }
    }

    /// Names another host.
    #[must_use]
    pub(crate) const fn authority(mut self, host: &'static str) -> Self {
        self.authority = host;
        self
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds `Authorization: Bearer TOKEN`.
    #[must_use]
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Adds a chunked body in these parts. No parts: an empty body.
    #[must_use]
    pub(crate) fn body(mut self, parts: &[&[u8]]) -> Self {
        self.body = Some(parts.iter().map(|part| part.to_vec()).collect());
        self
    }

    /// Ends the body with trailers.
    #[must_use]
    pub(crate) const fn trailers(mut self) -> Self {
        self.trailers = true;
        self
    }

    /// Pauses before each part of the body, and before its end.
    #[must_use]
    pub(crate) const fn pausing(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    fn http1_head(&self) -> Vec<u8> {
        let mut lines = vec![
            format!("{} {} HTTP/1.1", self.method, self.path),
            format!("host: {}", self.authority),
        ];
        let headers = self.headers.iter();
        lines.extend(headers.map(|(name, value)| format!("{name}: {value}")));
        if self.body.is_some() {
            lines.push("transfer-encoding: chunked".to_owned());
        }
        if self.trailers {
            lines.push("te: trailers".to_owned());
        }
        lines.push("\r\n".to_owned());
        lines.join("\r\n").into_bytes()
    }
}

/// Sends all requests at once and returns the status of each response. A request without a response
/// gives an error.
pub(crate) fn send(
    port: u16,
    protocol: Protocol,
    requests: &[Parts],
) -> Outcome<Vec<Outcome<u16>>> {
    send_within(port, protocol, requests, PATIENCE)
}

/// Like [`send`], but hangs up on requests without a response within `patience`.
pub(crate) fn send_within(
    port: u16,
    protocol: Protocol,
    requests: &[Parts],
    patience: Duration,
) -> Outcome<Vec<Outcome<u16>>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut tasks = Vec::new();
        match protocol {
            Protocol::Http1 => {
                for parts in requests {
                    let parts = parts.clone();
                    tasks.push(tokio::spawn(within(patience, http1(port, parts))));
                }
            }
            Protocol::Http2 => {
                for several in requests.chunks(STREAMS) {
                    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
                    let (sender, connection) = h2::client::handshake(stream).await?;
                    tokio::spawn(connection);
                    for parts in several {
                        let request = http2(sender.clone(), parts.clone());
                        tasks.push(tokio::spawn(within(patience, request)));
                    }
                }
            }
        }
        let mut responses = Vec::new();
        for task in tasks {
            responses.push(task.await?);
        }
        Ok(responses)
    })
}

/// Sends one request and returns the status of its response.
pub(crate) fn send_one(port: u16, protocol: Protocol, parts: Parts) -> Outcome<u16> {
    let responses = send(port, protocol, &[parts])?;
    responses
        .into_iter()
        .next()
        .unwrap_or(Err("no response".into()))
}

async fn within(patience: Duration, request: impl Future<Output = Outcome<u16>>) -> Outcome<u16> {
    timeout(patience, request).await?
}

async fn http1(port: u16, parts: Parts) -> Outcome<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(&parts.http1_head()).await?;
    if let Some(body) = &parts.body {
        for part in body {
            sleep(parts.pause).await;
            let length = format!("{:x}\r\n", part.len());
            let chunk = [length.as_bytes(), part, b"\r\n"].concat();
            // A server that refuses early may have closed.
            let _ = stream.write_all(&chunk).await;
        }
        sleep(parts.pause).await;
        let end: &[u8] = if parts.trailers {
            b"0\r\nx-end: yes\r\n\r\n"
        } else {
            b"0\r\n\r\n"
        };
        let _ = stream.write_all(end).await;
    }
    let mut received = Vec::new();
    while !received.ends_with(b"\r\n") {
        match stream.read_u8().await {
            Ok(byte) => received.push(byte),
            Err(error) => return Err(format!("no status: {error}").into()),
        }
    }
    let line = String::from_utf8(received)?;
    let status = line.split(' ').nth(1).ok_or("no status")?;
    Ok(status.parse()?)
}

async fn http2(sender: SendRequest<Bytes>, parts: Parts) -> Outcome<u16> {
    let mut request = http::Request::builder()
        .method(parts.method)
        .uri(format!("http://{}{}", parts.authority, parts.path));
    for (name, value) in &parts.headers {
        request = request.header(*name, value);
    }
    let request = request.body(())?;
    let mut sender = sender.ready().await?;
    let (response, mut stream) = sender.send_request(request, parts.body.is_none())?;
    if let Some(body) = &parts.body {
        for part in body {
            sleep(parts.pause).await;
            // The server may have refused the request before.
            let _ = stream.send_data(Bytes::from(part.clone()), false);
        }
        sleep(parts.pause).await;
        let _ = if parts.trailers {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-end", HeaderValue::from_static("yes"));
            stream.send_trailers(trailers)
        } else {
            stream.send_data(Bytes::new(), true)
        };
    }
    Ok(response.await?.status().as_u16())
}
