//! `n8n-idp-gate completions`: what a shell completes on the command line.

use std::io::Write;

use clap::Command;
use clap_complete::Shell;

use crate::file::output::print;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Writes the script for a shell. `command` is the whole command line.
pub(crate) fn run(
    arguments: &Arguments,
    mut command: Command,
    out: &mut impl Write,
) -> Result<(), String> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "n8n-idp-gate", &mut script);
    print(out, &String::from_utf8_lossy(&script))
}
