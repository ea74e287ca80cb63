//! The load generator for HTTP/2, and strict checks of its results.

use std::process::{Command, Stdio};

use crate::settings;
use crate::support::Outcome;
use crate::wrk::PATH;

/// A run of the generator with one token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'t> {
    /// The port to which requests go.
    pub(crate) port: u16,
    /// The token.
    pub(crate) token: &'t str,
    /// The connections, and how many requests are on their way over each at a time.
    pub(crate) protocol: Protocol,
    /// The duration.
    pub(crate) seconds: u64,
}

/// The version of HTTP, with as many requests on their way at a time in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    /// HTTP/1.1 without pipelining.
    Http1,
    /// HTTP/2 without TLS, with several streams over each connection.
    Http2,
}

impl Protocol {
    /// Connections, and requests over each at a time.
    const fn shape(self) -> (usize, usize) {
        match self {
            Self::Http1 => (32, 1),
            Self::Http2 => (4, 8),
        }
    }

    /// For the reader.
    pub(crate) fn text(self) -> String {
        match self.shape() {
            (connections, 1) => format!("HTTP/1.1, {connections} connections"),
            (connections, streams) => format!("HTTP/2, {connections} × {streams} streams"),
        }
    }
}

/// The results of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    /// Responses with a status of 200 to 299; there were no others.
    pub(crate) requests: f64,
    /// Responses a second.
    pub(crate) rate: f64,
}

impl Run<'_> {
    /// Runs the generator to its end. Any wrong status is an error.
    pub(crate) fn load(self) -> Outcome<Load> {
        let (connections, streams) = self.protocol.shape();
        let mut command = Command::new(settings::h2load()?);
        if self.protocol == Protocol::Http1 {
            command.arg("--h1");
        }
        let output = command
            .args(["--threads", "1", "--clients", &connections.to_string()])
            .args(["--max-concurrent-streams", &streams.to_string()])
            .args(["--duration", &self.seconds.to_string()])
            .args(["--connection-inactivity-timeout", "10"])
            .args(["--header", &format!("authorization: Bearer {}", self.token)])
            .arg(format!("http://127.0.0.1:{}{PATH}", self.port))
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let load = read(&text).filter(|_| output.status.success());
        load.ok_or_else(|| {
            let error = String::from_utf8_lossy(&output.stderr);
            format!("h2load ended with {}\n{text}{error}", output.status).into()
        })
    }
}

/// The results, if every request that was answered has a good status and none failed.
fn read(text: &str) -> Option<Load> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let (_, rate) = line("finished in ")?.split_once("s, ")?;
    let requests = line("requests: ")?;
    let good = count(line("status codes: ")?, "2xx")?;
    let all = ["total", "done", "succeeded"];
    let none = ["failed", "errored", "timeout"];
    let is_sound = good > 0
        && all.iter().all(|word| count(requests, word) == Some(good))
        && none.iter().all(|word| count(requests, word) == Some(0));
    is_sound.then_some(Load {
        requests: f64::from(good),
        rate: rate.split_once(" req/s")?.0.parse().ok()?,
    })
}

/// The number before a word in a list such as `7 total, 5 done`.
fn count(list: &str, word: &str) -> Option<u32> {
    let mut items = list.split(", ").filter_map(|item| item.split_once(' '));
    let (number, _) = items.find(|(_, name)| *name == word)?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{read, Load};

    const GOOD: &str = "\
finished in 1.00s, 63000.50 req/s, 1.68MB/s
requests: 63000 total, 63032 started, 63000 done, 63000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 63000 2xx, 0 3xx, 0 4xx, 0 5xx
";

    #[test]
    fn responses_and_their_rate_are_read() {
        let expected = Load {
            requests: 63000.0,
            rate: 63000.5,
        };
        assert_eq!(read(GOOD), Some(expected));
    }

    #[test]
    fn one_refusal_or_failure_is_a_fault() {
        for (good, bad) in [
            ("63000 succeeded, 0 failed", "62999 succeeded, 1 failed"),
            ("0 errored", "1 errored"),
            ("0 timeout", "1 timeout"),
            ("63000 done", "62999 done"),
            ("63000 2xx, 0 3xx, 0 4xx", "62999 2xx, 0 3xx, 1 4xx"),
        ] {
            assert!(GOOD.contains(good));
            assert_eq!(read(&GOOD.replace(good, bad)), None, "{bad}");
        }
    }

    #[test]
    fn silence_is_a_fault() {
        assert_eq!(read(&GOOD.replace("63000", "0")), None);
        assert_eq!(read(""), None);
    }
}
