//! n8n's own scopes.

use serde_json::Value;

use super::field_path::FieldPath;
use super::read::{Located, OneOrMany, Read};
use super::shape::Shape;
use super::syntax::Text;
use crate::n8n::ScopeSet;

/// A set of n8n scopes.
pub(super) struct Scopes(pub(super) ScopeSet);

impl Read for Scopes {
    fn shape() -> Shape {
        Shape::OneOrMany(Box::new(Shape::Scope))
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
