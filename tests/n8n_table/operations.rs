//! The operations of the public API.

use std::collections::BTreeSet;

use n8n_idp_gate::n8n::{classify, Endpoints, Operation, Route, ScopeSet};

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
    // n8n has 154 operations. One of them is two here, because its path decides which scopes it
    // needs.
    assert_eq!((operations.len(), distinct.len()), (155, 155));
    for operation in operations {
        let call = format!("{} {}", operation.method, operation.template);
        let scopes: BTreeSet<_> = operation.scopes.iter().collect();
        assert_eq!(scopes.len(), operation.scopes.len(), "{operation:?}");
        match operation.scopes {
            [] => assert_eq!(call, "GET /credentials/schema/{credentialTypeName}"),
            ["*"] => assert_eq!(call, "GET /discover"),
            scopes => assert!(scopes.iter().all(|scope| is_scope(scope)), "{call}"),
        }
        let name = operation.name();
        assert!(
            name == call || operation.scopes.contains(&name),
            "{operation:?}"
        );
        if operation.scopes.len() != 1 || operation.scopes == ["*"] {
            assert!(operation.reason().is_some(), "{call} has no reason");
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
        let route = route(&format!("/api/v1{path}"));
        let operation = Operation::find(method.as_bytes(), &route).unwrap();
        let found: Vec<_> = operation.missing_from(&set).collect();
        assert_eq!(found, *missing, "{method} {path} with {granted:?}");
        assert_eq!(operation.is_allowed_by(&set), missing.is_empty());
    }
}

#[test]
fn what_takes_effect_in_production_needs_the_scope_to_publish() {
    let publishing: Vec<String> = Operation::all()
        .iter()
        .filter(|operation| operation.scopes.contains(&"workflow:activate"))
        .map(|operation| format!("{} {}", operation.method, operation.template))
        .collect();
    assert_eq!(
        publishing,
        [
            "POST /n8n-packages/import",
            "POST /promotions/connections/{promotionConnectionId}/apply",
            "POST /promotions/connections/{promotionConnectionId}/apply/continue",
            "POST /source-control/pull",
            "POST /workflows/{workflowId}/publish",
            "POST /workflows/{workflowId}/activate",
            "PUT /workflows/{workflowId}",
        ]
    );
}

#[test]
fn a_caller_without_a_grant_may_use_no_operation() {
    let nothing = ScopeSet::default();
    for operation in Operation::all() {
        assert!(!operation.is_allowed_by(&nothing), "{operation:?}");
    }
}

/// The operations of n8n 1, each with the scopes that it asks of a key there.
fn operations_of_n8n_1() -> Vec<(String, Vec<String>)> {
    let text = include_str!("../real/operations/n8n-1.json");
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    let operations = document["operations"].as_object().unwrap().iter();
    let read = |(call, scopes): (&String, &serde_json::Value)| {
        let scopes = scopes.as_array().unwrap().iter();
        let scopes = scopes.map(|scope| scope.as_str().unwrap().to_owned());
        (call.clone(), scopes.collect())
    };
    operations.map(read).collect()
}

/// The one table is good for n8n 1 as well: it knows every operation there, and asks for no less.
#[test]
fn every_operation_of_n8n_1_is_known_and_needs_no_less() {
    // n8n 2 has a scope of its own for the members of a project. Who may change members of a project of
    // n8n 1 must be granted both.
    const OF_MEMBERS: [&str; 3] = [
        "POST /projects/{projectId}/users",
        "DELETE /projects/{projectId}/users/{userId}",
        "PATCH /projects/{projectId}/users/{userId}",
    ];
    let operations = operations_of_n8n_1();
    assert_eq!(operations.len(), 42);
    for (call, scopes) in operations {
        let (method, template) = call.split_once(' ').unwrap();
        let path = format!("/api/v1{}", template.replace(['{', '}'], ""));
        let found = Operation::find(method.as_bytes(), &route(&path));
        let found = found.unwrap_or_else(|| panic!("{call} is unknown"));
        let segments = |path: &str| path.split('/').count();
        assert_eq!(segments(found.template), segments(template), "{call}");
        if OF_MEMBERS.contains(&&*call) {
            assert_eq!(
                (&*scopes, found.scopes),
                (
                    &["project:update".to_owned()][..],
                    &["project:manageMembers"][..]
                )
            );
            continue;
        }
        for scope in scopes {
            assert!(found.scopes.contains(&&*scope), "{call}: {scope}");
        }
    }
}
