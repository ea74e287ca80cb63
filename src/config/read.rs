//! Reading one value: a word, a list, a map. Every reader reports all that is wrong with its
//! value and continues with the rest, so that one reading finds every error.

use serde_json::Value;

use super::field_path::FieldPath;
use super::report::Message;
use super::shape::Shape;
use super::suggest::nearest;

/// Something that a configuration can hold.
pub(super) trait Read: Sized {
    /// What values it can have.
    fn shape() -> Shape;

    /// Reads the value at `path`. `None`: it is wrong, and that was reported.
    fn read(value: &Value, path: &FieldPath) -> Option<Self>;

    /// The value as a configuration has it, if it can be a default.
    fn written(&self) -> Option<Value> {
        None
    }
}

impl Read for bool {
    fn shape() -> Shape {
        Shape::Boolean
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

    fn written(&self) -> Option<Value> {
        Some(Value::Bool(*self))
    }
}

/// `true`: a field that says something by being there.
pub(super) struct OnlyTrue;

impl Read for OnlyTrue {
    fn shape() -> Shape {
        Shape::True
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let is_true = bool::read(value, path)?;
        if !is_true {
            path.error("can only be true", "remove it");
        }
        is_true.then_some(Self)
    }
}

/// Checks what holds for every text. Values are compared exactly, so that
/// an invisible difference would count.
pub(super) fn check_text(text: &str) -> Result<(), Message> {
    if text.is_empty() {
        let hint = "give it a value, or remove the field or item";
        return Err(Message::new("must not be an empty string", hint));
    }
    if text.trim() != text || text.chars().any(char::is_control) {
        return Err(Message::new(
            "begins or ends with a blank, or has a control character",
            "values are compared exactly: remove it",
        ));
    }
    Ok(())
}

/// A choice among a few words.
pub(super) trait Choice: Copy + PartialEq {
    /// Every word, and its meaning, in the order of the documentation.
    fn all() -> Vec<(&'static str, Self)>;

    /// A message about a word that is not on the list, if the list alone would not help.
    fn message(_word: &str) -> Option<Message> {
        None
    }
}

/// One of the words of `T`.
pub(super) struct OneOf<T>(pub(super) T);

impl<T: Choice> Read for OneOf<T> {
    fn shape() -> Shape {
        Shape::Choice(T::all().into_iter().map(|(word, _)| word).collect())
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let choices = T::all();
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let found = word(value, path, &words, T::message)?;
        choices.get(found).map(|(_, choice)| Self(*choice))
    }

    fn written(&self) -> Option<Value> {
        let choices = T::all();
        let mut choices = choices.iter().filter(|(_, choice)| *choice == self.0);
        choices.next().map(|(word, _)| Value::from(*word))
    }
}

/// The number of the word that a value is. Apart from [`OneOf`], so that it is compiled once.
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
            Message::new("is an unknown word", hint)
        }));
    }
    found
}

/// One value, or a list of at least one. An empty list is refused in every field: in some it would
/// mean every caller and in others no caller, and neither should follow from an omission.
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<T: Read> Read for OneOrMany<T> {
    fn shape() -> Shape {
        Shape::OneOrMany(Box::new(T::shape()))
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        match value {
            Value::Array(_) => List::read(value, path).map(|List(items)| Self(items)),
            one => T::read(one, path).map(|item| Self(vec![item])),
        }
    }
}

/// Collects items one by one. For maps and sets, `collect` sorts first, which brings several KB of
/// code into the module for each type of item.
pub(super) fn gathered<T, C: Default + Extend<T>>(items: impl Iterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}

/// A list of at least one item.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T: Read> Read for List<T> {
    fn shape() -> Shape {
        Shape::List {
            item: Box::new(T::shape()),
            may_be_empty: false,
        }
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let list = ListOrEmpty::read(value, path)?;
        if list.is_empty {
            path.error("must not be an empty list", "list at least one item");
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
    fn shape() -> Shape {
        Shape::List {
            item: Box::new(T::shape()),
            may_be_empty: true,
        }
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

/// An item of a list, with its path for problems that are found later.
pub(super) struct Located<T> {
    pub(super) path: FieldPath,
    pub(super) value: T,
}

impl<T: Read> Read for Located<T> {
    fn shape() -> Shape {
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
    fn shape() -> Shape {
        Shape::Map(Box::new(T::shape()))
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::Object(members) = value else {
            wrong_kind(
                value,
                path,
                "a map",
                "write name: value, each on a line of its own",
            );
            return None;
        };
        if members.is_empty() {
            path.error("must not be an empty map", "remove the field");
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

/// Reads a value and refuses `null`, which is what a field without a value is in YAML.
pub(super) fn read_present<T: Read>(value: &Value, path: &FieldPath) -> Option<T> {
    is_present(value, path).then(|| T::read(value, path))?
}

/// Whether there is a value. Reports the absence of one.
fn is_present(value: &Value, path: &FieldPath) -> bool {
    if value.is_null() {
        let hint = "give it one, or remove the line: an empty field never means a default";
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
            "put it in quotes: in YAML, yes, no, on and off are booleans, and digits are numbers"
        }
        _ => hint,
    };
    path.error(problem, hint);
}
