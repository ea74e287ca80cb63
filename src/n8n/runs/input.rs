//! The input of a run.

use serde_json::{Map, Value};
use thiserror::Error;

/// The most items of one input.
const MAX_ITEMS: usize = 1000;

/// The input of a run: the JSON of each of its items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInput(Vec<Map<String, Value>>);

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
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(body).map_err(|_| InputFault::NoJson)? {
            Value::Object(item) => Ok(Self(vec![item])),
            Value::Array(items) if items.len() > MAX_ITEMS => Err(InputFault::TooMany),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| match item {
                    Value::Object(item) => Ok(item),
                    _ => Err(InputFault::NoObject),
                });
                items.collect::<Result<_, _>>().map(Self)
            }
            _ => Err(InputFault::NoObject),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The items. Without input a trigger still has one, which is empty.
    pub(super) fn items(&self) -> Vec<Map<String, Value>> {
        if self.is_empty() {
            vec![Map::new()]
        } else {
            self.0.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_object_several_or_nothing() {
        let read = |body: &str| RunInput::read(body.as_bytes());
        assert!(read("").unwrap().is_empty());
        assert!(read(" \r\n").unwrap().is_empty());
        assert!(read("[]").unwrap().is_empty());
        assert_eq!(read(r#"{"a":1}"#).unwrap().items().len(), 1);
        assert_eq!(read(r#"[{"a":1},{}]"#).unwrap().items().len(), 2);
        for body in ["1", "\"a\"", "null", "[1]", "[{},null]"] {
            assert_eq!(read(body), Err(InputFault::NoObject), "{body}");
        }
        for body in ["{", "a=1", "{} {}", "\u{feff}{}"] {
            assert_eq!(read(body), Err(InputFault::NoJson), "{body}");
        }
        let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(read(&list(1000)).unwrap().items().len(), 1000);
        assert_eq!(read(&list(1001)), Err(InputFault::TooMany));
    }
}
