//! What was decided, beside what was expected.

use n8n_idp_gate::n8n::Surface;
use n8n_idp_gate::reply::Reason;
use serde_json::{json, Map, Value};

use crate::explain::explanation::Explanation;
use crate::explain::headers::{Change, Header};
use crate::explain::outcome;
use crate::judge::Case;

/// A line for each expectation that does not hold.
pub(crate) fn differences(
    case: &Case<'_>,
    explanation: &Explanation,
    expect: &Map<String, Value>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, expected) in expect {
        if let ("headers", Value::Object(expected)) = (name.as_str(), expected) {
            lines.extend(headers(explanation.headers.as_deref(), expected));
            continue;
        }
        let found = found(case, explanation, name);
        let is_same = match (expected, &found) {
            (Value::Array(expected), Value::Array(found)) => sorted(expected) == sorted(found),
            (expected, found) => expected == found,
        };
        if !is_same {
            lines.push(format!(
                "{name}: expected {}, found {}",
                text(expected),
                text(&found)
            ));
        }
    }
    lines
}

/// What a field of `expect` is compared with.
fn found(case: &Case<'_>, explanation: &Explanation, name: &str) -> Value {
    let decision = &explanation.decision;
    let record = &decision.record;
    let reason = explanation.reason();
    match name {
        "decision" => json!(outcome::name(&decision.outcome)),
        "reason" => json!(reason.map(Reason::as_str)),
        "fault" => json!(reason.and_then(|reason| reason.fault())),
        "status" => json!(outcome::reply(case, decision).map(|reply| reply.status)),
        "surface" => json!(record.surface.map(Surface::as_str)),
        "operation" => json!(record.operation),
        "instance" => json!(record.instance.as_deref()),
        "provider" => json!(record.provider.as_deref()),
        "principal" => json!(record.principal.as_deref()),
        "rule" => json!(explanation.rule.as_ref().map(|(_, path)| path)),
        "granted" => json!(explanation.granted),
        "missing" => json!(reason.map_or(&[][..], |reason| reason.missing_scopes())),
        _ => Value::Null,
    }
}

fn headers(found: Option<&[Header]>, expected: &Map<String, Value>) -> Vec<String> {
    let Some(found) = found else {
        return vec!["headers: n8n does not get the request".to_owned()];
    };
    let mut lines = Vec::new();
    for (name, expected) in expected {
        let name = name.to_ascii_lowercase();
        let values = found.iter().filter_map(|header| {
            let is_there = header.name == name && header.change != Change::Removed;
            is_there.then(|| header.value.clone()).flatten()
        });
        let values: Vec<String> = values.collect();
        let found = match &*values {
            [] => Value::Null,
            values => json!(values.join(", ")),
        };
        if found != *expected {
            lines.push(format!(
                "headers.{name}: expected {}, found {}",
                text(expected),
                text(&found)
            ));
        }
    }
    lines
}

fn sorted(values: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = values.iter().map(text).collect();
    texts.sort();
    texts
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
