//! The file from which a shell takes the variables of the story's commands.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::stage::Stage;
use crate::story::TOKENS;
use crate::support::Outcome;

const HEAD: &str = "\
# Written by `make demo`. Source it in a shell to run the demo's commands, and again when the
# tokens have expired, which they do after five minutes.
";

/// Writes the file. It sets the variables and gets fresh tokens; only this user can read it.
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
    // A new file each time: an old one might be open to others.
    if file.exists() {
        fs::remove_file(file)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())?;
    Ok(())
}
