//! The surfaces of the table's paths.

use n8n_idp_gate::n8n::{classify, Endpoints, Prefixes};
use serde_json::Value;

use super::is_guarded;

const ROUTING: &str = include_str!("../real/routing.json");

struct Row {
    group: String,
    prefixes: Prefixes,
    method: String,
    target: String,
    n8n: String,
    n8n_1: String,
    gate: String,
}

fn rows() -> Vec<Row> {
    let table: Value = serde_json::from_str(ROUTING).unwrap();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for (group, content) in table.as_object().unwrap() {
        for row in content["rows"].as_array().unwrap() {
            rows.push(Row {
                group: group.clone(),
                prefixes: prefixes_of(&content["environment"]),
                method: row["method"].as_str().unwrap_or("GET").to_owned(),
                target: expand(&text(row, "path")),
                n8n: text(row, "n8n"),
                n8n_1: text(row, "n8n 1"),
                gate: text(row, "gate"),
            });
        }
    }
    rows
}

/// The prefixes of an n8n with these environment variables.
fn prefixes_of(environment: &Value) -> Prefixes {
    let mut endpoints = Endpoints::default();
    for (variable, value) in environment.as_object().unwrap() {
        let endpoint = match variable.as_str() {
            "N8N_PUBLIC_API_ENDPOINT" => &mut endpoints.api,
            "N8N_ENDPOINT_REST" => &mut endpoints.rest,
            "N8N_ENDPOINT_WEBHOOK" => &mut endpoints.webhook,
            "N8N_ENDPOINT_FORM" => &mut endpoints.form,
            _ => panic!("{variable} has no endpoint"),
        };
        *endpoint = Endpoints::normalize(value.as_str().unwrap()).unwrap();
    }
    assert_eq!(endpoints.conflicts(), []);
    Prefixes::of(endpoints)
}

/// Expands `{n*text}` to `text` n times, as the script does that sends the rows.
fn expand(path: &str) -> String {
    let Some((before, rest)) = path.split_once('{') else {
        return path.to_owned();
    };
    let (inner, after) = rest.split_once('}').unwrap();
    let (times, text) = inner.split_once('*').unwrap();
    let repeated = text.repeat(times.parse().unwrap());
    format!("{before}{repeated}{}", expand(after))
}

/// The path of a target. Each character of the table is one byte.
fn path_of(target: &str) -> Vec<u8> {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    target[..end]
        .chars()
        .map(|byte| u8::try_from(u32::from(byte)).unwrap())
        .collect()
}

fn say(prefixes: &Prefixes, path: &[u8]) -> String {
    match classify(prefixes, path) {
        Ok(route) => route.surface.as_str().to_owned(),
        Err(fault) => format!("400 {}", fault.as_str()),
    }
}

#[test]
fn every_path_has_the_surface_of_the_table() {
    let wrong: Vec<String> = rows()
        .iter()
        .filter_map(|row| {
            let found = say(&row.prefixes, &path_of(&row.target));
            (found != row.gate).then(|| format!("{} {:.80}: {found}", row.group, row.target))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_n8n_guards_is_never_passed_as_something_else() {
    let guarded_by_n8n = |n8n: &str| {
        matches!(
            n8n,
            "public_api" | "workflow list" | "trigger" | "metrics" | "agent" | "chat"
        ) || n8n.starts_with("hook ")
    };
    let mut met = 0;
    let is_guarded_there = |row: &&Row| guarded_by_n8n(&row.n8n) || guarded_by_n8n(&row.n8n_1);
    for row in rows().iter().filter(is_guarded_there) {
        met += 1;
        if let Ok(route) = classify(&row.prefixes, &path_of(&row.target)) {
            assert!(
                is_guarded(route.surface),
                "{} {} passed as {:?}",
                row.method,
                row.target,
                route.surface
            );
        }
    }
    assert!(met > 40, "the table has too few guarded rows: {met}");
}

#[test]
fn odd_paths_that_no_program_reads_as_guarded_pass() {
    for (path, surface) in [
        ("/rest/workflows/a%2fform/b", "rest"),
        ("/rest//api", "rest"),
        ("/rest/a;b", "rest"),
        ("/assets/../index.js", "ui"),
        ("/assets/%2e%2e/webhooks", "ui"),
        ("/static/a%20b", "ui"),
        ("/static/100%", "ui"),
        ("/static/%ff", "ui"),
        ("/apis;x/v1", "ui"),
        ("/signin%00", "ui"),
        ("/mcp-server//http", "mcp"),
        ("/.well-known/oauth-protected-resource//api/v1", "oauth"),
    ] {
        assert_eq!(
            say(&Prefixes::default(), path.as_bytes()),
            surface,
            "{path}"
        );
    }
}

#[test]
fn odd_paths_that_a_program_may_read_as_guarded_are_refused() {
    for (path, fault) in [
        ("/rest/x/../api/v1/workflows", "dot_segment"),
        ("/rest/x/%252e%252e/api", "double_encoding"),
        ("/a/..%2fapi/%252e%252e/b", "encoded_slash"),
        ("/;x/api/v1", "semicolon"),
        ("/%3bx/api/v1", "semicolon"),
        ("/api%3f/v1", "encoded_delimiter"),
        ("/api%23/v1", "encoded_delimiter"),
        ("/%00api/v1", "control_byte"),
        ("/a%09pi/v1", "control_byte"),
        ("/api%00.js", "control_byte"),
        ("//u@h//webhook/x", "empty_segment"),
        ("/\\h\\api", "backslash"),
        ("/%5c%5cwebhook/x", "backslash"),
        ("/%2Fmetrics", "encoded_slash"),
        ("/%4d%45TRICS", "encoded_literal"),
        ("/%25%36%31pi/v1", "double_encoding"),
        ("/%%36%31pi/v1", "bad_percent_encoding"),
        ("", "not_absolute"),
    ] {
        let found = say(&Prefixes::default(), path.as_bytes());
        assert_eq!(found, format!("400 {fault}"), "{path}");
    }
}
