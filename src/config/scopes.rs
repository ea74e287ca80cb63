//! What is allowed in n8n, in n8n's own scope names.

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{Located, OneOrMany, Read, Syntax, Text};
use super::report::Message;
use crate::n8n::ScopeSet;

/// A scope of OAuth (RFC 6749 §3.3).
pub(super) struct ScopeToken;

impl Syntax for ScopeToken {
    const SHAPE: &'static str = "OAuth scope";

    fn check(text: &str) -> Result<(), Message> {
        let may_stand = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if text.bytes().all(may_stand) {
            return Ok(());
        }
        Err(Message::new(
            "is no OAuth scope",
            "write one scope to an item, without blanks",
        ))
    }
}

/// A set of n8n scopes.
pub(super) struct Scopes(pub(super) ScopeSet);

impl Read for Scopes {
    fn shape() -> String {
        "n8n scope, or a list of them".to_owned()
    }

    fn read(value: &Value, path: &FieldPath) -> Option<Self> {
        let OneOrMany(scopes) = OneOrMany::<Located<Text>>::read(value, path)?;
        let mut set = ScopeSet::default();
        let mut complete = true;
        for scope in scopes {
            let Err(unknown) = set.insert(&scope.value.text) else {
                continue;
            };
            complete = false;
            let hint = match unknown.nearest {
                Some(near) => format!("did you mean {near}?"),
                None => "write a scope as n8n has it (workflow:read), resource:* or *".to_owned(),
            };
            scope.path.error("is no scope of n8n", hint);
        }
        complete.then_some(Self(set))
    }
}
