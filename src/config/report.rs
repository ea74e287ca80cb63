//! What is wrong with a configuration, in messages for its author.
//!
//! No message repeats a value. A wrong value may be a secret in the wrong field, a URL may contain a
//! password, and more people read logs than the configuration. The field path says where to look.
//! Messages show names of fields and roles, which are in field paths, and of providers, which audit
//! records and metrics show, too.

use std::fmt;

use crate::formats::printable::printable;

/// The longest sentence of a report, in characters.
const LONGEST: usize = 1000;

/// One error or warning about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where: `providers[0].audiences`. Empty for the configuration as a whole.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path.as_str() {
            "" => "configuration",
            path => path,
        };
        let problem = printable(&self.problem, LONGEST);
        let hint = printable(&self.hint, LONGEST);
        let end = if hint.ends_with('?') { "" } else { "." };
        write!(formatter, "{path}: {problem}. Hint: {hint}{end}")
    }
}

/// Everything that is wrong with a configuration, in the order of its paths. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub(super) Vec<Diagnostic>);

impl ConfigErrors {
    /// The errors, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => formatter.write_str("the configuration has 1 error:")?,
            count => write!(formatter, "the configuration has {count} errors:")?,
        }
        for diagnostic in &self.0 {
            write!(formatter, "\n  {diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// What is wrong with a value, before its field path is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) problem: String,
    pub(super) hint: String,
}

impl Message {
    pub(super) fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            hint: hint.into(),
        }
    }
}
