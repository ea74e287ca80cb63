//! The native twin of the filter: it checks configurations, explains decisions, tests policies, replays
//! audit records, renders manifests, deletes API keys that the gate made, and writes the reference documentation, with the same code
//! that runs in Envoy.

mod check;
mod completions;
mod diagnostic;
mod docs;
mod explain;
mod file;
mod judge;
mod n8n;
mod policy_test;
mod provision;
mod render;
mod replay;
mod revoke;
mod schema;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

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
    /// Test a policy: compare decisions with what the files expect.
    Test(policy_test::Arguments),
    /// Compare what audit records say with what another configuration would decide.
    Replay(replay::Arguments),
    /// Write the manifests around a configuration, with the clusters that it calls.
    Render(Box<render::Arguments>),
    /// Make the API keys of n8n that a configuration names, and rotate and list them.
    Provision(Box<provision::Arguments>),
    /// Delete the API keys that the gate made for a user of n8n, or the user itself.
    Revoke(revoke::Arguments),
    /// Print a JSON Schema for editors.
    Schema(schema::Arguments),
    /// Print what a shell completes on the command line.
    Completions(completions::Arguments),
    /// Write the reference documentation, or check that it agrees with the code.
    Docs(docs::Arguments),
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Arguments::parse().command {
        Command::Check(arguments) => return check::run(&arguments, &mut out),
        Command::Explain(arguments) => explain::run(&arguments, &mut out),
        Command::Test(arguments) => policy_test::run(&arguments, &mut out),
        Command::Replay(arguments) => replay::run(&arguments, &mut out),
        Command::Render(arguments) => success(render::run(&arguments, &mut out)),
        Command::Provision(arguments) => success(provision::run(&arguments, &mut out)),
        Command::Schema(arguments) => success(schema::run(&arguments, &mut out)),
        Command::Completions(arguments) => {
            success(completions::run(&arguments, Arguments::command(), &mut out))
        }
        Command::Revoke(arguments) => success(revoke::run(&arguments, &mut out)),
        Command::Docs(arguments) => success(docs::run(&arguments, &mut out)),
    };
    match done {
        Ok(code) => code,
        Err(problem) => {
            let _ = out.flush();
            let _ = writeln!(io::stderr(), "n8n-idp-gate: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The status of a command that has only one for success.
fn success(done: Result<(), String>) -> Result<ExitCode, String> {
    done.map(|()| ExitCode::SUCCESS)
}
