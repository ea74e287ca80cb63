//! A `google.protobuf.Struct` as it is serialised.
//!
//! Envoy's reference says that the filter receives a Struct as JSON. With Envoy 1.40 it receives the
//! message as it is serialised. Istio turns its `pluginConfig` into JSON before.
//!
//! The field numbers are those of `google/protobuf/struct.proto`.

use serde_json::{Map, Number, Value};

use crate::formats::protobuf::{field, Field};

/// Reads a Struct. `depth` is how many levels of maps and lists it may have, itself counted.
///
/// `None`: these bytes are no such message, or two of its fields have one name.
pub(super) fn read_struct(bytes: &[u8], depth: usize) -> Option<Map<String, Value>> {
    let depth = depth.checked_sub(1)?;
    let mut map = Map::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (entry, tail) = field(rest)?;
        let Field::Bytes(1, entry) = entry else {
            return None;
        };
        let (name, value) = read_entry(entry, depth)?;
        if map.insert(name, value).is_some() {
            return None;
        }
        rest = tail;
    }
    Some(map)
}

/// One entry of `map<string, Value>`: what is not written has its default, as in all messages.
fn read_entry(bytes: &[u8], depth: usize) -> Option<(String, Value)> {
    let (mut name, mut value) = (String::new(), Value::Null);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (field, tail) = field(rest)?;
        match field {
            Field::Bytes(1, text) => name = read_text(text)?,
            Field::Bytes(2, message) => value = read_value(message, depth)?,
            _ => return None,
        }
        rest = tail;
    }
    Some((name, value))
}

/// A `Value`: exactly one of its fields.
fn read_value(bytes: &[u8], depth: usize) -> Option<Value> {
    let (field, rest) = field(bytes)?;
    if !rest.is_empty() {
        return None;
    }
    Some(match field {
        Field::Varint(1, 0) => Value::Null,
        Field::Double(2, double) => Value::Number(number(double)?),
        Field::Bytes(3, text) => Value::String(read_text(text)?),
        Field::Varint(4, flag @ (0 | 1)) => Value::Bool(flag == 1),
        Field::Bytes(5, message) => Value::Object(read_struct(message, depth)?),
        Field::Bytes(6, message) => Value::Array(read_list(message, depth)?),
        _ => return None,
    })
}

/// The largest whole number that differs from the next one as a double.
pub(super) const MAX_EXACT: i64 = (1 << 53) - 1;

/// The number of a double. All numbers of a Struct are doubles: those that are whole and
/// exact become what JSON says for them, so that a configuration means the same in both.
fn number(double: f64) -> Option<Number> {
    let is_exact = double.fract() == 0.0 && double.abs() < 9_007_199_254_740_992.0;
    if !is_exact {
        return Number::from_f64(double);
    }
    #[allow(
        clippy::cast_possible_truncation,
        reason = "it is whole, and smaller than what an i64 holds"
    )]
    let whole = double as i64;
    Some(whole.into())
}

fn read_list(bytes: &[u8], depth: usize) -> Option<Vec<Value>> {
    let depth = depth.checked_sub(1)?;
    let mut values = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (item, tail) = field(rest)?;
        let Field::Bytes(1, item) = item else {
            return None;
        };
        values.push(read_value(item, depth)?);
        rest = tail;
    }
    Some(values)
}

fn read_text(bytes: &[u8]) -> Option<String> {
    Some(std::str::from_utf8(bytes).ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `{"a": 1, "b": ["x", true, null, {}]}` as Envoy 1.40 sends it.
    const WHOLE: &[u8] = b"\n\x0e\n\x01a\x12\t\x11\0\0\0\0\0\0\xf0\x3f\
        \n\x18\n\x01b\x12\x132\x11\n\x03\x1a\x01x\n\x02\x20\x01\n\x02\x08\0\n\x02*\0";

    #[test]
    fn a_struct_says_the_same_as_its_json() {
        let read = read_struct(WHOLE, 3).unwrap();
        assert_eq!(
            Value::Object(read),
            json!({"a": 1, "b": ["x", true, null, {}]})
        );
        assert_eq!(read_struct(b"", 1), Some(Map::new()));
    }

    #[test]
    fn doubles_are_the_numbers_that_json_has() {
        for (double, expected) in [
            (7.0, json!(7)),
            (-0.0, json!(0)),
            (-5.0, json!(-5)),
            (9_007_199_254_740_991.0, json!(9_007_199_254_740_991_i64)),
            (9_007_199_254_740_992.0, json!(9_007_199_254_740_992.0)),
            (-9_007_199_254_740_992.0, json!(-9_007_199_254_740_992.0)),
            (1e300, json!(1e300)),
            (0.5, json!(0.5)),
        ] {
            assert_eq!(
                number(double).map(Value::Number),
                Some(expected),
                "{double}"
            );
        }
        assert_eq!(number(f64::NAN), None);
        assert_eq!(number(f64::INFINITY), None);
    }

    #[test]
    fn a_struct_that_is_cut_off_is_none() {
        for length in 1..WHOLE.len() {
            // The end of the first entry is the end of a smaller message.
            let expected = (length == 16).then(|| json!({"a": 1}));
            let read = read_struct(&WHOLE[..length], 3).map(Value::Object);
            assert_eq!(read, expected, "{length}");
        }
    }

    #[test]
    fn what_is_deeper_than_allowed_is_none() {
        assert!(read_struct(WHOLE, 3).is_some());
        assert_eq!(read_struct(WHOLE, 2), None);
        assert_eq!(read_struct(WHOLE, 0), None);
    }

    #[test]
    fn other_messages_and_json_are_none() {
        for bytes in [
            b"{\"a\": 1}".as_slice(),
            b"\n{\"a\": 1}\n",
            b"\x12\x01a",
            b"\n\x05\n\x01a\x12\x02",
            // Two fields of one name.
            b"\n\x03\n\x01a\n\x03\n\x01a",
            // Text that is not UTF-8.
            b"\n\x08\n\x01a\x12\x03\x1a\x01\xff",
            // A number without end.
            b"\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(read_struct(bytes, 8), None, "{bytes:?}");
        }
    }

    #[test]
    fn no_struct_is_json() {
        assert!(serde_json::from_slice::<Value>(WHOLE).is_err());
    }
}
