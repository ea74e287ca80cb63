//! YAML, for the command-line twin and the tests: the filter itself is handed JSON, or what Envoy
//! makes of YAML.

mod budget;
mod characters;
mod document;
mod fault;
mod open;
mod positions;
mod reader;
mod scalar;
#[cfg(test)]
mod tests;

use saphyr_parser::{Event, Parser, ScalarStyle};

pub use self::budget::Budget;
use self::characters::{clean, has_escape};
pub use self::document::{step, Document, Odd};
use self::fault::not_yaml;
pub use self::fault::YamlFault;
use self::open::Open;
pub use self::positions::{Position, Positions};
pub use self::reader::Reader;
pub use self::scalar::Form;

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
            let (event, span) = event.map_err(|error| {
                let at = error.marker();
                not_yaml(&error.to_string(), at.line(), at.col().saturating_add(1))
            })?;
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
}
