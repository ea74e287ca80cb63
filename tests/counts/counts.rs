//! `make counts`: what a request costs a worker, in instructions and allocations.
//!
//! The worker runs natively under valgrind, which counts what no other program on the machine can
//! change. The host does nothing, and its answer about a signature is free.

#![allow(
    clippy::disallowed_methods,
    reason = "it reads its settings from the environment"
)]
#![allow(
    clippy::indexing_slicing,
    reason = "only JSON is indexed, and an absent member is null"
)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints its results on the terminal"
)]

mod cases;
mod figures;
mod host;
#[path = "../support/no_memory.rs"]
mod no_memory;
mod pinned;
mod subject;
mod valgrind;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use self::cases::CASES;

/// An error with a message for the developer.
type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["run", name, made, counted] = arguments.as_slice() {
        let mut cases = CASES.iter();
        let case = cases.find(|case| case.name == *name);
        return subject::run(case.ok_or("no such case")?, made.parse()?, counted.parse()?);
    }
    let is_wanted =
        |name: &str| arguments.is_empty() || arguments.iter().any(|part| name.contains(part));
    let mut counts = Vec::new();
    for case in CASES.iter().filter(|case| is_wanted(case.name)) {
        counts.push((case.name, valgrind::count(case)?));
    }
    figures::report(counts, arguments.is_empty())
}
