//! Requests at a fixed rate, whether the server keeps up or not.
//!
//! Each request has a time at which it is due, and its latency counts from that time. A request that
//! finds no idle connection waits for one, and its wait counts. So a server that stalls cannot lower
//! the rate while it stalls, which would leave out the very requests that it delays ("coordinated
//! omission"). `wrk` and `h2load` cannot be used here: they count from the moment of sending, and
//! `h2load` sends one token only.
//!
//! One thread polls without a pause, so that no timer of the kernel delays a request. It needs a
//! core of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::response::is_whole;
use crate::support::process::go_on;
use crate::support::Outcome;
use crate::wrk::PATH;

/// The longest time that a response may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client with some connections, and a token for each of its requests.
#[derive(Debug)]
pub(crate) struct Client<T> {
    connections: Vec<Connection>,
    tokens: T,
}

impl<'t, T: Iterator<Item = &'t str>> Client<T> {
    /// Connects to this loopback port.
    pub(crate) fn connect(port: u16, connections: usize, tokens: T) -> Outcome<Self> {
        let connections: Outcome<_> = (0..connections).map(|_| Connection::open(port)).collect();
        Ok(Self {
            connections: connections?,
            tokens,
        })
    }

    /// Sends this number of requests a second. Returns the latencies in microseconds, sorted. Any
    /// status but 200 is an error.
    pub(crate) fn run(&mut self, rate: f64, duration: Duration) -> Outcome<Vec<f64>> {
        let started = Instant::now();
        let mut schedule = due_times(rate, duration).peekable();
        let mut latencies = Vec::new();
        loop {
            go_on()?;
            let mut is_done = schedule.peek().is_none();
            for connection in &mut self.connections {
                let now = started.elapsed();
                if let Some(due) = connection.waits_since {
                    is_done = false;
                    if connection.receive()? {
                        latencies.push(started.elapsed().saturating_sub(due).as_secs_f64() * 1e6);
                    } else if now.saturating_sub(due) > PATIENCE {
                        return Err("a response did not come in time".into());
                    }
                } else if let Some(due) = schedule.next_if(|due| *due <= now) {
                    is_done = false;
                    let token = self.tokens.next().ok_or("there is no token")?;
                    connection.send(token, due)?;
                }
            }
            if is_done {
                break;
            }
        }
        latencies.sort_by(f64::total_cmp);
        Ok(latencies)
    }
}

/// The times at which requests are due, after the start.
fn due_times(rate: f64, duration: Duration) -> impl Iterator<Item = Duration> {
    (0_u32..)
        .map(move |number| Duration::from_secs_f64(f64::from(number) / rate))
        .take_while(move |due| *due < duration)
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    /// When the request that was sent was due. `None` while the connection is idle.
    waits_since: Option<Duration>,
}

impl Connection {
    fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(1024),
            waits_since: None,
        })
    }

    fn send(&mut self, token: &str, due: Duration) -> Outcome<()> {
        let request = format!(
            "GET {PATH} HTTP/1.1\r\nHost: n8n.example.test\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        // It is far smaller than the kernel's buffer, which is empty between two requests.
        self.stream.write_all(request.as_bytes())?;
        self.received.clear();
        self.waits_since = Some(due);
        Ok(())
    }

    /// Reads what there is, and returns whether the response is complete.
    fn receive(&mut self) -> Outcome<bool> {
        let mut buffer = [0; 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err("a connection ended".into()),
            Ok(count) => self
                .received
                .extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let is_whole = is_whole(&self.received)?;
        if is_whole {
            self.waits_since = None;
        }
        Ok(is_whole)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::iter;
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use super::{due_times, Client};
    use crate::figures::percentile;

    #[test]
    fn requests_are_due_at_even_distances() {
        let due: Vec<u128> = due_times(4.0, Duration::from_secs(1))
            .map(|due| due.as_millis())
            .collect();
        assert_eq!(due, [0, 250, 500, 750]);
    }

    /// A server that stalls once, for half of the time: a client that waits before it sends the
    /// next request would see one slow response of a hundred.
    #[test]
    fn a_stall_counts_for_every_request_that_was_due() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1024];
            let mut answered = 0;
            while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                if answered == 10 {
                    thread::sleep(Duration::from_millis(500));
                }
                answered += 1;
                let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(response).unwrap();
            }
            answered
        });
        let mut client = Client::connect(port, 1, iter::repeat("token")).unwrap();
        let latencies = client.run(100.0, Duration::from_secs(1)).unwrap();
        drop(client);
        assert_eq!((latencies.len(), server.join().unwrap()), (100, 100));
        // Some fifty requests were due during the stall.
        assert!(percentile(&latencies, 700).unwrap() > 50_000.0);
    }
}
