//! The second policy of an n8n.

use serde_json::Value;

use crate::config::field_path::FieldPath;
use crate::config::read::{wrong_kind, Read};
use crate::config::shape::Shape;

/// The fields of one n8n that would change. What is in them is read with the rest of their n8n.
pub(in crate::config) struct RawShadow;

impl Read for RawShadow {
    fn shape() -> Shape {
        Shape::Part {
            of: "One n8n",
            without: "shadow",
        }
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::Object(members) = value else {
            let hint = "write the fields of this n8n that would change, as they would be";
            wrong_kind(value, path, "a map", hint);
            return None;
        };
        if members.is_empty() {
            path.error("must not be an empty map", "remove the field");
        }
        Some(Self)
    }
}
