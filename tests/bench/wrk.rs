//! The load generator, and a strict reading of what it says.

use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::settings;
use crate::support::{installed, Outcome};
use crate::tokens::TokenList;

/// The path of every timed request.
pub(crate) const PATH: &str = "/api/v1/workflows";

/// How a request proves who it is from.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// A bearer token: the next of the list each time.
    Tokens(TokenList),
    /// A key of n8n's own.
    ApiKey(String),
}

/// What a run of the generator found.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    /// Answers.
    pub(crate) requests: f64,
    /// How long it took.
    pub(crate) microseconds: f64,
    /// Answers with a status of 400 or above.
    pub(crate) not_2xx: f64,
    /// Connections, reads and writes that failed, and answers that did not come in time.
    pub(crate) broken: f64,
    /// The median time that an answer took, in microseconds.
    pub(crate) p50: f64,
    /// The time in which 99 of 100 answers came, in microseconds.
    pub(crate) p99: f64,
}

impl Load {
    /// Answers a second.
    pub(crate) fn rate(self) -> f64 {
        self.requests * 1e6 / self.microseconds
    }

    /// Answers, as a number to count on with.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of answers"
    )]
    pub(crate) const fn count(self) -> usize {
        self.requests as usize
    }
}

/// A run of the generator.
#[derive(Clone, Debug)]
pub(crate) struct Run<'c> {
    /// Where to.
    pub(crate) port: u16,
    /// With what.
    pub(crate) credential: &'c Credential,
    /// The number of the first token.
    pub(crate) first: usize,
    /// Over how many connections at a time.
    pub(crate) connections: usize,
    /// For how long.
    pub(crate) seconds: u64,
    /// Whether it gives way to others on its core.
    pub(crate) is_polite: bool,
}

impl Run<'_> {
    /// Runs it to its end.
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
            .args(["--duration", &format!("{}s", self.seconds)])
            .arg("--script")
            .arg(installed::root().join("tests/bench/load.lua"))
            .arg(format!("http://127.0.0.1:{}", self.port))
            .args(["--", PATH]);
        match self.credential {
            Credential::ApiKey(key) => command.arg(format!("X-N8N-API-KEY: {key}")),
            Credential::Tokens(list) => command
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

/// Whether a load was answered throughout as it must be.
pub(crate) fn check(load: Load, is_refused: bool) -> Result<(), String> {
    let expected = if is_refused { load.requests } else { 0.0 };
    if load.requests < 1.0 {
        return Err("not one answer came".to_owned());
    }
    if load.broken > 0.0 {
        return Err(format!("{} connections or answers broke", load.broken));
    }
    // Counts, which floating point holds exactly.
    if (load.not_2xx - expected).abs() > 0.5 {
        return Err(format!(
            "{} of {} were refused, not {expected}",
            load.not_2xx, load.requests
        ));
    }
    Ok(())
}
