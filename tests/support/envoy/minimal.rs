//! A minimal bootstrap around one plugin configuration.

use std::fs;
use std::path::Path;

use serde_json::{json, Map, Value};

use super::setup::{File, Listener, Setup};
use crate::support::{envoy_file, installed, Failure, Outcome};

impl Setup {
    pub(super) fn bootstrap(&self, filter: &Value, discovery: &Path) -> Outcome<String> {
        let File::Minimal {
            upstream,
            clusters,
            hosts,
            routes,
            normalize,
            discovered,
            head,
            proxied,
            neighbour,
            cors,
            listener,
            ..
        } = &self.file
        else {
            return envoy_file::text();
        };
        let gate = if *discovered {
            json!({
                "name": NAME,
                "config_discovery": {
                    "config_source": { "path_config_source": { "path": discovery } },
                    "type_urls": [filter["@type"]],
                },
            })
        } else {
            json!({ "name": NAME, "typed_config": filter })
        };
        let leading = |domain: &str, routes: &Value| json!({ "name": domain, "domains": [domain], "routes": routes });
        let virtual_host = |domain: &str, cluster: &str| {
            let all = json!([{ "match": { "prefix": "/" }, "route": { "cluster": cluster } }]);
            leading(domain, &all)
        };
        let others = if routes.is_empty() {
            virtual_host("*", "upstream")
        } else {
            leading("*", &json!(routes))
        };
        let virtual_hosts: Vec<Value> = hosts
            .iter()
            .map(|(domain, cluster)| virtual_host(domain, cluster))
            .chain([others])
            .collect();
        let router = json!({
            "name": "router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        });
        let neighbour = neighbour.as_ref().map(|vm_id| {
            let module = installed::neighbour()?;
            let mut filter = self::filter(&module, &json!({}), &[]);
            if let Some(id) = filter.pointer_mut("/config/vm_config/vm_id") {
                *id = json!(vm_id);
            }
            Ok::<_, Failure>(json!({ "name": "neighbour", "typed_config": filter }))
        });
        let neighbour = neighbour.transpose()?;
        let first = cors.as_ref().map(|_| {
            json!({
                "name": CORS,
                "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" },
            })
        });
        let per_filter = cors.as_ref().map(|policy| json!({ CORS: policy }));
        let gate = (!listener.is_bare).then_some(&gate);
        let manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "gate",
            "http_protocol_options": { "enable_trailers": true },
            "normalize_path": normalize,
            "merge_slashes": normalize,
            "max_request_headers_kb": head,
            "use_remote_address": proxied,
            "xff_num_trusted_hops": i32::from(*proxied),
            "http_filters": first.iter().chain(&neighbour).chain(&listener.before).chain(gate).chain([&router]).collect::<Vec<_>>(),
            "route_config": {
                "virtual_hosts": virtual_hosts,
                "typed_per_filter_config": per_filter.unwrap_or_else(|| json!({})),
                "ignore_port_in_host_matching": true,
            },
        });
        let clusters: Vec<Value> = clusters
            .iter()
            .map(|(name, port)| cluster(name, *port))
            .chain([cluster("upstream", *upstream)])
            .collect();
        let bootstrap = json!({
            "node": { "id": "gate", "cluster": "gate" },
            "admin": { "address": address(self.admin) },
            "static_resources": {
                "listeners": [ {
                    "name": "gate",
                    "address": address(self.gate),
                    "filter_chains": [chain(listener, manager)],
                } ],
                "clusters": clusters,
            },
        });
        Ok(bootstrap.to_string())
    }
}

/// The filter chain of a listener with this connection manager.
fn chain(listener: &Listener, mut manager: Value) -> Value {
    if let Some(fields) = manager.as_object_mut() {
        fields.extend(listener.manager.iter().cloned());
    }
    let filters = json!([{ "name": "http", "typed_config": manager }]);
    let Some(mut context) = listener.tls.clone() else {
        return json!({ "filters": filters });
    };
    if let Some(fields) = context.as_object_mut() {
        fields.insert("@type".to_owned(), json!(TLS));
    }
    let socket = json!({ "name": "tls", "typed_config": context });
    json!({ "filters": filters, "transport_socket": socket })
}

/// The type of a TLS context of a listener.
const TLS: &str =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";

/// Envoy's own CORS filter.
const CORS: &str = "envoy.filters.http.cors";

/// The name of the filter and of its virtual machine.
pub(super) const NAME: &str = "n8n-idp-gate";

pub(super) fn filter(wasm: &Path, plugin: &Value, env_keys: &[String]) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": NAME,
            "vm_config": {
                "vm_id": NAME,
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": wasm } },
                "environment_variables": { "host_env_keys": env_keys },
            },
            // Istio passes a WasmPlugin's `pluginConfig` on in this form.
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": plugin.to_string(),
            },
        },
    })
}

/// The allowed imports and exports of the module, without one function.
pub(super) fn all_but(withheld: &str) -> Outcome<Value> {
    const CALLBACKS: [&str; 13] = [
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_delete",
        "proxy_on_done",
        "proxy_on_http_call_response",
        "proxy_on_log",
        "proxy_on_memory_allocate",
        "proxy_on_request_body",
        "proxy_on_request_headers",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_tick",
        "proxy_on_vm_start",
    ];
    let imports = fs::read_to_string(installed::root().join("scripts/wasm-imports.txt"))?;
    let allowed: Map<String, Value> = imports
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(_, function)| function)
        .filter(|function| *function != withheld)
        .chain(CALLBACKS)
        .map(|function| (function.to_owned(), json!({})))
        .collect();
    Ok(json!({ "allowed_capabilities": allowed }))
}

/// A loopback port in Envoy's form of an address.
pub(crate) fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [ { "lb_endpoints": [ { "endpoint": { "address": address(port) } } ] } ],
        },
    })
}
