//! The number of calls between the gate and its host for one request. Each call costs about as much
//! as the rest of a decision.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::gate::{policy, token, Gate, READER};
use crate::support::http::Request;

/// The calls of the host for every request, with any decision.
const ALWAYS: [&str; 4] = [
    "on_context_create",
    "on_request_headers",
    "on_response_headers",
    "on_delete",
];

/// The calls of the module for every request.
const READ: [&str; 2] = ["get_header_map_pairs", "get_current_time_nanoseconds"];

/// The calls for an audit record: one for the address of the client, one for the record itself. The
/// module makes neither if the host writes no records.
const AUDIT: [&str; 2] = ["get_property", "log"];

/// The call of the module for the response to a forwarded or passed request.
const CLEAN: &str = "remove_header_map_value";

/// The call for the status of the response to a request with an upstream API key.
const STATUS: &str = "get_header_map_value";

/// The calls that give the host the principal, client and subject of a verified caller.
const NAMED: [&str; 3] = ["set_property"; 3];

/// The number of identity headers of `app-a`, with the upstream API key.
const IDENTIFIED: usize = 7;

#[test]
fn the_number_of_host_calls_is_known_for_each_kind_of_request() {
    let mut policy = policy();
    policy["providers"][0]["keys"]["cooldown"] = json!("60s");
    let gate = Gate::with(policy, |setup| setup.log_level("trace"));
    let good = token("app-a", &[READER]);
    let other = token("app-a", &["N8N.Other"]);
    let forged = format!("{}AAAA", good.split_at(good.len() - 4).0);
    let workflows = || Request::get("/api/v1/workflows");
    let identified = ["add_header_map_value"; IDENTIFIED];
    let forward = [&NAMED[..], &["remove_header_map_value"], &identified].concat();
    let refuse = ["send_local_response"].as_slice();
    // The caller has no role, but it has a principal.
    let refuse_known = [&NAMED[..], refuse].concat();
    let check = ["call_foreign_function"].as_slice();
    // The first request may wait for keys, and then makes other calls.
    workflows().bearer(&other).send(gate.envoy.port()).unwrap();
    // The first forged token waits too, because its key may have changed under the same id. Further
    // ones in the same `cooldown` are refused at once.
    workflows().bearer(&forged).send(gate.envoy.port()).unwrap();
    for (what, request, expected) in [
        (
            "a token that is sent for the first time",
            workflows().bearer(&good),
            [check, &forward].concat(),
        ),
        (
            "a token that is sent again",
            workflows().bearer(&good),
            forward.clone(),
        ),
        (
            "an API key",
            workflows().header("X-N8N-API-KEY", "k"),
            vec![],
        ),
        ("the user interface", Request::get("/home"), vec![]),
        ("an open webhook", Request::get("/webhook/open/x"), vec![]),
        ("no credential", workflows(), refuse.to_vec()),
        (
            "a forged token",
            workflows().bearer(&forged),
            [check, refuse].concat(),
        ),
        (
            "a token without the role, sent again",
            workflows().bearer(&other),
            refuse_known,
        ),
        (
            "a made-up identity",
            Request::get("/home").header("x-auth-subject", "me"),
            vec!["remove_header_map_value"],
        ),
    ] {
        let earlier = requests(&gate).len();
        request.send(gate.envoy.port()).unwrap();
        let calls = wait_for(&gate, earlier);
        let mut of_module = [&READ[..], &expected, &AUDIT].concat();
        if !expected.contains(&"send_local_response") {
            of_module.push(CLEAN);
        }
        if expected.ends_with(&identified) {
            of_module.push(STATUS);
        }
        assert_eq!(calls.of_module, of_module, "{what}");
        assert_eq!(calls.of_host, ALWAYS, "{what}");
    }
}

/// n8n's public API reads no identity headers, and many access logs do not name the caller.
#[test]
fn what_is_not_read_costs_no_calls() {
    let mut policy = policy();
    let fields = policy.as_object_mut().unwrap();
    fields.retain(|name, _| name != "public_api" && name != "caller_properties");
    let gate = Gate::with(policy, |setup| setup.log_level("trace"));
    let workflows = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    // The first one may wait for keys.
    workflows.send(gate.envoy.port()).unwrap();
    for _ in 0..2 {
        let earlier = requests(&gate).len();
        assert_eq!(workflows.send(gate.envoy.port()).unwrap().status, 200);
        let calls = wait_for(&gate, earlier).of_module;
        let edits = calls
            .iter()
            .filter(|call| call.contains("header_map_value"));
        let edits: Vec<&str> = edits.map(String::as_str).collect();
        let expected = [
            "remove_header_map_value",
            "add_header_map_value",
            "add_header_map_value",
            CLEAN,
            STATUS,
        ];
        assert_eq!(edits, expected, "token, issuer, key, and the response");
        assert!(
            !calls.iter().any(|call| call == "set_property"),
            "{calls:?}"
        );
    }
}

/// Whether a token was revoked is one short read, and other requests do not ask.
#[test]
fn a_provider_that_pushes_revocations_costs_one_call_for_each_request_with_its_token() {
    let mut policy = policy();
    policy["providers"][0]["logout"] = json!({"audience": "portal"});
    policy["sharing_secret"] = json!({"env": "SHARING"});
    let gate = Gate::with(policy, |setup| {
        let setup = setup.secret("SHARING", "a-secret-of-all-workers");
        setup.holding_heads_alone().log_level("trace")
    });
    let good = token("app-a", &[READER]);
    let workflows = || Request::get("/api/v1/workflows");
    workflows().bearer(&good).send(gate.envoy.port()).unwrap();
    for (request, expected) in [
        (workflows().bearer(&good), 1),
        (workflows().header("X-N8N-API-KEY", "k"), 0),
        (Request::get("/home"), 0),
        (Request::get("/webhook/open/x"), 0),
    ] {
        let earlier = requests(&gate).len();
        request.send(gate.envoy.port()).unwrap();
        let calls = wait_for(&gate, earlier).of_module;
        let reads = calls.iter().filter(|call| *call == "get_shared_data");
        assert_eq!(reads.count(), expected, "{calls:?}");
    }
}

/// The calls for one request, in their order.
#[derive(Debug, Default)]
struct Calls {
    of_host: Vec<String>,
    of_module: Vec<String>,
    ended: bool,
}

/// The calls of the request after the first `earlier` ones, once that request has ended.
fn wait_for(gate: &Gate, earlier: usize) -> Calls {
    for _ in 0..100 {
        let request = requests(gate).into_iter().nth(earlier);
        if let Some(calls) = request.filter(|calls| calls.ended) {
            return calls;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("no request ended: {}", gate.envoy.log_text());
}

/// The calls of every request, from Envoy's log. A worker handles one callback at a time, so a call
/// of the module belongs to the last callback of the host.
fn requests(gate: &Gate) -> Vec<Calls> {
    let log = gate.envoy.log_text();
    let mut requests: Vec<(String, Calls)> = Vec::new();
    let mut current = None;
    for line in log.lines() {
        if let Some(call) = line.split_once("[host->vm] proxy_") {
            let Some((name, rest)) = call.1.split_once('(') else {
                continue;
            };
            let id = rest.split([',', ')']).next().unwrap_or_default().to_owned();
            match name {
                "on_memory_allocate" => continue,
                "on_context_create" if !rest.ends_with(", 0)") => {
                    requests.push((id.clone(), Calls::default()));
                }
                _ => {}
            }
            // Context ids are never used twice. The root context is not a request.
            current = requests.iter().position(|(own, _)| *own == id);
            if let Some((_, calls)) = current.and_then(|at| requests.get_mut(at)) {
                calls.of_host.push(name.to_owned());
            }
        } else if let Some(call) = line.split_once("[vm->host] env.proxy_") {
            if let Some((_, calls)) = current.and_then(|at| requests.get_mut(at)) {
                let name = call.1.split('(').next().unwrap_or_default();
                calls.of_module.push(name.to_owned());
            }
        } else if line.contains("[host<-vm] proxy_on_delete") {
            if let Some((_, calls)) = current.and_then(|at| requests.get_mut(at)) {
                calls.ended = true;
            }
        }
    }
    requests.into_iter().map(|(_, calls)| calls).collect()
}
