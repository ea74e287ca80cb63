//! What is allowed in n8n, in n8n's own scope names.

use serde_json::Value;

use super::place::Place;
use super::read::{At, OneOrMany, Read, Text};
use super::report::quoted;
use crate::n8n::ScopeSet;

/// A set of n8n scopes.
pub(super) struct Scopes(pub(super) ScopeSet);

impl Read for Scopes {
    fn shape() -> String {
        "n8n scope, or a list of them".to_owned()
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        let OneOrMany(scopes) = OneOrMany::<At<Text>>::read(value, place)?;
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
            let problem = format!("n8n has no scope {}", quoted(&scope.value.text));
            scope.place.error(problem, hint);
        }
        complete.then_some(Self(set))
    }
}
