//! The rounds: every contestant has a turn in each, so that whatever disturbs the machine disturbs
//! all of them.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::contestants::{Contestant, Field};
use crate::figures::{Sample, Turns};
use crate::server::Server;
use crate::settings::Settings;
use crate::support::process::interruption;
use crate::support::Outcome;
use crate::verify::verify;
use crate::wrk::{check, Run};

/// Connections of the generator: enough that Envoy's worker never waits for it.
const CONNECTIONS: usize = 32;

/// The servers, each verified and warm, and who competes on them.
#[derive(Debug)]
pub(crate) struct Arena {
    servers: BTreeMap<&'static str, Server>,
    contestants: Vec<Contestant>,
}

impl Arena {
    /// Starts all servers, and verifies that every contestant does its job.
    pub(crate) fn open(settings: &Settings, field: Field) -> Outcome<Self> {
        let started = Instant::now();
        let mut servers = BTreeMap::new();
        for chain in &field.chains {
            let server = chain.start(settings.envoy_core)?;
            if settings.is_narrowed() {
                println!("==> {}: process {}", chain.name, server.id());
            }
            servers.insert(chain.name, server);
        }
        let arena = Self {
            servers,
            contestants: field.contestants,
        };
        for contestant in &arena.contestants {
            verify(contestant, arena.server(contestant)?.port())?;
        }
        println!(
            "==> {} contestants on {} Envoys answer as they must ({:.1} s)",
            arena.contestants.len(),
            arena.servers.len(),
            started.elapsed().as_secs_f32()
        );
        Ok(arena)
    }

    /// Plays all rounds, after one second for each contestant that does not count.
    pub(crate) fn play(&self, settings: &Settings) -> Outcome<Turns> {
        let mut turns = Turns::new();
        let mut sent: BTreeMap<String, usize> = BTreeMap::new();
        for round in 0..=settings.rounds {
            let seconds = if round == 0 { 1 } else { settings.seconds };
            match round {
                0 => println!("==> warming up"),
                _ => println!("==> round {round} of {}", settings.rounds),
            }
            for contestant in &self.contestants {
                if interruption().load(std::sync::atomic::Ordering::SeqCst) {
                    return Err("interrupted".into());
                }
                let sent = sent.entry(contestant.name()).or_default();
                let sample = self.turn(contestant, sent, seconds)?;
                if round > 0 {
                    turns.entry(contestant.name()).or_default().push(sample);
                }
            }
        }
        Ok(turns)
    }

    /// One turn. Tokens go on where the last turn ended.
    fn turn(&self, contestant: &Contestant, sent: &mut usize, seconds: u64) -> Outcome<Sample> {
        let server = self.server(contestant)?;
        let before = (server.processor_seconds()?, server.failures()?);
        let run = Run {
            port: server.port(),
            credential: &contestant.credential,
            first: *sent,
            connections: CONNECTIONS,
            seconds,
            is_polite: false,
        };
        let load = run.load()?;
        let after = (server.processor_seconds()?, server.failures()?);
        check(load, contestant.fate.is_refusal())
            .map_err(|fault| format!("{}: {fault}", contestant.name()))?;
        if after.1 > before.1 {
            return Err(format!("{}: answers with 500 or above", contestant.name()).into());
        }
        *sent = sent.saturating_add(load.count());
        Ok(Sample {
            rate: load.rate(),
            p50: load.p50,
            p99: load.p99,
            processor: Some((after.0 - before.0) * 1e6 / load.requests),
        })
    }

    fn server(&self, contestant: &Contestant) -> Outcome<&Server> {
        self.servers
            .get(contestant.chain)
            .ok_or_else(|| format!("{} has no server", contestant.name()).into())
    }
}
