//! The report as SARIF 2.1.0 (OASIS).

use serde_json::{json, Value};

use super::Report;
use crate::diagnostic::{rules, Diagnostic, Rule, Severity};

pub(super) fn report(report: &Report) -> Value {
    let unread = report.unread.iter();
    let notifications: Vec<_> = unread
        .map(|problem| json!({ "level": "error", "message": { "text": problem } }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "n8n-idp-gate",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules::ALL.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": report.unread.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": report.diagnostics().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.meaning },
        "help": { "text": rule.remedy },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn result(one: &Diagnostic) -> Value {
    let end = if one.hint.ends_with('?') { "" } else { "." };
    let text = format!("{}. Hint: {}{end}", one.message, one.hint);
    // An empty path stands for the file as a whole.
    let paths = [&one.path].into_iter().filter(|path| !path.is_empty());
    let logical = paths.map(|path| json!({ "fullyQualifiedName": path }));
    let is_accepted = one.rule.severity == Severity::Error && one.severity == Severity::Warning;
    let accepted = is_accepted.then(|| json!({ "kind": "external", "status": "accepted" }));
    json!({
        "ruleId": one.rule.id,
        "level": one.severity.as_str(),
        "message": { "text": text },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(&one.file) },
                "region": { "startLine": one.position.line, "startColumn": one.position.column },
            },
            "logicalLocations": logical.collect::<Vec<_>>(),
        }],
        "suppressions": accepted.into_iter().collect::<Vec<_>>(),
    })
}

/// A path as a reference to a URI (RFC 3986 §4.1).
fn uri(path: &str) -> String {
    let bytes = path.bytes().map(|byte| match byte {
        b'-' | b'.' | b'_' | b'~' | b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    let path: String = bytes.collect();
    if path.starts_with('/') {
        return format!("file://{path}");
    }
    path
}
