//! Before any timing, every contestant is verified, because a broken one would be fast.

use std::fs;

use n8n_idp_gate::decide::IDENTITY_HEADERS;

use crate::contestants::{Contestant, Requirement};
use crate::deliveries::Delivery;
use crate::policy::{CLIENT, ISSUER, PRINCIPAL};
use crate::server::ECHO;
use crate::support::http::{Request, Response};
use crate::support::Outcome;
use crate::wrk::Credential;

/// The value of a made-up identity header. It must never arrive behind a gate.
const FORGED: &str = "mallory";

/// Sends a few requests and compares their outcomes.
pub(crate) fn verify(contestant: &Contestant, port: u16) -> Outcome<()> {
    let credentials: Vec<(&str, String)> = match &contestant.credential {
        Credential::Delivery(delivery) => return verify_delivery(contestant, delivery, port),
        Credential::ApiKey(key) => vec![("X-N8N-API-KEY", key.clone())],
        Credential::Tokens(list) | Credential::Hook(list) => list
            .samples
            .iter()
            .map(|token| ("Authorization", format!("Bearer {token}")))
            .collect(),
    };
    for (name, value) in credentials {
        let mut request = Request::get(contestant.credential.path())
            .header(name, &value)
            .header(ECHO, "yes")
            .header("X_Auth_Principal", FORGED);
        for header in IDENTITY_HEADERS {
            request = request.header(header, FORGED);
        }
        let response = request.send(port)?;
        let faults = faults(&contestant.requirement, name, &value, &response);
        if !faults.is_empty() {
            return Err(format!("{}: {}", contestant.name(), faults.join("; ")).into());
        }
    }
    Ok(())
}

/// Sends a good delivery, and one with another body.
fn verify_delivery(contestant: &Contestant, delivery: &Delivery, port: u16) -> Outcome<()> {
    let body = fs::read(&delivery.file)?;
    let send = |body: &[u8]| {
        let request = Request::new("POST", delivery.path).body("text/plain", body);
        let request = request.header(delivery.header, &delivery.signature);
        request
            .header(ECHO, "yes")
            .header("X-Auth-Kind", FORGED)
            .send(port)
    };
    let good = send(&body)?;
    let is_signed = contestant.requirement == Requirement::Signed;
    let kind = if is_signed { "webhook" } else { "" };
    let other = send(b"another body")?;
    let status = if is_signed { 403 } else { 200 };
    if good.status != 200 || echoed(&good, "x-auth-kind") != kind || other.status != status {
        let found = (good.status, echoed(&good, "x-auth-kind"), other.status);
        return Err(format!("{}: {found:?}", contestant.name()).into());
    }
    Ok(())
}

fn faults(requirement: &Requirement, name: &str, value: &str, response: &Response) -> Vec<String> {
    let name = name.to_lowercase();
    let expected: Vec<(&str, &str)> = match requirement {
        Requirement::Refused(reason) => return compare_refusal(response, reason),
        Requirement::Denied if response.status == 401 => return Vec::new(),
        Requirement::Denied => return vec![format!("{}, not 401", response.status)],
        Requirement::Passed | Requirement::Cleaned | Requirement::Signed => {
            vec![(name.as_str(), value)]
        }
        Requirement::Swapped(key) => vec![("authorization", ""), ("x-n8n-api-key", key)],
        Requirement::Verified(key) => {
            let mut headers = vec![("authorization", ""), ("x-n8n-api-key", key)];
            headers.extend(IDENTITY_HEADERS.map(|name| match name {
                "x-auth-issuer" => (name, ISSUER),
                _ => (name, ""),
            }));
            headers
        }
        Requirement::Identified { key, roles } => vec![
            ("authorization", ""),
            ("x-n8n-api-key", key),
            ("x-auth-subject", CLIENT),
            ("x-auth-client", CLIENT),
            ("x-auth-issuer", ISSUER),
            ("x-auth-kind", "app"),
            ("x-auth-email", ""),
            ("x-auth-roles", roles),
            ("x-auth-principal", PRINCIPAL),
        ],
    };
    let mut faults = Vec::new();
    if response.status != 200 {
        faults.push(format!("{}, not 200: {}", response.status, response.text()));
    }
    for (header, value) in expected {
        let echoed = echoed(response, header);
        if echoed != value {
            faults.push(format!("{header} is {echoed:?}, not {value:?}"));
        }
    }
    let is_guarded = matches!(
        requirement,
        Requirement::Identified { .. } | Requirement::Verified(_) | Requirement::Cleaned
    );
    if is_guarded
        && IDENTITY_HEADERS
            .iter()
            .any(|name| echoed(response, name).contains(FORGED))
    {
        faults.push("a made-up identity arrived".to_owned());
    }
    faults
}

fn echoed(response: &Response, name: &str) -> String {
    match response.header(&format!("x-echo-{name}")).as_deref() {
        None | Some("-") => String::new(),
        Some(value) => value.to_owned(),
    }
}

fn compare_refusal(response: &Response, reason: &str) -> Vec<String> {
    let challenge = response.header("www-authenticate").unwrap_or_default();
    let mut faults = Vec::new();
    if response.status != 401 || !challenge.starts_with("Bearer ") {
        faults.push(format!("{}, not 401 with a challenge", response.status));
    }
    if !response.text().contains(reason) {
        faults.push(format!("the reason is not {reason}: {}", response.text()));
    }
    faults
}
