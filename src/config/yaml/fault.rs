//! Why a text is not read, and the bounds that it keeps.

use thiserror::Error;

use super::positions::Position;
use super::scalar::Form;
use crate::formats::printable::printable;

/// Why a text is no YAML that could be a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum YamlFault {
    /// The parser fails at a position. Its message contains nothing of the text.
    #[error("not YAML: {0}")]
    NotYaml(String, Position),
    /// Two fields of one name in one map: readers disagree on which counts.
    #[error("line {0}: two fields of one name in one map")]
    DuplicateField(usize),
    /// A name that is a list, a map, an alias or nothing.
    #[error("line {0}: a name that is no text. Hint: write one, in quotes if it looks like null")]
    Name(usize),
    /// A character that readers of YAML take for different things.
    #[error("line {0}: a control character or line break that readers of YAML take for different things. Hint: remove it, or escape it in double quotes")]
    Character(usize),
    /// Something at which Envoy gives the file up, and other readers do not.
    #[error("line {0}: Envoy does not read this: a question mark in brackets without quotes, a tab in an empty line, %YAML of another version than 1, or `...` before all. Hint: use quotes, or remove it")]
    Stops(usize),
    /// What must not be in a configuration, or a merge in a manifest, whose result is not seen here.
    #[error("line {0}: {1}")]
    Odd(usize, Form),
    /// More than one document where one belongs.
    #[error("more than one document")]
    SeveralDocuments,
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// More than [`MAX_VALUES`]: an alias of aliases grows exponentially ("billion laughs").
    #[error("more than {MAX_VALUES} values, those that aliases repeat among them")]
    TooManyValues,
    /// More than [`MAX_TEXT`].
    #[error("more than {} MiB of text, with what aliases repeat", MAX_TEXT / (1024 * 1024))]
    TooMuchText,
}

impl YamlFault {
    /// Whether a bound was met, so that nothing is known of the rest.
    pub const fn is_of_a_bound(&self) -> bool {
        matches!(
            self,
            Self::TooDeep | Self::TooManyValues | Self::TooMuchText
        )
    }

    /// Where the fault is in its text, as far as it is known: at least the line, and the first character
    /// in it.
    pub fn position(&self, text: &str) -> Option<Position> {
        let line = match self {
            Self::NotYaml(_, position) => return Some(*position),
            Self::DuplicateField(line)
            | Self::Name(line)
            | Self::Character(line)
            | Self::Stops(line)
            | Self::Odd(line, _) => *line,
            _ => return None,
        };
        let written = text.lines().nth(line.checked_sub(1)?)?;
        let blanks = written.chars().take_while(|letter| *letter == ' ');
        let column = blanks.count().saturating_add(1);
        Some(Position { line, column })
    }
}

/// How deep a file may be nested. Envoy files with a configuration inside need some thirty levels.
pub(super) const MAX_DEPTH: usize = 64;

/// The most values that a file may have, those among them that aliases repeat.
pub(super) const MAX_VALUES: usize = 500_000;

/// The most text that its values and names may hold, with what aliases repeat.
pub(super) const MAX_TEXT: usize = 16 * 1024 * 1024;

/// The longest part of a parser's message that is repeated.
const LONGEST_MESSAGE: usize = 300;

/// The fault that a message of the parser stands for.
pub(super) fn not_yaml(message: &str, line: usize, column: usize) -> YamlFault {
    // The parser has a bound of its own on flow collections, which it looks ahead for.
    if message.contains("recursion limit") {
        return YamlFault::TooDeep;
    }
    let message = printable(message, LONGEST_MESSAGE).into_owned();
    YamlFault::NotYaml(message, Position { line, column })
}
