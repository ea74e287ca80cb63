//! The schema of the audit record.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a record that does not conform stops the test"
)]

use std::fs;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::support::installed;

/// A record conforms to the schema that the documentation has.
pub(crate) fn assert_conforms(record: &Value) {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let path = installed::root().join("docs/reference/audit.schema.json");
        let schema = fs::read_to_string(path).unwrap().parse().unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    if let Some(error) = SCHEMA.iter_errors(record).next() {
        panic!("{record}: {}: {error}", error.instance_path());
    }
}
