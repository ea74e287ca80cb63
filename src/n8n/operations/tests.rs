//! Which operation a call is, and what it needs.

use super::*;
use crate::n8n::{classify, Prefixes};

fn find(method: &str, path: &str, line: Line) -> Option<&'static Operation> {
    let route = classify(&Prefixes::default(), path.as_bytes()).expect("one reading");
    Operation::find(method.as_bytes(), &route, line)
}

fn found(method: &str, path: &str) -> Option<String> {
    find(method, path, Line::V2_41).map(Operation::template)
}

fn operation(method: &str, template: &str) -> &'static Operation {
    let mut all = Operation::all();
    let chosen = all.find(|one| one.method.as_str() == method && one.template() == template);
    chosen.expect("a known operation")
}

fn names(operation: &Operation) -> Vec<&'static str> {
    operation.scopes.iter().map(|scope| scope.name()).collect()
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
        assert_eq!(found(method, path).as_deref(), template, "{method} {path}");
    }
}

/// Calls that go through the whole table: in each line that has it, an operation is found by a call of its own
/// form, and in the others another one or none.
#[test]
fn every_operation_is_found_by_its_own_call() {
    for operation in Operation::all().chain([Operation::own()]) {
        let template = operation.template();
        let path: Vec<&str> = template
            .split('/')
            .map(|part| if part.starts_with('{') { "x-1" } else { part })
            .collect();
        let path = format!("/api/v1{}", path.join("/"));
        for line in Line::ALL {
            let found = find(operation.method.as_str(), &path, line);
            let has_it = operation.lines().contain(line);
            assert_eq!(found == Some(operation), has_it, "{path} in {line:?}");
            assert!(found.is_none_or(|found| found.lines().contain(line)));
        }
    }
}

/// A binary search goes through them, and one call is one row.
#[test]
fn the_groups_are_in_order_and_hold_what_begins_as_they_do() {
    let groups = &table::GROUPS;
    let key = |group: &Group| (group.first.len(), group.first);
    let mut pairs = groups.iter().zip(groups.iter().skip(1));
    assert!(pairs.all(|(one, other)| key(one) < key(other)));
    for group in groups {
        for operation in group.operations {
            assert_eq!(
                operation.segments.first(),
                Some(&Segment::Literal(group.first))
            );
            assert!(operation.lines().iter().next().is_some(), "{operation:?}");
            let literals = operation
                .segments
                .iter()
                .filter_map(|segment| match segment {
                    Segment::Literal(literal) => Some(*literal),
                    Segment::Parameter(_) => None,
                });
            assert!(literals
                .into_iter()
                .all(|literal| literal == literal.to_ascii_lowercase()));
        }
    }
}

/// The members of a project belong to another scope there, and archives to no operation.
#[test]
fn a_line_of_n8n_has_its_own_operations_and_scopes() {
    for (method, path, in_2_41, in_1_123) in [
        (
            "GET",
            "/api/v1/workflows",
            Some("workflow:list"),
            Some("workflow:list"),
        ),
        (
            "POST",
            "/api/v1/projects/7/users",
            Some("project:manageMembers"),
            Some("project:update"),
        ),
        (
            "DELETE",
            "/api/v1/Projects/7/Users/8",
            Some("project:manageMembers"),
            Some("project:update"),
        ),
        (
            "POST",
            "/api/v1/workflows/7/archive",
            Some("workflow:delete"),
            None,
        ),
        ("HEAD", "/api/v1/discover", Some("GET /discover"), None),
        ("POST", "/api/v1/workflows/7/run", Some(RUN_WORKFLOW), None),
    ] {
        let name = |line| find(method, path, line).map(Operation::name);
        assert_eq!(
            (name(Line::V2_41), name(Line::V1_123)),
            (in_2_41, in_1_123),
            "{method} {path}"
        );
    }
    let deletion =
        |line| names(find("DELETE", "/api/v1/users/7", line).expect("a known operation"));
    assert_eq!(
        deletion(Line::V1_123),
        ["user:delete", "workflow:delete", "credential:delete"]
    );
    assert_eq!(deletion(Line::V2_41).len(), 7);
}

#[test]
fn an_operation_that_needs_several_scopes_says_which_are_missing() {
    let mut all = Operation::all();
    let operation = all.find(|one| one.scopes.len() > 1);
    let operation = operation.expect("one that needs several");
    let needed = names(operation);
    let (first, rest) = needed.split_first().expect("scopes");
    let some = granted(&[first]);
    assert_eq!(operation.missing_from(&some).collect::<Vec<_>>(), rest);
    assert!(!operation.is_allowed_by(&some));
    assert!(operation.is_allowed_by(&granted(&needed)));
    assert!(operation.is_allowed_by(&granted(&["*"])));
}

/// n8n serves any API key, but the principal's key is not the caller's.
#[test]
fn an_operation_that_needs_no_scope_is_for_callers_who_may_do_something() {
    let mut all = Operation::all();
    let free = all.find(|one| one.scopes.is_empty());
    let free = free.expect("one that needs none");
    assert!(free.is_allowed_by(&granted(&["workflow:list"])));
    assert!(!free.is_allowed_by(&ScopeSet::default()));
    let tags = operation("GET", "/tags");
    assert!(!tags.is_allowed_by(&ScopeSet::default()));
    assert!(!tags.is_allowed_by(&granted(&["workflow:list"])));
}
