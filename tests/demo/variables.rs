//! The file with the shell variables of the commands.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::stage::Stage;
use crate::steps::TOKENS;
use crate::support::Outcome;

const HEAD: &str = "\
# Written by `make demo`. Source it in a shell to run the demo's commands, and again when the
# tokens have expired, which they do after five minutes.
";

/// Writes the file. A shell that reads it sets the variables and gets new tokens. Only this user
/// can read it.
pub(crate) fn write(stage: &Stage, file: &Path) -> Outcome<()> {
    let variables = stage.variables();
    let set = variables
        .iter()
        .map(|(name, value)| format!("{name}='{value}'\n"));
    let got = TOKENS
        .iter()
        .map(|token| format!("# {}\n{}\n", token.title, token.command));
    let text: String = [HEAD.to_owned()]
        .into_iter()
        .chain(set)
        .chain(got)
        .collect();
    // It writes a new file each time, because an old one might be readable for others.
    if file.exists() {
        fs::remove_file(file)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())?;
    Ok(())
}
