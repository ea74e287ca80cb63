//! The input of a run.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use thiserror::Error;

/// The most items of one input.
const MAX_ITEMS: usize = 1000;

/// The input of a run: the JSON of each of its items, as the client wrote it.
///
/// It is no tree: one byte of a client would become some sixty in the memory of the module.
#[derive(Clone, Debug, Default)]
pub struct RunInput(Vec<Box<RawValue>>);

/// Why a body is no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InputFault {
    /// It is no JSON document.
    #[error("the body is no JSON document")]
    NoJson,
    /// It is neither an object nor an array of objects.
    #[error("the body is neither an object nor an array of objects")]
    NoObject,
    /// It has more than a thousand items.
    #[error("the body has more than 1000 items")]
    TooMany,
}

impl InputFault {
    /// The name in the audit record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoJson => "no_json",
            Self::NoObject => "no_object",
            Self::TooMany => "too_many_items",
        }
    }
}

impl RunInput {
    /// Reads a body: one object is one item, an array of objects has several, and no body is no input.
    ///
    /// # Errors
    ///
    /// The body is something else.
    pub fn read(body: &[u8]) -> Result<Self, InputFault> {
        let body = body.trim_ascii();
        if body.is_empty() {
            return Ok(Self::default());
        }
        // All of it is JSON, though no value of it is made.
        let whole: &RawValue = serde_json::from_slice(body).map_err(|_| InputFault::NoJson)?;
        if is_object(whole) {
            return Ok(Self(vec![whole.to_owned()]));
        }
        if !whole.get().starts_with('[') {
            return Err(InputFault::NoObject);
        }
        let items: Items<'_> = serde_json::from_str(whole.get()).map_err(|_| InputFault::NoJson)?;
        if items.0.len() > MAX_ITEMS {
            return Err(InputFault::TooMany);
        }
        if !items.0.iter().all(|item| is_object(item)) {
            return Err(InputFault::NoObject);
        }
        Ok(Self(items.0.into_iter().map(RawValue::to_owned).collect()))
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that it takes in memory, approximately.
    pub fn weight(&self) -> usize {
        /// What an item takes besides its text.
        const ITEM: usize = 32;
        let items = self.0.iter();
        let weights = items.map(|item| item.get().len().saturating_add(ITEM));
        weights.fold(0, usize::saturating_add)
    }

    /// The items.
    pub(super) fn items(&self) -> &[Box<RawValue>] {
        &self.0
    }
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// The items of an array, and no more than one beyond the most: the others are read and not kept.
struct Items<'j>(Vec<&'j RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfArray;

        impl<'de> Visitor<'de> for OfArray {
            type Value = Items<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = array.next_element::<&RawValue>()? {
                    if items.len() <= MAX_ITEMS {
                        items.push(item);
                    }
                }
                Ok(Items(items))
            }
        }

        deserializer.deserialize_seq(OfArray)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_object_several_or_nothing() {
        let read = |body: &str| RunInput::read(body.as_bytes());
        let fault = |body: &str| read(body).unwrap_err();
        assert!(read("").unwrap().is_empty());
        assert!(read(" \r\n").unwrap().is_empty());
        assert!(read("[]").unwrap().is_empty());
        let one = read(r#" {"a":1} "#).unwrap();
        assert_eq!(one.items()[0].get(), r#"{"a":1}"#);
        let two = read(r#"[ {"a":[1]}, {}]"#).unwrap();
        let texts: Vec<_> = two.items().iter().map(|item| item.get()).collect();
        assert_eq!(texts, [r#"{"a":[1]}"#, "{}"]);
        for body in ["1", "\"a\"", "null", "[1]", "[{},null]", "[[]]"] {
            assert_eq!(fault(body), InputFault::NoObject, "{body}");
        }
        for body in [
            "{",
            "a=1",
            "{} {}",
            "\u{feff}{}",
            "[{}",
            "[{},]",
            "{\"a\":}",
            "[{]}",
        ] {
            assert_eq!(fault(body), InputFault::NoJson, "{body}");
        }
        assert_eq!(
            RunInput::read(b"{\"a\":\"\xff\"}").unwrap_err(),
            InputFault::NoJson
        );
        let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(read(&list(1000)).unwrap().items().len(), 1000);
        assert_eq!(fault(&list(1001)), InputFault::TooMany);
        assert_eq!(fault(&list(300_000)), InputFault::TooMany);
    }

    /// A tree of it would take some sixty times as much.
    #[test]
    fn an_input_takes_little_more_than_its_text() {
        let body = format!("{{\"a\":[{}0]}}", "{\"\":0},".repeat(149_000));
        let input = RunInput::read(body.as_bytes()).unwrap();
        assert!(input.weight() < body.len() + 100);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(500_000), "]".repeat(500_000));
        let read = RunInput::read(deep.as_bytes());
        assert!(read.is_ok() || read.unwrap_err() == InputFault::NoJson);
    }
}
