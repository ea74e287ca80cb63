//! The parts of a run, their duration, and the cores.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{self, Command, Stdio};

use crate::support::{installed, Outcome};

/// Rounds and seconds of a full run, whose figures are saved.
const FULL: (usize, u64) = (5, 2);

/// The settings of one run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The number of rounds.
    pub(crate) rounds: usize,
    /// The duration of a turn.
    pub(crate) seconds: u64,
    /// Only what has one of these in its name is measured. Empty: everything.
    only: Vec<String>,
    /// The core of Envoy's worker.
    pub(crate) envoy_core: usize,
    /// The core of the load generator and of everything else.
    pub(crate) load_core: usize,
}

impl Settings {
    /// From the environment.
    pub(crate) fn read() -> Outcome<Self> {
        let cores = cores()?;
        let (Some(envoy_core), Some(load_core)) = (cores.first(), cores.get(1)) else {
            return Err(
                "the benchmark needs two cores: one for Envoy, one for the load generator".into(),
            );
        };
        Ok(Self {
            rounds: usize::try_from(number("BENCH_ROUNDS", FULL.0 as u64)?)?,
            seconds: number("BENCH_SECONDS", FULL.1)?,
            only: env::var("BENCH_ONLY")
                .unwrap_or_default()
                .split(',')
                .map(|part| part.trim().to_lowercase())
                .filter(|part| !part.is_empty())
                .collect(),
            envoy_core: *envoy_core,
            load_core: *load_core,
        })
    }

    /// The cores for an Envoy with this number of workers. Several workers also have that of the load
    /// generator, since there may be only two.
    pub(crate) fn cores(&self, workers: usize) -> Vec<usize> {
        if workers == 1 {
            vec![self.envoy_core]
        } else {
            vec![self.envoy_core, self.load_core]
        }
    }

    /// Moves this process, and the processes that it starts later, to the core of the load
    /// generator.
    pub(crate) fn pin(&self) -> Outcome<()> {
        let status = Command::new("/usr/bin/taskset")
            .args(["--all-tasks", "--pid", "--cpu-list"])
            .args([self.load_core.to_string(), process::id().to_string()])
            .stdout(Stdio::null())
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("taskset ended with {status}").into())
        }
    }

    /// Whether the part with this name is measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }

    /// Whether nothing is left out or shortened, so that the figures may be saved.
    pub(crate) fn is_full(&self) -> bool {
        self.only.is_empty() && self.rounds >= FULL.0 && self.seconds >= FULL.1
    }

    /// The same with this many rounds and seconds at most: for parts whose figures have no aim.
    pub(crate) fn at_most(&self, rounds: usize, seconds: u64) -> Self {
        Self {
            rounds: self.rounds.min(rounds),
            seconds: self.seconds.min(seconds),
            ..self.clone()
        }
    }

    /// Whether only some parts were selected.
    pub(crate) fn is_narrowed(&self) -> bool {
        !self.only.is_empty()
    }

    /// The number of distinct tokens: more than one contestant can cache, so that a repeated token
    /// is never a cache hit.
    pub(crate) fn tokens(&self) -> usize {
        if self.is_full() {
            60_000
        } else {
            12_000
        }
    }
}

/// The folder for everything that the benchmark makes.
pub(crate) fn folder() -> PathBuf {
    installed::root().join("target/bench")
}

/// The load generator, which `make bench` installs.
pub(crate) fn wrk() -> Outcome<PathBuf> {
    made(
        installed::root().join(".local/bin/wrk"),
        "scripts/install-wrk.sh",
    )
}

/// The load generator for HTTP/2, which `make bench` installs.
pub(crate) fn h2load() -> Outcome<PathBuf> {
    made(
        installed::root().join(".local/bin/h2load"),
        "scripts/install-h2load.sh",
    )
}

/// A program that Envoy asks, which `make bench` installs.
pub(crate) fn peer(name: &str) -> Outcome<PathBuf> {
    made(
        installed::root().join(".local/peers").join(name),
        "scripts/install-peers.sh",
    )
}

/// A filter of the benchmark's own.
pub(crate) fn bench_wasm(name: &str) -> Outcome<PathBuf> {
    made(
        folder().join(format!("{name}.wasm")),
        "scripts/build-bench-wasm.sh",
    )
}

fn made(path: PathBuf, remedy: &str) -> Outcome<PathBuf> {
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} does not exist; `{remedy}` makes it", path.display()).into())
    }
}

fn number(variable: &str, usual: u64) -> Outcome<u64> {
    match env::var(variable) {
        Err(_) => Ok(usual),
        Ok(text) => match text.parse() {
            Ok(number) if (1..=600).contains(&number) => Ok(number),
            _ => Err(format!("{variable} is {text:?}, not a number from 1 to 600").into()),
        },
    }
}

/// The cores that this process may use.
fn cores() -> Outcome<Vec<usize>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .ok_or("the kernel does not say which cores may be used")?;
    let mut cores = Vec::new();
    for range in allowed.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse::<usize>()?..=last.parse()?);
    }
    Ok(cores)
}
