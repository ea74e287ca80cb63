//! The schema of the configuration (JSON Schema, draft 2020-12), for editors.
//!
//! It accepts every configuration that the filter accepts. The filter refuses more: what depends on
//! several objects, on the environment or on the content of keys.

use serde_json::{json, Map, Value};

use super::section::SectionReference;
use super::{providers, sections};
use crate::config::duration::PATTERN;
use crate::config::raw::RawProvider;
use crate::config::rules::{Demand, Rule, When};
use crate::config::section::{AbsenceReference, FieldReference, Section as _};
use crate::config::shape::Shape;
use crate::config::size::SIZE_PATTERN;
use crate::config::wire::MAX_EXACT;
use crate::n8n::{ScopeSet, SURFACE_SCOPES};

/// The name of the file, beside `configuration.md`.
pub const SCHEMA_FILE: &str = "configuration.schema.json";

/// A text without blanks at its ends and without control characters.
const TEXT: &str = r"^(?!\s)[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f]$";

/// The schema, as the file has it.
pub fn schema() -> String {
    let sections = sections();
    let mut definitions = Map::new();
    definitions.insert(
        "text".to_owned(),
        json!({ "type": "string", "pattern": TEXT }),
    );
    definitions.insert("scope".to_owned(), scope());
    definitions.insert("secret".to_owned(), secret());
    definitions.insert("claim path".to_owned(), claim_path());
    let mut whole = Map::new();
    for (index, section) in sections.iter().enumerate() {
        if index == 0 {
            whole = object(section);
        } else {
            definitions.insert(key(section.title), Value::Object(object(section)));
        }
    }
    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    schema.insert("title".to_owned(), json!("Configuration of n8n-idp-gate"));
    schema.extend(whole);
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{text}\n")
}

/// The name of a section among the definitions.
fn key(title: &str) -> String {
    title.replace("[]", "")
}

fn reference(name: &str) -> Value {
    let name = name
        .replace('~', "~0")
        .replace('/', "~1")
        .replace(' ', "%20");
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn object(section: &SectionReference) -> Map<String, Value> {
    let properties = section.fields.iter();
    let properties = properties.map(|field| (field.name.to_owned(), property(field)));
    let properties: Map<String, Value> = properties.collect();
    let required = section.fields.iter().filter(|field| {
        let is_required = matches!(field.absence, AbsenceReference::Required);
        is_required
    });
    let required: Vec<_> = required.map(|field| field.name).collect();
    let mut rules: Vec<Value> = section.rules.iter().map(|rule| condition(rule)).collect();
    if section.title == RawProvider::TITLE {
        rules.extend(providers::conditions());
    }
    let mut object = Map::new();
    object.insert("description".to_owned(), json!(section.about));
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    object.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    if !rules.is_empty() {
        object.insert("allOf".to_owned(), Value::Array(rules));
    }
    object
}

fn property(field: &FieldReference) -> Value {
    let mut property = match of(&field.shape) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut description = field.meaning.to_owned();
    match &field.absence {
        AbsenceReference::Means(absence) => {
            description = format!("{description}\n\nWhen absent: {absence}.");
        }
        AbsenceReference::Default(value) => {
            property.insert("default".to_owned(), value.clone());
        }
        AbsenceReference::Required | AbsenceReference::FieldsHaveDefaults => {}
    }
    property.insert("description".to_owned(), json!(description));
    Value::Object(property)
}

/// The schema of a shape.
fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::True => json!({ "const": true }),
        Shape::Text(text) => match text.pattern {
            Some(pattern) => json!({
                "allOf": [reference("text")], "pattern": pattern, "examples": [text.example],
            }),
            None => reference("text"),
        },
        Shape::Choice(words) => json!({ "enum": words }),
        Shape::Duration { .. } => {
            json!({ "type": "string", "minLength": 1, "pattern": PATTERN, "examples": ["1h30m"] })
        }
        Shape::Size { .. } => {
            json!({ "type": "string", "pattern": SIZE_PATTERN, "examples": ["1MiB"] })
        }
        Shape::Scalar => json!({ "anyOf": [
            { "type": "string", "minLength": 1 },
            { "type": "boolean" },
            { "type": "integer", "minimum": MAX_EXACT.saturating_neg(), "maximum": MAX_EXACT },
        ] }),
        Shape::ClaimPath => reference("claim path"),
        Shape::Scope => reference("scope"),
        Shape::Secret => reference("secret"),
        Shape::KeySet => json!({ "anyOf": [
            { "type": "string" },
            {
                "type": "object",
"properties": { "keys": { "type": "array", "minItems": 1 } },
                "required": ["keys"],
            },
        ] }),
        Shape::OneOrMany(item) => {
            let item = of(item);
            json!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1 }] })
        }
        Shape::List { item, may_be_empty } => {
            let least = usize::from(!may_be_empty);
            json!({ "type": "array", "items": of(item), "minItems": least })
        }
        Shape::Map(value) => json!({
            "type": "object", "propertyNames": reference("text"),
            "additionalProperties": of(value), "minProperties": 1,
        }),
        Shape::Section(title) => reference(&key(title)),
        Shape::Part { of, without } => part(of, without),
        Shape::Either(one, other) => json!({ "anyOf": [of(one), of(other)] }),
    }
}

/// Fields of a section, without its rules: those hold for the whole.
fn part(title: &str, without: &str) -> Value {
    let sections = sections();
    let section = sections.iter().find(|section| section.title == title);
    let fields = section.into_iter().flat_map(|section| &section.fields);
    let fields = fields.filter(|field| field.name != without);
    let properties: Map<String, Value> = fields
        .map(|field| (field.name.to_owned(), of(&field.shape)))
        .collect();
    json!({
        "type": "object", "properties": properties,
        "additionalProperties": false, "minProperties": 1,
    })
}

/// The condition that a rule is.
fn condition(rule: &Rule) -> Value {
    let demand = match rule.demand {
        Demand::AnyOf([name]) => json!({ "required": [name] }),
        Demand::AnyOf(names) => json!({ "anyOf": each_required(names) }),
        Demand::Without(names) => json!({ "not": { "anyOf": each_required(names) } }),
    };
    match (rule.when, rule.demand) {
        (When::Always, _) => demand,
        (When::Given(name), Demand::AnyOf([needed])) => {
            json!({ "dependentRequired": { name: [needed] } })
        }
        (When::Given(name), _) => json!({ "dependentSchemas": { name: demand } }),
        (When::Is(name, words), _) => json!({
            "if": { "properties": { name: { "enum": words } }, "required": [name] },
            "then": demand,
        }),
        (When::IsFalse(name), _) => json!({
            "if": { "properties": { name: { "const": false } }, "required": [name] },
            "then": demand,
        }),
    }
}

fn each_required(names: &[&str]) -> Vec<Value> {
    let each = names.iter().map(|name| json!({ "required": [name] }));
    each.collect()
}

/// The scopes of n8n, all of each resource, and all.
fn scope() -> Value {
    let everything = ScopeSet::everything();
    let mut known: Vec<&str> = everything.iter().collect();
    known.sort_unstable();
    let mut scopes = vec!["*".to_owned()];
    scopes.extend(SURFACE_SCOPES.map(str::to_owned));
    let mut resource = "";
    for scope in known {
        let (name, _) = scope.split_once(':').unwrap_or((scope, ""));
        if name != resource {
            scopes.push(format!("{name}:*"));
            resource = name;
        }
        scopes.push(scope.to_owned());
    }
    json!({ "description": "A scope of n8n.", "enum": scopes })
}

fn secret() -> Value {
    json!({
        "description": "The name of an environment variable of the virtual machine.",
        "type": "object",
        "properties": { "env": {
            "type": "string", "pattern": "^(?!n8n_api_)[A-Za-z_][A-Za-z0-9_]*$", "maxLength": 128,
        } },
        "required": ["env"],
        "additionalProperties": false,
    })
}

fn claim_path() -> Value {
    json!({
        "description": "Names with a dot between each two, or a list of names.",
        "anyOf": [
            { "allOf": [reference("text")], "pattern": r"^(?!kubernetes\.io)(?!.*://)[^.]+(\.[^.]+)*$" },
            { "type": "array", "items": reference("text"), "minItems": 1 },
        ],
    })
}
