//! The settings of every manifest for held requests, upgrades, headers and logs.

use std::collections::BTreeSet;

use serde_json::{json, Value};

use super::repository::{documents, files};

/// The paths on which n8n takes upgrades, as a pattern.
const WEBSOCKETS: &str = "/rest/push|/chat(/.*)?|/browser-use/(extension|cdp)/[^/]+";

/// Every document of a shipped folder, without Envoy's own files.
fn manifests(folder: &str) -> Vec<Value> {
    files(&["yaml"])
        .into_iter()
        .filter(|file| file.name.starts_with(folder))
        .flat_map(|file| documents(&file.name, &file.text))
        .collect()
}

/// The documents of one kind, by name.
fn named(folder: &str, kind: &str, name: &str) -> Value {
    let mut found = manifests(folder)
        .into_iter()
        .filter(|document| document["kind"] == kind && document["metadata"]["name"] == name);
    let document = found.next().unwrap_or_else(|| panic!("no {kind} {name}"));
    assert_eq!(found.next(), None, "two of {kind} {name}");
    document
}

fn shipped() -> Value {
    let file = files(&["yaml"])
        .into_iter()
        .find(|file| file.name == "envoy.yaml");
    documents("envoy.yaml", &file.unwrap().text).remove(0)
}

fn manager(envoy: &Value) -> &Value {
    &envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
}

/// The thresholds of Envoy's priorities DEFAULT and HIGH.
fn thresholds(envoy: &Value) -> [[u64; 3]; 2] {
    let clusters = envoy["static_resources"]["clusters"].as_array().unwrap();
    let n8n = clusters
        .iter()
        .find(|cluster| cluster["name"] == "n8n")
        .unwrap();
    let numbers = |priority: &str| {
        let all = n8n["circuit_breakers"]["thresholds"].as_array().unwrap();
        let found = all.iter().find(|one| one["priority"] == priority).unwrap();
        ["max_requests", "max_connections", "max_pending_requests"]
            .map(|field| found[field].as_u64().unwrap())
    };
    [numbers("DEFAULT"), numbers("HIGH")]
}

#[test]
fn there_are_as_many_slots_for_requests_as_connections_and_more_connections_than_requests() {
    let envoy = shipped();
    let monitor = &envoy["overload_manager"]["resource_monitors"][0]["typed_config"];
    let connections = monitor["max_active_downstream_connections"]
        .as_u64()
        .unwrap();
    let [others, verified] = thresholds(&envoy);
    assert!(others[0] + verified[0] >= connections);
    for [requests, connections, _] in [others, verified] {
        assert!(connections > requests, "{connections}, {requests}");
    }
}

#[test]
fn istio_bounds_what_the_shipped_file_bounds() {
    let envoy = shipped();
    let [others, verified] = thresholds(&envoy);
    let rule = named("deploy/istio/", "DestinationRule", "n8n");
    let subsets = rule["spec"]["subsets"].as_array().unwrap();
    let numbers = |name: &str| {
        let subset = subsets
            .iter()
            .find(|subset| subset["name"] == name)
            .unwrap();
        let pool = &subset["trafficPolicy"]["connectionPool"];
        let http = &pool["http"];
        [
            &http["http2MaxRequests"],
            &pool["tcp"]["maxConnections"],
            &http["http1MaxPendingRequests"],
        ]
        .map(|value| value.as_u64().unwrap())
    };
    assert_eq!(numbers("others"), others);
    assert_eq!(numbers("verified"), verified);

    let filter = named("deploy/istio/", "EnvoyFilter", "n8n-limits");
    let patches = filter["spec"]["configPatches"].as_array().unwrap();
    let patch = |kind: &str| {
        let found = patches
            .iter()
            .find(|patch| patch["applyTo"] == kind)
            .unwrap();
        &found["patch"]["value"]
    };
    let listener = &envoy["static_resources"]["listeners"][0];
    let limit = "per_connection_buffer_limit_bytes";
    assert_eq!(patch("LISTENER")[limit], listener[limit]);
    let merged = patch("NETWORK_FILTER")["typed_config"].as_object().unwrap();
    assert!(merged.len() > 5);
    for (field, value) in merged {
        let Some(parts) = value.as_object() else {
            assert_eq!(value, &manager(&envoy)[field], "{field}");
            continue;
        };
        for (part, value) in parts {
            assert_eq!(value, &manager(&envoy)[field][part], "{field}.{part}");
        }
    }
}

#[test]
fn envoy_gateway_bounds_what_the_shipped_file_bounds() {
    let envoy = shipped();
    let [others, verified] = thresholds(&envoy);
    for (name, expected) in [
        ("n8n-others", others),
        ("n8n-websockets", others),
        ("n8n-verified", verified),
    ] {
        let policy = named("deploy/envoy-gateway/", "BackendTrafficPolicy", name);
        let breaker = &policy["spec"]["circuitBreaker"];
        let numbers = [
            "maxParallelRequests",
            "maxConnections",
            "maxPendingRequests",
        ]
        .map(|field| breaker[field].as_u64().unwrap());
        assert_eq!(numbers, expected, "{name}");
        assert_eq!(policy["spec"]["timeout"]["http"]["requestTimeout"], "0s");
    }
    let policy = named(
        "deploy/envoy-gateway/",
        "ClientTrafficPolicy",
        "n8n-idp-gate",
    );
    let (spec, manager) = (&policy["spec"], manager(&envoy));
    let http = &spec["timeout"]["http"];
    for (there, here) in [
        (
            &http["requestHeadersReceivedTimeout"],
            &manager["request_headers_timeout"],
        ),
        (&http["requestReceivedTimeout"], &manager["request_timeout"]),
        (&http["streamIdleTimeout"], &manager["stream_idle_timeout"]),
        (
            &http["idleTimeout"],
            &manager["common_http_protocol_options"]["idle_timeout"],
        ),
        (
            &spec["http2"]["maxConcurrentStreams"],
            &manager["http2_protocol_options"]["max_concurrent_streams"],
        ),
    ] {
        assert_eq!(there, here);
    }
    for (there, here) in [
        (
            &spec["connection"]["bufferLimit"],
            &envoy["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"],
        ),
        (
            &spec["http2"]["initialStreamWindowSize"],
            &manager["http2_protocol_options"]["initial_stream_window_size"],
        ),
        (
            &spec["http2"]["initialConnectionWindowSize"],
            &manager["http2_protocol_options"]["initial_connection_window_size"],
        ),
    ] {
        assert_eq!(bytes(there.as_str().unwrap()), here.as_u64().unwrap());
    }
}

/// A quantity of Kubernetes.
fn bytes(text: &str) -> u64 {
    let (number, factor) = match text.strip_suffix("Ki") {
        Some(number) => (number, 1 << 10),
        None => (text.strip_suffix("Mi").unwrap(), 1 << 20),
    };
    number.parse::<u64>().unwrap() * factor
}

#[test]
fn every_manifest_takes_upgrades_where_n8n_serves_them_and_nowhere_else() {
    let envoy = shipped();
    assert_eq!(manager(&envoy)["upgrade_configs"], Value::Null);
    let routes = manager(&envoy)["route_config"]["virtual_hosts"][0]["routes"]
        .as_array()
        .unwrap();
    let upgrading: Vec<&Value> = routes
        .iter()
        .filter(|route| !route["route"]["upgrade_configs"].is_null())
        .map(|route| &route["match"]["safe_regex"]["regex"])
        .collect();
    assert_eq!(upgrading, [WEBSOCKETS]);

    let service = named("deploy/istio/", "VirtualService", "n8n");
    let filter = named("deploy/istio/", "EnvoyFilter", "n8n-limits");
    let refused: BTreeSet<&str> = filter["spec"]["configPatches"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|patch| {
            patch["patch"]["value"]["route"]["upgrade_configs"]
                == json!([{ "upgrade_type": "websocket", "enabled": false }])
        })
        .map(|patch| {
            patch["match"]["routeConfiguration"]["vhost"]["route"]["name"]
                .as_str()
                .unwrap()
        })
        .collect();
    for route in service["spec"]["http"].as_array().unwrap() {
        let name = route["name"].as_str().unwrap();
        let serves = route["match"][0]["uri"]["regex"] == WEBSOCKETS;
        assert_ne!(serves, refused.contains(name), "{name}");
    }

    for policy in manifests("deploy/envoy-gateway/") {
        if policy["kind"] == "BackendTrafficPolicy" {
            let serves = policy["metadata"]["name"] == "n8n-websockets";
            let upgrade = if serves { "websocket" } else { "h2c" };
            assert_eq!(policy["spec"]["httpUpgrade"], json!([{ "type": upgrade }]));
        }
    }
}

#[test]
fn every_route_removes_forwarding_headers_of_clients_and_keys_in_responses() {
    let lists = |value: &Value| -> BTreeSet<String> {
        let names = value.as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_ascii_lowercase())
            .collect()
    };
    let forwarding = ["forwarded", "x-forwarded-host", "x-forwarded-port"].map(str::to_owned);
    let key = ["x-n8n-api-key".to_owned()];
    let mut checked = 0;
    let mut check = |request: &Value, response: &Value| {
        assert_eq!(lists(request), BTreeSet::from(forwarding.clone()));
        assert_eq!(lists(response), BTreeSet::from(key.clone()));
        checked += 1;
    };
    let envoy = shipped();
    let host = &manager(&envoy)["route_config"]["virtual_hosts"][0];
    check(
        &host["request_headers_to_remove"],
        &host["response_headers_to_remove"],
    );
    for document in manifests("deploy/") {
        let rules = match document["kind"].as_str() {
            Some("VirtualService") => document["spec"]["http"].as_array().unwrap(),
            Some("HTTPRoute") => document["spec"]["rules"].as_array().unwrap(),
            _ => continue,
        };
        for rule in rules {
            if document["kind"] == "VirtualService" {
                let headers = &rule["headers"];
                check(
                    &headers["request"]["remove"],
                    &headers["response"]["remove"],
                );
            } else {
                let filters = &rule["filters"];
                check(
                    &filters[0]["requestHeaderModifier"]["remove"],
                    &filters[1]["responseHeaderModifier"]["remove"],
                );
            }
        }
    }
    assert_eq!(checked, 7);
}

/// Istio refuses a duration below a millisecond, also `0s`. A route without `timeout` has none.
#[test]
fn no_route_of_istio_has_a_timeout_that_istio_refuses() {
    let service = named("deploy/istio/", "VirtualService", "n8n");
    let routes = service["spec"]["http"].as_array().unwrap();
    assert_eq!(routes.len(), 3);
    for route in routes {
        assert_eq!(route["timeout"], Value::Null);
        assert_eq!(route["retries"], json!({ "attempts": 0 }));
    }
}

/// With a policy on one route, all other routes of the Gateway would have no gate.
#[test]
fn the_gate_guards_a_whole_gateway_to_which_only_its_namespace_adds_routes() {
    let policy = named(
        "deploy/envoy-gateway/",
        "EnvoyExtensionPolicy",
        "n8n-idp-gate",
    );
    let target =
        json!([{ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "n8n" }]);
    assert_eq!(policy["spec"]["targetRefs"], target);
    let gateway = named("deploy/envoy-gateway/", "Gateway", "n8n");
    for listener in gateway["spec"]["listeners"].as_array().unwrap() {
        assert_eq!(listener["allowedRoutes"]["namespaces"]["from"], "Same");
    }
    let gateway = named("deploy/istio/", "Gateway", "n8n");
    for server in gateway["spec"]["servers"].as_array().unwrap() {
        for host in server["hosts"].as_array().unwrap() {
            assert!(host.as_str().unwrap().starts_with("./"), "{host}");
        }
    }
}

#[test]
fn every_access_log_shows_the_verified_caller_and_no_identity_header() {
    let mut logs = Vec::new();
    for file in files(&["yaml"]) {
        // The values of the log's fields; comments are ignored.
        let fields: Vec<&str> = file
            .text
            .lines()
            .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once(": \"%"))
            .map(|(_, operator)| operator)
            .collect();
        if fields.is_empty() {
            continue;
        }
        for part in ["principal", "client", "subject"] {
            let operator = format!("FILTER_STATE(wasm.n8n_idp_gate.{part}:PLAIN)%\"");
            assert!(fields.contains(&operator.as_str()), "{}: {part}", file.name);
        }
        for operator in fields {
            let of_client = operator.to_ascii_lowercase().starts_with("req(x-auth-");
            assert!(!of_client, "{}: {operator}", file.name);
        }
        logs.push(file.name);
    }
    let expected = [
        "deploy/compose/listener.yaml",
        "deploy/envoy-gateway/proxy.yaml",
        "deploy/istio/access-log.yaml",
        "envoy.yaml",
    ];
    assert_eq!(logs, expected);
}
