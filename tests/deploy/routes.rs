//! The routes that are rendered for Istio and Envoy Gateway, as these write them for Envoy, in a real
//! Envoy behind the gate: each request reaches the n8n of its host, with the path that the gate decided on.

use serde_json::{json, Value};

use super::envoy::installed;
use super::rendered::{
    each_gets_its_own_requests, free_port, rendered, run, server, SERVICES, SEVERAL,
};
use super::repository::documents;

/// What a route of Envoy matches, and its action.
type Route = (Value, Value);

#[test]
fn each_instance_gets_its_own_requests_through_the_routes_of_istio() {
    runs("istio", |manifest| {
        let rules = manifest["spec"]["http"].as_array().unwrap().iter();
        let rules = rules.flat_map(|rule| {
            let none = vec![json!({})];
            let matches = rule["match"].as_array().unwrap_or(&none).clone();
            let host = &rule["route"][0]["destination"]["host"];
            let cluster = cluster(host.as_str().unwrap());
            let rewrite = rule["rewrite"]["uri"].clone();
            let routes = matches.into_iter().map(move |matched| {
                let mut of_path = match (&matched["uri"]["prefix"], &matched["uri"]["regex"]) {
                    (Value::String(prefix), _) => json!({ "prefix": prefix }),
                    (_, Value::String(regex)) => json!({ "safe_regex": { "regex": regex } }),
                    _ => json!({ "prefix": "/" }),
                };
                let headers = matched["headers"].as_object().into_iter().flatten();
                let headers = headers.map(|(name, value)| regex(name, &value["regex"]));
                of_path["headers"] = headers.collect::<Vec<_>>().into();
                let mut action = json!({ "cluster": cluster });
                if rewrite.is_string() {
                    action["prefix_rewrite"] = rewrite.clone();
                }
                (of_path, action)
            });
            routes.collect::<Vec<_>>()
        });
        (manifest["spec"]["hosts"].clone(), rules.collect())
    });
}

#[test]
fn each_instance_gets_its_own_requests_through_the_routes_of_envoy_gateway() {
    runs("envoy-gateway", |manifest| {
        let mut routes = Vec::new();
        for rule in manifest["spec"]["rules"].as_array().unwrap() {
            let cluster = cluster(rule["backendRefs"][0]["name"].as_str().unwrap());
            let mut filters = rule["filters"].as_array().unwrap().iter();
            let rewrite = filters.find_map(|filter| filter.pointer("/urlRewrite/path"));
            for matched in rule["matches"].as_array().unwrap() {
                let path = matched["path"]["value"].as_str().unwrap();
                let is_exact = matched["path"]["type"] == "Exact";
                let kind = match path {
                    _ if is_exact => "path",
                    "/" => "prefix",
                    _ => "path_separated_prefix",
                };
                let headers = matched["headers"].as_array().into_iter().flatten();
                let headers =
                    headers.map(|one| regex(one["name"].as_str().unwrap(), &one["value"]));
                let headers: Vec<_> = headers.collect();
                let mut action = json!({ "cluster": cluster });
                let by_regex = |regex: &str, with: &Value| json!({ "pattern": { "regex": regex }, "substitution": with });
                match rewrite.map(|path| (&path["replacePrefixMatch"], &path["replaceFullPath"])) {
                    Some((Value::String(with), _)) if with == "/" => {
                        let regex = format!("^{}\\/*", path.replace('.', "\\."));
                        action["regex_rewrite"] = by_regex(&regex, &json!("/"));
                    }
                    Some((Value::String(with), _)) => action["prefix_rewrite"] = json!(with),
                    Some((_, with)) => action["regex_rewrite"] = by_regex("^/.*$", with),
                    None => {}
                }
                routes.push((json!({ kind: path, "headers": headers }), action));
            }
        }
        (manifest["spec"]["hostnames"].clone(), routes)
    });
}

fn regex(name: &str, regex: &Value) -> Value {
    json!({ "name": name, "string_match": { "safe_regex": { "regex": regex } } })
}

/// The cluster for a service.
fn cluster(host: &str) -> &'static str {
    if host.starts_with("flows") {
        "n8n-test"
    } else {
        "n8n-prod"
    }
}

/// An Envoy with the gate and with the routes that a target makes of its manifests.
fn runs(target: &str, routes: impl Fn(&Value) -> (Value, Vec<Route>)) {
    let manifests = documents(target, &rendered(target, SEVERAL, &SERVICES));
    let is_route = |one: &&Value| one["kind"] == "VirtualService" || one["kind"] == "HTTPRoute";
    let mut hosts: Vec<(Value, Vec<Route>)> = Vec::new();
    for (domains, own) in manifests.iter().filter(is_route).map(routes) {
        match hosts.iter_mut().find(|(known, _)| *known == domains) {
            Some((_, known)) => known.extend(own),
            None => hosts.push((domains, own)),
        }
    }
    assert_eq!(hosts.len(), 2, "{target}");
    let at = format!("127.0.0.1:{}", free_port());
    let own = [("prod", server("prod")), ("test", server("test"))];
    let own = own.map(|(name, at)| format!("{name}={at}"));
    let options = ["--listen", &at, "--n8n", &own[0], "--n8n", &own[1]];
    let mut file = documents("envoy", &rendered("envoy", SEVERAL, &options)).remove(0);
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let virtual_hosts = hosts.iter().enumerate().map(|(number, (domains, routes))| {
        let mut routes = routes.clone();
        if target == "envoy-gateway" {
            // An exact path, then the longest prefix, then the most headers.
            routes.sort_by_key(|(matched, _)| {
                let of = |kind: &str| matched[kind].as_str().map_or(0, str::len);
                let headers = matched["headers"].as_array().map_or(0, Vec::len);
                let prefix = of("path_separated_prefix").max(of("prefix"));
                (of("path") == 0, usize::MAX - prefix, usize::MAX - headers)
            });
        }
        let routes = routes.iter();
        let routes = routes.map(|(matched, action)| json!({ "match": matched, "route": action }));
        json!({ "name": number.to_string(), "domains": domains, "routes": routes.collect::<Vec<_>>() })
    });
    let slot = file.pointer_mut(&format!("{manager}/route_config/virtual_hosts"));
    *slot.unwrap() = virtual_hosts.collect::<Vec<_>>().into();
    file["admin"]["address"]["socket_address"]["port_value"] = 0.into();
    let module = format!("{manager}/http_filters/0/typed_config/config/vm_config/code/local");
    let built = installed("GATE_WASM", "target/n8n-idp-gate.wasm");
    file.pointer_mut(&module).unwrap()["filename"] = built.to_str().unwrap().into();
    let _envoy = run(&file.to_string(), &at);
    each_gets_its_own_requests(&at, target);
}
