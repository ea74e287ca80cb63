//! The files of the repository, and the documents in them.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_norway::Deserializer;

/// Folders with files that are built, installed or generated, or wrong on purpose.
const SKIPPED: [&str; 8] = [
    ".git",
    ".local",
    "node_modules",
    "target",
    "deploy/compose/live",
    "tests/check/wrong",
    "tests/config",
    "fuzz/corpus",
];

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Its path from the root of the repository.
    pub(crate) name: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that ends in one of these, in the order of their names.
pub(crate) fn files(endings: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    walk(root(), &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| path.strip_prefix(root()).unwrap().to_owned())
        .filter(|path| {
            endings
                .iter()
                .any(|ending| path.extension().is_some_and(|is| is == *ending))
        })
        .map(|path| File {
            name: path.to_str().unwrap().to_owned(),
            text: fs::read_to_string(root().join(&path)).unwrap(),
        })
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if SKIPPED.iter().any(|skipped| path.ends_with(skipped)) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The documents of a YAML or JSON text.
pub(crate) fn documents(name: &str, text: &str) -> Vec<Value> {
    Deserializer::from_str(text)
        .map(|document| {
            // The intermediate YAML value refuses two fields of one name.
            let value = serde_norway::Value::deserialize(document);
            let value = value.unwrap_or_else(|fault| panic!("{name} is not YAML: {fault}"));
            serde_json::to_value(value).unwrap_or_else(|fault| panic!("{name}: {fault}"))
        })
        .collect()
}

/// The blocks of YAML in a page, each with the number of its first line.
pub(crate) fn yaml_blocks(page: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in page.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some("yaml")) => open = Some((index + 2, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block of YAML is not closed");
    blocks
}

#[test]
fn blocks_of_yaml_are_found_and_others_are_not() {
    let page = "a\n```yaml\nb: 1\n```\n```sh\nc\n```\n```yaml\nd: 2\ne: 3\n```\n";
    let blocks = yaml_blocks(page);
    assert_eq!(
        blocks,
        [(3, "b: 1\n".to_owned()), (9, "d: 2\ne: 3\n".to_owned())]
    );
}

#[test]
fn unsafe_code_is_in_one_file() {
    let files = files(&["rs"]).into_iter();
    let files = files.filter(|file| file.name.starts_with("src/"));
    let unsafe_ones: Vec<String> = files
        .filter(|file| file.text.contains("unsafe_code") || file.text.contains("unsafe {"))
        .map(|file| file.name)
        .collect();
    assert_eq!(unsafe_ones, ["src/shell/abi.rs"]);
}
