//! The load generator, and strict checks of its results.

use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::deliveries::Delivery;
use crate::policy::HOOK;
use crate::settings;
use crate::support::{installed, Outcome};
use crate::tokens::TokenList;

/// The path of every timed request for n8n's public API.
pub(crate) const PATH: &str = "/api/v1/workflows";

/// The longest time that a response may take.
const PATIENCE: &str = "10s";

/// The credential of a request.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A bearer token: the next of the list each time.
    Tokens(TokenList),
    /// The same, for a guarded webhook.
    Hook(TokenList),
    /// An API key.
    ApiKey(String),
    /// A signed body.
    Delivery(Delivery),
}

impl Credential {
    /// An API key that n8n made.
    pub(crate) fn an_api_key() -> Self {
        Self::ApiKey("a-key-of-n8n-s-own".to_owned())
    }

    /// The path of its requests.
    pub(crate) const fn path(&self) -> &'static str {
        match self {
            Self::Tokens(_) | Self::ApiKey(_) => PATH,
            Self::Hook(_) => HOOK,
            Self::Delivery(delivery) => delivery.path,
        }
    }
}

/// The results of a run of the generator.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    /// Responses.
    pub(crate) requests: f64,
    /// How long it took.
    pub(crate) microseconds: f64,
    /// Responses with a status of 400 or above.
    pub(crate) not_2xx: f64,
    /// Connections that could not be made.
    connect: f64,
    /// Reads that failed.
    read: f64,
    /// Writes that failed.
    write: f64,
    /// Responses that took longer than [`PATIENCE`].
    late: f64,
    /// The median time to a response, in microseconds.
    pub(crate) p50: f64,
    /// The time within which 99 of 100 responses came, in microseconds.
    pub(crate) p99: f64,
}

impl Load {
    /// Responses a second.
    pub(crate) fn rate(self) -> f64 {
        self.requests * 1e6 / self.microseconds
    }

    /// The number of responses, as an integer.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of responses"
    )]
    pub(crate) const fn count(self) -> usize {
        self.requests as usize
    }
}

/// A run of the generator.
#[derive(Clone, Debug)]
pub(crate) struct Run<'c> {
    /// The port to which requests go.
    pub(crate) port: u16,
    /// The credential to send.
    pub(crate) credential: &'c Credential,
    /// The number of the first token.
    pub(crate) first: usize,
    /// The number of connections.
    pub(crate) connections: usize,
    /// The duration.
    pub(crate) seconds: u64,
    /// Whether it runs with a lower priority than other processes on its core.
    pub(crate) is_polite: bool,
}

impl Run<'_> {
    /// Runs the generator to its end.
    pub(crate) fn load(&self) -> Outcome<Load> {
        let mut command = if self.is_polite {
            let mut command = Command::new("/usr/bin/nice");
            command.args(["-n", "19"]).arg(settings::wrk()?);
            command
        } else {
            Command::new(settings::wrk()?)
        };
        command
            .args(["--threads", "1", "--connections"])
            .arg(self.connections.to_string())
            .args(["--timeout", PATIENCE])
            .args(["--duration", &format!("{}s", self.seconds)])
            .arg("--script")
            .arg(installed::root().join("tests/bench/load.lua"))
            .arg(format!("http://127.0.0.1:{}", self.port))
            .args(["--", self.credential.path()]);
        match self.credential {
            Credential::ApiKey(key) => command.arg(format!("X-N8N-API-KEY: {key}")),
            Credential::Delivery(delivery) => command
                .arg(format!("{}: {}", delivery.header, delivery.signature))
                .arg("body")
                .arg(&delivery.file),
            Credential::Tokens(list) | Credential::Hook(list) => command
                .arg("Authorization: Bearer ")
                .arg(&list.file)
                .arg(list.offset(self.first).to_string()),
        };
        let output = command.stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        match result {
            Some(result) if output.status.success() => Ok(serde_json::from_str(result)?),
            _ => Err(format!(
                "the load generator ended with {}\n{text}{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )
            .into()),
        }
    }
}

/// Checks that all responses of a load are right.
pub(crate) fn check(load: Load, is_refused: bool) -> Result<(), String> {
    let expected = if is_refused { load.requests } else { 0.0 };
    if load.requests < 1.0 {
        return Err("no response came".to_owned());
    }
    let broken = [
        (load.connect, "connections were not made"),
        (load.read, "reads failed"),
        (load.write, "writes failed"),
        (load.late, "responses came late"),
    ];
    if let Some((count, what)) = broken.iter().find(|(count, _)| *count > 0.0) {
        return Err(format!("{count} {what}"));
    }
    // These are counts, which a float holds exactly.
    if (load.not_2xx - expected).abs() > 0.5 {
        return Err(format!(
            "{} of {} were refused, not {expected}",
            load.not_2xx, load.requests
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check, Load};

    const GOOD: Load = Load {
        requests: 1000.0,
        microseconds: 1e6,
        not_2xx: 0.0,
        connect: 0.0,
        read: 0.0,
        write: 0.0,
        late: 0.0,
        p50: 1.0,
        p99: 2.0,
    };

    #[test]
    fn one_refusal_among_good_responses_is_a_fault() {
        let load = Load {
            not_2xx: 1.0,
            ..GOOD
        };
        assert_eq!(check(GOOD, false), Ok(()));
        assert_eq!(
            check(load, false),
            Err("1 of 1000 were refused, not 0".to_owned())
        );
    }

    #[test]
    fn one_good_response_among_refusals_is_a_fault() {
        let refused = |not_2xx| Load { not_2xx, ..GOOD };
        assert_eq!(check(refused(1000.0), true), Ok(()));
        assert_eq!(
            check(refused(999.0), true),
            Err("999 of 1000 were refused, not 1000".to_owned())
        );
    }

    #[test]
    fn broken_connections_and_silence_are_faults() {
        let broken = Load { read: 1.0, ..GOOD };
        let silent = Load {
            requests: 0.0,
            ..GOOD
        };
        assert_eq!(check(broken, false), Err("1 reads failed".to_owned()));
        assert_eq!(check(silent, false), Err("no response came".to_owned()));
    }
}
