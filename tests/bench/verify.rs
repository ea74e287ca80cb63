//! Before anything is timed, every contestant shows that it does its job: one that is broken would
//! be fast.

use crate::contestants::{Contestant, Fate};
use crate::policy::{CLIENT, ISSUER, PRINCIPAL};
use crate::server::{ECHO, IDENTITY};
use crate::support::http::{Answer, Request};
use crate::support::Outcome;
use crate::wrk::{Credential, PATH};

/// What a forged identity header says; it must never arrive behind a gate.
const FORGED: &str = "mallory";

/// Sends a few requests and compares what became of them.
pub(crate) fn verify(contestant: &Contestant, port: u16) -> Outcome<()> {
    let credentials: Vec<(&str, String)> = match &contestant.credential {
        Credential::ApiKey(key) => vec![("X-N8N-API-KEY", key.clone())],
        Credential::Tokens(list) => list
            .samples
            .iter()
            .map(|token| ("Authorization", format!("Bearer {token}")))
            .collect(),
    };
    for (name, value) in credentials {
        let mut request = Request::get(PATH)
            .header(name, &value)
            .header(ECHO, "yes")
            .header("X_Auth_Principal", FORGED);
        for header in IDENTITY {
            request = request.header(header, FORGED);
        }
        let answer = request.send(port)?;
        let faults = faults(&contestant.fate, name, &value, &answer);
        if !faults.is_empty() {
            return Err(format!("{}: {}", contestant.name(), faults.join("; ")).into());
        }
    }
    Ok(())
}

fn faults(fate: &Fate, name: &str, value: &str, answer: &Answer) -> Vec<String> {
    let name = name.to_lowercase();
    let expected: Vec<(&str, &str)> = match fate {
        Fate::Refused(reason) => return compare_refusal(answer, reason),
        Fate::Passed | Fate::Cleaned => vec![(name.as_str(), value)],
        Fate::Swapped(key) => vec![("authorization", ""), ("x-n8n-api-key", key)],
        Fate::Identified { key, roles } => vec![
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
    if answer.status != 200 {
        faults.push(format!("{}, not 200: {}", answer.status, answer.text()));
    }
    for (header, value) in expected {
        let echoed = echoed(answer, header);
        if echoed != value {
            faults.push(format!("{header} is {echoed:?}, not {value:?}"));
        }
    }
    let is_guarded = matches!(fate, Fate::Identified { .. } | Fate::Cleaned);
    if is_guarded
        && IDENTITY
            .iter()
            .any(|name| echoed(answer, name).contains(FORGED))
    {
        faults.push("an identity of the caller's making arrived".to_owned());
    }
    faults
}

fn echoed(answer: &Answer, name: &str) -> String {
    match answer.header(&format!("x-echo-{name}")).as_deref() {
        None | Some("-") => String::new(),
        Some(value) => value.to_owned(),
    }
}

fn compare_refusal(answer: &Answer, reason: &str) -> Vec<String> {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let mut faults = Vec::new();
    if answer.status != 401 || !challenge.starts_with("Bearer ") {
        faults.push(format!("{}, not 401 with a challenge", answer.status));
    }
    if !answer.text().contains(reason) {
        faults.push(format!("the reason is not {reason}: {}", answer.text()));
    }
    faults
}
