//! A JSON object that was read.

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Number};

/// A JSON object that was read strictly.
///
/// Its text is its buffer, in which all of its texts are, and all of its values are in one list. So it costs few
/// allocations, however many members it has: each token that comes for the first time is read into two of these.
#[derive(Clone, Default)]
pub struct Document {
    pub(super) text: String,
    /// The last one is the object itself.
    pub(super) nodes: Vec<Node>,
}

/// A part of the buffer, or of the list.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A value with its name. Items of arrays have an empty one.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) name: Name,
    pub(super) kind: Kind,
}

/// The name of a value.
#[derive(Clone, Copy, Default)]
pub(super) struct Name {
    pub(super) span: Span,
    pub(super) key: Key,
}

/// The first bytes of a name. Most names differ in them, so that they are compared as two numbers.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

#[derive(Clone)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    String(Span),
    Array(Span),
    /// Its members are in the order of the alphabet, and have different names.
    Object(Span),
}

/// A value in a document.
#[derive(Clone, Copy, Debug)]
pub enum Value<'d> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: a whole one from -2^63 to 2^64-1 exactly, another as the nearest double.
    Number(&'d Number),
    /// A text.
    String(&'d str),
    /// An array.
    Array(Array<'d>),
    /// An object.
    Object(Object<'d>),
}

/// An object in a document.
#[derive(Clone, Copy)]
pub struct Object<'d> {
    document: &'d Document,
    at: usize,
}

/// An array in a document.
#[derive(Clone, Copy)]
pub struct Array<'d> {
    document: &'d Document,
    items: Span,
}

/// What can take the place of a text.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(u64),
}

impl Span {
    /// This part of the buffer.
    pub(super) fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

impl Name {
    /// The name that is there.
    pub(super) fn new(span: Span, name: &str) -> Self {
        let key = Key::of(name);
        Self { span, key }
    }

    pub(super) fn of(self, text: &str) -> &str {
        self.span.of(text)
    }

    /// Whether it is this name, which has the same key.
    fn is(self, name: &str, text: &str) -> bool {
        let length = self.span.end.saturating_sub(self.span.start);
        length == name.len() && (length <= Key::BYTES || self.of(text) == name)
    }
}

impl Key {
    /// How many bytes of a name it has.
    const BYTES: usize = size_of::<u64>();

    fn of(name: &str) -> Self {
        let name = name.as_bytes();
        if let Some(first) = name.first_chunk() {
            return Self(u64::from_be_bytes(*first));
        }
        // In as few steps as there are, because each look-up makes one.
        let (mut key, mut rest) = (0, name);
        if let Some((four, after)) = rest.split_first_chunk() {
            (key, rest) = (u64::from(u32::from_be_bytes(*four)), after);
        }
        for byte in rest {
            key = (key << 8) | u64::from(*byte);
        }
        let missing = Self::BYTES.saturating_sub(name.len()).saturating_mul(8);
        Self(key.unbounded_shl(u32::try_from(missing).unwrap_or(u32::MAX)))
    }
}

impl Document {
    /// The object without members. There is one: each remembered token has it in place of its claims.
    pub fn empty() -> Arc<Self> {
        static EMPTY: LazyLock<Arc<Document>> = LazyLock::new(Arc::default);
        Arc::clone(&EMPTY)
    }

    /// All of it.
    pub const fn object(&self) -> Object<'_> {
        Object {
            document: self,
            at: self.nodes.len().saturating_sub(1),
        }
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.object().get(name)
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.object().is_empty()
    }

    /// About how many bytes it takes in memory: a value that is written in two letters takes dozens.
    pub const fn weight(&self) -> usize {
        let values = self.nodes.capacity().saturating_mul(size_of::<Node>());
        size_of::<Self>()
            .saturating_add(self.text.capacity())
            .saturating_add(values)
    }

    /// Takes members out.
    pub fn remove(&mut self, names: &[&str]) {
        let is_kept = |node: &&Node| !names.contains(&node.name.of(&self.text));
        let members = self.object().nodes().iter();
        let kept: Vec<Node> = members.filter(is_kept).cloned().collect();
        let start = self.nodes.len();
        self.nodes.extend(kept);
        let end = self.nodes.len();
        self.nodes.push(Node {
            name: Name::default(),
            kind: Kind::Object(Span { start, end }),
        });
    }

    /// Replaces a member that is text by what it stands for, if that is a number or a flag.
    pub fn replace_text(&mut self, name: &str, by: impl FnOnce(&str) -> Option<Scalar>) {
        let Some(Value::String(text)) = self.get(name) else {
            return;
        };
        let (by, at) = (by(text), self.object().find(name));
        if let Some((by, node)) = by.zip(at.and_then(|at| self.nodes.get_mut(at))) {
            node.kind = match by {
                Scalar::Bool(flag) => Kind::Bool(flag),
                Scalar::Number(number) => Kind::Number(number.into()),
            };
        }
    }

    fn slice(&self, span: Span) -> &[Node] {
        self.nodes.get(span.start..span.end).unwrap_or_default()
    }

    /// The value of the node at this place. There is one at each place that the callers know.
    fn value(&self, at: usize) -> Value<'_> {
        let document = self;
        match self.nodes.get(at).map(|node| &node.kind) {
            None | Some(Kind::Null) => Value::Null,
            Some(Kind::Bool(flag)) => Value::Bool(*flag),
            Some(Kind::Number(number)) => Value::Number(number),
            Some(Kind::String(span)) => Value::String(span.of(&self.text)),
            Some(Kind::Array(items)) => Value::Array(Array {
                document,
                items: *items,
            }),
            Some(Kind::Object(_)) => Value::Object(Object { document, at }),
        }
    }

    /// Where the members of the object at this place are.
    fn members(&self, at: usize) -> Span {
        match self.nodes.get(at).map(|node| &node.kind) {
            Some(Kind::Object(members)) => *members,
            _ => Span::default(),
        }
    }
}

impl<'d> Object<'d> {
    /// The member of this name.
    pub fn get(self, name: &str) -> Option<Value<'d>> {
        Some(self.document.value(self.find(name)?))
    }

    /// The items of the member of this name, or that member alone if it is no array. None, if it is
    /// absent or `null`.
    pub fn several(self, name: &str) -> Array<'d> {
        let document = self.document;
        let one = |start: usize| Span {
            start,
            end: start.saturating_add(1),
        };
        let items = self.find(name).and_then(|at| match document.value(at) {
            Value::Null => None,
            Value::Array(several) => Some(several.items),
            _ => Some(one(at)),
        });
        Array {
            document,
            items: items.unwrap_or_default(),
        }
    }

    /// Whether there is a member of this name.
    pub fn contains_key(self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether it has no members.
    pub fn is_empty(self) -> bool {
        self.nodes().is_empty()
    }

    /// Names and values, in the order of the alphabet.
    pub fn members(self) -> impl Iterator<Item = (&'d str, Value<'d>)> {
        let document = self.document;
        let Span { start, end } = document.members(self.at);
        let places = (start..end).zip(self.nodes());
        places.map(|(at, node)| (node.name.of(&document.text), document.value(at)))
    }

    /// The same as an object of `serde_json`, for those who build on it.
    pub fn to_map(self) -> Map<String, serde_json::Value> {
        let mut map = Map::new();
        for (name, value) in self.members() {
            map.insert(name.to_owned(), value.to_value());
        }
        map
    }

    fn find(self, name: &str) -> Option<usize> {
        let key = Key::of(name);
        let members = self.document.members(self.at);
        let nodes = self.document.slice(members);
        let first = nodes.partition_point(|node| node.name.key < key);
        let same_key = nodes
            .get(first..)?
            .iter()
            .take_while(|node| node.name.key == key);
        let mut places = (members.start.checked_add(first)?..).zip(same_key);
        let found = places.find(|(_, node)| node.name.is(name, &self.document.text));
        found.map(|(at, _)| at)
    }

    fn nodes(self) -> &'d [Node] {
        self.document.slice(self.document.members(self.at))
    }
}

impl<'d> Array<'d> {
    /// Its items.
    pub fn iter(self) -> impl Iterator<Item = Value<'d>> + Clone {
        let Span { start, end } = self.items;
        (start..end).map(move |at| self.document.value(at))
    }

    /// Whether it has no items.
    pub const fn is_empty(self) -> bool {
        self.items.start == self.items.end
    }

    /// Whether it has this item.
    pub fn contains(self, value: Value<'_>) -> bool {
        self.iter().any(|item| item == value)
    }
}

impl<'d> Value<'d> {
    /// The text, if it is one.
    pub const fn as_str(self) -> Option<&'d str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is a whole one that is not negative.
    pub fn as_u64(self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The number as the nearest double, if it is one.
    pub fn as_f64(self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// The array, if it is one.
    pub const fn as_array(self) -> Option<Array<'d>> {
        match self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub const fn as_object(self) -> Option<Object<'d>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The member of this name, if it is an object that has one.
    pub fn get(self, name: &str) -> Option<Self> {
        self.as_object()?.get(name)
    }

    /// The same as a value of `serde_json`.
    pub fn to_value(self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(flag) => flag.into(),
            Self::Number(number) => number.clone().into(),
            Self::String(text) => text.into(),
            Self::Array(array) => array.iter().map(Self::to_value).collect(),
            Self::Object(object) => object.to_map().into(),
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::String(text), Value::String(other)) => text == other,
            _ => self.to_value() == other.to_value(),
        }
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.object().to_map() == other.object().to_map()
    }
}

impl PartialEq<&str> for Value<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.members()).finish()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(formatter)
    }
}
