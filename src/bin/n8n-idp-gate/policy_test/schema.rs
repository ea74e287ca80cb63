//! The schema of policy tests: the one table of their fields.

use n8n_idp_gate::config::nearest;
use serde_json::{Map, Value};

/// The schema (JSON Schema, draft 2020-12), for editors.
pub(crate) const SCHEMA: &str = include_str!("schema.json");

/// Every problem of a document: fields that do not exist, are missing or have another type. It reads the
/// keywords that the schema uses, and no others.
pub(crate) fn problems(document: &Value) -> Vec<String> {
    let whole: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let mut problems = Vec::new();
    Check { whole: &whole }.value(document, &whole, "", &mut problems);
    problems
}

struct Check<'s> {
    whole: &'s Value,
}

impl Check<'_> {
    fn value(&self, value: &Value, schema: &Value, path: &str, problems: &mut Vec<String>) {
        let referred = schema.get("$ref").and_then(Value::as_str);
        let referred = referred.and_then(|name| self.whole.pointer(name.trim_start_matches('#')));
        if let Some(referred) = referred {
            return self.value(value, referred, path, problems);
        }
        let shown = if path.is_empty() {
            "the document"
        } else {
            path
        };
        if let Some(wanted) = schema.get("type") {
            let wanted: Vec<&str> = match wanted {
                Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect(),
            };
            if !wanted.contains(&kind(value)) {
                let wanted = wanted.join(" or ");
                problems.push(format!("{shown}: expected {wanted}, found {}", kind(value)));
                return;
            }
        }
        if let Some(Value::Array(allowed)) = schema.get("enum") {
            if !allowed.contains(value) {
                let allowed = allowed.iter().filter_map(Value::as_str);
                let allowed: Vec<&str> = allowed.collect();
                let word = value.as_str().unwrap_or_default();
                let hint = suggestion(word, &allowed);
                let allowed = allowed.join(", ");
                problems.push(format!("{shown}: {value} is none of {allowed}{hint}"));
            }
        }
        match value {
            Value::Object(members) => self.object(members, schema, path, problems),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Some(schema) = schema.get("items") {
                        self.value(item, schema, &format!("{path}[{index}]"), problems);
                    }
                }
            }
            _ => {}
        }
    }

    fn object(
        &self,
        members: &Map<String, Value>,
        schema: &Value,
        path: &str,
        problems: &mut Vec<String>,
    ) {
        let below = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let empty = Map::new();
        let known = schema.get("properties").and_then(Value::as_object);
        let known = known.unwrap_or(&empty);
        for (name, value) in members {
            match (known.get(name), schema.get("additionalProperties")) {
                (None, Some(Value::Bool(false))) => {
                    let names: Vec<&str> = known.keys().map(String::as_str).collect();
                    let hint = suggestion(name, &names);
                    problems.push(format!("{}: there is no such field{hint}", below(name)));
                }
                (Some(schema), _) | (None, Some(schema)) => {
                    self.value(value, schema, &below(name), problems);
                }
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                problems.push(format!("{}: is required", below(name)));
            }
        }
        let least = schema.get("minProperties").and_then(Value::as_u64);
        if least.is_some() && members.is_empty() {
            problems.push(format!("{path}: is empty, so that the test could not fail"));
        }
    }
}

fn suggestion(word: &str, known: &[&str]) -> String {
    let near = nearest(word, known.iter().copied());
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_problem_is_named_with_its_path_and_a_suggestion() {
        let document = json!({
            "confg": "envoy.yaml",
            "at": "now",
            "tests": [
                { "name": "a", "expect": { "decision": "forwrd", "principal": null } },
                { "name": "b", "expect": {} },
                { "request": { "pth": "/" }, "expect": { "headers": { "x": 1 } } },
            ],
        });
        let expected = [
            "at: expected integer, found string",
            "confg: there is no such field; did you mean config?",
            "tests[0].expect.decision: \"forwrd\" is none of forward, pass, reject, respond, job, \
             await; did you mean forward?",
            "tests[1].expect: is empty, so that the test could not fail",
            "tests[2].expect.headers.x: expected string or null, found integer",
            "tests[2].request.pth: there is no such field; did you mean path?",
            "tests[2].name: is required",
            "config: is required",
        ];
        assert_eq!(problems(&document), expected);
    }

    #[test]
    fn the_decisions_are_those_of_explanations() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
        let listed = schema.pointer("/$defs/expect/properties/decision/enum");
        let names = json!(crate::explain::outcome::DECISIONS);
        assert_eq!(listed, Some(&names));
    }
}
