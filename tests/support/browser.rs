//! A browser for log-ins at a provider: it keeps cookies and follows redirects.

use std::time::Duration;

use super::http::{Request, Response};
use super::Outcome;

/// The longest time for a log-in. The provider hashes passwords, and may make keys at the same
/// time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser for one server.
#[derive(Debug)]
pub(crate) struct Browser {
    port: u16,
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// A new browser for the server at a loopback port.
    pub(crate) const fn new(port: u16) -> Self {
        Self {
            port,
            cookies: Vec::new(),
        }
    }

    /// Fetches a page.
    pub(crate) fn get(&mut self, target: &str) -> Outcome<Response> {
        self.send(Request::get(target))
    }

    /// Sends a request with the stored cookies, and stores those of the response.
    pub(crate) fn send(&mut self, request: Request) -> Outcome<Response> {
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
        // A provider's redirects begin with the host of the request.
        let host = format!("127.0.0.1:{}", self.port);
        let response = request.host(&host).send_within(self.port, PATIENCE)?;
        for (_, value) in response
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
        Ok(response)
    }
}

/// The parameter `name` of the address to which a response redirects.
pub(crate) fn parameter_of_redirect(response: &Response, name: &str) -> Outcome<String> {
    let address = response.header("location").unwrap_or_default();
    let query = address.split_once('?').map(|(_, query)| query);
    let pairs = query.unwrap_or_default().split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(other, _)| *other == name);
    let found = found.map(|(_, value)| value.to_owned());
    found.ok_or_else(|| {
        let (status, text) = (response.status, response.text());
        format!("no {name} in {address:?} of {status}: {text}").into()
    })
}

/// The path and the query of an address on this machine.
pub(crate) fn target_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}
