//! What each type of provider needs, as conditions of the schema.

use serde_json::{json, Map, Value};

use crate::config::defaults;
use crate::config::issuers::{templates, usual_domain, usual_realm};
use crate::config::read::Choice as _;
use crate::identity::Dialect;

/// What the issuers of each type are made of, as conditions of the schema on a provider: without
/// `issuer`, a type needs the fields that its issuers have, and takes no other.
pub(super) fn conditions() -> Vec<Value> {
    let conditions = Dialect::all().into_iter().map(|(word, dialect)| {
        let Some(first) = templates(dialect).first() else {
            return json!({
                "if": of_type(word, dialect),
                "then": { "required": ["issuer"] },
            });
        };
        let usual_realm = usual_realm(dialect).is_some();
        let usual_domain = usual_domain(dialect).is_some();
        let fields = [
            ("tenant", "{tenant}", false),
            ("domain", "{domain}", usual_domain),
            ("realm", "{realm}", usual_realm),
        ];
        let (part, other): (Vec<_>, Vec<_>) = fields
            .into_iter()
            .partition(|(_, name, _)| first.contains(name));
        let required = part.iter().filter(|(_, _, has_default)| !has_default);
        let required: Vec<_> = required.map(|(field, ..)| *field).collect();
        let refused: Map<String, Value> = other
            .iter()
            .map(|(field, ..)| ((*field).to_owned(), Value::Bool(false)))
            .collect();
        json!({
            "if": of_type(word, dialect),
            "then": { "anyOf": [
                { "required": ["issuer"] },
                { "required": required, "properties": refused },
            ] },
        })
    });
    conditions.collect()
}

/// That a provider is of this type. The default needs no `type`.
fn of_type(word: &str, dialect: Dialect) -> Value {
    let properties = json!({ "type": { "const": word } });
    if dialect == defaults::DIALECT {
        json!({ "properties": properties })
    } else {
        json!({ "properties": properties, "required": ["type"] })
    }
}
