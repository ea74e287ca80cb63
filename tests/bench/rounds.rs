//! The rounds: every contestant has a turn in each, so that whatever disturbs the machine disturbs
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

/// Where contestants are reached.
#[derive(Debug)]
pub(crate) enum Place {
    /// At an Envoy of the benchmark.
    Envoy(Server),
    /// At a loopback port of another server.
    Port(u16),
}

impl Place {
    const fn port(&self) -> u16 {
        match self {
            Self::Envoy(server) => server.port(),
            Self::Port(port) => *port,
        }
    }

    /// Processor time so far and failures so far, where they are known.
    fn counters(&self) -> Outcome<Option<(f64, f64)>> {
        match self {
            Self::Envoy(server) => Ok(Some((server.processor_seconds()?, server.failures()?))),
            Self::Port(_) => Ok(None),
        }
    }
}

/// The servers, each verified, and who competes on them.
#[derive(Debug)]
pub(crate) struct Arena {
    places: BTreeMap<&'static str, Place>,
    contestants: Vec<Contestant>,
    connections: usize,
}

impl Arena {
    /// Starts all servers, and verifies that every contestant does its job.
    pub(crate) fn open(settings: &Settings, field: Field) -> Outcome<Self> {
        let started = Instant::now();
        let mut places = BTreeMap::new();
        for chain in &field.chains {
            let server = chain.start(settings.envoy_core)?;
            if settings.is_narrowed() {
                println!("==> {}: process {}", chain.name, server.id());
            }
            for contestant in &field.contestants {
                if contestant.chain == chain.name {
                    verify(contestant, server.port())?;
                }
            }
            if server.has_audit(chain.has_audit) != chain.has_audit {
                return Err(format!("{}: it has audit records, or none", chain.name).into());
            }
            places.insert(chain.name, Place::Envoy(server));
        }
        println!(
            "==> {} contestants on {} Envoys answer as they must ({:.1} s)",
            field.contestants.len(),
            places.len(),
            started.elapsed().as_secs_f32()
        );
        Ok(Self::of(places, field.contestants, CONNECTIONS))
    }

    /// Of servers that run and were verified.
    pub(crate) const fn of(
        places: BTreeMap<&'static str, Place>,
        contestants: Vec<Contestant>,
        connections: usize,
    ) -> Self {
        Self {
            places,
            contestants,
            connections,
        }
    }

    /// Plays all rounds, after a second for each server that does not count.
    pub(crate) fn play(&self, settings: &Settings) -> Outcome<Turns> {
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

    /// One turn. Tokens go on where the last turn ended.
    fn turn(&self, contestant: &Contestant, sent: &mut usize, seconds: u64) -> Outcome<Sample> {
        go_on()?;
        let name = contestant.name();
        let place = self
            .places
            .get(contestant.chain)
            .ok_or_else(|| format!("{name} has no server"))?;
        let before = place.counters()?;
        let run = Run {
            port: place.port(),
            credential: &contestant.credential,
            first: *sent,
            connections: self.connections,
            seconds,
            is_polite: false,
        };
        let load = run.load()?;
        let after = place.counters()?;
        check(load, contestant.fate.is_refusal()).map_err(|fault| format!("{name}: {fault}"))?;
        let used = before.zip(after);
        if used.is_some_and(|(before, after)| after.1 > before.1) {
            return Err(format!("{name}: answers with 500 or above").into());
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
