//! Reads JSON strictly into a [`Document`].

use std::cmp::Ordering;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Number};

use super::document::{Document, Kind, Name, Node, Span};
use super::fault::JsonFault;

impl Document {
    /// Reads one JSON object, which becomes its buffer. `depth` is how many levels of objects and arrays it
    /// may have, itself counted.
    pub fn read(text: impl Into<Vec<u8>>, depth: usize) -> Result<Self, JsonFault> {
        // All of it at once: otherwise each string in it is looked at on its own.
        let text = String::from_utf8(text.into()).map_err(|_| JsonFault::NotJson)?;
        Self::read_text(text, depth)
    }

    fn read_text(mut text: String, depth: usize) -> Result<Self, JsonFault> {
        let mut reader = Reader::new(&text);
        let mut json = Deserializer::from_str(&text);
        let read = reader.one(depth).deserialize(&mut json);
        read.and_then(|()| json.end()).map_err(|_| reader.fault)?;
        match reader.open.pop() {
            Some(node) if matches!(node.kind, Kind::Object(_)) => reader.nodes.push(node),
            _ => return Err(JsonFault::NotAnObject),
        }
        let Reader { texts, nodes, .. } = reader;
        let unescaped = texts.unescaped;
        text.push_str(&unescaped);
        Ok(Self { text, nodes })
    }
}

/// For explanations and tests, which make claims of their own.
#[cfg(not(target_arch = "wasm32"))]
impl From<&serde_json::Value> for Document {
    fn from(object: &serde_json::Value) -> Self {
        let text = serde_json::to_vec(object).unwrap_or_default();
        // Not with the room that a writer leaves: a document keeps its buffer.
        Self::read(text.into_boxed_slice(), usize::MAX).unwrap_or_default()
    }
}

/// Reads one object, but for the member with this name: the text of that one is left as it stands.
pub(super) fn member<'d>(
    text: &'d str,
    name: &str,
    depth: usize,
) -> Result<Option<&'d RawValue>, JsonFault> {
    let mut reader = Reader::new(text);
    reader.fault = JsonFault::NotAnObject;
    let member = OneMember {
        name,
        one: reader.one(depth),
    };
    let mut json = Deserializer::from_str(text);
    let found = serde::Deserializer::deserialize_map(&mut json, member);
    found.map_err(|_| reader.fault)
}

/// What was read so far.
struct Reader<'t> {
    texts: Texts<'t>,
    /// The values of arrays and objects that were read to their ends.
    nodes: Vec<Node>,
    /// The other values.
    open: Vec<Node>,
    /// Why the document is refused if it stops here.
    fault: JsonFault,
}

/// The texts of a document: they stay where they are, and behind them come those that have escapes.
struct Texts<'t> {
    document: &'t str,
    unescaped: String,
}

impl Texts<'_> {
    /// Where a text is that is a part of the document. Any other one is copied.
    fn place(&mut self, text: &str) -> Span {
        let start = text.as_ptr().addr();
        let start = start.checked_sub(self.document.as_ptr().addr());
        let span = start.and_then(|start| {
            let end = start.checked_add(text.len())?;
            (end <= self.document.len()).then_some(Span { start, end })
        });
        span.unwrap_or_else(|| self.copy(text))
    }

    fn copy(&mut self, text: &str) -> Span {
        let start = self.document.len().saturating_add(self.unescaped.len());
        self.unescaped.push_str(text);
        Span {
            start,
            end: start.saturating_add(text.len()),
        }
    }

    fn get(&self, span: Span) -> &str {
        let Some(start) = span.start.checked_sub(self.document.len()) else {
            return span.of(self.document);
        };
        let end = span.end.saturating_sub(self.document.len());
        Span { start, end }.of(&self.unescaped)
    }

    fn compare(&self, one: Name, other: Name) -> Ordering {
        let same_key = || self.get(one.span).cmp(self.get(other.span));
        one.key.cmp(&other.key).then_with(same_key)
    }
}

impl<'t> Reader<'t> {
    /// How many values there is room for at first: most tokens have fewer.
    const VALUES: usize = 16;

    fn new(document: &'t str) -> Self {
        Self {
            texts: Texts {
                document,
                unescaped: String::new(),
            },
            nodes: Vec::with_capacity(Self::VALUES),
            open: Vec::with_capacity(Self::VALUES),
            fault: JsonFault::NotJson,
        }
    }

    fn one(&mut self, depth: usize) -> One<'_, 't> {
        One {
            reader: self,
            depth,
            name: Name::default(),
        }
    }

    /// Ends the array or object whose values were open since `first`.
    fn close(&mut self, first: usize) -> Span {
        let start = self.nodes.len();
        self.nodes.extend(self.open.drain(first..));
        Span {
            start,
            end: self.nodes.len(),
        }
    }

    /// Sorts the members that are open since `first`. Says whether their names are different.
    fn sort(&mut self, first: usize) -> bool {
        let Self { texts, open, .. } = self;
        let members = open.get_mut(first..).unwrap_or_default();
        members.sort_unstable_by(|one, other| texts.compare(one.name, other.name));
        let are_same = |pair: &[Node]| {
            let [one, other] = pair else { return false };
            texts.compare(one.name, other.name) == Ordering::Equal
        };
        !members.windows(2).any(are_same)
    }

    fn refuse<E: Error>(&mut self, fault: JsonFault) -> E {
        self.fault = fault;
        E::custom(fault)
    }
}

/// Reads any value.
struct One<'r, 't> {
    reader: &'r mut Reader<'t>,
    /// How many levels it may have.
    depth: usize,
    name: Name,
}

impl One<'_, '_> {
    fn is(self, kind: Kind) {
        let name = self.name;
        self.reader.open.push(Node { name, kind });
    }

    fn deeper<E: Error>(&mut self) -> Result<usize, E> {
        let deeper = self.depth.checked_sub(1);
        deeper.ok_or_else(|| self.reader.refuse(JsonFault::TooDeep))
    }
}

impl<'d> DeserializeSeed<'d> for One<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'d>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for One<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.is(Kind::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.is(Kind::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.is(Kind::Number(value.into()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.is(Kind::Number(value.into()));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let number = Number::from_f64(value);
        let number = number.ok_or_else(|| self.reader.refuse(JsonFault::NotJson))?;
        self.is(Kind::Number(number));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, value: &'d str) -> Result<(), E> {
        let placed = self.reader.texts.place(value);
        self.is(Kind::String(placed));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        let copied = self.reader.texts.copy(value);
        self.is(Kind::String(copied));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'d>>(mut self, mut items: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let first = self.reader.open.len();
        while items.next_element_seed(self.reader.one(depth))?.is_some() {}
        let items = self.reader.close(first);
        self.is(Kind::Array(items));
        Ok(())
    }

    fn visit_map<A: MapAccess<'d>>(mut self, mut members: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let first = self.reader.open.len();
        while let Some(name) = members.next_key_seed(NameSeed(self.reader))? {
            let reader = &mut *self.reader;
            members.next_value_seed(One {
                reader,
                depth,
                name,
            })?;
        }
        if !self.reader.sort(first) {
            return Err(self.reader.refuse(JsonFault::DuplicateMember));
        }
        let members = self.reader.close(first);
        self.is(Kind::Object(members));
        Ok(())
    }
}

/// Reads the name of a member.
struct NameSeed<'r, 't>(&'r mut Reader<'t>);

impl<'d> DeserializeSeed<'d> for NameSeed<'_, '_> {
    type Value = Name;

    fn deserialize<D: serde::Deserializer<'d>>(self, reader: D) -> Result<Name, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'d> Visitor<'d> for NameSeed<'_, '_> {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'d str) -> Result<Name, E> {
        Ok(Name::new(self.0.texts.place(name), name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        Ok(Name::new(self.0.texts.copy(name), name))
    }
}

/// Reads an object, but for one of its members.
struct OneMember<'n, 'r, 't> {
    name: &'n str,
    one: One<'r, 't>,
}

impl<'d> Visitor<'d> for OneMember<'_, '_, '_> {
    type Value = Option<&'d RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'d>>(mut self, mut members: A) -> Result<Self::Value, A::Error> {
        let depth = self.one.deeper()?;
        let reader = self.one.reader;
        let mut found = None;
        while let Some(name) = members.next_key_seed(NameSeed(reader))? {
            let one = One {
                reader: &mut *reader,
                depth,
                name,
            };
            if one.reader.texts.get(name.span) == self.name {
                found = Some(members.next_value()?);
                one.is(Kind::Null);
            } else {
                members.next_value_seed(one)?;
            }
        }
        if !reader.sort(0) {
            return Err(reader.refuse(JsonFault::DuplicateMember));
        }
        Ok(found)
    }
}
