//! A small HTTP server in this process, whose responses may be wrong in any way.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::http::owned;
use super::Outcome;

/// How many connections wait until they are taken. Linux has this as its own limit (`somaxconn`).
const QUEUE: i32 = 4096;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// `GET /path HTTP/1.1` and all headers, byte for byte.
    pub(crate) head: Vec<u8>,
    /// The method.
    pub(crate) method: String,
    /// The request target.
    pub(crate) target: String,
    /// Name in lower case and value of each header, in the order of the wire.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// How a server handles a request.
#[derive(Clone, Debug)]
pub(crate) enum Script {
    /// It sends a response.
    Reply(Reply),
    /// It sends a response a few bytes at a time.
    Drip {
        /// The response.
        reply: Reply,
        /// How many bytes at a time.
        bytes: usize,
        /// The pause between them.
        pause: Duration,
    },
    /// It sends less than its `Content-Length`, and closes the connection.
    CutOff(Reply),
    /// It sends no response.
    Hang,
    /// It closes the connection without a response.
    Close,
    /// It waits until the flag is set, and then does this.
    Later(Arc<AtomicBool>, Box<Script>),
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// A response with a JSON body.
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self::new(200, "application/json", body.to_string())
    }

    /// A response with any body.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// A response without a body.
    pub(crate) const fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut lines = vec![format!("HTTP/1.1 {} Scripted", self.status)];
        let headers = self.headers.iter();
        lines.extend(headers.map(|(name, value)| format!("{name}: {value}")));
        lines.push(format!("content-length: {}", self.body.len()));
        lines.push("connection: close\r\n\r\n".to_owned());
        let head = lines.join("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}

/// A server on a free loopback port. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server that handles each request as `script` returns.
    pub(crate) fn start(
        script: impl Fn(Recorded) -> Script + Send + Sync + 'static,
    ) -> Outcome<Self> {
        let listener = listen()?;
        let port = listener.local_addr()?.port();
        let stopped = Arc::new(AtomicBool::new(false));
        let (script, stop) = (Arc::new(script), Arc::clone(&stopped));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (script, stop) = (Arc::clone(&script), Arc::clone(&stop));
                thread::spawn(move || serve(stream, script.as_ref(), &stop));
            }
        });
        Ok(Self { port, stopped })
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees the stop flag.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// Listens on a free loopback port. A whole crowd fits into its queue: the standard library asks for 128
/// places, and on a busy machine Envoy's connections then time out before they are taken.
fn listen() -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(QUEUE)?;
    Ok(socket.into())
}

fn serve(mut stream: TcpStream, script: &dyn Fn(Recorded) -> Script, stop: &AtomicBool) {
    let Ok(Some(recorded)) = read_request(&mut stream) else {
        return;
    };
    let _ = perform(&mut stream, script(recorded), stop);
    let _ = stream.shutdown(Shutdown::Both);
}

fn perform(stream: &mut TcpStream, script: Script, stop: &AtomicBool) -> io::Result<()> {
    match script {
        Script::Reply(reply) => stream.write_all(&reply.bytes()),
        Script::Drip {
            reply,
            bytes,
            pause,
        } => drip(stream, &reply.bytes(), bytes, pause, stop),
        Script::CutOff(reply) => {
            let bytes = reply.bytes();
            let kept = bytes.len().saturating_sub(reply.body.len().div_ceil(2));
            stream.write_all(bytes.get(..kept).unwrap_or_default())
        }
        Script::Hang => {
            while !stop.load(Ordering::SeqCst) && is_open(stream) {}
            Ok(())
        }
        Script::Close => Ok(()),
        Script::Later(may_reply, script) => {
            while !may_reply.load(Ordering::SeqCst) && !stop.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            perform(stream, *script, stop)
        }
    }
}

fn drip(
    stream: &mut TcpStream,
    whole: &[u8],
    bytes: usize,
    pause: Duration,
    stop: &AtomicBool,
) -> io::Result<()> {
    for part in whole.chunks(bytes.max(1)) {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        stream.write_all(part)?;
        thread::sleep(pause);
    }
    Ok(())
}

/// Waits a moment; false if the client has closed the connection.
fn is_open(stream: &mut TcpStream) -> bool {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(100)));
    match stream.read(&mut [0; 1]) {
        Ok(count) => count > 0,
        Err(error) => matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        ),
    }
}

/// Reads one request; `None` if the connection ended before its end.
fn read_request(stream: &mut TcpStream) -> Outcome<Option<Recorded>> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        received.extend(buffer.iter().take(count));
        if let Some(recorded) = parse(&received)? {
            return Ok(Some(recorded));
        }
    }
}

/// The request, if it is complete.
fn parse(received: &[u8]) -> Outcome<Option<Recorded>> {
    let mut slots = [httparse::EMPTY_HEADER; 128];
    let mut request = httparse::Request::new(&mut slots);
    let httparse::Status::Complete(length) = request.parse(received)? else {
        return Ok(None);
    };
    let headers = owned(request.headers);
    let (head, rest) = received.split_at(length);
    let value = |name: &str| headers.iter().find(|(other, _)| other == name);
    let complete = match (value("content-length"), value("transfer-encoding")) {
        (Some((_, size)), _) => rest.len() >= std::str::from_utf8(size)?.parse()?,
        (None, Some(_)) => rest.ends_with(b"0\r\n\r\n"),
        (None, None) => true,
    };
    Ok(complete.then(|| Recorded {
        head: head.to_vec(),
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers,
        body: rest.to_vec(),
    }))
}

#[test]
fn a_crowd_of_connections_waits_until_it_is_taken() {
    let listener = listen().unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_secs(1));
    let connected: Result<Vec<_>, _> = (0..500).map(|_| connect()).collect();
    assert!(connected.is_ok(), "{connected:?}");
}
