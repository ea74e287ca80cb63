//! One request, and everything that must be true of what became of it.

use crate::gate::Gate;
use crate::support::http::{Answer, Request};
use crate::support::server::Heard;

/// One row of a table.
pub(crate) struct Scenario {
    name: &'static str,
    request: Request,
    expected: Expected,
}

/// What becomes of a request.
pub(crate) enum Expected {
    /// The gate refuses it with this status and reason, and nothing reaches the upstream.
    Refused(u16, &'static str),
    /// Envoy refuses it before the gate sees it.
    RefusedByEnvoy(u16),
    /// It reaches the upstream.
    Upstream(Arrived),
}

/// What the head at the upstream looks like.
#[derive(Default)]
pub(crate) struct Arrived {
    /// These headers have exactly these values.
    exactly: Vec<(&'static str, Vec<String>)>,
}

impl Arrived {
    /// The header is there once, with this value.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.exactly.push((name, vec![value.to_owned()]));
        self
    }

    /// The header is not there.
    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.exactly.push((name, Vec::new()));
        self
    }
}

/// A request that the gate refuses.
pub(crate) fn refused(
    name: &'static str,
    request: Request,
    status: u16,
    reason: &'static str,
) -> Scenario {
    Scenario {
        name,
        request,
        expected: Expected::Refused(status, reason),
    }
}

/// A request that Envoy refuses.
pub(crate) fn refused_by_envoy(name: &'static str, request: Request, status: u16) -> Scenario {
    Scenario {
        name,
        request,
        expected: Expected::RefusedByEnvoy(status),
    }
}

/// A request that reaches the upstream.
pub(crate) fn arrives(name: &'static str, request: Request, arrived: Arrived) -> Scenario {
    Scenario {
        name,
        request,
        expected: Expected::Upstream(arrived),
    }
}

/// A request that reaches the upstream.
pub(crate) fn upstream() -> Arrived {
    Arrived::default()
}

/// Plays every scenario and reports all that went wrong.
pub(crate) fn play(gate: &Gate, scenarios: Vec<Scenario>) {
    let faults: Vec<String> = scenarios
        .into_iter()
        .flat_map(|scenario| {
            let name = scenario.name;
            let faults = outcome(gate, &scenario);
            faults
                .into_iter()
                .map(move |fault| format!("{name}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

fn outcome(gate: &Gate, scenario: &Scenario) -> Vec<String> {
    let _ = gate.recorder.take();
    let answer = match scenario.request.send(gate.envoy.port()) {
        Ok(answer) => answer,
        Err(error) => return vec![error.to_string()],
    };
    let heard = gate.recorder.take();
    match &scenario.expected {
        Expected::Refused(status, reason) => {
            let mut faults = compare_refusal(&answer, *status, reason);
            if !heard.is_empty() {
                faults.push("it reached the upstream all the same".to_owned());
            }
            faults
        }
        Expected::RefusedByEnvoy(status) => {
            let problem = answer.header("content-type").unwrap_or_default();
            let by_gate = problem == "application/problem+json";
            if answer.status == *status && heard.is_empty() && !by_gate {
                Vec::new()
            } else {
                vec![format!(
                    "{}, not {status} of Envoy: {}",
                    answer.status,
                    answer.text()
                )]
            }
        }
        Expected::Upstream(arrived) => match heard.as_slice() {
            [heard] if answer.status == 200 => compare_arrival(heard, arrived),
            _ => vec![format!(
                "{} requests arrived, and the answer was {}: {}",
                heard.len(),
                answer.status,
                answer.text()
            )],
        },
    }
}

fn compare_refusal(answer: &Answer, status: u16, reason: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let body = answer.json();
    if (answer.status, body["reason"].as_str()) != (status, Some(reason)) {
        faults.push(format!(
            "{} {}, not {status} {reason}",
            answer.status,
            answer.text()
        ));
    }
    if answer.header("content-type").as_deref() != Some("application/problem+json") {
        faults.push("the answer is no problem document".to_owned());
    }
    // RFC 9110 §11.6.1: a 401 carries a challenge.
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    if status == 401 && !challenge.starts_with("Bearer ") {
        faults.push(format!("the challenge is {challenge:?}"));
    }
    faults
}

fn compare_arrival(heard: &Heard, arrived: &Arrived) -> Vec<String> {
    arrived
        .exactly
        .iter()
        .filter(|(name, values)| heard.values(name) != *values)
        .map(|(name, values)| format!("{name} is {:?}, not {values:?}", heard.values(name)))
        .collect()
}
