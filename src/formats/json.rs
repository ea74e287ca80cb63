//! JSON read strictly: a document that two programs could read differently is refused.
//!
//! With two members of one name, bytes after the value or unbounded nesting, a document can say one thing
//! to the gate and another to the next program.

mod document;
mod fault;
#[cfg(test)]
mod properties;
mod reader;

use serde_json::value::RawValue;

pub use document::{Array, Document, Object, Scalar, Value};
pub use fault::JsonFault;

/// A document that a provider serves, without the byte order mark that some put before it. RFC 8259
/// §8.1 allows a reader to ignore it. In a token it is not ignored.
pub fn without_mark(document: &[u8]) -> &[u8] {
    document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)
}

/// Whether a document is a page for people (HTML or XML) and not JSON.
pub fn is_page(document: &[u8]) -> bool {
    document.trim_ascii_start().starts_with(b"<")
}

/// The texts of the items of the array that one JSON object has as its member `name`; `None`: it
/// has no such array. The items are left to be read one by one, so that a fault of one is no fault
/// of the others. What stands beside them is read as strictly as by [`Document::read`].
pub fn items<'d>(
    document: &'d [u8],
    name: &str,
    depth: usize,
) -> Result<Option<Vec<&'d RawValue>>, JsonFault> {
    let document: &RawValue = serde_json::from_slice(document).map_err(|_| JsonFault::NotJson)?;
    let found = reader::member(document.get(), name, depth)?;
    Ok(found.and_then(|found| serde_json::from_str(found.get()).ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: impl AsRef<[u8]>) -> Result<serde_json::Value, JsonFault> {
        let read = Document::read(document.as_ref(), 3)?;
        Ok(read.object().to_map().into())
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
    fn texts_with_escapes_are_read_beside_those_without() {
        let document =
            r#"{"x\ty":"","a long name":"\u0061","\u0061 long names":["b","\n",""],"":"c"}"#;
        let expected =
            json!({"x\ty": "", "a long name": "a", "a long names": ["b", "\n", ""], "": "c"});
        assert_eq!(read(document), Ok(expected));
        let document = Document::read(document.as_bytes(), 3).unwrap();
        assert_eq!(document.get("x\ty").and_then(Value::as_str), Some(""));
        assert!(
            document.get("a long names").is_some() && document.get("\\u0061 long names").is_none()
        );
    }

    #[test]
    fn a_name_that_comes_twice_is_refused_at_any_depth_and_in_any_spelling() {
        for document in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a long name":1,"a lon\u0067 name":2}"#,
            r#"{"\u0061 long name":1,"b":2,"a lon\u0067 name":3}"#,
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
