//! The scopes in the table of operations, tested with narrow keys at a real n8n.

use n8n_idp_gate::n8n::{Line, Method, Operation};
use serde_json::json;

use crate::keys::Keys;
use crate::stage;
use crate::support::http::{Request, Response};

/// Stands for every identifier. Nothing with this id exists.
const NOTHING: &str = "AAAAAAAAAAAAAAAA";
const NO_USER: &str = "6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a11";

/// Here n8n validates the body first, and has no licence for the feature.
const VALIDATED_FIRST: [&str; 6] = [
    "POST /settings/log-streaming/destinations",
    "PUT /settings/ldap",
    "PUT /settings/log-streaming/destinations/{id}",
    "PUT /settings/security-policy",
    "PUT /settings/sso/oidc",
    "PUT /settings/sso/saml",
];

/// These operations make n8n call another server.
pub(crate) const LEADS_OUTSIDE: [&str; 2] = [
    "POST /community-packages",
    "PATCH /community-packages/{name}",
];

pub(crate) fn call_of(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.template())
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    Operation::all().filter(|operation| operation.lines().contain(Line::V2_41))
}

fn names(operation: &Operation) -> Vec<&'static str> {
    operation.scopes.iter().map(|scope| scope.name()).collect()
}

/// A well-formed call without effect. n8n checks the form before the scopes.
pub(crate) fn request(operation: &Operation) -> Request {
    let filter = json!({
        "type": "and",
        "filters": [{"columnName": "a", "condition": "eq", "value": "b"}],
    });
    let template = operation.template();
    let user = if template.starts_with("/users") {
        NO_USER
    } else {
        NOTHING
    };
    let path: Vec<&str> = template
        .split('/')
        .map(|segment| match segment {
            "{direction}" => "apply",
            "{id}" => user,
            segment if segment.starts_with('{') => NOTHING,
            segment => segment,
        })
        .collect();
    let mut target = format!("/api/v1{}", path.join("/"));
    let call = call_of(operation);
    if call == "DELETE /data-tables/{dataTableId}/rows/delete" {
        target.push_str("?filter=%7B%22type%22%3A%22and%22%2C%22filters%22%3A%5B%7B%22columnName%22%3A%22a%22%2C%22condition%22%3A%22eq%22%2C%22value%22%3A%22b%22%7D%5D%7D");
    }
    let request = Request::new(operation.method.as_str(), target);
    let body = match call.as_str() {
        "POST /n8n-packages/import" => {
            let parts = "--x\r\nContent-Disposition: form-data; name=\"workflowConflictPolicy\"\r\n\r\nfail\r\n--x\r\nContent-Disposition: form-data; name=\"package\"; filename=\"p\"\r\n\r\n\r\n--x--\r\n";
            return request.body("multipart/form-data; boundary=x", parts);
        }
        "PATCH /data-tables/{dataTableId}/rows/update"
        | "POST /data-tables/{dataTableId}/rows/upsert" => {
            json!({"filter": filter, "data": {"a": "b"}})
        }
        "POST /data-tables/{dataTableId}/rows" => json!({"data": [{"a": "b"}]}),
        "POST /data-tables/{dataTableId}/columns" => json!({"name": "x", "type": "string"}),
        "POST /data-tables" => json!({"name": "Narrow keys", "columns": []}),
        "PATCH /data-tables/{dataTableId}"
        | "PATCH /data-tables/{dataTableId}/columns/{columnId}"
        | "PATCH /projects/{projectId}/folders/{folderId}"
        | "POST /projects/{projectId}/folders"
        | "POST /community-packages" => json!({"name": "x"}),
        "PATCH /users/{id}/role" => json!({"newRoleName": "global:member"}),
        "POST /users" => json!([]),
        "POST /n8n-packages/export" => json!({"workflowIds": [NOTHING]}),
        "POST /settings/ldap/sync" => json!({"type": "dry"}),
        "POST /settings/otel/test-trace" => json!({
            "exporterEndpoint": "http://127.0.0.1:1", "exporterTracingPath": "/v1/traces",
            "exporterServiceName": "n8n", "exporterHeaders": "",
            "startupConnectivityTimeoutMs": 100,
        }),
        "PUT /settings/otel" => json!({
            "enabled": false, "exporterProtocol": "http/protobuf",
            "exporterEndpoint": "http://127.0.0.1:1", "exporterTracingPath": "/v1/traces",
            "exporterServiceName": "n8n", "exporterHeaders": "", "tracesSampleRate": 1,
            "startupConnectivityTimeoutMs": 100, "includeNodeSpans": true,
            "injectOutbound": true, "productionExecutionsOnly": true,
        }),
        _ => json!({}),
    };
    match operation.method {
        Method::Get | Method::Delete => request,
        _ => request.json(&body),
    }
}

/// Whether n8n refuses the key itself and not a missing licence.
fn is_refused_by_scope(response: &Response) -> bool {
    response.status == 403 && response.json()["message"] == "Forbidden"
}

#[test]
fn the_scopes_of_the_table_suffice_and_those_of_n8n_are_needed() {
    let stage = stage();
    let mut keys = Keys::of_the_owner(&stage);
    let all = keys.scopes();
    let mut wrong = Vec::new();
    let mut refused_by_scope = 0;
    for operation in operations() {
        let call = call_of(operation);
        let send = |key: &str| {
            let request = request(operation).header("X-N8N-API-KEY", key);
            request.send(stage.n8n.port()).unwrap()
        };
        let needed = names(operation);
        let key = match &*needed {
            // n8n asks for no scope, but a key must have one.
            [] | ["*"] => keys.with(&["tag:list"]),
            scopes => keys.with(scopes),
        };
        if !LEADS_OUTSIDE.contains(&call.as_str()) {
            let exact = send(&key);
            if is_refused_by_scope(&exact) || exact.status == 401 {
                wrong.push(format!("{call}: {} {}", exact.status, exact.text()));
            }
        }
        let n8n_asks_for: &[&str] = match &*needed {
            [] | ["*"] => continue,
            scopes if operation.name() == call => scopes,
            _ => &[operation.name()],
        };
        let without: Vec<&String> = all
            .iter()
            .filter(|scope| {
                !n8n_asks_for.contains(&scope.as_str()) && *scope != "role:manageProject"
            })
            .collect();
        let lacking = send(&keys.with(&without));
        refused_by_scope += usize::from(is_refused_by_scope(&lacking));
        let is_validated_first = VALIDATED_FIRST.contains(&call.as_str());
        if lacking.status != if is_validated_first { 400 } else { 403 } {
            wrong.push(format!(
                "{call} without: {} {}",
                lacking.status,
                lacking.text()
            ));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(
        refused_by_scope > 80,
        "n8n asked for few scopes: {refused_by_scope}"
    );
}

#[test]
fn operations_that_do_more_than_their_scope_says_need_more_at_the_gate() {
    let stage = stage();
    let mut keys = Keys::of_the_owner(&stage);
    let port = stage.n8n.port();
    let send =
        |request: Request, key: &str| request.header("X-N8N-API-KEY", key).send(port).unwrap();
    let needs_more = |method: &str, path: &str, scopes: &[&str]| {
        let call = format!("{method} {path}");
        let operation = operations().find(|operation| call_of(operation) == call);
        assert_ne!(names(operation.unwrap()), scopes, "{call}");
    };

    // A key that may not read rows gets rows.
    let tables = keys.with(&["dataTable:create", "dataTableRow:create"]);
    let table = json!({"name": "Secrets", "columns": [{"name": "a", "type": "string"}]});
    let made = send(Request::post("/api/v1/data-tables", &table), &tables);
    let rows = format!(
        "/api/v1/data-tables/{}/rows",
        made.json()["id"].as_str().unwrap()
    );
    let row = json!({"data": [{"a": "secret"}], "returnType": "count"});
    assert_eq!(send(Request::post(&rows, &row), &tables).status, 200);
    let dry = json!({
        "filter": {"type": "and", "filters": [{"columnName": "a", "condition": "neq", "value": ""}]},
        "data": {"a": "changed"},
        "dryRun": true,
    });
    let query = "returnData=true&dryRun=true&filter=%7B%22type%22%3A%22and%22%2C%22filters%22%3A%5B%7B%22columnName%22%3A%22a%22%2C%22condition%22%3A%22neq%22%2C%22value%22%3A%22%22%7D%5D%7D";
    for (request, scope, method, template) in [
        (
            Request::new("PATCH", format!("{rows}/update")).json(&dry),
            "dataTableRow:update",
            "PATCH",
            "update",
        ),
        (
            Request::new("POST", format!("{rows}/upsert")).json(&dry),
            "dataTableRow:upsert",
            "POST",
            "upsert",
        ),
        (
            Request::new("DELETE", format!("{rows}/delete?{query}")),
            "dataTableRow:delete",
            "DELETE",
            "delete",
        ),
    ] {
        let narrow = keys.with(&[scope]);
        assert_eq!(send(Request::get(&rows), &narrow).status, 403);
        let response = send(request, &narrow);
        assert_eq!(response.json()[0]["a"], "secret", "{}", response.text());
        needs_more(
            method,
            &format!("/data-tables/{{dataTableId}}/rows/{template}"),
            &[scope],
        );
    }

    // A new user gets the role in the body, and the response has the link of the invitation.
    let narrow = keys.with(&["user:create"]);
    let invitation = json!([{"email": "narrow@n8n.example.test", "role": "global:chatUser"}]);
    let invited = send(Request::post("/api/v1/users", &invitation), &narrow).json();
    assert_eq!(invited[0]["user"]["role"], "global:chatUser", "{invited}");
    assert!(
        invited[0]["user"]["inviteAcceptUrl"].is_string(),
        "{invited}"
    );
    needs_more("POST", "/users", &["user:create"]);

    // The response has the scopes of the key, not those of the caller.
    let narrow = keys.with(&["tag:list", "workflow:import"]);
    let discovered = send(Request::get("/api/v1/discover"), &narrow).json();
    assert_eq!(
        discovered["data"]["scopes"],
        json!(["tag:list", "workflow:import"])
    );
    needs_more("GET", "/discover", &[]);
}
