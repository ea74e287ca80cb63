//! From the text that the host hands over to a JSON document.

use serde_json::{Map, Value};

use super::field_path::FieldPath;
use super::wire;
use crate::formats::json::{Document, JsonFault};

/// How deep a configuration may be nested. The language itself needs eight levels, of which a
/// key set in it has four.
const MAX_DEPTH: usize = 16;

/// The document. `None`: it is none, and that was reported.
pub(super) fn document(text: &[u8], whole: &FieldPath) -> Option<Value> {
    const EMPTY: &str =
        "write providers and principals first; docs/reference/configuration.md has an example";
    if matches!(text.trim_ascii(), b"" | b"null" | b"{}") {
        whole.error("is empty", EMPTY);
        return None;
    }
    let fault = match Document::read(text, MAX_DEPTH) {
        Ok(document) => return Some(document.object().to_map().into()),
        Err(fault) => fault,
    };
    // No serialised Struct is JSON: its tags are control characters, which JSON forbids.
    if let Some(members) = wire::read_struct(text, MAX_DEPTH) {
        return Some(Value::Object(members));
    }
    match fault {
        JsonFault::NotJson => whole.error(
            format!("is not JSON{}", position(text)),
            "write YAML under `configuration` with its @type, or JSON in its value",
        ),
        JsonFault::NotAnObject => whole.error(
            "must be a map",
            "write the fields providers, principals and so on at the top",
        ),
        JsonFault::DuplicateMember => whole.error(
            "has two fields of one name in one map",
            "remove one of the two: programs disagree on which one counts",
        ),
        JsonFault::TooDeep => whole.error(
            format!("is nested deeper than {MAX_DEPTH} levels"),
            "the language needs fewer; check the indentation",
        ),
    }
    None
}

/// The position where the text is no longer JSON, without any part of the text.
fn position(text: &[u8]) -> String {
    match serde_json::from_slice::<Map<String, Value>>(text) {
        Err(error) if error.line() > 0 => {
            format!(": line {}, column {}", error.line(), error.column())
        }
        _ => String::new(),
    }
}
