//! `make bench`: the gate side by side with no filter, with a WebAssembly filter that does nothing,
//! and with Envoy's own filters that do the same job, each on one worker that is pinned to a core.
//!
//! It prints what it found and, unless it was shortened, writes it to `docs/benchmark.md`. The
//! status says whether all answers were right, never whether they were fast.

#![allow(
    clippy::disallowed_methods,
    reason = "the benchmark reads the real clock and its settings from the environment"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the benchmark talks to whoever started it"
)]

#[path = "../support/mod.rs"]
mod support;

mod contestants;
mod figures;
mod native;
mod policy;
mod rounds;
mod server;
mod settings;
mod tokens;
mod verify;
mod wrk;

use std::process::ExitCode;

use self::contestants::Field;
use self::rounds::Arena;
use self::settings::Settings;
use self::support::Outcome;
use self::tokens::Tokens;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let settings = Settings::read()?;
    println!("==> minting tokens (once; up to a minute)");
    let tokens = Tokens::mint(settings.tokens())?;
    settings.pin()?;
    let field = Field::gather(&settings, &tokens)?;
    let arena = Arena::open(&settings, field)?;
    let turns = arena.play(&settings)?;
    for (name, samples) in &turns {
        println!("{name} {samples:?}");
    }
    Ok(())
}
