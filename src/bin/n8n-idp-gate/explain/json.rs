//! An explanation for programs. The guide on explanations describes the members.

use n8n_idp_gate::observe::audit_line;
use n8n_idp_gate::reply::Reason;
use n8n_idp_gate::time::rfc3339;
use serde_json::{json, Map, Value};

use super::explanation::Explanation;
use super::outcome;
use super::shadow::Shadowed;
use super::step::{prose, shown, Step};
use crate::judge::Case;

/// Changes with each change of a member that programs may read.
const VERSION: u8 = 1;

/// Writes an explanation as one JSON document, with that of a shadow in it.
pub(crate) fn json(
    case: &Case<'_>,
    explanation: &Explanation,
    shadow: Option<&(Case<'_>, Shadowed)>,
) -> Value {
    let head = case.head;
    let bytes = |bytes: &[u8]| shown(&String::from_utf8_lossy(bytes));
    let record = audit_line(&explanation.decision, head, case.now);
    let record: Value = serde_json::from_str(&record).unwrap_or_default();
    let unverified = case.unverified.map(|token| {
        json!({ "warning": "NOT VERIFIED: no provider signed these claims", "filled": token.filled })
    });
    let shadow = shadow.map(|(case, shadowed)| {
        let result = &shadowed.result;
        let mut members = decided(case, &shadowed.explanation);
        members.insert("comparison".to_owned(), result.as_str().into());
        members.insert("compared".to_owned(), result.sentence().into());
        members.insert("differs".to_owned(), json!(result.differs()));
        members
    });
    let others = json!({
        "version": VERSION,
        "not_verified": unverified,
        "request": {
            "method": bytes(head.method()),
            "path": bytes(head.path()),
            "host": head.authority().map(bytes),
            "time": rfc3339::write(case.now),
        },
        "shadow": shadow,
        "notes": case.known.notes,
        "record": record,
    });
    let mut all = decided(case, explanation);
    if let Value::Object(others) = others {
        all.extend(others);
    }
    Value::Object(all)
}

/// A decision, and the steps to it.
fn decided(case: &Case<'_>, explanation: &Explanation) -> Map<String, Value> {
    let decision = &explanation.decision;
    let reason = explanation.reason();
    let reply = outcome::reply(case, decision).map(|reply| {
        let headers = reply.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let body: Value = serde_json::from_str(&reply.body).unwrap_or(json!(reply.body));
        json!({ "status": reply.status, "headers": headers, "body": body })
    });
    let headers = explanation.headers.as_ref().map(|headers| {
        let headers = headers.iter().map(|header| {
            json!({
                "name": shown(&header.name),
                "change": header.change.as_str(),
                "value": header.value,
            })
        });
        headers.collect::<Vec<_>>()
    });
    let members = json!({
        "steps": explanation.steps.iter().map(step).collect::<Vec<_>>(),
        "decision": outcome::name(&decision.outcome),
        "summary": outcome::sentence(case, decision),
        "reason": reason.map(Reason::as_str),
        "fault": reason.and_then(Reason::fault).map(shown),
        "status": reason.map(Reason::status),
        "meaning": reason.map(|reason| prose(reason.meaning())),
        "remedy": reason.map(|reason| prose(reason.remedy())),
        "missing": reason.map(Reason::missing_scopes).unwrap_or_default(),
        "hint": decision.record.hint,
        "principal": explanation.principal,
        "granted": explanation.granted,
        "headers": headers,
        "reply": reply,
    });
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn step(step: &Step) -> Value {
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| {
        let is_empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if !is_empty {
            members.insert(name.to_owned(), value);
        }
    };
    add("section", json!(step.section));
    add("name", json!(step.name));
    add("result", json!(step.mark.as_str()));
    add("text", json!(step.text));
    add("expected", json!(step.expected));
    add("found", json!(step.found));
    add("reason", json!(step.reason));
    Value::Object(members)
}
