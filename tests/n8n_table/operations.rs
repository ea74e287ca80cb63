//! The operations of the public API.

use std::collections::{BTreeMap, BTreeSet};

use n8n_idp_gate::n8n::{classify, Line, Operation, Prefixes, Route, ScopeSet};
use serde_json::Value;

fn route(path: &str) -> Route<'_> {
    classify(&Prefixes::default(), path.as_bytes()).unwrap()
}

fn find(method: &str, path: &str, line: Line) -> Option<&'static Operation> {
    Operation::find(method.as_bytes(), &route(path), line)
}

fn operation(method: &str, path: &str) -> Option<String> {
    find(method, path, Line::V2_41).map(Operation::template)
}

fn call_of(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.template())
}

fn names(operation: &Operation) -> Vec<&'static str> {
    operation.scopes.iter().map(|scope| scope.name()).collect()
}

fn all_in(line: Line) -> impl Iterator<Item = &'static Operation> {
    Operation::all().filter(move |operation| operation.lines().contain(line))
}

#[test]
fn the_operations_of_a_line_are_those_of_that_n8n() {
    for line in Line::ALL {
        let calls: Vec<String> = all_in(line).map(call_of).collect();
        let distinct: BTreeSet<_> = calls.iter().collect();
        // One of the 154 operations of n8n 2 is two here, because its path decides which scopes it needs.
        let expected = match line {
            Line::V2_41 => 155,
            Line::V1_123 => 42,
        };
        assert_eq!((calls.len(), distinct.len()), (expected, expected));
    }
    for operation in Operation::all() {
        let call = call_of(operation);
        let needed = names(operation);
        let distinct: BTreeSet<_> = needed.iter().collect();
        assert_eq!(distinct.len(), needed.len(), "{operation:?}");
        match &*needed {
            [] => assert_eq!(call, "GET /credentials/schema/{credentialTypeName}"),
            ["*"] => assert_eq!(call, "GET /discover"),
            needed => assert!(needed.iter().all(|scope| is_scope(scope)), "{call}"),
        }
        let name = operation.name();
        assert!(name == call || needed.contains(&name), "{operation:?}");
        assert!(
            operation.lines().iter().next().is_some(),
            "{call} is nowhere"
        );
        for line in operation.lines().iter() {
            let is_reviewed = operation.reason(line).is_some();
            let is_plain = needed.len() == 1 && needed != ["*"];
            assert!(is_plain || is_reviewed, "{call} has no reason in {line:?}");
            // A scope that keys of the line cannot have could not be granted there.
            let mut set = ScopeSet::default();
            for scope in &needed {
                set.insert(scope).unwrap();
            }
            assert_eq!(set.foreign_to(line).count(), 0, "{call} in {line:?}");
        }
    }
}

fn is_scope(scope: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic());
    scope
        .split_once(':')
        .is_some_and(|(resource, action)| is_word(resource) && is_word(action))
}

#[test]
fn every_operation_is_found_by_a_call_of_it() {
    for line in Line::ALL {
        for expected in all_in(line) {
            let template = expected.template();
            let path = template
                .replace("{direction}", "apply")
                .replace('{', "x-")
                .replace('}', "");
            for path in [
                format!("/api/v1{path}"),
                format!("/API/V1{}/", path.to_uppercase()),
            ] {
                let found = find(expected.method.as_str(), &path, line);
                assert_eq!(found, Some(expected), "{path}");
            }
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
        // Express tries routes in the order in which n8n adds them, and this one is the first.
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
        let found = operation(method, &format!("/api/v1{path}"));
        assert_eq!(found.as_deref(), expected, "{path}");
    }
    assert_eq!(operation("GET", "/api/v2/workflows"), None);
    assert_eq!(operation("GET", "/api"), None);
    assert_eq!(operation("GET", "/rest/v1/workflows"), None);
}

/// A call, the granted scopes, and the missing ones.
type Need = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const NEEDS: &[Need] = &[
    ("GET", "/workflows", &["workflow:list"], &[]),
    ("GET", "/workflows", &["workflow:read"], &["workflow:list"]),
    ("GET", "/workflows", &["*"], &[]),
    // It publishes the saved workflow with any `publishIfActive`, which is not part of the path.
    (
        "PUT",
        "/workflows/7",
        &["workflow:update"],
        &["workflow:activate"],
    ),
    (
        "PUT",
        "/workflows/7/",
        &["workflow:activate"],
        &["workflow:update"],
    ),
    (
        "PUT",
        "/workflows/7",
        &["workflow:update", "workflow:activate"],
        &[],
    ),
    ("PUT", "/workflows/7", &["workflow:*"], &[]),
    ("DELETE", "/workflows/7", &["workflow:delete"], &[]),
    ("POST", "/workflows", &["workflow:create"], &[]),
    // The body has the type of the role.
    ("POST", "/roles", &["role:manageProject"], &["role:manage"]),
    ("POST", "/roles", &["role:manage"], &[]),
    ("PUT", "/roles/x", &["role:manageProject"], &["role:manage"]),
    ("DELETE", "/roles/x", &["role:manage"], &["user:changeRole"]),
    ("POST", "/users", &["user:create"], &["user:changeRole"]),
    (
        "DELETE",
        "/projects/p/folders/f",
        &["folder:delete"],
        &["workflow:delete"],
    ),
    (
        "POST",
        "/n8n-packages/export",
        &["project:export", "workflow:export"],
        &["variable:list", "credential:read", "dataTable:read"],
    ),
    (
        "POST",
        "/n8n-packages/import",
        &["workflow:*", "workflowTags:*", "folder:*", "project:*"],
        &[
            "credential:create",
            "dataTable:create",
            "tag:create",
            "tag:update",
            "variable:create",
            "variable:update",
        ],
    ),
    (
        "GET",
        "/promotions/projects/p/changes/apply",
        &["gitConnection:push", "project:export"],
        &["gitConnection:pull"],
    ),
    (
        "GET",
        "/promotions/projects/p/changes/Promote/",
        &["gitConnection:pull", "project:export"],
        &["gitConnection:push"],
    ),
    (
        "HEAD",
        "/promotions/projects/p/changes/apply",
        &["gitConnection:pull", "project:export"],
        &[],
    ),
    (
        "PATCH",
        "/data-tables/t/rows/update",
        &["dataTableRow:update"],
        &["dataTableRow:read"],
    ),
    // The response has the scopes of the key, which are not those of the caller.
    ("GET", "/discover", &["tag:list"], &["*"]),
    ("HEAD", "/Discover/", &["workflow:*"], &["*"]),
    ("GET", "/discover", &["*"], &[]),
    ("GET", "/credentials/schema/x", &["tag:list"], &[]),
];

#[test]
fn a_call_needs_the_scope_of_everything_that_it_can_do() {
    for (method, path, granted, missing) in NEEDS {
        let mut set = ScopeSet::default();
        for scope in *granted {
            set.insert(scope).unwrap();
        }
        let operation = find(method, &format!("/api/v1{path}"), Line::V2_41).unwrap();
        let found: Vec<_> = operation.missing_from(&set).collect();
        assert_eq!(found, *missing, "{method} {path} with {granted:?}");
        assert_eq!(operation.is_allowed_by(&set), missing.is_empty());
    }
}

#[test]
fn what_takes_effect_in_production_needs_the_scope_to_publish() {
    let publishing = |line| -> BTreeSet<String> {
        let all = all_in(line).filter(|operation| names(operation).contains(&"workflow:activate"));
        all.map(call_of).collect()
    };
    let in_both = [
        "POST /source-control/pull",
        "POST /workflows/{workflowId}/activate",
        "PUT /workflows/{workflowId}",
    ];
    let in_2_41 = [
        "POST /n8n-packages/import",
        "POST /promotions/connections/{promotionConnectionId}/apply",
        "POST /promotions/connections/{promotionConnectionId}/apply/continue",
        "POST /workflows/{workflowId}/publish",
    ];
    let set = |calls: &[&str]| calls.iter().map(|call| (*call).to_owned()).collect();
    assert_eq!(publishing(Line::V1_123), set(&in_both));
    assert_eq!(
        publishing(Line::V2_41),
        set(&[&in_both[..], &in_2_41].concat())
    );
}

#[test]
fn a_caller_without_a_grant_may_use_no_operation() {
    let nothing = ScopeSet::default();
    for operation in Operation::all() {
        assert!(!operation.is_allowed_by(&nothing), "{operation:?}");
    }
}

/// What a line of n8n itself says, as tests/real/operations.mjs read it from an installed one.
fn n8n_itself(line: Line) -> Value {
    let text = match line {
        Line::V2_41 => include_str!("../real/operations/n8n-2.41.json"),
        Line::V1_123 => include_str!("../real/operations/n8n-1.123.json"),
    };
    serde_json::from_str(text).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|text| text.as_str().unwrap()).collect()
}

/// In each line the table has every operation of that n8n, no other, and asks for no less than n8n does.
#[test]
fn every_operation_of_a_line_is_in_its_table_and_needs_no_less() {
    for line in Line::ALL {
        let n8n = n8n_itself(line);
        assert_eq!(n8n["version"], line.tested_version());
        let mut left: BTreeMap<String, &Operation> = all_in(line)
            .map(|operation| (call_of(operation), operation))
            .collect();
        for (call, said) in n8n["operations"].as_object().unwrap() {
            let (method, template) = call.split_once(' ').unwrap();
            // One parameter of one operation decides what is needed.
            for direction in ["apply", "promote"] {
                let path = template.replace("{direction}/clone", "x/clone");
                let path = path.replace("changes/{direction}", &format!("changes/{direction}"));
                let path = format!("/api/v1{}", path.replace(['{', '}'], ""));
                let found =
                    find(method, &path, line).unwrap_or_else(|| panic!("{call} is unknown"));
                assert_eq!(
                    found.template().split('/').count(),
                    template.split('/').count(),
                    "{call}"
                );
                left.remove(&call_of(found));
                let needed = names(found);
                let asked = texts(&said["key"]);
                if said["isDecidedInside"] == true {
                    assert!(asked.iter().any(|scope| needed.contains(scope)), "{call}");
                } else {
                    assert!(asked.iter().all(|scope| needed.contains(scope)), "{call}");
                }
            }
        }
        assert_eq!(
            left.keys().collect::<Vec<_>>(),
            [""; 0],
            "{line:?} has more than n8n"
        );
    }
}

/// The scopes of a line are those that keys of that n8n can have. Two of n8n 1 are left out: no operation asks for
/// them, and n8n 2 does not have them.
#[test]
fn the_scopes_of_a_line_are_those_of_its_keys() {
    for line in Line::ALL {
        let n8n = n8n_itself(line);
        let mut known: BTreeSet<&str> = ScopeSet::everything()
            .iter()
            .filter(|scope| {
                let mut set = ScopeSet::default();
                set.insert(scope).unwrap();
                set.foreign_to(line).count() == 0
            })
            .collect();
        match line {
            Line::V2_41 => assert!(known.remove("workflow:execute"), "the gate's own"),
            Line::V1_123 => {
                assert!(known.insert("execution:get") && known.insert("user:enforceMfa"));
            }
        }
        assert_eq!(
            known,
            texts(&n8n["scopes"]).into_iter().collect(),
            "{line:?}"
        );
    }
}
