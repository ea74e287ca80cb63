//! A filter that makes the gate's calls and has no work of its own (`nothing/src/calls.rs`). What it
//! costs is the least that a gate with these calls can cost.

use serde_json::{json, Value};

use crate::contestants::{chain, traffic, Contestant, Requirement};
use crate::policy::{expected_key, ISSUER};
use crate::server::{wasm_filter, Audit, Chain};
use crate::settings::bench_wasm;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::wrk::Credential;

/// An audit record as the gate writes it for a token of the benchmark.
const RECORD: &str = include_str!("record.json");

/// Its chains: each makes the calls of one kind of request.
pub(crate) fn chains(tokens: &Tokens) -> Outcome<Vec<Chain>> {
    let set = json!([["x-auth-issuer", ISSUER], ["x-n8n-api-key", expected_key()]]);
    let check = |name: &str| tokens.checks[name].clone();
    let forwards = json!({ "set": set });
    let plans = [
        (chain::FLOOR, forwards),
        (
            chain::FLOOR_AUDIT,
            json!({ "set": set, "log": RECORD.trim_end() }),
        ),
        (
            chain::FLOOR_RECORDS,
            json!({ "set": set, "keep": RECORD.trim_end() }),
        ),
        (
            chain::FLOOR_RS256,
            json!({ "set": set, "verify": check("rs256-good") }),
        ),
        (
            chain::FLOOR_ES256,
            json!({ "set": set, "verify": check("es256-good") }),
        ),
        (
            chain::FLOOR_REFUSES,
            json!({ "verify": check("rs256-forged"), "refuse": refusal() }),
        ),
        (chain::FLOOR_PASSES, json!({})),
    ];
    let wasm = bench_wasm("calls")?;
    let chains = plans.into_iter().map(|(name, plan)| {
        let mut chain = Chain::new(name, vec![wasm_filter(&wasm, &plan, &[])]);
        chain.audit = match name {
            chain::FLOOR_AUDIT => Audit::Log,
            chain::FLOOR_RECORDS => Audit::AccessLog,
            _ => Audit::None,
        };
        chain
    });
    Ok(chains.collect())
}

/// What is sent to each of them.
pub(crate) fn contestants(tokens: &Tokens) -> Outcome<Vec<Contestant>> {
    let forwarded = || Requirement::Swapped(expected_key());
    let refused = Requirement::Refused("bad_signature");
    let rows = [
        (
            chain::FLOOR,
            traffic::REPEATED,
            "rs256-repeated",
            forwarded(),
        ),
        (
            chain::FLOOR_AUDIT,
            traffic::REPEATED,
            "rs256-repeated",
            forwarded(),
        ),
        (
            chain::FLOOR_RECORDS,
            traffic::REPEATED,
            "rs256-repeated",
            forwarded(),
        ),
        (
            chain::FLOOR_RS256,
            traffic::UNIQUE,
            "rs256-unique",
            forwarded(),
        ),
        (
            chain::FLOOR_ES256,
            traffic::UNIQUE_ES,
            "es256-unique",
            forwarded(),
        ),
        (
            chain::FLOOR_REFUSES,
            traffic::FORGED,
            "rs256-forged",
            refused,
        ),
    ];
    let contestant = |(chain, traffic, file, requirement)| {
        let credential = Credential::Tokens(tokens.list(file)?);
        Ok(Contestant {
            chain,
            traffic,
            credential,
            requirement,
        })
    };
    let passes = Contestant {
        chain: chain::FLOOR_PASSES,
        traffic: traffic::API_KEY,
        credential: Credential::an_api_key(),
        requirement: Requirement::Passed,
    };
    let rows = rows.into_iter().map(contestant);
    rows.chain([Ok(passes)]).collect()
}

/// The status, headers and body of the gate's refusal of a forged token.
fn refusal() -> Value {
    const DETAIL: &str = "The signature of the access token could not be verified.";
    let body = json!({
        "detail": DETAIL,
        "message": DETAIL,
        "reason": "bad_signature",
        "request_id": "b8b1d1ae-14a1-4c2f-9f7c-0d6d7a1f2f3a",
        "status": 401,
        "title": "Unauthorized",
    });
    let challenge =
        format!("Bearer realm=\"n8n\", error=\"invalid_token\", error_description=\"{DETAIL}\"");
    let headers = json!([
        ["content-type", "application/problem+json"],
        ["cache-control", "no-store"],
        ["www-authenticate", challenge],
    ]);
    json!({ "status": 401, "headers": headers, "body": body.to_string() })
}
