//! What this filter knows of n8n, held against what was asked of the real one.
//!
//! `tests/real/routing.json` says which handler of n8n 2.41.1 answers a path; the end-to-end tests
//! prove that column with `tests/real/routing.mjs`, this file the other one.

use std::collections::BTreeSet;

use n8n_idp_gate::n8n::{classify, Endpoints, Operation, Route, ScopeRule, ScopeSet, Surface};
use serde_json::Value;

const ROUTING: &str = include_str!("real/routing.json");

struct Row {
    group: String,
    endpoints: Endpoints,
    method: String,
    target: String,
    n8n: String,
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
                endpoints: endpoints_of(&content["environment"]),
                method: row["method"].as_str().unwrap_or("GET").to_owned(),
                target: expand(&text(row, "path")),
                n8n: text(row, "n8n"),
                gate: text(row, "gate"),
            });
        }
    }
    rows
}

/// The endpoints of an n8n with these environment variables.
fn endpoints_of(environment: &Value) -> Endpoints {
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
    endpoints
}

/// `{n*text}` stands for `text` n times, as in the script that sends the rows.
fn expand(path: &str) -> String {
    let Some((before, rest)) = path.split_once('{') else {
        return path.to_owned();
    };
    let (inner, after) = rest.split_once('}').unwrap();
    let (times, text) = inner.split_once('*').unwrap();
    let repeated = text.repeat(times.parse().unwrap());
    format!("{before}{repeated}{}", expand(after))
}

/// The path of a target; each character of the table stands for one byte.
fn path_of(target: &str) -> Vec<u8> {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    target[..end]
        .chars()
        .map(|byte| u8::try_from(u32::from(byte)).unwrap())
        .collect()
}

fn say(endpoints: &Endpoints, path: &[u8]) -> String {
    match classify(endpoints, path) {
        Ok(route) => route.surface.as_str().to_owned(),
        Err(fault) => format!("400 {}", fault.as_str()),
    }
}

const fn is_guarded(surface: Surface) -> bool {
    matches!(
        surface,
        Surface::PublicApi
            | Surface::Webhook
            | Surface::WebhookTest
            | Surface::WebhookWaiting
            | Surface::Form
            | Surface::Mcp
            | Surface::Metrics
    )
}

fn route(path: &str) -> Route {
    classify(&Endpoints::default(), path.as_bytes()).unwrap()
}

fn operation(method: &str, path: &str) -> Option<&'static str> {
    Operation::find(method.as_bytes(), &route(path)).map(|found| found.template)
}

#[test]
fn every_path_of_the_table_is_classified_as_it_says() {
    let wrong: Vec<String> = rows()
        .iter()
        .filter_map(|row| {
            let said = say(&row.endpoints, &path_of(&row.target));
            (said != row.gate).then(|| format!("{} {:.80}: {said}", row.group, row.target))
        })
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn what_n8n_guards_is_never_passed_as_something_else() {
    let guarded_by_n8n = |n8n: &str| {
        matches!(n8n, "public_api" | "workflow list" | "trigger" | "metrics")
            || n8n.starts_with("hook ")
    };
    let mut met = 0;
    for row in rows().iter().filter(|row| guarded_by_n8n(&row.n8n)) {
        met += 1;
        if let Ok(route) = classify(&row.endpoints, &path_of(&row.target)) {
            assert!(
                is_guarded(route.surface),
                "{} {} passed as {:?}",
                row.method,
                row.target,
                route.surface
            );
        }
    }
    assert!(met > 40, "the table lost its guarded rows: {met}");
}

#[test]
fn the_operations_are_those_of_n8n() {
    let operations = Operation::all();
    let distinct: BTreeSet<_> = operations
        .iter()
        .map(|operation| (operation.method, operation.template))
        .collect();
    assert_eq!((operations.len(), distinct.len()), (154, 154));
    for operation in operations {
        assert!(
            operation.scopes.iter().all(|scope| is_scope(scope)),
            "{operation:?}"
        );
        let needs_many = operation.scopes.len() > 1;
        assert!(
            needs_many || operation.rule == ScopeRule::AllOf,
            "{operation:?}"
        );
        if let [scope] = operation.scopes {
            assert_eq!(operation.name(), *scope);
        } else {
            let name = format!("{} {}", operation.method, operation.template);
            assert_eq!(operation.name(), name);
        }
    }
    let ordered = operations
        .windows(2)
        .all(|pair| key(&pair[0]) <= key(&pair[1]));
    assert!(ordered, "the look-up needs the table in order");
}

fn is_scope(scope: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic());
    scope
        .split_once(':')
        .is_some_and(|(resource, action)| is_word(resource) && is_word(action))
}

fn key(operation: &Operation) -> (&str, &str, usize) {
    let mut segments = operation.template.split('/').skip(1);
    let first = segments.next().unwrap();
    (operation.method, first, segments.count())
}

#[test]
fn every_operation_is_found_by_a_call_of_it() {
    for expected in Operation::all() {
        let path = expected
            .template
            .replace("{direction}", "apply")
            .replace('{', "x-")
            .replace('}', "");
        for path in [
            format!("/api/v1{path}"),
            format!("/API/V1{}/", path.to_uppercase()),
        ] {
            let found = Operation::find(expected.method.as_bytes(), &route(&path));
            assert_eq!(found, Some(expected), "{path}");
        }
    }
}

#[test]
fn a_literal_segment_wins_over_a_parameter() {
    for (method, path, expected) in [
        ("POST", "/executions/stop", Some("/executions/stop")),
        (
            "POST",
            "/executions/7/stop",
            Some("/executions/{executionId}/stop"),
        ),
        ("GET", "/executions/stop", Some("/executions/{executionId}")),
        (
            "GET",
            "/workflows/7/tags",
            Some("/workflows/{workflowId}/tags"),
        ),
        (
            "GET",
            "/workflows/7/test-runs",
            Some("/workflows/{id}/test-runs"),
        ),
        (
            "GET",
            "/workflows/7/archive",
            Some("/workflows/{id}/{versionId}"),
        ),
        // Express tries routes in the order in which n8n makes them, and this one comes first.
        (
            "POST",
            "/promotions/connections/7/projects/clone",
            Some("/promotions/connections/{promotionConnectionId}/{direction}/clone"),
        ),
        ("HEAD", "/workflows", Some("/workflows")),
        (
            "HEAD",
            "/executions/stop",
            Some("/executions/{executionId}"),
        ),
        ("get", "/workflows", None),
        ("OPTIONS", "/workflows", None),
        ("POST", "/workflows/7", None),
        ("GET", "/workflows/7/8/9", None),
        ("GET", "/", None),
        ("GET", "", None),
        ("GET", "/openapi.yml", None),
    ] {
        assert_eq!(
            operation(method, &format!("/api/v1{path}")),
            expected,
            "{path}"
        );
    }
    assert_eq!(operation("GET", "/api/v2/workflows"), None);
    assert_eq!(operation("GET", "/api"), None);
    assert_eq!(operation("GET", "/rest/v1/workflows"), None);
}

#[test]
fn a_call_is_allowed_by_the_scopes_that_n8n_would_ask_for() {
    for (method, path, granted, missing) in [
        ("GET", "/workflows", "workflow:list", &[][..]),
        ("GET", "/workflows", "workflow:read", &["workflow:list"][..]),
        ("GET", "/workflows", "*", &[][..]),
        ("GET", "/discover", "tag:list", &[][..]),
        ("POST", "/roles", "role:manageProject", &[][..]),
        ("POST", "/roles", "role:manage", &[][..]),
        (
            "POST",
            "/roles",
            "role:read",
            &["role:manage", "role:manageProject"][..],
        ),
        (
            "POST",
            "/n8n-packages/export",
            "project:export",
            &["workflow:export"][..],
        ),
        ("POST", "/n8n-packages/export", "*", &[][..]),
    ] {
        let mut set = ScopeSet::default();
        set.insert(granted).unwrap();
        let route = route(&format!("/api/v1{path}"));
        let operation = Operation::find(method.as_bytes(), &route).unwrap();
        let found: Vec<_> = operation.missing_from(&set).collect();
        assert_eq!(found, missing, "{path} with {granted}");
        assert_eq!(operation.is_allowed_by(&set), missing.is_empty());
    }
}
