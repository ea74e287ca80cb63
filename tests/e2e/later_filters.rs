//! Filters behind the gate that act on the verified caller: the recipes of the shipped file and of
//! docs/guides/operation.md.

use std::fs;

use crate::gate::READER;
use crate::shipped_gate::ShippedGate;
use crate::support::envoy::Setup;
use crate::support::http::Request;
use crate::support::{envoy_file, installed};

/// What stands before each line of the recipe in the shipped file.
const MARK: &str = "#~ ";

/// How far the filters of the shipped file are indented.
const INDENT: &str = "                  ";

/// The filter after which a recipe ends.
const ROUTER: &str = "                  - name: envoy.filters.http.router\n";

/// The recipe for the rate limit, as it is in the file and as it runs.
fn rate_limit() -> (String, String) {
    let file = envoy_file::text().unwrap();
    let lines = file.split_inclusive('\n');
    let recipe: String = lines
        .filter(|line| line.trim_start().starts_with(MARK))
        .collect();
    (recipe.clone(), recipe.replace(MARK, ""))
}

fn list(gate: &ShippedGate, client: &str) -> Request {
    Request::get("/api/v1/workflows").bearer(&gate.token(client, &[READER]))
}

#[test]
fn each_client_has_its_own_rate_limit_and_requests_without_a_caller_have_none() {
    let (recipe, running) = rate_limit();
    let running = running.replace(
        "max_tokens: 100, tokens_per_fill: 100,",
        "max_tokens: 2, tokens_per_fill: 2,",
    );
    let gate = ShippedGate::start(|setup: Setup| setup.edited(&recipe, &running));
    let statuses = |request: &Request| [0; 4].map(|_| gate.status(request));
    assert_eq!(statuses(&list(&gate, "app-a")), [200, 200, 429, 429]);
    // A client cannot take the name of another one, and B is not slowed down by A.
    let b = list(&gate, "app-b").header("X-Auth-Client", "app-a");
    assert_eq!(statuses(&b), [200, 200, 429, 429]);
    assert_eq!(statuses(&list(&gate, "app-a")), [429; 4]);
    let open = Request::get("/webhook/a").header("X-Auth-Client", "app-a");
    assert_eq!(statuses(&open), [200; 4]);
    let none = Request::get("/api/v1/workflows").header("X-Auth-Client", "app-a");
    assert_eq!(statuses(&none), [401; 4]);
}

/// The block of the guide that begins with this line, indented for the shipped file.
fn of_guide(first: &str) -> String {
    let path = installed::root().join("docs/guides/operation.md");
    let guide = fs::read_to_string(path).unwrap();
    let (_, block) = guide.split_once(first).unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let lines = first
        .lines()
        .chain(block.lines())
        .filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(|line| format!("{INDENT}{line}\n")).collect();
    lines.concat()
}

#[test]
fn a_later_filter_decides_by_the_verified_caller() {
    let rbac = of_guide("- name: envoy.filters.http.rbac\n");
    let gate = ShippedGate::start(|setup| setup.edited(ROUTER, &format!("{rbac}{ROUTER}")));
    let delete =
        |client: &str| Request::new("DELETE", "/webhook/orders/7").bearer(&gate.token(client, &[]));
    assert_eq!(gate.status(&delete("app-a")), 200);
    let forged = delete("app-b").header("X-Auth-Client", "app-a");
    assert_eq!(gate.status(&forged), 403);
    let get = Request::get("/webhook/orders/7").bearer(&gate.token("app-b", &[]));
    assert_eq!(gate.status(&get), 200);
    let without = Request::new("DELETE", "/webhook/open").header("X-Auth-Client", "app-a");
    assert_eq!(gate.status(&without), 403);
}
