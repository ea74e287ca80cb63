//! Keys of a provider in the configuration itself.

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{wrong_kind, Read};
use super::shape::Shape;
use crate::crypto::{KeySet, SkipReason};

/// A key set in the configuration. Messages never repeat any of it, because it may have private keys.
pub(super) struct InlineKeys(pub(super) KeySet);

impl Read for InlineKeys {
    fn shape() -> Shape {
        Shape::KeySet
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let document = match value {
            Value::String(text) => text.clone(),
            Value::Object(_) => value.to_string(),
            _ => {
                wrong_kind(value, path, "a JWK set", "write { keys: [...] }");
                return None;
            }
        };
        match KeySet::parse(document.as_bytes()) {
            Ok(keys) => check(keys, path),
            Err(fault) => {
                let hint = "write { keys: [...] }, as the provider's jwks_uri serves it";
                path.error(fault.to_string(), hint);
                None
            }
        }
    }
}

/// A provider's own document may have keys for other uses: they are skipped, as they are when it is
/// fetched. A key that signs was never published, and must not be in a configuration.
fn check(keys: KeySet, path: &FieldPath) -> Option<InlineKeys> {
    let is_secret = |reason| matches!(reason, SkipReason::PrivateKey | SkipReason::Symmetric);
    for skipped in keys.skipped() {
        let key = path.member("keys").item(skipped.index);
        let problem = format!("cannot check tokens: {}", skipped.reason);
        if is_secret(skipped.reason) {
            let hint = "remove it, or write the public half of the key that signs tokens";
            key.error(problem, hint);
        } else {
            key.warn(problem, "remove it if it is not meant to");
        }
    }
    let holds_secret = keys
        .skipped()
        .iter()
        .any(|skipped| is_secret(skipped.reason));
    (!holds_secret).then_some(InlineKeys(keys))
}
