//! Audit records in the lines of a log.

use std::io::{BufRead, Read as _};

use serde_json::{Map, Value};

/// The longest line that is read.
const MAX_LINE: usize = 256 * 1024;

/// What the filter's own lines begin with, after Envoy's own part.
const MARK: &str = "wasm log n8n-idp-gate";

/// A line of a file.
pub(crate) enum Line {
    /// It has this record, as JSON.
    Record(String),
    /// It has none.
    Other,
    /// It cannot be read.
    Bad(&'static str),
}

/// Reads the next line, within bounds; `None`: there is none.
pub(crate) fn next(source: &mut impl BufRead) -> Result<Option<Line>, String> {
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let mut read = |bytes: &mut Vec<u8>| {
        let mut part = source.by_ref().take(most);
        let read = part.read_until(b'\n', bytes);
        read.map_err(|error| error.to_string())
    };
    if read(&mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.len() >= MAX_LINE && !bytes.ends_with(b"\n") {
        while !bytes.ends_with(b"\n") {
            bytes.clear();
            if read(&mut bytes)? == 0 {
                break;
            }
        }
        return Ok(Some(Line::Bad("is too long")));
    }
    Ok(Some(match std::str::from_utf8(&bytes) {
        Ok(text) => line(text.trim()),
        Err(_) => Line::Bad("is not UTF-8"),
    }))
}

/// The record of a line. Only where the filter or an access logger writes one: other parts of a log have
/// texts of clients, which can have the form of a record.
fn line(line: &str) -> Line {
    if !line.starts_with('{') {
        return in_text(line).map_or(Line::Other, |record| Line::Record(record.to_owned()));
    }
    let members: Map<String, Value> = match serde_json::from_str(line) {
        Ok(members) => members,
        Err(_) => return Line::Bad("is no JSON"),
    };
    if is_record(&members) {
        return Line::Record(line.to_owned());
    }
    let member = |names: &[&str]| names.iter().find_map(|name| members.get(*name));
    let text = |names| member(names).and_then(Value::as_str);
    if text(&["component", "logger"]) == Some("wasm") {
        let message = text(&["message", "msg"]).and_then(in_message);
        return message.map_or(Line::Other, |record| Line::Record(record.to_owned()));
    }
    match member(&["n8n_idp_gate.audit", "n8n_idp_gate", "audit"]) {
        Some(Value::Object(record)) if is_record(record) => {
            Line::Record(Value::Object(record.clone()).to_string())
        }
        Some(Value::String(record)) if record.starts_with('{') => Line::Record(record.clone()),
        _ => Line::Other,
    }
}

fn is_record(members: &Map<String, Value>) -> bool {
    members.contains_key("v") && members.contains_key("decision")
}

/// The record of a line of Envoy's log: `[time][process][level][wasm] [place] wasm log n8n-idp-gate …: {…}`.
fn in_text(line: &str) -> Option<&str> {
    let (head, message) = line.split_once("[wasm] ")?;
    let is_plain = |part: &str| part.ends_with(']') && !part.contains('[');
    let mut parts = head.split('[');
    if parts.next() != Some("") || !parts.all(is_plain) {
        return None;
    }
    let message = match message.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?.1,
        None => message,
    };
    in_message(message)
}

/// The record of a message of the filter.
fn in_message(message: &str) -> Option<&str> {
    let message = message.strip_prefix(MARK)?;
    let (names, record) = message.split_once(": ")?;
    (record.starts_with('{') && !names.contains('{')).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"decision":"pass","v":1}"#;

    fn records(text: &str) -> Vec<Option<String>> {
        let mut source = text.as_bytes();
        let mut records = Vec::new();
        while let Ok(Some(line)) = next(&mut source) {
            records.push(match line {
                Line::Record(record) => Some(record),
                Line::Other => None,
                Line::Bad(problem) => Some(format!("bad: {problem}")),
            });
        }
        records
    }

    #[test]
    fn a_record_is_found_in_each_form_of_a_log() {
        let message = format!("wasm log n8n-idp-gate n8n-idp-gate: {RECORD}");
        let in_json = |members: Value| members.to_string();
        for line in [
            RECORD.to_owned(),
            format!("[2026-11-29 10:00:00.123][17][info][wasm] [source/a.cc:1] {message}"),
            format!("[2026-11-29 10:00:00.123][17][info][wasm] {message}"),
            in_json(serde_json::json!({"level": "info", "component": "wasm", "message": message})),
            in_json(serde_json::json!({"status": 200, "audit": RECORD})),
            in_json(serde_json::json!({"n8n_idp_gate.audit": {"decision": "pass", "v": 1}})),
        ] {
            assert_eq!(records(&line), [Some(RECORD.to_owned())], "{line}");
        }
    }

    /// Otherwise a client could write a record into its user agent.
    #[test]
    fn a_text_of_a_client_is_no_record() {
        let message = format!("wasm log n8n-idp-gate: {RECORD}");
        let in_json = |members: Value| members.to_string();
        for line in [
            format!("[2026-11-29T10:00:00.123Z] \"GET / HTTP/1.1\" 200 \"{message}\""),
            format!("[2026-11-29T10:00:00.123Z] \"GET /[wasm] {message}"),
            format!("[a][17][info][http] [a.cc:1] [wasm] {message}"),
            format!("x {message}"),
            in_json(serde_json::json!({"user_agent": RECORD})),
            in_json(serde_json::json!({"message": message})),
            in_json(serde_json::json!({"component": "http", "message": message})),
            format!("[2026][17][info][wasm] [a.cc:1] wasm log n8n-idp-gate: keys {RECORD}"),
            format!("[2026][17][info][wasm] [a.cc:1] wasm log other: {RECORD}"),
            String::from("a line"),
        ] {
            assert_eq!(records(&line), [None], "{line}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_hides_no_other() {
        let long = "x".repeat(3 * MAX_LINE);
        let text = format!("{RECORD}\n{{\"a\n{long}\n{RECORD}\n");
        let record = || Some(RECORD.to_owned());
        let bad = |problem: &str| Some(format!("bad: {problem}"));
        assert_eq!(
            records(&text),
            [record(), bad("is no JSON"), bad("is too long"), record()]
        );
        assert_eq!(records(""), []);
    }
}
