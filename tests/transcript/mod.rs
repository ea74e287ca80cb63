//! Transcripts of the program in guides.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROMPT: &str = "$ n8n-idp-gate ";

/// The variable with which a test writes the output into the page.
const UPDATE: &str = "UPDATE_TRANSCRIPTS";

/// Checks the blocks of a guide, which are files, or command lines with their output. Says how many command
/// lines there are. A file is YAML with its name in the first line, or what `$ cat NAME` shows.
pub(crate) fn check(page: &str) -> usize {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(page);
    let page = fs::read_to_string(&path).unwrap();
    let desk = tempfile::tempdir().unwrap();
    let mut made = String::new();
    let mut count = 0_usize;
    for (index, part) in page.split("```").enumerate() {
        if index > 0 {
            made.push_str("```");
        }
        let file = part.strip_prefix("yaml\n# ");
        if let Some(file) = file.or_else(|| part.strip_prefix("console\n$ cat ")) {
            let (name, content) = file.split_once('\n').unwrap();
            if !name.contains(' ') {
                fs::write(desk.path().join(name), content).unwrap();
            }
        }
        let Some(line) = part.strip_prefix(&*format!("console\n{PROMPT}")) else {
            made.push_str(part);
            continue;
        };
        let line = line.lines().next().unwrap();
        let output = output(desk.path(), line);
        made.extend(["console\n", PROMPT, line, "\n", &output]);
        count = count.saturating_add(1);
    }
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        made,
        "{UPDATE}=1 writes the page"
    );
    count
}

fn output(folder: &Path, line: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_n8n-idp-gate"))
        .current_dir(folder)
        .args(line.split(' '))
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}
