//! Which operation a call is, and what it needs.

use super::*;
use crate::n8n::{classify, Endpoints};

fn found(method: &str, path: &str) -> Option<&'static str> {
    let route = classify(&Endpoints::default(), path.as_bytes()).expect("one reading");
    Operation::find(method.as_bytes(), &route).map(|operation| operation.template)
}

fn operation(method: &str, template: &str) -> &'static Operation {
    let all = Operation::all().iter();
    let mut chosen = all.filter(|one| one.method == method && one.template == template);
    chosen.next().expect("a known operation")
}

fn granted(scopes: &[&str]) -> ScopeSet {
    let mut granted = ScopeSet::default();
    for scope in scopes {
        granted.insert(scope).expect("a known scope");
    }
    granted
}

#[test]
fn a_call_is_the_operation_of_its_method_and_its_whole_path() {
    for (method, path, template) in [
        ("GET", "/api/v1/workflows", Some("/workflows")),
        ("HEAD", "/api/v1/workflows", Some("/workflows")),
        (
            "GET",
            "/api/v1/workflows/7",
            Some("/workflows/{workflowId}"),
        ),
        (
            "GET",
            "/api/v1/Workflows/7",
            Some("/workflows/{workflowId}"),
        ),
        (
            "GET",
            "/api/v1/workflows/7/TAGS",
            Some("/workflows/{workflowId}/tags"),
        ),
        ("GET", "/api/v1/executions/7/unheard-of", None),
        ("GET", "/api/v1/workflows/7/tags/8", None),
        ("get", "/api/v1/workflows", None),
        ("HEAD ", "/api/v1/workflows", None),
        ("OPTIONS", "/api/v1/workflows", None),
        ("GET", "/api/v1/workflow", None),
        ("GET", "/api/v1/workflowsx", None),
        ("GET", "/api/v1/{id}", None),
        ("GET", "/api/v1", None),
        ("GET", "/api/v2/workflows", None),
        ("GET", "/rest/workflows", None),
    ] {
        assert_eq!(found(method, path), template, "{method} {path}");
    }
}

/// Calls that go through the whole table: each operation is found by a call of its own form, and
/// none by that of another.
#[test]
fn every_operation_is_found_by_its_own_call() {
    for operation in Operation::all() {
        let path: Vec<&str> = operation
            .template
            .split('/')
            .map(|part| if part.starts_with('{') { "x-1" } else { part })
            .collect();
        let path = format!("/api/v1{}", path.join("/"));
        let expected = Some(operation.template);
        assert_eq!(found(operation.method, &path), expected, "{path}");
    }
}

#[test]
fn an_operation_that_needs_several_scopes_says_which_are_missing() {
    let all = Operation::all().iter();
    let mut several = all.filter(|one| one.scopes.len() > 1);
    let operation = several.next().expect("one that needs several");
    let (first, rest) = operation.scopes.split_first().expect("scopes");
    let some = granted(&[first]);
    assert_eq!(operation.missing_from(&some).collect::<Vec<_>>(), rest);
    assert!(!operation.is_allowed_by(&some));
    assert!(operation.is_allowed_by(&granted(operation.scopes)));
    assert!(operation.is_allowed_by(&granted(&["*"])));
}

/// n8n serves any API key, but the principal's key is not the caller's.
#[test]
fn an_operation_that_needs_no_scope_is_for_callers_who_may_do_something() {
    let all = Operation::all().iter();
    let mut all = all.filter(|one| one.scopes.is_empty());
    let free = all.next().expect("one that needs none");
    assert!(free.is_allowed_by(&granted(&["workflow:list"])));
    assert!(!free.is_allowed_by(&ScopeSet::default()));
    let tags = operation("GET", "/tags");
    assert!(!tags.is_allowed_by(&ScopeSet::default()));
    assert!(!tags.is_allowed_by(&granted(&["workflow:list"])));
}
