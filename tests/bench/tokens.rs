//! The tokens of the benchmark. They are made before it runs and kept for the next run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::settings::folder;
use crate::support::{installed, Outcome};

/// All tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    folder: PathBuf,
    /// The key set of the provider of most tokens.
    pub(crate) keys: Value,
    /// Issuers and key sets of ten providers, with twenty keys each.
    pub(crate) many: Vec<Value>,
    /// The arguments with which Envoy checks the signature of a token of each file, in base64.
    pub(crate) checks: Value,
}

impl Tokens {
    /// Makes `count` distinct tokens and the other files, unless they exist.
    pub(crate) fn mint(count: usize) -> Outcome<Self> {
        let folder = folder().join("tokens");
        let status = Command::new(installed::node()?)
            .arg(installed::root().join("tests/bench/mint.mjs"))
            .arg(&folder)
            .arg(count.to_string())
            .status()?;
        if !status.success() {
            return Err(format!("the mint ended with {status}").into());
        }
        let mut keys: Value = serde_json::from_slice(&fs::read(folder.join("keys.json"))?)?;
        let Value::Array(many) = keys["many"].take() else {
            return Err("the mint named no key sets".into());
        };
        let checks = keys["checks"].take();
        if let Some(object) = keys.as_object_mut() {
            object.retain(|name, _| name == "keys");
        }
        Ok(Self {
            folder,
            keys,
            many,
            checks,
        })
    }

    /// The tokens of one file.
    pub(crate) fn list(&self, name: &str) -> Outcome<TokenList> {
        TokenList::open(&self.folder.join(format!("{name}.txt")))
    }
}

/// A file of tokens that have one length.
#[derive(Clone, Debug)]
pub(crate) struct TokenList {
    /// The file.
    pub(crate) file: PathBuf,
    /// How many tokens it holds.
    pub(crate) count: usize,
    /// The bytes of a line.
    line: usize,
    /// The first, the middle and the last of them.
    pub(crate) samples: Vec<String>,
}

impl TokenList {
    fn open(file: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(file)?;
        let lines: Vec<&str> = text.lines().collect();
        let line = lines
            .first()
            .map_or(0, |first| first.len())
            .saturating_add(1);
        if lines.is_empty() || lines.len().saturating_mul(line) != text.len() {
            return Err(format!("the tokens of {} are not of one length", file.display()).into());
        }
        let count = lines.len();
        let samples = [0, count / 2, count.saturating_sub(1)]
            .iter()
            .filter_map(|at| lines.get(*at))
            .map(|token| (*token).to_owned())
            .collect();
        Ok(Self {
            file: file.to_owned(),
            count,
            line,
            samples,
        })
    }

    /// The offset of the token with this number. After the last token the first one follows again.
    pub(crate) const fn offset(&self, number: usize) -> usize {
        match number.checked_rem(self.count) {
            Some(at) => at.saturating_mul(self.line),
            None => 0,
        }
    }
}
