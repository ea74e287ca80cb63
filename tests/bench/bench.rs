//! `make bench`: the gate beside no filter, beside WebAssembly filters that do nothing or
//! only call the host as the gate does, beside Envoy's own filters with the same task, and beside programs that Envoy asks. Each runs on
//! one worker that is pinned to a core.
//!
//! It prints the findings. A full run also writes them to `docs/benchmark.md`. The exit status says
//! whether all responses were right, never whether they were fast.

#![allow(
    clippy::disallowed_methods,
    reason = "the benchmark reads the real clock and its settings from the environment"
)]
#![allow(
    clippy::indexing_slicing,
    reason = "only JSON is indexed, and an absent member is null"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the benchmark prints its results on the terminal"
)]

#[path = "../support/mod.rs"]
mod support;

mod aims;
mod contestants;
mod counts;
mod deliveries;
mod figures;
mod flood;
mod floor;
mod growth;
mod h2load;
mod http2;
mod latency;
mod machine;
mod memory;
mod native;
mod open_loop;
mod peers;
mod picture;
mod policy;
mod real_n8n;
mod report;
mod response;
mod rounds;
mod server;
mod settings;
mod start;
mod tokens;
mod verify;
mod workers;
mod wrk;

use std::fs;
use std::process::ExitCode;

use self::contestants::Field;
use self::figures::Turns;
use self::report::Report;
use self::settings::Settings;
use self::support::process::{go_on, listen_for_interruption};
use self::support::{installed, Outcome};
use self::tokens::Tokens;

/// The exit status that shells use for a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if go_on().is_err() => ExitCode::from(INTERRUPTED),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    listen_for_interruption(INTERRUPTED)?;
    let settings = Settings::read()?;
    println!("==> minting tokens (once; up to a minute)");
    let tokens = Tokens::mint(settings.tokens())?;
    settings.pin()?;
    let field = Field::gather(&settings, &tokens)?;
    let turns = if field.contestants.is_empty() {
        Turns::new()
    } else {
        rounds::with_new_envoys(&settings, &field)?
    };
    let floods = flood::measure(&settings, &tokens)?;
    let memory = memory::measure(&settings, &tokens)?;
    let sections = [
        counts::section(&settings)?,
        latency::measure(&settings, &tokens)?,
        http2::measure(&settings, &tokens)?,
        workers::measure(&settings, &tokens)?,
        growth::measure(&settings, &tokens)?,
        start::measure(&settings, &tokens)?,
    ];
    let n8n = real_n8n::measure(&settings, &tokens)?;
    let report = Report {
        facts: machine::facts(&settings)?,
        contestants: field.contestants,
        left_out: field.left_out,
        findings: aims::findings(&turns, &floods, memory.as_ref(), machine::wasm_size()?),
        turns,
        floods,
        memory,
        n8n,
        sections: sections.into_iter().flatten().collect(),
    };
    println!("\n{}", report.tables());
    if settings.is_full() {
        let docs = installed::root().join("docs");
        fs::write(docs.join("benchmark.md"), report.page())?;
        let picture = picture::svg(&report.turns).ok_or("the figure lacks a contestant")?;
        fs::write(docs.join("benchmark.svg"), picture)?;
        println!("==> written to docs/benchmark.md and docs/benchmark.svg");
    } else {
        println!("==> shortened: nothing was written");
    }
    Ok(())
}
