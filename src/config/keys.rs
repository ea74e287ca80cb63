//! A provider's keys, written into the configuration.

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{wrong_kind, Read};
use crate::crypto::{KeySet, SkipReason};

/// A key set in the configuration. Messages never repeat any of it: somebody will paste a set
/// with private keys one day.
pub(super) struct InlineKeys(pub(super) KeySet);

impl Read for InlineKeys {
    fn shape() -> String {
        "JWK set, as a map or as JSON in a string".to_owned()
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

/// A provider's own document, pasted as it is, may hold keys for other ends: they are left out, as
/// they are when it is fetched. A key that others could sign with was never published; somebody
/// pasted what must not be here.
fn check(keys: KeySet, path: &FieldPath) -> Option<InlineKeys> {
    let is_secret = |reason| matches!(reason, SkipReason::PrivateKey | SkipReason::Symmetric);
    for skipped in keys.skipped() {
        let key = path.member("keys").item(skipped.index);
        let problem = format!("cannot check tokens: {}", skipped.reason);
        if is_secret(skipped.reason) {
            let hint = "take it out, or write the public half of the key that signs tokens";
            key.error(problem, hint);
        } else {
            key.warn(problem, "take it out, if it is not to");
        }
    }
    let holds_secret = keys
        .skipped()
        .iter()
        .any(|skipped| is_secret(skipped.reason));
    (!holds_secret).then_some(InlineKeys(keys))
}
