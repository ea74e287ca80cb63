//! Reads JSON strictly into a [`Document`].

use std::cmp::Ordering;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Number};

use super::document::{Document, Kind, Name, Node, Span};
use super::fault::JsonFault;

impl Document {
    /// Reads one JSON object. `depth` is how many levels of objects and arrays it may have, itself
    /// counted.
    pub fn read(text: &[u8], depth: usize) -> Result<Self, JsonFault> {
        let mut reader = Reader::new(text.len());
        // All of it at once: otherwise each string in it is looked at on its own.
        let text = std::str::from_utf8(text).map_err(|_| JsonFault::NotJson)?;
        let mut json = Deserializer::from_str(text);
        let read = reader.one(depth).deserialize(&mut json);
        read.and_then(|()| json.end()).map_err(|_| reader.fault)?;
        match reader.open.pop() {
            Some(node) if matches!(node.kind, Kind::Object(_)) => {
                let Reader {
                    text, mut nodes, ..
                } = reader;
                nodes.push(node);
                Ok(Self { text, nodes })
            }
            _ => Err(JsonFault::NotAnObject),
        }
    }
}

/// For explanations and tests, which make claims of their own.
#[cfg(not(target_arch = "wasm32"))]
impl From<&serde_json::Value> for Document {
    fn from(object: &serde_json::Value) -> Self {
        let text = serde_json::to_vec(object).unwrap_or_default();
        Self::read(&text, usize::MAX).unwrap_or_default()
    }
}

/// Reads one object, but for the member with this name: the text of that one is left as it stands.
pub(super) fn member<'d>(
    text: &'d str,
    name: &str,
    depth: usize,
) -> Result<Option<&'d RawValue>, JsonFault> {
    let mut reader = Reader::new(text.len());
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
struct Reader {
    text: String,
    /// The values of arrays and objects that were read to their ends.
    nodes: Vec<Node>,
    /// The other values.
    open: Vec<Node>,
    /// Why the document is refused if it stops here.
    fault: JsonFault,
}

impl Reader {
    /// How many values there is room for at first: most tokens have fewer.
    const VALUES: usize = 16;

    /// For a document of so many bytes. Its texts cannot be longer.
    fn new(length: usize) -> Self {
        Self {
            text: String::with_capacity(length),
            nodes: Vec::with_capacity(Self::VALUES),
            open: Vec::with_capacity(Self::VALUES),
            fault: JsonFault::NotJson,
        }
    }

    fn one(&mut self, depth: usize) -> One<'_> {
        One {
            reader: self,
            depth,
            name: Name::default(),
        }
    }

    fn keep(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span {
            start,
            end: self.text.len(),
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
        let Self { text, open, .. } = self;
        let members = open.get_mut(first..).unwrap_or_default();
        members.sort_unstable_by(|one, other| one.name.cmp(other.name, text));
        let are_same = |pair: &[Node]| {
            let [one, other] = pair else { return false };
            one.name.cmp(other.name, text) == Ordering::Equal
        };
        !members.windows(2).any(are_same)
    }

    fn refuse<E: Error>(&mut self, fault: JsonFault) -> E {
        self.fault = fault;
        E::custom(fault)
    }
}

/// Reads any value.
struct One<'r> {
    reader: &'r mut Reader,
    /// How many levels it may have.
    depth: usize,
    name: Name,
}

impl One<'_> {
    fn is(self, kind: Kind) {
        let name = self.name;
        self.reader.open.push(Node { name, kind });
    }

    fn deeper<E: Error>(&mut self) -> Result<usize, E> {
        let deeper = self.depth.checked_sub(1);
        deeper.ok_or_else(|| self.reader.refuse(JsonFault::TooDeep))
    }
}

impl<'d> DeserializeSeed<'d> for One<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'d>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for One<'_> {
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

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        let kept = self.reader.keep(value);
        self.is(Kind::String(kept));
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
struct NameSeed<'r>(&'r mut Reader);

impl<'d> DeserializeSeed<'d> for NameSeed<'_> {
    type Value = Name;

    fn deserialize<D: serde::Deserializer<'d>>(self, reader: D) -> Result<Name, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        let kept = self.0.keep(name);
        Ok(Name::new(kept, &self.0.text))
    }
}

/// Reads an object, but for one of its members.
struct OneMember<'n, 'r> {
    name: &'n str,
    one: One<'r>,
}

impl<'d> Visitor<'d> for OneMember<'_, '_> {
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
            if name.of(&one.reader.text) == self.name {
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
