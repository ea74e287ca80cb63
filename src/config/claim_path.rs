//! The way to a claim, as it is written.

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{OneOrMany, Read, Text};
use crate::identity::ClaimPath;

impl Read for ClaimPath {
    fn shape() -> String {
        "path with dots, or list of names".to_owned()
    }

    /// Names joined by dots, or a list of names, in which dots are a part of them.
    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let Value::String(text) = value else {
            let OneOrMany(names) = OneOrMany::<Text>::read(value, path)?;
            let names: Vec<_> = names.into_iter().map(|name| name.text).collect();
            return Some(names.into());
        };
        // Names that are known to hold dots: cut at them, the path would never find its claim.
        if text.contains("://") || text.starts_with("kubernetes.io") {
            path.error(
                "would be cut at its dots",
                "write a list of names: [https://example.com/roles], or [kubernetes.io, namespace]",
            );
            return None;
        }
        let names: Vec<_> = text.split('.').map(str::to_owned).collect();
        if names
            .iter()
            .any(|name| name.trim() != name || name.is_empty())
        {
            path.error(
                "has an empty name or a blank in it",
                "write names with a dot between each two",
            );
            return None;
        }
        Some(names.into())
    }
}
