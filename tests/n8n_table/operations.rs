//! The operations of the public API.

use std::collections::BTreeSet;

use n8n_idp_gate::n8n::{classify, Endpoints, Operation, Route, ScopeRule, ScopeSet};

fn route(path: &str) -> Route {
    classify(&Endpoints::default(), path.as_bytes()).unwrap()
}

fn operation(method: &str, path: &str) -> Option<&'static str> {
    Operation::find(method.as_bytes(), &route(path)).map(|found| found.template)
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
