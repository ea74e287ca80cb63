//! A real n8n, called directly and through the gate.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::contestants::{Contestant, Requirement};
use crate::figures::Turns;
use crate::policy;
use crate::rounds::{Rounds, Target};
use crate::settings::{folder, Settings};
use crate::support::http::Request;
use crate::support::n8n::RealN8n;
use crate::support::{ports, Outcome};
use crate::tokens::Tokens;
use crate::wrk::{Credential, PATH};

/// The name for `BENCH_ONLY`, and the beginning of the lines of the table.
pub(crate) const NAME: &str = "n8n";

/// Called directly, with an API key.
pub(crate) const DIRECT: &str = "n8n, direct";

/// Called through the gate.
pub(crate) const THROUGH: &str = "n8n, through the gate";

/// What is sent through the gate.
pub(crate) const TOKEN: &str = "repeated RS256";

/// What is sent directly.
pub(crate) const KEY: &str = "API key";

/// Connections of the generator: n8n runs in one thread and is busy with few.
const CONNECTIONS: usize = 4;

/// Measures both.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Turns> {
    if !settings.wants(NAME) {
        return Ok(Turns::new());
    }
    println!("==> a real n8n, direct and through the gate");
    let n8n = RealN8n::start(ports::free()?, &folder().join("n8n"))?;
    let key = &n8n.provisioned().owner.api_key;
    let mut chain = policy::chain(THROUGH, &policy::gate(&tokens.keys, 10))?;
    for (_, value) in &mut chain.environment {
        value.clone_from(key);
    }
    chain.upstream = Some(n8n.port());
    let gate = chain.start(settings.envoy_core)?;
    let list = tokens.list("rs256-repeated")?;
    let token = list.samples.first().ok_or("there is no token")?;
    let direct = workflows(&Request::get(PATH).header("X-N8N-API-KEY", key), n8n.port())?;
    let through = workflows(&Request::get(PATH).bearer(token), gate.port())?;
    if direct != through {
        return Err("n8n's response differs through the gate".into());
    }
    let contestants = vec![
        contestant(DIRECT, KEY, Credential::ApiKey(key.clone())),
        contestant(THROUGH, TOKEN, Credential::Tokens(list)),
    ];
    let targets = BTreeMap::from([
        (DIRECT, Target::Port(n8n.port())),
        (THROUGH, Target::Envoy(gate)),
    ]);
    Rounds::of(targets, contestants, CONNECTIONS).run(settings)
}

const fn contestant(
    chain: &'static str,
    traffic: &'static str,
    credential: Credential,
) -> Contestant {
    Contestant {
        chain,
        traffic,
        credential,
        requirement: Requirement::Passed,
    }
}

/// The workflows that n8n lists; at least one.
fn workflows(request: &Request, port: u16) -> Outcome<Value> {
    let response = request.send(port)?;
    let workflows = response.json()["data"].take();
    match workflows.as_array() {
        Some(list) if response.status == 200 && !list.is_empty() => Ok(workflows),
        _ => Err(format!("n8n's status is {}: {}", response.status, response.text()).into()),
    }
}
