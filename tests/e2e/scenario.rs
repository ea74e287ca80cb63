//! One request, and all expectations of its outcome.

use crate::gate::Gate;
use crate::support::http::{Request, Response};
use crate::support::server::Recorded;

/// One row of a table.
pub(crate) struct Scenario {
    name: &'static str,
    request: Request,
    expected: Expected,
}

/// The outcome of a request.
pub(crate) enum Expected {
    /// The gate refuses it with this status and reason, and nothing reaches the upstream.
    Refused(u16, &'static str),
    /// Envoy refuses it before the gate sees it.
    RefusedByEnvoy(u16),
    /// It reaches the upstream.
    Upstream(Arrived),
}

/// The expected head at the upstream.
#[derive(Default)]
pub(crate) struct Arrived {
    /// These headers have exactly these values.
    exactly: Vec<(&'static str, Vec<String>)>,
}

impl Arrived {
    /// Expects the header once, with this value.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.exactly.push((name, vec![value.to_owned()]));
        self
    }

    /// Expects no such header.
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

/// Runs every scenario and reports all differences.
pub(crate) fn run_scenarios(gate: &Gate, scenarios: Vec<Scenario>) {
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
    let response = match scenario.request.send(gate.envoy.port()) {
        Ok(response) => response,
        Err(error) => return vec![error.to_string()],
    };
    let recorded = gate.recorder.take();
    match &scenario.expected {
        Expected::Refused(status, reason) => {
            let mut faults = compare_refusal(&response, *status, reason);
            if !recorded.is_empty() {
                faults.push("it reached the upstream".to_owned());
            }
            faults
        }
        Expected::RefusedByEnvoy(status) => {
            let problem = response.header("content-type").unwrap_or_default();
            let by_gate = problem == "application/problem+json";
            if response.status == *status && recorded.is_empty() && !by_gate {
                Vec::new()
            } else {
                vec![format!(
                    "{}, not {status} of Envoy: {}",
                    response.status,
                    response.text()
                )]
            }
        }
        Expected::Upstream(arrived) => match recorded.as_slice() {
            [recorded] if response.status == 200 => compare_arrival(recorded, arrived),
            _ => vec![format!(
                "{} requests arrived, and the response was {}: {}",
                recorded.len(),
                response.status,
                response.text()
            )],
        },
    }
}

fn compare_refusal(response: &Response, status: u16, reason: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let body = response.json();
    if (response.status, body["reason"].as_str()) != (status, Some(reason)) {
        faults.push(format!(
            "{} {}, not {status} {reason}",
            response.status,
            response.text()
        ));
    }
    if response.header("content-type").as_deref() != Some("application/problem+json") {
        faults.push("the response is not a problem document".to_owned());
    }
    // RFC 9110 §11.6.1: a 401 carries a challenge.
    let challenge = response.header("www-authenticate").unwrap_or_default();
    if status == 401 && !challenge.starts_with("Bearer ") {
        faults.push(format!("the challenge is {challenge:?}"));
    }
    faults
}

fn compare_arrival(recorded: &Recorded, arrived: &Arrived) -> Vec<String> {
    arrived
        .exactly
        .iter()
        .filter(|(name, values)| recorded.values(name) != *values)
        .map(|(name, values)| format!("{name} is {:?}, not {values:?}", recorded.values(name)))
        .collect()
}
