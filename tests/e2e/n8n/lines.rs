//! The table of the line of n8n that is installed here. `make test-n8n` has one line, `make test-n8n-1` another.

use std::collections::BTreeMap;
use std::fs;

use n8n_idp_gate::n8n::{classify, Line, Operation, Prefixes};
use serde_json::{json, Value};

use crate::keys::Keys;
use crate::operations::{call_of, request, LEADS_OUTSIDE};
use crate::stage;
use crate::support::envoy::Setup;
use crate::support::http::{Request, Response};
use crate::support::installed;
use crate::support::provider::{AUDIENCE, READ};

const NOTHING: &str = "AAAAAAAAAAAAAAAA";
const NO_USER: &str = "6f5b1c1e-2d9a-4a52-9b0e-0d8f5d2f7a11";

/// The version of the installed n8n, and its line.
pub(crate) fn installed_line() -> (String, Line) {
    let package = installed::n8n()
        .unwrap()
        .join("node_modules/n8n/package.json");
    let package: Value = serde_json::from_str(&fs::read_to_string(package).unwrap()).unwrap();
    let version = package["version"].as_str().unwrap().to_owned();
    let line = Line::of_version(&version).unwrap();
    (version, line)
}

/// Whether n8n has no such operation. A handler that finds no thing of that name says so in other words.
fn is_unknown(response: &Response) -> bool {
    response.status == 405 || (response.status == 404 && response.json()["message"] == "not found")
}

#[test]
fn n8n_has_the_operations_of_its_line_and_no_others() {
    let stage = stage();
    let (version, line) = installed_line();
    assert_eq!(version, line.tested_version());
    let mut keys = Keys::of_the_owner(&stage);
    let key = keys.with(&keys.scopes());
    // Two rows that differ in their scopes are one call.
    let calls: BTreeMap<String, &Operation> = Operation::all()
        .map(|operation| (call_of(operation), operation))
        .collect();
    let mut wrong = Vec::new();
    let mut met = 0;
    for (call, operation) in calls {
        // What one line has for it may be another operation: a literal of one is a parameter of the other.
        let below = operation.template().replace(['{', '}'], "");
        let path = format!("/api/v1{below}");
        let route = classify(&Prefixes::default(), path.as_bytes()).unwrap();
        let method = operation.method.as_str().as_bytes();
        let is_here = Operation::find(method, &route, line).is_some();
        if is_here && LEADS_OUTSIDE.contains(&&*call) {
            continue;
        }
        met += usize::from(is_here);
        let request = request(operation).header("X-N8N-API-KEY", &key);
        let response = request.send(stage.n8n.port()).unwrap();
        if is_unknown(&response) == is_here {
            wrong.push(format!("{call}: {} {}", response.status, response.text()));
        }
    }
    assert!(met > 40, "{met}");
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_call_is_decided_as_its_line_of_n8n_has_it() {
    let stage = stage();
    let (version, line) = installed_line();
    let mut keys = Keys::of_the_owner(&stage);
    let key = keys.with(&keys.scopes());
    let gate = |grant: &Value| {
        let policy = json!({
            "providers": [{
                "name": "demo", "issuer": stage.provider.issuer(), "audiences": [AUDIENCE], "cluster": "provider",
            }],
            "roles": { READ: grant },
            "principals": [{ "name": "app-a", "match": { "client": "app-a" }, "api_key": { "env": "N8N_KEY" } }],
            "n8n_version": version,
        });
        let setup = Setup::minimal(policy, stage.n8n.port()).unwrap();
        let setup = setup.cluster("provider", stage.provider.port());
        setup.secret("N8N_KEY", &key).start().unwrap()
    };
    let token = stage.provider.token("app-a", READ, AUDIENCE).unwrap();
    let narrow = gate(&json!(["project:update", "workflow:*"]));
    let wide = gate(&json!("*"));
    let reason = |gate: u16, request: Request| {
        let response = request.bearer(&token).send(gate).unwrap();
        let reason = response.json()["reason"].clone();
        (response.status, reason.as_str().map(str::to_owned))
    };
    let members = || {
        let relations = json!({ "relations": [{ "userId": NO_USER, "role": "project:viewer" }] });
        Request::post(format!("/api/v1/projects/{NOTHING}/users"), &relations)
    };
    let archive = || Request::post(format!("/api/v1/workflows/{NOTHING}/archive"), &json!({}));
    let refused = |reason: &str| (403, Some(reason.to_owned()));
    // n8n refuses members itself, for want of a licence.
    let (of_members, of_archive, of_archive_with_all) = match line {
        Line::V2_41 => (refused("insufficient_scope"), (404, None), (404, None)),
        Line::V1_123 => ((403, None), refused("unknown_operation"), (405, None)),
    };
    assert_eq!(reason(narrow.port(), members()), of_members);
    assert_eq!(reason(narrow.port(), archive()), of_archive);
    assert_eq!(reason(wide.port(), archive()), of_archive_with_all);
    assert_eq!(
        reason(narrow.port(), Request::get("/api/v1/workflows")),
        (200, None)
    );
    assert_eq!(
        reason(narrow.port(), Request::get("/api/v1/tags")),
        refused("insufficient_scope")
    );
}

/// What the review of n8n 1 relies on.
#[test]
fn a_query_and_a_body_can_do_what_the_table_says_of_them() {
    let stage = stage();
    let (_, line) = installed_line();
    let mut keys = Keys::of_the_owner(&stage);
    let key = keys.with(&keys.scopes());
    let send = |request: Request| {
        request
            .header("X-N8N-API-KEY", &key)
            .send(stage.n8n.port())
            .unwrap()
    };
    for path in [format!("/users/{NO_USER}"), format!("/projects/{NOTHING}")] {
        let response = send(Request::new(
            "DELETE",
            format!("/api/v1{path}?transferId={NOTHING}"),
        ));
        let message = response.json()["message"].to_string();
        let is_refused = response.status == 400 && message.contains("transferId");
        // n8n 2 looks at its licence first where a controller has the call.
        let is_asked_for = line == Line::V1_123 || path.starts_with("/users");
        assert_eq!(is_refused, is_asked_for, "{path}: {}", response.text());
    }
    let credential = json!({
        "name": "For all", "type": "httpHeaderAuth", "data": { "name": "a", "value": "b" }, "isGlobal": true,
    });
    let made = send(Request::post("/api/v1/credentials", &credential));
    assert_eq!(
        made.json()["isGlobal"] == true,
        line == Line::V1_123,
        "{}",
        made.text()
    );
}

/// n8n 1 does not name bearer tokens in its own description.
#[test]
fn the_description_of_this_line_is_shown_with_bearer_tokens() {
    const PAGE: &str = "/api/v1/docs/swagger-ui-init.js";
    let stage = stage();
    let (version, _) = installed_line();
    let policy = json!({
        "providers": [{
            "name": "demo", "issuer": stage.provider.issuer(), "audiences": [AUDIENCE], "cluster": "provider",
        }],
        "principals": [{
            "name": "all", "match": { "any": true }, "grant": "workflow:list", "api_key": { "env": "N8N_KEY" },
        }],
        "public_api": { "public_description": true, "bearer_in_description": { "cluster": "n8n" } },
        "n8n_version": version,
    });
    let setup = Setup::minimal(policy, stage.n8n.port()).unwrap();
    let setup = setup.cluster("provider", stage.provider.port());
    let setup = setup.cluster("n8n", stage.n8n.port());
    let gate = setup
        .secret("N8N_KEY", "n8n-does-not-see-it")
        .start()
        .unwrap();
    let get = |port: u16| Request::get(PAGE).send(port).unwrap();
    let (own, shown) = (get(stage.n8n.port()), get(gate.port()));
    assert_eq!((own.status, shown.status), (200, 200), "{}", shown.text());
    let count = |text: &str, name: &str| text.matches(name).count();
    let (own, shown) = (own.text(), shown.text());
    assert_eq!(count(&own, "ApiKeyAuth"), count(&shown, "ApiKeyAuth"));
    assert!(
        count(&shown, "BearerAuth") > count(&own, "BearerAuth"),
        "{}",
        shown.len()
    );
}
