//! JSON read strictly: a document that two programs could read differently is refused.
//!
//! With two members of one name, bytes after the value or unbounded nesting, a document can say one thing
//! to the gate and another to the next program.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::Deserializer as _;
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Number, Value};

/// Why a document is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not one JSON text in UTF-8 (RFC 8259 §2, §8.1), or bytes follow it (RFC 7515 §10.12).
    #[error("not JSON")]
    NotJson,
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// Two members of one object have the same name after unescaping (RFC 7515 §4, RFC 7519 §4):
    /// programs that keep the first and programs that keep the last would disagree.
    #[error("two members of one name")]
    DuplicateMember,
    /// Nested deeper than the caller allows: depth costs stack, and no honest document needs it.
    #[error("nested too deep")]
    TooDeep,
}

/// A document that a provider serves, without the byte order mark that some put before it. RFC 8259
/// §8.1 allows a reader to ignore it. In a token it is not ignored.
pub fn without_mark(document: &[u8]) -> &[u8] {
    document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)
}

/// Whether a document is a page for people (HTML or XML) and not JSON.
pub fn is_page(document: &[u8]) -> bool {
    document.trim_ascii_start().starts_with(b"<")
}

/// Reads one JSON object. `depth` is how many levels of objects and arrays it may have, itself
/// counted.
///
/// Whole numbers from -2^63 to 2^64-1 are kept exactly, others as the nearest double.
pub fn object(document: &[u8], depth: usize) -> Result<Map<String, Value>, JsonFault> {
    let fault = Cell::new(JsonFault::NotJson);
    let strict = Strict {
        depth,
        fault: &fault,
    };
    let mut reader = Deserializer::from_slice(document);
    let value = strict
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|_| fault.get())?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(JsonFault::NotAnObject),
    }
}

/// The texts of the items of the array that one JSON object has as its member `name`; `None`: it
/// has no such array. The items are left to be read one by one, so that a fault of one is no fault
/// of the others. What stands beside them is read as strictly as by [`object`].
pub fn items<'d>(
    document: &'d [u8],
    name: &str,
    depth: usize,
) -> Result<Option<Vec<&'d RawValue>>, JsonFault> {
    let document: &RawValue = serde_json::from_slice(document).map_err(|_| JsonFault::NotJson)?;
    let fault = Cell::new(JsonFault::NotAnObject);
    let strict = Strict {
        depth,
        fault: &fault,
    };
    let one = OneMember { name, strict };
    let found = Deserializer::from_str(document.get()).deserialize_map(one);
    let found = found.map_err(|_| fault.get())?;
    Ok(found.and_then(|found| serde_json::from_str(found.get()).ok()))
}

/// Reads an object for one of its members.
struct OneMember<'n> {
    name: &'n str,
    strict: Strict<'n>,
}

impl<'d> Visitor<'d> for OneMember<'_> {
    type Value = Option<&'d RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'d>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let deeper = self.strict.deeper()?;
        let (mut found, mut names) = (None, BTreeSet::new());
        while let Some(name) = members.next_key::<String>()? {
            if name == self.name {
                found = Some(members.next_value()?);
            } else {
                members.next_value_seed(deeper)?;
            }
            if !names.insert(name) {
                return Err(deeper.refuse(JsonFault::DuplicateMember));
            }
        }
        Ok(found)
    }
}

/// Reads any value, and leaves in `fault` why it stopped when the JSON itself was well-formed.
#[derive(Clone, Copy)]
struct Strict<'f> {
    depth: usize,
    fault: &'f Cell<JsonFault>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.refuse(JsonFault::TooDeep)),
        }
    }

    fn refuse<E: Error>(self, fault: JsonFault) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'d> DeserializeSeed<'d> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'d>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| self.refuse(JsonFault::NotJson))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut elements: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(deeper)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'d>>(self, mut members: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut values = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(deeper)?;
            if values.insert(name, value).is_some() {
                return Err(self.refuse(JsonFault::DuplicateMember));
            }
        }
        Ok(Value::Object(values))
    }
}

/// About how many bytes the members of an object take in memory: one that is written in two letters
/// may take hundreds.
pub fn weight(members: &Map<String, Value>) -> usize {
    /// What an object takes that has but a few members.
    const FIRST: usize = 448;
    /// What each member takes beside its name and value.
    const EACH: usize = 64;
    let each = members.iter().map(|(name, value)| {
        name.len()
            .saturating_add(EACH)
            .saturating_add(value_weight(value))
    });
    each.fold(FIRST, usize::saturating_add)
}

fn value_weight(value: &Value) -> usize {
    /// What a value takes in an array that has grown.
    const VALUE: usize = 48;
    match value {
        Value::String(text) => text.len().saturating_add(VALUE),
        Value::Array(items) => items
            .iter()
            .map(value_weight)
            .fold(VALUE, usize::saturating_add),
        Value::Object(members) => weight(members).saturating_add(VALUE),
        _ => VALUE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: impl AsRef<[u8]>) -> Result<Value, JsonFault> {
        object(document.as_ref(), 3).map(Value::Object)
    }

    #[test]
    fn an_object_is_read_as_it_stands() {
        let document = r#" {"a":[1,-2,2.5,true,null],"b":{"c":"é😀\ud83d\ude00"}} "#;
        let expected = json!({"a": [1, -2, 2.5, true, null], "b": {"c": "é😀😀"}});
        assert_eq!(read(document), Ok(expected));
    }

    #[test]
    fn whole_numbers_keep_every_digit() {
        let document = r#"{"most":18446744073709551615,"least":-9223372036854775808}"#;
        let expected = json!({"most": u64::MAX, "least": i64::MIN});
        assert_eq!(read(document), Ok(expected));
    }

    #[test]
    fn a_name_that_comes_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for document in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[{"a":1,"a":2}]}"#,
        ] {
            assert_eq!(
                read(document),
                Err(JsonFault::DuplicateMember),
                "{document}"
            );
        }
    }

    fn texts(document: &str) -> Result<Option<Vec<&str>>, JsonFault> {
        let items = items(document.as_bytes(), "keys", 3)?;
        Ok(items.map(|items| items.into_iter().map(RawValue::get).collect()))
    }

    #[test]
    fn items_of_an_array_are_left_to_be_read_one_by_one() {
        let document =
            r#" {"x":[{"a":1}], "\u006beys":[ {"a":1,"a":2}, [[[[]]]], 1e999 ], "y":0} "#;
        let expected = vec![r#"{"a":1,"a":2}"#, "[[[[]]]]", "1e999"];
        assert_eq!(texts(document), Ok(Some(expected)));
        for without in ["{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"Keys":[]}"#] {
            assert_eq!(texts(without), Ok(None), "{without}");
        }
    }

    #[test]
    fn what_stands_beside_the_items_is_read_strictly() {
        use JsonFault::{DuplicateMember, NotAnObject, NotJson, TooDeep};
        for (document, fault) in [
            (r#"{"keys":[],"keys":[]}"#, DuplicateMember),
            (r#"{"keys":[],"\u006beys":[1]}"#, DuplicateMember),
            (r#"{"x":1,"keys":[],"x":1}"#, DuplicateMember),
            (r#"{"keys":[],"x":{"a":1,"a":1}}"#, DuplicateMember),
            (r#"{"x":[{"a":{"b":1,"b":2}}],"keys":[]}"#, TooDeep),
            (r#"{"keys":[],"x":[[[]]]}"#, TooDeep),
            (r#"[{"keys":[]}]"#, NotAnObject),
            ("7", NotAnObject),
            (r#"{"keys":[]} {}"#, NotJson),
            (r#"{"keys":[],}"#, NotJson),
            ("", NotJson),
        ] {
            assert_eq!(texts(document), Err(fault), "{document}");
        }
    }

    #[test]
    fn nesting_stops_at_the_limit() {
        assert!(read(r#"{"a":{"b":[]}}"#).is_ok());
        assert_eq!(read(r#"{"a":{"b":[[]]}}"#), Err(JsonFault::TooDeep));
        assert_eq!(read(r#"{"a":{"b":{"c":{}}}}"#), Err(JsonFault::TooDeep));
        let deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));
        assert_eq!(read(deep), Err(JsonFault::TooDeep));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for document in ["[]", "null", "1", r#""{}""#, "true"] {
            assert_eq!(read(document), Err(JsonFault::NotAnObject), "{document}");
        }
    }

    #[test]
    fn what_is_not_exactly_one_json_text_is_refused() {
        let refused: [&[u8]; 14] = [
            b"",
            b"{",
            b"{}{}",
            b"{} x",
            b"{}\0",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\xc0\xaf\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{\"a\":01}",
            b"{'a':1}",
            b"{\"a\":1,}",
        ];
        for document in refused {
            let shown = document.escape_ascii().to_string();
            assert_eq!(read(document), Err(JsonFault::NotJson), "{shown}");
        }
    }
}
