//! The rounds. Every contestant has a turn in each, so that a disturbance of the machine affects
//! all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::contestants::{Contestant, Field};
use crate::figures::{Sample, Turns};
use crate::server::Server;
use crate::settings::Settings;
use crate::support::process::go_on;
use crate::support::Outcome;
use crate::verify::verify;
use crate::wrk::{check, Run};

/// Connections of the generator: enough that Envoy's worker never waits for it.
const CONNECTIONS: usize = 32;

/// Where a contestant's requests go.
#[derive(Debug)]
pub(crate) enum Target {
    /// To an Envoy of the benchmark.
    Envoy(Server),
    /// To a loopback port of another server.
    Port(u16),
}

impl Target {
    const fn port(&self) -> u16 {
        match self {
            Self::Envoy(server) => server.port(),
            Self::Port(port) => *port,
        }
    }

    /// Processor time and failures so far, if they are known.
    fn counters(&self) -> Outcome<Option<(f64, f64)>> {
        match self {
            Self::Envoy(server) => Ok(Some((server.processor_seconds()?, server.failures()?))),
            Self::Port(_) => Ok(None),
        }
    }
}

/// Runs all rounds, each with new Envoys.
///
/// Where a process has its code and data in memory is a matter of luck, and of the same program one process
/// can be a tenth faster than another for as long as it runs. No number of rounds would show this for one process.
pub(crate) fn with_new_envoys(settings: &Settings, field: &Field) -> Outcome<Turns> {
    let one_round = settings.at_most(1, settings.seconds);
    let mut turns = Turns::new();
    for round in 1..=settings.rounds {
        println!("==> with new Envoys, {round} of {}", settings.rounds);
        let of_round = Rounds::open(&one_round, field)?.run(&one_round)?;
        for (name, samples) in of_round {
            turns.entry(name).or_default().extend(samples);
        }
    }
    Ok(turns)
}

/// The verified servers, and the contestants that use them.
#[derive(Debug)]
pub(crate) struct Rounds {
    targets: BTreeMap<&'static str, Target>,
    contestants: Vec<Contestant>,
    connections: usize,
}

impl Rounds {
    /// Starts all servers, and verifies that every contestant does its job.
    pub(crate) fn open(settings: &Settings, field: &Field) -> Outcome<Self> {
        let started = Instant::now();
        let mut targets = BTreeMap::new();
        for chain in &field.chains {
            let server = chain.start_on(&settings.cores(chain.workers))?;
            if settings.is_narrowed() {
                println!("==> {}: process {}", chain.name, server.id());
            }
            for contestant in &field.contestants {
                if contestant.chain == chain.name {
                    verify(contestant, server.port())?;
                }
            }
            if !server.writes_audit_to(chain.audit) {
                return Err(
                    format!("{}: audit records are not where they should be", chain.name).into(),
                );
            }
            targets.insert(chain.name, Target::Envoy(server));
        }
        println!(
            "==> {} contestants on {} Envoys respond as required ({:.1} s)",
            field.contestants.len(),
            targets.len(),
            started.elapsed().as_secs_f32()
        );
        Ok(Self::of(targets, field.contestants.clone(), CONNECTIONS))
    }

    /// Servers that run and were verified.
    pub(crate) const fn of(
        targets: BTreeMap<&'static str, Target>,
        contestants: Vec<Contestant>,
        connections: usize,
    ) -> Self {
        Self {
            targets,
            contestants,
            connections,
        }
    }

    /// The Envoy of a chain.
    pub(crate) fn envoy(&self, chain: &str) -> Outcome<&Server> {
        match self.targets.get(chain) {
            Some(Target::Envoy(server)) => Ok(server),
            _ => Err(format!("{chain} has no Envoy").into()),
        }
    }

    /// Runs all rounds. Before them, each server gets traffic for a second that is not measured.
    pub(crate) fn run(&self, settings: &Settings) -> Outcome<Turns> {
        let mut turns = Turns::new();
        let mut sent: BTreeMap<String, usize> = BTreeMap::new();
        let mut warm = BTreeSet::new();
        for contestant in &self.contestants {
            if warm.insert(contestant.chain) {
                let _ = self.turn(contestant, sent.entry(contestant.name()).or_default(), 1)?;
            }
        }
        for round in 1..=settings.rounds {
            println!("==> round {round} of {}", settings.rounds);
            for contestant in &self.contestants {
                let sent = sent.entry(contestant.name()).or_default();
                let sample = self.turn(contestant, sent, settings.seconds)?;
                turns.entry(contestant.name()).or_default().push(sample);
            }
        }
        Ok(turns)
    }

    /// One turn. It continues with the token after the last one of the turn before.
    fn turn(&self, contestant: &Contestant, sent: &mut usize, seconds: u64) -> Outcome<Sample> {
        go_on()?;
        let name = contestant.name();
        let target = self
            .targets
            .get(contestant.chain)
            .ok_or_else(|| format!("{name} has no server"))?;
        let before = target.counters()?;
        let run = Run {
            port: target.port(),
            credential: &contestant.credential,
            first: *sent,
            connections: self.connections,
            seconds,
            is_polite: false,
        };
        let load = run.load()?;
        let after = target.counters()?;
        check(load, contestant.requirement.is_refusal())
            .map_err(|fault| format!("{name}: {fault}"))?;
        let used = before.zip(after);
        if used.is_some_and(|(before, after)| after.1 > before.1) {
            return Err(format!("{name}: responses with a status of 500 or above").into());
        }
        *sent = sent.saturating_add(load.count());
        Ok(Sample {
            rate: load.rate(),
            p50: load.p50,
            p99: load.p99,
            processor: used.map(|(before, after)| (after.0 - before.0) * 1e6 / load.requests),
        })
    }
}
