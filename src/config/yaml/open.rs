//! A document that is being read, event by event.

use std::collections::BTreeMap;

use saphyr_parser::{Event, ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::budget::Budget;
use super::document::{step, Odd};
use super::fault::{not_yaml, YamlFault, MAX_DEPTH};
use super::reader::Reader;
use super::scalar::{self, Form};

/// A document that is being read.
#[allow(clippy::struct_field_names, reason = "what is open is called so")]
pub(super) struct Open<'b> {
    budget: &'b Budget,
    reader: Reader,
    pub(super) root: Option<Value>,
    /// The collections that are open, from the outermost in.
    open: Vec<Collection>,
    /// The values that aliases repeat.
    anchors: BTreeMap<usize, Anchored>,
    pub(super) odd: Vec<Odd>,
}

/// A value that aliases repeat, how deep it is nested, and what is odd in it.
struct Anchored {
    value: Value,
    depth: usize,
    odd: Vec<(String, usize, Form)>,
}

/// A collection that is being read, and the number of its anchor; 0: it has none.
enum Collection {
    List(Vec<Value>, usize),
    /// With what comes next in it.
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
    pub(super) const fn new(budget: &'b Budget, reader: Reader) -> Self {
        Self {
            budget,
            reader,
            root: None,
            open: Vec::new(),
            anchors: BTreeMap::new(),
            odd: Vec::new(),
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), YamlFault> {
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
                None => Err(not_yaml("a collection ends that did not begin", line, 1)),
            },
            Event::Alias(anchor) => self.alias(anchor, line),
            _ => Ok(()),
        }
    }

    /// Where the next value belongs.
    pub(super) fn pointer(&self) -> String {
        let steps = self.open.iter().map(|collection| match collection {
            Collection::List(items, _) => step(&items.len().to_string()),
            Collection::Map(_, Next::Value(name), _) => step(name),
            Collection::Map(..) => String::new(),
        });
        steps.collect()
    }

    pub(super) fn note(
        &mut self,
        form: Option<Form>,
        pointer: String,
        line: usize,
    ) -> Result<(), YamlFault> {
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

    /// Takes the name of a member, which Envoy always takes as written.
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
        let anchored = anchored
            .ok_or_else(|| not_yaml("an alias within the value that it repeats", line, 1))?;
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
            // The value was read last, so that its odd scalars are the last.
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
