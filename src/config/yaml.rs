//! YAML, for the command-line twin and the tests: the filter itself is handed JSON, or what Envoy
//! makes of YAML.

mod scalar;

use std::cell::Cell;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};
use thiserror::Error;

pub use self::scalar::Form;
use crate::formats::printable::printable;

/// How deep a file may be nested. Envoy files with a configuration inside need some thirty levels.
const MAX_DEPTH: usize = 64;

/// The most values that a file may have, those among them that aliases repeat.
const MAX_VALUES: usize = 500_000;

/// The most text that its values and names may hold, with what aliases repeat.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// The longest part of a parser's message that is repeated.
const LONGEST_COMPLAINT: usize = 300;

/// Who reads a file on the way to the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Envoy.
    Envoy,
    /// `kubectl` and what else brings manifests to Kubernetes.
    Kubernetes,
    /// It may be either: what they do not agree on has a [`Form`].
    Either,
}

/// A document of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// What it says.
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
    /// The parser gives up; in its words, which hold none of the text.
    #[error("not YAML: {0}")]
    NotYaml(String),
    /// Two fields of one name in one map: readers disagree on which counts.
    #[error("line {0}: two fields of one name in one map")]
    DuplicateField(usize),
    /// A name that is a list, a map, an alias or nothing.
    #[error("line {0}: a name that is no text. Hint: write one, in quotes if it looks like null")]
    Name(usize),
    /// A character that readers of YAML take for different things.
    #[error("line {0}: a control character or line break that readers of YAML take for different things. Hint: take it out, or escape it in double quotes")]
    Character(usize),
    /// Something at which Envoy gives the file up, and other readers do not.
    #[error("line {0}: Envoy does not read this: a question mark in brackets without quotes, a tab in an empty line, %YAML of another version than 1, or `...` before all. Hint: use quotes, or take it out")]
    Stops(usize),
    /// What must not be in a configuration, or a merge in a manifest: what it brings is not seen.
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

/// The place of a member or item, as a step of a JSON pointer.
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

/// Whether a text in double quotes has one of these after a backslash.
fn has_escape(written: &[char], escapes: [char; 2]) -> bool {
    let mut written = written.iter();
    while let Some(letter) = written.next() {
        if *letter == '\\' && written.next().is_some_and(|next| escapes.contains(next)) {
            return true;
        }
    }
    false
}

/// Refuses characters at which readers part: yaml-cpp ends at some, go-yaml breaks lines at others
/// or gives up, and a carriage return alone is a line break to some.
fn clean(text: &str, reader: Reader) -> Result<(), YamlFault> {
    let mut is_before_all = true;
    for (number, line) in (1_usize..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let is_odd = |letter: char| match letter {
            '\t' => false,
            '\0'..='\u{1f}' | '\u{feff}' => true,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => reader == Reader::Kubernetes,
            _ => false,
        };
        if line.contains(is_odd) {
            return Err(YamlFault::Character(number));
        }
        let version = line.strip_prefix("%YAML").map(str::trim_start);
        let is_empty = line.trim_matches([' ', '\t']).is_empty();
        let stops = (is_empty && line.contains('\t'))
            || version.is_some_and(|version| !version.starts_with("1."))
            || (is_before_all && line.starts_with("..."));
        if stops && reader != Reader::Kubernetes {
            return Err(YamlFault::Stops(number));
        }
        is_before_all &= is_empty || line.starts_with('#');
    }
    Ok(())
}

fn not_yaml(message: &str) -> YamlFault {
    // The parser has a bound of its own on flow collections, which it looks ahead for.
    if message.contains("recursion limit") {
        return YamlFault::TooDeep;
    }
    YamlFault::NotYaml(printable(message, LONGEST_COMPLAINT))
}

/// A document that is being read.
#[allow(clippy::struct_field_names, reason = "what is open is called so")]
struct Open<'b> {
    budget: &'b Budget,
    reader: Reader,
    root: Option<Value>,
    /// The collections that are open, from the outermost in.
    open: Vec<Collection>,
    /// What aliases stand for.
    anchors: BTreeMap<usize, Anchored>,
    odd: Vec<Odd>,
}

/// What aliases stand for, how deep it is nested, and what is odd in it.
struct Anchored {
    value: Value,
    depth: usize,
    odd: Vec<(String, usize, Form)>,
}

/// A collection that is being read, and the number of its anchor; 0: it has none.
enum Collection {
    List(Vec<Value>, usize),
    /// What comes next stands beside.
    Map(Map<String, Value>, Next, usize),
}

/// What comes next in a map.
enum Next {
    Name,
    /// The value of the member of this name.
    Value(String),
    /// The value of a member that Envoy leaves out.
    Ignored,
}

impl<'b> Open<'b> {
    const fn new(budget: &'b Budget, reader: Reader) -> Self {
        Self {
            budget,
            reader,
            root: None,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            odd: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), YamlFault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.budget.spend(&text)?;
                let is_plain = style == ScalarStyle::Plain;
                if let Some(Collection::Map(_, Next::Name, _)) = self.open.last() {
                    return self.name(&text, is_plain, anchor, tag.as_deref(), line);
                }
                let (value, form) = match tag.as_deref() {
                    // The tag of what is in quotes, written out.
                    Some(tag) if tag.handle.is_empty() && tag.suffix == "!" => {
                        (Value::String(text.into_owned()), Some(Form::Tag))
                    }
                    Some(_) => (scalar::tagged(&text), Some(Form::Tag)),
                    None if is_plain => scalar::plain(&text, self.reader),
                    None => (Value::String(text.into_owned()), None),
                };
                self.note(form, self.pointer(), line)?;
                self.add(value, anchor, line)
            }
            Event::SequenceStart(anchor, tag) => {
                let list = Collection::List(Vec::new(), anchor);
                self.open(list, tag.as_deref(), line)
            }
            Event::MappingStart(anchor, tag) => {
                let map = Collection::Map(Map::new(), Next::Name, anchor);
                self.open(map, tag.as_deref(), line)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Collection::List(items, anchor)) => {
                    self.add(Value::Array(items), anchor, line)
                }
                Some(Collection::Map(members, _, anchor)) => {
                    self.add(Value::Object(members), anchor, line)
                }
                None => Err(not_yaml("a collection ends that did not begin")),
            },
            Event::Alias(anchor) => self.alias(anchor, line),
            _ => Ok(()),
        }
    }

    /// Where the next value belongs.
    fn pointer(&self) -> String {
        let steps = self.open.iter().map(|collection| match collection {
            Collection::List(items, _) => step(&items.len().to_string()),
            Collection::Map(_, Next::Value(name), _) => step(name),
            Collection::Map(..) => String::new(),
        });
        steps.collect()
    }

    fn note(&mut self, form: Option<Form>, pointer: String, line: usize) -> Result<(), YamlFault> {
        if let Some(form) = form {
            self.budget.spend(&pointer)?;
            self.odd.push(Odd {
                pointer,
                line,
                form,
            });
        }
        Ok(())
    }

    fn open(
        &mut self,
        collection: Collection,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<(), YamlFault> {
        if let Some(Collection::Map(_, Next::Name, _)) = self.open.last() {
            return Err(YamlFault::Name(line));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlFault::TooDeep);
        }
        self.note(tag.map(|_| Form::Tag), self.pointer(), line)?;
        self.budget.spend("")?;
        self.open.push(collection);
        Ok(())
    }

    /// Takes the name of a member, which Envoy takes as written whatever it looks like.
    fn name(
        &mut self,
        text: &str,
        is_plain: bool,
        anchor: usize,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<(), YamlFault> {
        if anchor > 0 || (is_plain && scalar::is_null(text)) {
            return Err(YamlFault::Name(line));
        }
        let form = if is_plain {
            scalar::name(text, self.reader)
        } else {
            None
        };
        if form == Some(Form::Merge) && self.reader == Reader::Kubernetes {
            return Err(YamlFault::Odd(line, Form::Merge));
        }
        // Where Envoy keeps what is repeated elsewhere.
        let is_ignored = tag.is_some_and(|tag| tag.handle == "!" && tag.suffix == "ignore");
        let form = tag.map_or(form, |_| Some(Form::Tag));
        self.note(form, self.pointer() + &step(text), line)?;
        if let Some(Collection::Map(members, next, _)) = self.open.last_mut() {
            if members.contains_key(text) {
                return Err(YamlFault::DuplicateField(line));
            }
            *next = if is_ignored {
                Next::Ignored
            } else {
                Next::Value(text.to_owned())
            };
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), YamlFault> {
        if let Some(Collection::Map(_, Next::Name, _)) = self.open.last() {
            return Err(YamlFault::Name(line));
        }
        let anchored = self.anchors.get(&anchor);
        let anchored = anchored.ok_or_else(|| not_yaml("an alias of what it stands in"))?;
        if self.open.len().saturating_add(anchored.depth) > MAX_DEPTH {
            return Err(YamlFault::TooDeep);
        }
        let copy = self.budget.copy(&anchored.value)?;
        let here = self.pointer();
        for (below, line, form) in anchored.odd.clone() {
            self.note(Some(form), format!("{here}{below}"), line)?;
        }
        self.add(copy, 0, line)
    }

    /// Puts a value where the next one belongs.
    fn add(&mut self, value: Value, anchor: usize, line: usize) -> Result<(), YamlFault> {
        if anchor > 0 {
            let copy = self.budget.copy(&value)?;
            let here = self.pointer();
            let below = |odd: &Odd| {
                let below = odd.pointer.strip_prefix(&here)?;
                let is_below = below.is_empty() || below.starts_with('/');
                is_below.then(|| (below.to_owned(), odd.line, odd.form))
            };
            // It was read last, so that what is odd in it stands last.
            let odd = self.odd.iter().rev().map_while(below).collect();
            let anchored = Anchored {
                depth: depth(&copy),
                value: copy,
                odd,
            };
            self.anchors.insert(anchor, anchored);
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Collection::List(items, _)) => items.push(value),
            Some(Collection::Map(members, next, _)) => match std::mem::replace(next, Next::Name) {
                Next::Name => return Err(YamlFault::Name(line)),
                Next::Ignored => {}
                Next::Value(name) => {
                    members.insert(name, value);
                }
            },
        }
        Ok(())
    }
}

/// How deep a value is nested. Nothing here is deeper than [`MAX_DEPTH`].
fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    deepest.unwrap_or_default().saturating_add(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Value, YamlFault> {
        to_json(text).map(|json| serde_json::from_slice(&json).unwrap())
    }

    /// One document, and the places and forms of what is odd in it.
    fn read_by(reader: Reader, text: &str) -> (Value, Vec<(String, usize, Form)>) {
        let mut documents = Budget::default().documents(text, reader).unwrap();
        let document = documents.pop().unwrap();
        let odd = document.odd.into_iter();
        let odd = odd.map(|odd| (odd.pointer, odd.line, odd.form));
        (document.value, odd.collect())
    }

    #[test]
    fn yaml_says_what_json_would() {
        assert_eq!(
            read("a: 1\nb: [x, true, ~, '1.5', -2]\n3: { c: \"4\" }\nd: &d [z]\ne: *d\n"),
            Ok(json!({
                "a": 1, "b": ["x", true, null, "1.5", -2], "3": {"c": "4"}, "d": ["z"], "e": ["z"],
            }))
        );
        assert_eq!(read(""), Ok(Value::Null));
        assert_eq!(
            read("[1.2.3, 12-3, yes, On, 'true', \"\\u202e\", 2026-01-01, 1:30, nULL, 2147483647]"),
            Ok(json!([
                "1.2.3",
                "12-3",
                true,
                true,
                "true",
                "\u{202e}",
                "2026-01-01",
                "1:30",
                "nULL",
                2_147_483_647,
            ]))
        );
        assert_eq!(
            read("\u{feff}a: |\n  x\n  y\nb: >-\n  x\n  y\n"),
            Ok(json!({"a": "x\ny\n", "b": "x y"}))
        );
        let documents = Budget::default().documents("a: |\n  ---\n---\nb", Reader::Envoy);
        let values = documents
            .unwrap()
            .into_iter()
            .map(|document| document.value);
        let expected = [json!({"a": "---\n"}), json!("b")];
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }

    /// What each makes of a scalar, and what is odd about it to Envoy, to Kubernetes, and where it may
    /// be either.
    #[test]
    #[allow(clippy::too_many_lines, reason = "one table, a line for each form")]
    fn readers_see_different_things_in_a_scalar() {
        use Form::{Beyond32Bits, Disguised, Inexact, OtherNumber};
        for (text, envoy, kubernetes, forms) in [
            ("7", json!(7), json!(7), [None; 3]),
            ("yes", json!(true), json!(true), [None; 3]),
            ("n", json!(false), json!(false), [None; 3]),
            ("~", json!(null), json!(null), [None; 3]),
            ("a", json!("a"), json!("a"), [None; 3]),
            (
                "007",
                json!(7),
                json!("007"),
                [Some(Disguised), Some(OtherNumber), Some(Disguised)],
            ),
            (
                "010",
                json!(8),
                json!("010"),
                [Some(Disguised), Some(OtherNumber), Some(Disguised)],
            ),
            (
                "08",
                json!("08"),
                json!("08"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                "0x1f",
                json!(31),
                json!("0x1f"),
                [Some(Disguised), Some(OtherNumber), Some(Disguised)],
            ),
            (
                "0x7fffffffff",
                json!("549755813887"),
                json!("0x7fffffffff"),
                [Some(Disguised), Some(OtherNumber), Some(Disguised)],
            ),
            (
                "-0",
                json!(0),
                json!("-0"),
                [Some(Disguised), Some(OtherNumber), Some(Disguised)],
            ),
            (
                "2147483648",
                json!("2147483648"),
                json!(2_147_483_648_i64),
                [None, None, Some(Beyond32Bits)],
            ),
            (
                "9007199254740993",
                json!("9007199254740993"),
                json!("9007199254740993"),
                [None, Some(Inexact), Some(Beyond32Bits)],
            ),
            (
                "99999999999999999999",
                json!("99999999999999999999"),
                json!("99999999999999999999"),
                [None, Some(Inexact), Some(Beyond32Bits)],
            ),
            (
                "7.0",
                json!("7.0"),
                json!("7.0"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                "1e3",
                json!("1e3"),
                json!("1e3"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                "+.5",
                json!("+.5"),
                json!("+.5"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                "0o17",
                json!("0o17"),
                json!("0o17"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                "0b1",
                json!("0b1"),
                json!("0b1"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                "1_000",
                json!("1_000"),
                json!("1_000"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                ".inf",
                json!(".inf"),
                json!(".inf"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            (
                ".NaN",
                json!(".NaN"),
                json!(".NaN"),
                [None, Some(OtherNumber), Some(OtherNumber)],
            ),
            ("_1", json!("_1"), json!("_1"), [None; 3]),
            ("1:30", json!("1:30"), json!("1:30"), [None; 3]),
            ("0x", json!("0x"), json!("0x"), [None; 3]),
        ] {
            let readers = [Reader::Envoy, Reader::Kubernetes, Reader::Either];
            for (reader, form) in readers.into_iter().zip(forms) {
                let expected = if reader == Reader::Kubernetes {
                    &kubernetes
                } else {
                    &envoy
                };
                for file in [text.to_owned(), format!("[{text}]"), format!("a: {text}")] {
                    let (value, odd) = read_by(reader, &file);
                    let value = value.get(0).or(value.get("a")).unwrap_or(&value);
                    assert_eq!(value, expected, "{text} by {reader:?}");
                    let found = odd.first().map(|(_, _, form)| *form);
                    assert_eq!(found, form, "{text} by {reader:?}");
                }
                let (value, odd) = read_by(reader, &format!("'{text}'"));
                assert_eq!(
                    (value, odd),
                    (json!(text), vec![]),
                    "'{text}' by {reader:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_odd_is_known_by_place_and_line_also_where_an_alias_repeats_it() {
        let text = "a: &x\n  - 1\n  - {b/c: 1.5, d: 2.5}\ne: {f: *x}\n!!str g: 1\nyes: 0.5\n";
        let (value, odd) = read_by(Reader::Either, text);
        assert_eq!(value["e"]["f"], json!([1, {"b/c": "1.5", "d": "2.5"}]));
        let odd: Vec<_> = odd
            .iter()
            .map(|(pointer, line, _)| (&**pointer, *line))
            .collect();
        assert_eq!(
            odd,
            [
                ("/a/1/b~1c", 3),
                ("/a/1/d", 3),
                ("/e/f/1/d", 3),
                ("/e/f/1/b~1c", 3),
                ("/g", 5),
                ("/yes", 6),
                ("/yes", 6),
            ]
        );
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        for (text, fault) in [
            ("a: 1\na: 2", YamlFault::DuplicateField(2)),
            ("1: 1\n'1': 2", YamlFault::DuplicateField(2)),
            ("[a]: 1", YamlFault::Name(1)),
            ("~: 1", YamlFault::Name(1)),
            ("a: &a b\n*a : 1", YamlFault::Name(2)),
            ("a: !secret b", YamlFault::Odd(1, Form::Tag)),
            ("\na: !!map {}", YamlFault::Odd(2, Form::Tag)),
            ("a: .nan", YamlFault::Odd(1, Form::OtherNumber)),
            ("yes: 1", YamlFault::Odd(1, Form::Name)),
            ("0x1: 1", YamlFault::Odd(1, Form::Name)),
            ("a: {<<: {b: 1}}", YamlFault::Odd(1, Form::Merge)),
            ("a: 1\n\nb: \"x\u{1}y\"", YamlFault::Character(3)),
            ("a: x\ry", YamlFault::Character(1)),
            ("a: \"x\\\\\\N\"", YamlFault::Character(1)),
            ("a: [\"\\_\"]", YamlFault::Character(1)),
            ("a: x\u{feff}y", YamlFault::Character(1)),
            (
                "a: 340282366920938463463374607431768211455",
                YamlFault::Odd(1, Form::Beyond32Bits),
            ),
            ("a\n---\nb", YamlFault::SeveralDocuments),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
        }
        for (text, fault) in [
            ("a: x\u{85}y", YamlFault::Character(1)),
            ("a: {<<: {b: 1}}", YamlFault::Odd(1, Form::Merge)),
        ] {
            let read = Budget::default().documents(text, Reader::Kubernetes);
            assert_eq!(read, Err(fault), "{text}");
        }
        for text in ["a: [", "a: *nobody", "a: &a [*a]", "a: b: c"] {
            let read = read(text);
            assert!(
                matches!(read, Err(YamlFault::NotYaml(_))),
                "{text}: {read:?}"
            );
        }
    }

    #[test]
    fn what_envoy_does_not_read_is_refused_but_for_manifests() {
        for (text, line) in [
            ("a: [https://x/y?z]", 1),
            ("\na: {b?: 1}", 2),
            ("a:\n- b: [{c: [d, e?]}]", 2),
            ("a: 1\n\t\nb: 2", 2),
            ("%YAML 2.0\n---\na: 1", 1),
            ("# a\n...\na: 1", 2),
        ] {
            assert_eq!(read(text), Err(YamlFault::Stops(line)), "{text}");
        }
        for text in [
            "a: x?y",
            "a: ['x?']",
            "a: [b]\nc: d?",
            "a: |\n  [x?]\n",
            "%YAML 1.2\n---\na: 1",
        ] {
            assert!(read(text).is_ok(), "{text}");
        }
        let manifest = Budget::default().documents("a: [x?y]", Reader::Kubernetes);
        assert_eq!(manifest.unwrap()[0].value, json!({"a": ["x?y"]}));
    }

    #[test]
    fn a_block_with_an_end_that_readers_see_differently_is_odd() {
        for (text, is_odd) in [
            ("a: |\n  x", true),
            ("a: >-\n  x", true),
            ("a: >+\n  x\n\nb: 1\n", true),
            ("a: |+\n  x\n\nb: 1\n", false),
            ("a: |\n  x\n", false),
            ("a: |\n  x\nb: 1", false),
        ] {
            let (_, odd) = read_by(Reader::Envoy, text);
            let forms: Vec<_> = odd.into_iter().map(|(_, _, form)| form).collect();
            assert_eq!(forms, vec![Form::Block; usize::from(is_odd)], "{text:?}");
        }
    }

    #[test]
    fn depth_values_and_text_have_bounds() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(YamlFault::TooDeep));
        let items = |count: usize| format!("[{}]", "a,".repeat(count));
        assert!(read(&items(MAX_VALUES - 1)).is_ok());
        assert_eq!(read(&items(MAX_VALUES)), Err(YamlFault::TooManyValues));
        let long = "x".repeat(1024 * 1024);
        let mut deep = "a0: &a0 [x]\n".to_owned();
        for (line, before) in (1..100).zip(0..) {
            deep = format!("{deep}a{line}: &a{line} [*a{before}]\n");
        }
        assert_eq!(read(&deep), Err(YamlFault::TooDeep));
        let repeated = format!("a: &a {long}\nb: [{}]", "*a, ".repeat(16));
        assert_eq!(read(&repeated), Err(YamlFault::TooMuchText));
    }

    /// Each line names the one before nine times: nine to the power of nine values.
    #[test]
    fn aliases_of_aliases_end_at_the_bound() {
        let mut lines = vec!["a0: &a0 [lol]".to_owned()];
        for (line, before) in (1..10).zip(0..) {
            let before = format!("*a{before}, ").repeat(9);
            lines.push(format!("a{line}: &a{line} [{before}]"));
        }
        assert_eq!(read(&lines.join("\n")), Err(YamlFault::TooManyValues));
        lines.push(format!("b: [{}]", "x, ".repeat(50_000)));
        assert_eq!(read(&lines.join("\n")), Err(YamlFault::TooManyValues));
    }
}
