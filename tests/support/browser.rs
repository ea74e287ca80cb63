//! What a person's browser does at a provider: it keeps cookies, and goes where it is sent.

use std::time::Duration;

use super::http::{Answer, Request};
use super::Outcome;

/// What a log-in may take: it hashes passwords, and keys may be made at the same time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser that knows one server.
#[derive(Debug)]
pub(crate) struct Browser {
    port: u16,
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// A new one, for the server at a loopback port.
    pub(crate) const fn new(port: u16) -> Self {
        Self {
            port,
            cookies: Vec::new(),
        }
    }

    /// Fetches a page.
    pub(crate) fn get(&mut self, target: &str) -> Outcome<Answer> {
        self.send(Request::get(target))
    }

    /// Sends a request with the cookies so far, and keeps those of the answer.
    pub(crate) fn send(&mut self, request: Request) -> Outcome<Answer> {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = if cookies.is_empty() {
            request
        } else {
            request.header("Cookie", cookies.join("; "))
        };
        // The addresses that a provider sends a browser to begin with the host that was asked for.
        let host = format!("127.0.0.1:{}", self.port);
        let answer = request.host(&host).send_within(self.port, PATIENCE)?;
        for (_, value) in answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            let value = String::from_utf8_lossy(value);
            let pair = value.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(other, _)| other != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(answer)
    }
}

/// The parameter `name` of the address to which an answer leads.
pub(crate) fn parameter_of_redirect(answer: &Answer, name: &str) -> Outcome<String> {
    let address = answer.header("location").unwrap_or_default();
    let query = address.split_once('?').map(|(_, query)| query);
    let pairs = query.unwrap_or_default().split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(other, _)| *other == name);
    let found = found.map(|(_, value)| value.to_owned());
    found.ok_or_else(|| {
        let (status, text) = (answer.status, answer.text());
        format!("no {name} in {address:?} of {status}: {text}").into()
    })
}

/// The path and the query of an address on this machine.
pub(crate) fn target_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}
