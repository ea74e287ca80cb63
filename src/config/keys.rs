//! A provider's keys, written into the configuration.

use serde_json::Value;

use super::place::Place;
use super::read::{wrong_kind, Read};
use crate::crypto::KeySet;

/// A key set in the configuration. Messages never repeat any of it: somebody will paste a set
/// with private keys one day.
pub(super) struct InlineKeys(pub(super) KeySet);

impl Read for InlineKeys {
    fn shape() -> String {
        "JWK set, as a map or as JSON in a string".to_owned()
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        let document = match value {
            Value::String(text) => text.clone(),
            Value::Object(_) => value.to_string(),
            _ => {
                wrong_kind(value, place, "a JWK set", "write { keys: [...] }");
                return None;
            }
        };
        match KeySet::parse(document.as_bytes()) {
            Ok(keys) => Some(Self(keys)),
            Err(fault) => {
                place.error(
                    fault.to_string(),
                    "write { keys: [...] }, as the provider's jwks_uri serves it",
                );
                None
            }
        }
    }
}
