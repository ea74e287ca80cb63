//! How much memory a worker needs.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::contestants::{chain, traffic, Contestant, Field, Requirement};
use crate::policy;
use crate::server::Server;
use crate::settings::Settings;
use crate::support::process::go_on;
use crate::support::Outcome;
use crate::tokens::Tokens;
use crate::verify::verify;
use crate::wrk::{check, Credential, Run};

/// The name for `BENCH_ONLY`.
pub(crate) const NAME: &str = "memory";

/// An hour's worth of distinct tokens.
const DISTINCT: usize = 200_000;

/// The longest time for them, in a full and in a shortened run. A slow filter gets fewer requests.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(8));

/// One measurement of the memory of an Envoy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Requests so far.
    pub(crate) requests: usize,
    /// The largest linear memory of its WebAssembly machines, in bytes. It never shrinks.
    pub(crate) linear: f64,
    /// All linear memory, in bytes: of the main thread and of every worker.
    pub(crate) all_linear: f64,
    /// What all of Envoy allocated outside of it, in bytes.
    pub(crate) allocated: f64,
    /// The resident memory of Envoy, with its code, in bytes.
    pub(crate) resident: f64,
}

/// All measurements of memory.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    /// The filter that does nothing, after some load.
    pub(crate) nothing: Usage,
    /// The gate before its first token, and then while it gets distinct ones.
    pub(crate) distinct: Vec<Usage>,
    /// The gate with ten providers and two hundred keys, after their tokens twice over.
    pub(crate) many: Usage,
    /// How many different tokens those are.
    pub(crate) many_tokens: usize,
}

impl Memory {
    /// Whether the second half of the distinct tokens took no more memory than the first.
    pub(crate) fn is_flat(&self) -> Option<bool> {
        let half = self.distinct.get(self.distinct.len() / 2)?;
        Some(self.distinct.last()?.linear <= half.linear)
    }
}

/// Makes all measurements, each on a new Envoy.
pub(crate) fn measure(settings: &Settings, tokens: &Tokens) -> Outcome<Option<Memory>> {
    if !settings.wants(NAME) {
        return Ok(None);
    }
    println!("==> memory of the worker");
    let patience = if settings.is_full() {
        PATIENCE.0
    } else {
        PATIENCE.1
    };
    let chains = Field::chains(tokens)?;
    let start = |name: &str| -> Outcome<Server> {
        let chain = chains.iter().find(|chain| chain.name == name);
        chain.ok_or("no such chain")?.start(settings.envoy_core)
    };
    let repeated = Credential::Tokens(tokens.list("rs256-repeated")?);
    let unique = Credential::Tokens(tokens.list("rs256-unique")?);
    let nothing = usages(&start(chain::NOTHING)?, &repeated, 1, patience)?;
    let distinct = usages(&start(chain::GATE)?, &unique, DISTINCT, patience)?;
    let (many, many_tokens) = many(settings, tokens, patience)?;
    Ok(Some(Memory {
        nothing: last(&nothing)?,
        distinct,
        many,
        many_tokens,
    }))
}

fn many(settings: &Settings, tokens: &Tokens, patience: Duration) -> Outcome<(Usage, usize)> {
    let list = tokens.list("many")?;
    let count = list.count;
    let chain = policy::chain(chain::GATE, &policy::gate_of_many(&tokens.many))?;
    let server = chain.start(settings.envoy_core)?;
    let contestant = Contestant {
        chain: chain::GATE,
        traffic: traffic::UNIQUE,
        credential: Credential::Tokens(list),
        requirement: Requirement::Swapped(policy::expected_key()),
    };
    verify(&contestant, server.port())?;
    let wanted = count.saturating_mul(2);
    let usages = usages(&server, &contestant.credential, wanted, patience)?;
    Ok((last(&usages)?, count))
}

fn last(usages: &[Usage]) -> Outcome<Usage> {
    usages
        .last()
        .copied()
        .ok_or_else(|| "no memory was measured".into())
}

/// Sends at least this number of requests, unless that takes too long, and measures every second.
fn usages(
    server: &Server,
    credential: &Credential,
    requests: usize,
    patience: Duration,
) -> Outcome<Vec<Usage>> {
    let mut sent = 0;
    let mut usages = vec![usage(server, sent)?];
    let started = Instant::now();
    while sent < requests && started.elapsed() < patience {
        go_on()?;
        let run = Run {
            port: server.port(),
            credential,
            first: sent,
            connections: 8,
            seconds: 1,
            is_polite: false,
        };
        let load = run.load()?;
        check(load, false).map_err(|fault| format!("{}: {fault}", server.name))?;
        sent = sent.saturating_add(load.count());
        usages.push(usage(server, sent)?);
    }
    Ok(usages)
}

/// Measures the memory of an Envoy.
pub(crate) fn usage(server: &Server, requests: usize) -> Outcome<Usage> {
    let status = server.proc_file("status")?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"))
        .and_then(|number| number.trim().parse::<f64>().ok())
        .ok_or("the kernel does not say how much memory Envoy has")?;
    let page: Value = serde_json::from_str(&server.admin_page("/memory")?)?;
    let allocated = page["allocated"]
        .as_str()
        .and_then(|number| number.parse::<f64>().ok())
        .ok_or("Envoy does not say how much it allocated")?;
    let machines = linear_memories(&server.proc_file("maps")?);
    Ok(Usage {
        requests,
        linear: bytes(machines.iter().copied().max().unwrap_or_default()),
        all_linear: bytes(machines.iter().sum()),
        allocated,
        resident: resident * 1024.0,
    })
}

/// The linear memories in a process, in bytes.
///
/// V8 reserves 8 GiB of addresses for each, so that it need not check bounds. As the memory grows,
/// V8 makes more of the range accessible. So the memory is the accessible mapping right before a
/// huge inaccessible one.
fn linear_memories(maps: &str) -> Vec<u64> {
    const RESERVED: u64 = 7 << 30;
    let mut found = Vec::new();
    let mut before: Option<(u64, u64)> = None;
    for line in maps.lines() {
        let Some((start, end, access)) = mapping(line) else {
            continue;
        };
        let size = end.saturating_sub(start);
        if let Some((other_start, other_end)) = before {
            if access == "---p" && size >= RESERVED && other_end == start {
                found.push(other_end.saturating_sub(other_start));
            }
        }
        before = (access == "rw-p").then_some((start, end));
    }
    found
}

fn mapping(line: &str) -> Option<(u64, u64, &str)> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    Some((number(start)?, number(end)?, words.next()?))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "sizes of memory, far below 2^53"
)]
const fn bytes(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::linear_memories;

    #[test]
    fn linear_memories_are_the_mappings_before_huge_reservations() {
        let maps = "\
            1000000000-1000130000 rw-p 00000000 00:00 0\n\
            1000130000-1200000000 ---p 00000000 00:00 0\n\
            2000000000-2000200000 rw-p 00000000 00:00 0\n\
            2000200000-2200000000 ---p 00000000 00:00 0\n";
        assert_eq!(linear_memories(maps), [1_245_184, 2_097_152]);
    }

    #[test]
    fn stacks_and_heaps_are_no_linear_memory() {
        let maps = "\
            1000000000-1000800000 rw-p 00000000 00:00 0\n\
            1000800000-1000801000 ---p 00000000 00:00 0\n\
            2000000000-2000800000 rw-p 00000000 00:00 0\n\
            2000900000-2200900000 ---p 00000000 00:00 0\n";
        assert_eq!(linear_memories(maps), [0_u64; 0]);
    }
}
