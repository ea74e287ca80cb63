//! The native twin of the filter: it checks configurations, explains decisions, deletes API keys that
//! the gate made, and writes the reference documentation, with the same code that runs in Envoy.

mod check;
mod diagnostic;
mod docs;
mod explain;
mod file;
mod revoke;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Check configurations of n8n-idp-gate and explain its decisions.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read configurations as the filter would, and report every error in them.
    Check(check::Arguments),
    /// Show the decision on a request, and why it is taken.
    Explain(Box<explain::Arguments>),
    /// Delete the API keys that the gate made for a user of n8n, or the user itself.
    Revoke(revoke::Arguments),
    /// Write the reference documentation, or check that it agrees with the code.
    Docs(docs::Arguments),
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Arguments::parse().command {
        Command::Check(arguments) => return check::run(&arguments, &mut out),
        Command::Explain(arguments) => explain::run(&arguments, &mut out),
        Command::Revoke(arguments) => revoke::run(&arguments, &mut out),
        Command::Docs(arguments) => docs::run(&arguments, &mut out),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = out.flush();
            let _ = writeln!(io::stderr(), "n8n-idp-gate: {problem}");
            ExitCode::FAILURE
        }
    }
}
