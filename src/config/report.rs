//! What is wrong with a configuration, in words for the person who wrote it.

use std::fmt;

/// One thing that a configuration should not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: `providers[0].audiences`. Empty for the configuration as a whole.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path.as_str() {
            "" => "configuration",
            path => path,
        };
        let Self { problem, hint, .. } = self;
        let end = if hint.ends_with('?') { "" } else { "." };
        write!(formatter, "{path}: {problem}. Hint: {hint}{end}")
    }
}

/// Everything that is wrong with a configuration, in the order of its paths. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub(super) Vec<Finding>);

impl ConfigErrors {
    /// The errors, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => formatter.write_str("the configuration has 1 error:")?,
            count => write!(formatter, "the configuration has {count} errors:")?,
        }
        for finding in &self.0 {
            write!(formatter, "\n  {finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// What is wrong with a value, before it is known where the value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) problem: String,
    pub(super) hint: String,
}

impl Complaint {
    pub(super) fn new(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            hint: hint.into(),
        }
    }
}

/// The longest part of a value that a message repeats, in characters.
const LONGEST_QUOTE: usize = 80;

/// A value as a message may repeat it: in quotes, cut, and unable to forge a line of a log.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text
        .chars()
        .take(LONGEST_QUOTE)
        .flat_map(char::escape_debug)
        .collect();
    let cut = if text.chars().nth(LONGEST_QUOTE).is_some() {
        "…"
    } else {
        ""
    };
    format!("\"{shown}{cut}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_and_a_line_break_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\nb\u{202e}\"c"), r#""a\nb\u{202e}\"c""#);
        assert_eq!(quoted(&"x".repeat(80)), format!("\"{}\"", "x".repeat(80)));
        assert_eq!(quoted(&"x".repeat(81)), format!("\"{}…\"", "x".repeat(80)));
    }
}
