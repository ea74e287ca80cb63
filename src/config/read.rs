//! Reading one value: a word, a list, a map. Every reader reports all that is wrong with its
//! value and goes on with what is left, so that one reading finds every error.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use serde_json::Value;

use super::field_path::FieldPath;
use super::report::Message;
use super::suggest::nearest;

/// Something that a configuration can hold.
pub(super) trait Read: Sized {
    /// What the reference documentation calls it.
    fn shape() -> String;

    /// Reads the value that stands at `place`. `None`: it is wrong, and that was reported.
    fn read(value: &Value, path: &FieldPath) -> Option<Self>;
}

impl Read for bool {
    fn shape() -> String {
        "boolean".to_owned()
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let read = value.as_bool();
        if read.is_none() {
            wrong_kind(
                value,
                path,
                "a boolean",
                "write true or false, without quotes",
            );
        }
        read
    }
}

/// The rules of a kind of text.
pub(super) trait Syntax {
    /// What the reference documentation calls it.
    const SHAPE: &'static str;

    /// Says what is wrong with a text that is not empty, not padded and free of control bytes.
    fn check(text: &str) -> Result<(), Message>;
}

/// Any text that is not empty.
pub(super) struct Plain;

impl Syntax for Plain {
    const SHAPE: &'static str = "string";

    fn check(_: &str) -> Result<(), Message> {
        Ok(())
    }
}

/// A text that keeps the rules of `S`.
pub(super) struct Text<S = Plain> {
    pub(super) text: String,
    syntax: PhantomData<S>,
}

impl<S: Syntax> Read for Text<S> {
    fn shape() -> String {
        S::SHAPE.to_owned()
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::String(text) = value else {
            wrong_kind(value, path, "a string", "write one string");
            return None;
        };
        match check_text(text).and_then(|()| S::check(text)) {
            Ok(()) => Some(Self {
                text: text.clone(),
                syntax: PhantomData,
            }),
            Err(message) => {
                path.report(message);
                None
            }
        }
    }
}

/// What holds for every text: values are compared exactly, so an invisible difference between
/// what was meant and what was written is an error.
fn check_text(text: &str) -> Result<(), Message> {
    if text.is_empty() {
        let hint = "give it a value, or take the field or item out";
        return Err(Message::new("must not be an empty string", hint));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(Message::new(
            "begins or ends with a blank, or holds a control character",
            "values are compared exactly; take it out",
        ));
    }
    Ok(())
}

/// A word out of a fixed list.
pub(super) trait Choice: Copy {
    /// Every word, and what it stands for, in the order of the documentation.
    fn all() -> Vec<(&'static str, Self)>;

    /// What is wrong with a word that is not on the list and deserves more than the list.
    fn message(_word: &str) -> Option<Message> {
        None
    }
}

/// One of the words of `T`.
pub(super) struct OneOf<T>(pub(super) T);

impl<T: Choice> Read for OneOf<T> {
    fn shape() -> String {
        let words: Vec<_> = T::all()
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect();
        words.join(" \\| ")
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let choices = T::all();
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let found = word(value, path, &words, T::message)?;
        choices.get(found).map(|(_, choice)| Self(*choice))
    }
}

/// Which of the words a value is. Apart from [`OneOf`], so that it is compiled once.
fn word(
    value: &Value,
    path: &FieldPath,
    words: &[&'static str],
    message: fn(&str) -> Option<Message>,
) -> Option<usize> {
    let known = words.join(", ");
    let Value::String(word) = value else {
        wrong_kind(value, path, "a word", &format!("write one of: {known}"));
        return None;
    };
    let found = words.iter().position(|known| known == word);
    if found.is_none() {
        path.report(message(word).unwrap_or_else(|| {
            let hint = match nearest(word, words.iter().copied()) {
                Some(near) => format!("did you mean {near}? Known: {known}"),
                None => format!("write one of: {known}"),
            };
            Message::new("is not known here", hint)
        }));
    }
    found
}

/// One value, or a list of at least one. An empty list is refused everywhere: beside some fields
/// it would mean everybody and beside others nobody, and neither should be said by an omission.
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<T: Read> Read for OneOrMany<T> {
    fn shape() -> String {
        format!("{}, or a list of them", T::shape())
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        match value {
            Value::Array(_) => List::read(value, path).map(|List(items)| Self(items)),
            one => T::read(one, path).map(|item| Self(vec![item])),
        }
    }
}

impl<S> OneOrMany<Text<S>> {
    pub(super) fn into_set(self) -> BTreeSet<String> {
        gathered(self.0.into_iter().map(|item| item.text))
    }
}

/// What `collect` gives, one by one. For maps and sets `collect` sorts first, and brings several KB of
/// algorithm into the module for each type of item.
pub(super) fn gathered<T, C: Default + Extend<T>>(items: impl Iterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

/// A list of at least one item.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T: Read> Read for List<T> {
    fn shape() -> String {
        format!("list of {}", T::shape())
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let list = ListOrEmpty::read(value, path)?;
        if list.is_empty {
            let problem = "must not be an empty list: it would let nobody and nothing through";
            path.error(problem, "list at least one");
            return None;
        }
        Some(Self(list.items))
    }
}

/// A list that may be empty.
pub(super) struct ListOrEmpty<T> {
    /// The items that are not wrong.
    pub(super) items: Vec<T>,
    /// Whether nothing was listed, rightly or wrongly.
    pub(super) is_empty: bool,
}

impl<T: Read> Read for ListOrEmpty<T> {
    fn shape() -> String {
        format!("list of {}", T::shape())
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::Array(values) = value else {
            wrong_kind(
                value,
                path,
                "a list",
                "write a list: each item on a line with a dash",
            );
            return None;
        };
        let items = values.iter().enumerate();
        let read = items.filter_map(|(index, value)| read_present(value, &path.item(index)));
        Some(Self {
            items: read.collect(),
            is_empty: values.is_empty(),
        })
    }
}

/// An item of a list, with its place for what is found later.
pub(super) struct Located<T> {
    pub(super) path: FieldPath,
    pub(super) value: T,
}

impl<T: Read> Read for Located<T> {
    fn shape() -> String {
        T::shape()
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        T::read(value, path).map(|value| Self {
            path: path.clone(),
            value,
        })
    }
}

/// A map from names of the operator's choice.
pub(super) struct Entries<T>(pub(super) Vec<(String, T)>);

impl<T: Read> Read for Entries<T> {
    fn shape() -> String {
        format!("map of {}", T::shape())
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::Object(members) = value else {
            wrong_kind(value, path, "a map", "write name: value, one to a line");
            return None;
        };
        if members.is_empty() {
            path.error("must not be an empty map", "take the field out");
            return None;
        }
        let entries = members.iter().filter_map(|(name, value)| {
            let path = path.member(name);
            let sound = check_text(name).map_err(|message| path.report(message));
            let value = read_present(value, &path);
            Some((name.clone(), value.filter(|_| sound.is_ok())?))
        });
        Some(Self(entries.collect()))
    }
}

/// Reads a value and refuses `null`, which is what YAML makes of a field with nothing behind it.
pub(super) fn read_present<T: Read>(value: &Value, path: &FieldPath) -> Option<T> {
    is_present(value, path).then(|| T::read(value, path))?
}

/// Whether there is a value; reports where there is none.
pub(super) fn is_present(value: &Value, path: &FieldPath) -> bool {
    if value.is_null() {
        let hint = "give it one, or take the line out; an empty field never means a default";
        path.error("has no value", hint);
    }
    !value.is_null()
}

/// Reports a value of another kind than expected, and how YAML may have made it so.
pub(super) fn wrong_kind(value: &Value, path: &FieldPath, expected: &str, hint: &str) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    };
    let problem = format!("must be {expected}, not {kind}");
    let hint = match value {
        Value::Bool(_) | Value::Number(_) if expected == "a string" => {
            "put it in quotes: YAML reads yes, no, on, off and digits as other things"
        }
        _ => hint,
    };
    path.error(problem, hint);
}
