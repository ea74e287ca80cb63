//! YAML, for the command-line twin and the tests: the filter itself is handed JSON, or what Envoy
//! makes of YAML.

mod characters;
mod open;
mod positions;
mod scalar;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};
use thiserror::Error;

use self::characters::{clean, has_escape};
use self::open::Open;
pub use self::positions::{Position, Positions};
pub use self::scalar::Form;
use crate::formats::printable::printable;

/// How deep a file may be nested. Envoy files with a configuration inside need some thirty levels.
const MAX_DEPTH: usize = 64;

/// The most values that a file may have, those among them that aliases repeat.
const MAX_VALUES: usize = 500_000;

/// The most text that its values and names may hold, with what aliases repeat.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// The longest part of a parser's message that is repeated.
const LONGEST_MESSAGE: usize = 300;

/// The program that reads a file for the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Envoy.
    Envoy,
    /// `kubectl` and other programs that send manifests to Kubernetes.
    Kubernetes,
    /// It may be either: what they do not agree on has a [`Form`].
    Either,
}

/// A document of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Its content.
    pub value: Value,
    /// What in it must not be in a configuration.
    pub odd: Vec<Odd>,
}

/// A scalar or name that must not be in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Where it is in the document, as a JSON pointer.
    pub pointer: String,
    /// The line that it is on.
    pub line: usize,
    /// What is odd about it.
    pub form: Form,
}

/// Why a text is no YAML that could be a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum YamlFault {
    /// The parser fails. Its message contains nothing of the text.
    #[error("not YAML: {0}")]
    NotYaml(String),
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
}

/// Turns the YAML of a configuration into the JSON that Envoy and Istio would hand to the filter.
///
/// # Errors
///
/// It is no YAML, several documents, beyond a bound, or has what the two read differently.
pub fn to_json(text: &str) -> Result<Vec<u8>, YamlFault> {
    let mut documents = Budget::default().documents(text, Reader::Either)?;
    let document = documents.pop().unwrap_or_default();
    if !documents.is_empty() {
        return Err(YamlFault::SeveralDocuments);
    }
    match document.odd.first() {
        Some(odd) => Err(YamlFault::Odd(odd.line, odd.form)),
        None => Ok(document.value.to_string().into_bytes()),
    }
}

/// The step of a JSON pointer to a member or item.
pub fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// How much may still be read of one file, of texts within it too.
///
/// The parser hands events over one by one, so that no more of a text is looked at than a bound
/// allows. Aliases are followed here, and what they repeat counts as if it were written out.
pub struct Budget {
    values: Cell<usize>,
    text: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            values: Cell::new(MAX_VALUES),
            text: Cell::new(MAX_TEXT),
        }
    }
}

impl Budget {
    /// Reads every document of a text.
    ///
    /// # Errors
    ///
    /// One of them is no YAML, or what may be read is used up.
    pub fn documents(&self, text: &str, reader: Reader) -> Result<Vec<Document>, YamlFault> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        clean(text, reader)?;
        let mut all = Vec::new();
        let mut open = Open::new(self, reader);
        let letters: Vec<char> = text.chars().collect();
        let open_end = (!text.ends_with('\n')).then_some(letters.len());
        let mut flow = 0_usize;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| not_yaml(&error.to_string()))?;
            let line = span.start.line();
            match &event {
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    let first = letters.get(span.start.index());
                    if flow > 0 || matches!(first, Some('[' | '{')) {
                        flow = flow.saturating_add(1);
                    }
                }
                Event::SequenceEnd | Event::MappingEnd => flow = flow.saturating_sub(1),
                Event::Scalar(text, ScalarStyle::Plain, ..)
                    if flow > 0 && text.contains('?') && reader != Reader::Kubernetes =>
                {
                    return Err(YamlFault::Stops(line));
                }
                Event::Scalar(text, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                    let is_last = open_end.is_some_and(|end| span.end.index() >= end);
                    let keeps = text.ends_with("\n\n")
                        && matches!(event, Event::Scalar(_, ScalarStyle::Folded, ..));
                    let form = (is_last || keeps).then_some(Form::Block);
                    open.note(form, open.pointer(), line)?;
                }
                // yaml-cpp makes bytes of them that are no UTF-8.
                Event::Scalar(_, ScalarStyle::DoubleQuoted, ..) if reader != Reader::Kubernetes => {
                    let written = letters.get(span.start.index()..span.end.index());
                    if written.is_some_and(|written| has_escape(written, ['N', '_'])) {
                        return Err(YamlFault::Character(line));
                    }
                }
                _ => {}
            }
            match event {
                Event::DocumentEnd => {
                    let whole = std::mem::replace(&mut open, Open::new(self, reader));
                    all.push(Document {
                        value: whole.root.unwrap_or_default(),
                        odd: whole.odd,
                    });
                }
                event => open.event(event, line)?,
            }
        }
        Ok(all)
    }

    fn spend(&self, text: &str) -> Result<(), YamlFault> {
        let values = self.values.get().checked_sub(1);
        self.values.set(values.ok_or(YamlFault::TooManyValues)?);
        let left = self.text.get().checked_sub(text.len());
        self.text.set(left.ok_or(YamlFault::TooMuchText)?);
        Ok(())
    }

    /// A copy of a value, as what it repeats.
    fn copy(&self, value: &Value) -> Result<Value, YamlFault> {
        self.spend(value.as_str().unwrap_or_default())?;
        Ok(match value {
            Value::Array(items) => {
                let items = items.iter().map(|item| self.copy(item));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let mut copies = Map::new();
                for (name, member) in members {
                    self.spend(name)?;
                    copies.insert(name.clone(), self.copy(member)?);
                }
                Value::Object(copies)
            }
            other => other.clone(),
        })
    }
}

fn not_yaml(message: &str) -> YamlFault {
    // The parser has a bound of its own on flow collections, which it looks ahead for.
    if message.contains("recursion limit") {
        return YamlFault::TooDeep;
    }
    YamlFault::NotYaml(printable(message, LONGEST_MESSAGE))
}
