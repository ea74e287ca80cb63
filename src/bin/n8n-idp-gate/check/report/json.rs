//! The report as JSON.

use serde_json::{json, Value};

use super::Report;
use crate::diagnostic::Severity;

/// The version of the format: it changes when a member changes its meaning or goes.
const VERSION: u32 = 1;

pub(super) fn report(report: &Report) -> Value {
    let diagnostics = report.diagnostics().map(|one| {
        json!({
            "severity": one.severity.as_str(),
            "rule": one.rule.id,
            "file": &*one.file,
            "line": one.position.line,
            "column": one.position.column,
            "path": one.path,
            "message": one.message,
            "hint": one.hint,
        })
    });
    json!({
        "version": VERSION,
        "files": report.files.iter().map(|file| &*file.file).collect::<Vec<_>>(),
        "ignored": report.ignored,
        "unread": report.unread,
        "errors": report.count(Severity::Error),
        "warnings": report.count(Severity::Warning),
        "diagnostics": diagnostics.collect::<Vec<_>>(),
    })
}
