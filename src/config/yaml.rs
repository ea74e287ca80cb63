//! YAML, for the command-line twin and the tests: the filter itself is handed JSON.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};
use thiserror::Error;

use crate::printable::printable;

/// How deep a file may be nested. Envoy files with a configuration inside need some thirty levels.
const MAX_DEPTH: usize = 64;

/// The most values that a file may have, those among them that aliases repeat.
const MAX_VALUES: usize = 500_000;

/// The most text that its values and names may hold, with what aliases repeat.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// The longest part of a parser's complaint that is repeated.
const LONGEST_COMPLAINT: usize = 300;

/// Why a text is no YAML that could be a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum YamlFault {
    /// The parser gives up; in its words, which hold none of the text.
    #[error("not YAML: {0}")]
    NotYaml(String),
    /// Two fields of one name in one map: readers disagree on which counts.
    #[error("two fields of one name in one map")]
    DuplicateField,
    /// A map from lists, a tag, a number that is none.
    #[error("not a YAML that JSON can say")]
    NotJson,
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

/// Turns YAML into the JSON that Envoy and Istio would hand to the filter.
///
/// # Errors
///
/// It is no YAML, several documents, or beyond a bound.
pub fn to_json(text: &str) -> Result<Vec<u8>, YamlFault> {
    let mut documents = Budget::default().documents(text)?;
    let document = documents.pop().unwrap_or_default();
    if !documents.is_empty() {
        return Err(YamlFault::SeveralDocuments);
    }
    Ok(document.to_string().into_bytes())
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
    pub fn documents(&self, text: &str) -> Result<Vec<Value>, YamlFault> {
        let mut all = Vec::new();
        let mut document = Document::new(self);
        for event in Parser::new_from_str(text.trim_start_matches('\u{feff}')) {
            let (event, _) = event.map_err(|error| not_yaml(&error.to_string()))?;
            match event {
                Event::DocumentEnd => {
                    let whole = std::mem::replace(&mut document, Document::new(self));
                    all.push(whole.root.unwrap_or_default());
                }
                event => document.event(event)?,
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

fn not_yaml(complaint: &str) -> YamlFault {
    // The parser has a bound of its own on flow collections, which it looks ahead for.
    if complaint.contains("recursion limit") {
        return YamlFault::TooDeep;
    }
    YamlFault::NotYaml(printable(complaint, LONGEST_COMPLAINT))
}

/// A document that is being read.
struct Document<'b> {
    budget: &'b Budget,
    root: Option<Value>,
    /// The collections that are open, from the outermost in.
    open: Vec<Collection>,
    /// What aliases stand for, and how deep it is nested.
    anchors: BTreeMap<usize, (Value, usize)>,
}

/// A collection that is being read, and the number of its anchor; 0: it has none.
enum Collection {
    List(Vec<Value>, usize),
    /// The name whose value comes next stands beside.
    Map(Map<String, Value>, Option<String>, usize),
}

impl<'b> Document<'b> {
    const fn new(budget: &'b Budget) -> Self {
        Self {
            budget,
            root: None,
            open: Vec::new(),
            anchors: BTreeMap::new(),
        }
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), YamlFault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.budget.spend(&text)?;
                self.add(scalar(text, style, tag.as_deref())?, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Collection::List(Vec::new(), anchor), tag.as_deref())
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Collection::Map(Map::new(), None, anchor), tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Collection::List(items, anchor)) => self.add(Value::Array(items), anchor),
                Some(Collection::Map(members, _, anchor)) => {
                    self.add(Value::Object(members), anchor)
                }
                None => Err(not_yaml("a collection ends that did not begin")),
            },
            Event::Alias(anchor) => {
                let anchored = self.anchors.get(&anchor);
                let (value, depth) =
                    anchored.ok_or_else(|| not_yaml("an alias of what it stands in"))?;
                if self.open.len().saturating_add(*depth) > MAX_DEPTH {
                    return Err(YamlFault::TooDeep);
                }
                let copy = self.budget.copy(value)?;
                self.add(copy, 0)
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, collection: Collection, tag: Option<&Tag>) -> Result<(), YamlFault> {
        if tag.is_some() {
            return Err(YamlFault::NotJson);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlFault::TooDeep);
        }
        self.budget.spend("")?;
        self.open.push(collection);
        Ok(())
    }

    /// Puts a value where the next one belongs.
    fn add(&mut self, value: Value, anchor: usize) -> Result<(), YamlFault> {
        if anchor > 0 {
            let copy = self.budget.copy(&value)?;
            let depth = depth(&copy);
            self.anchors.insert(anchor, (copy, depth));
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Collection::List(items, _)) => items.push(value),
            Some(Collection::Map(members, name, _)) => match name.take() {
                None => *name = Some(as_name(value)?),
                Some(name) if members.contains_key(&name) => return Err(YamlFault::DuplicateField),
                Some(name) => {
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

/// The name of a member. YAML also has numbers and booleans there, which JSON writes as text.
fn as_name(value: Value) -> Result<String, YamlFault> {
    match value {
        Value::String(name) => Ok(name),
        name @ (Value::Bool(_) | Value::Number(_)) => Ok(name.to_string()),
        _ => Err(YamlFault::NotJson),
    }
}

/// What a scalar means, by the core schema of YAML 1.2 where it is plain.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, YamlFault> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => {
            return Ok(Value::String(text.into_owned()));
        }
        Some(_) => return Err(YamlFault::NotJson),
        None => {}
    }
    if style != ScalarStyle::Plain {
        return Ok(Value::String(text.into_owned()));
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Ok(Value::Null),
        "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
        plain => match number(plain) {
            Some(number) => number.map(Value::Number).ok_or(YamlFault::NotJson),
            None => Ok(Value::String(text.into_owned())),
        },
    }
}

/// The number that a plain scalar is. `None`: it is none; a gap within: JSON has no such number.
#[allow(
    clippy::option_option,
    reason = "no number is not a number that JSON lacks"
)]
fn number(text: &str) -> Option<Option<Number>> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(None);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        let digits = text.strip_prefix(prefix);
        if let Some(digits) = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            return u64::from_str_radix(digits, radix)
                .ok()
                .map(|whole| Some(whole.into()));
        }
    }
    if !unsigned.bytes().any(|byte| byte.is_ascii_digit())
        || !unsigned
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        || unsigned.starts_with(['e', 'E'])
    {
        return None;
    }
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits with a zero before them are names and codes.
        if unsigned.len() > 1 && unsigned.starts_with('0') {
            return None;
        }
        let whole = text.trim_start_matches('+');
        let positive = whole.parse::<u64>().map(Number::from);
        let whole = positive.or_else(|_| whole.parse::<i64>().map(Number::from));
        return Some(whole.ok());
    }
    let double = text.parse::<f64>().ok()?;
    Some(Number::from_f64(double))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Value, YamlFault> {
        to_json(text).map(|json| serde_json::from_slice(&json).unwrap())
    }

    #[test]
    fn yaml_says_what_json_would() {
        assert_eq!(
            read("a: 1\nb: [x, true, ~, 1.5, -2]\n3: { c: \"4\" }\nd: &d [y]\ne: *d\n"),
            Ok(json!({
                "a": 1, "b": ["x", true, null, 1.5, -2], "3": {"c": "4"}, "d": ["y"], "e": ["y"],
            }))
        );
        assert_eq!(read(""), Ok(Value::Null));
        assert_eq!(
            read("[0x1f, 1e3, 007, +7, -0.5, 1.2.3, 12-3, .5, yes, 'true', !!str 1, \"\\u202e\", 18446744073709551615]"),
            Ok(json!([
                31, 1e3, "007", 7, -0.5, "1.2.3", "12-3", 0.5, "yes", "true", "1", "\u{202e}",
                18_446_744_073_709_551_615_u64,
            ]))
        );
        assert_eq!(
            read("\u{feff}a: |\n  x\n  y\nb: >-\n  x\n  y\n"),
            Ok(json!({"a": "x\ny\n", "b": "x y"}))
        );
        assert_eq!(
            Budget::default().documents("a: |\n  ---\n---\nb"),
            Ok(vec![json!({"a": "---\n"}), json!("b")])
        );
    }

    #[test]
    fn what_json_cannot_say_or_readers_disagree_on_is_refused() {
        for (text, fault) in [
            ("a: 1\na: 2", YamlFault::DuplicateField),
            ("1: 1\n'1': 2", YamlFault::DuplicateField),
            ("[a]: 1", YamlFault::NotJson),
            ("~: 1", YamlFault::NotJson),
            ("a: !secret b", YamlFault::NotJson),
            ("a: .nan", YamlFault::NotJson),
            (
                "a: 340282366920938463463374607431768211455",
                YamlFault::NotJson,
            ),
            ("a\n---\nb", YamlFault::SeveralDocuments),
        ] {
            assert_eq!(read(text), Err(fault), "{text}");
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
