//! Tells the engine that runs the gate which branches usual requests take.
//!
//! It sends the requests of `make counts` through the module, in an interpreter, and writes for each branch that nearly
//! always goes one way a hint into the module (the section `metadata.code.branch_hint` of the WebAssembly
//! specification). V8 puts the code of the other way behind the rest of the function. So a request runs
//! through fewer cache lines, and those are most of what it costs. A hint changes no result.
//!
//! Usage: `branch-hints FROM TO`. The same module gets the same hints: the interpreted module has fixed random
//! numbers and a fixed time.

mod hints;
mod instrumented;
mod profile;

#[path = "../../../tests/counts/cases.rs"]
mod cases;
#[path = "../../../tests/cost/exchanges.rs"]
mod exchanges;
#[allow(
    dead_code,
    clippy::disallowed_methods,
    reason = "the tests use more of it, and the clock of the machine"
)]
#[path = "../../../tests/cost/host.rs"]
mod host;

use std::error::Error;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("usage: branch-hints FROM TO".into());
    };
    let module = fs::read(from).map_err(|error| format!("{from}: {error}"))?;
    let (instrumented, branches) = instrumented::instrumented(&module)?;
    let profiles = cases::CASES.map(|case| profile::profile(&instrumented, &case));
    let hints = hints::hints(&branches, &profiles);
    fs::write(to, hints::with_hints(&module, &hints)?).map_err(|error| format!("{to}: {error}"))?;
    println!("{} of {} branches have a hint", hints.len(), branches.len());
    Ok(())
}

#[cfg(test)]
mod tests;
