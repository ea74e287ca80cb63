//! Manifests for Envoy Gateway.

use serde_json::{json, Value};

use super::helm::variable;
use super::istio::service;
use super::options::Options;
use super::template::{document, put, replaced};
use super::upstream::Upstream;
use super::{yaml, Gate, Target};

const POLICY: &str = include_str!("../../../../deploy/envoy-gateway/policy.yaml");
const PROXY: &str = include_str!("../../../../deploy/envoy-gateway/proxy.yaml");
const OTHERS: [&str; 2] = [
    include_str!("../../../../deploy/envoy-gateway/limits.yaml"),
    include_str!("../../../../deploy/envoy-gateway/route.yaml"),
];

/// All manifests, in the order in which they are applied.
pub(crate) fn render(gate: &Gate, options: &Options) -> Result<String, String> {
    let n8n = Upstream::n8n(options, Target::EnvoyGateway, None)?;
    let [name, namespace] = service(&n8n.host).ok_or(
        "--n8n: Envoy Gateway needs the service of n8n. Hint: write \
         NAME.NAMESPACE.svc.cluster.local:PORT",
    )?;
    let mut parts = vec![proxy(gate, namespace, options)?];
    parts.push(policy(gate, namespace, options)?);
    if gate.needs_bodies {
        parts.push(yaml::document(&bodies(namespace)));
    }
    let of_n8n = format!("namespace: {namespace}\n");
    let backend = format!("{{ name: {name}, port: {} }}", n8n.port);
    let class = format!("gatewayClassName: {}\n", options.gateway_class);
    let buffer = format!("  connection:\n    bufferLimit: {}\n", size(gate.buffer));
    let window = format!("initialStreamWindowSize: {}\n", size(gate.buffer));
    let pairs: [(&str, &str); 7] = [
        ("  connection:\n    bufferLimit: 64Ki\n", &buffer),
        ("initialStreamWindowSize: 64Ki\n", &window),
        ("namespace: n8n\n", &of_n8n),
        ("{ name: n8n, port: 5678 }", &backend),
        ("gatewayClassName: envoy\n", &class),
        ("n8n.example.com", &options.host),
        ("n8n-example-com", &options.certificate),
    ];
    parts.extend(OTHERS.map(|text| replaced(text, &pairs)));
    Ok(parts.join("---\n"))
}

/// The proxy's environment, logs, and clusters. The filter calls clusters by their names, and Envoy
/// Gateway chooses the names of those that it makes of routes.
fn proxy(gate: &Gate, namespace: &str, options: &Options) -> Result<String, String> {
    let mut proxy = document(PROXY)?;
    let variables = gate.variables.iter();
    let variables: Vec<Value> = variables.map(|name| variable(name, options)).collect();
    let clusters = gate.calls.providers().into_iter().chain(gate.calls.n8n());
    let patches: Vec<Value> = clusters
        .map(|upstream| {
            json!({
                "op": "add",
                "path": "/static_resources/clusters/-",
                "value": upstream.of_envoy(Target::EnvoyGateway, &options.ca),
            })
        })
        .collect();
    put(&mut proxy, "/metadata/namespace", namespace.into())?;
    let container = "/spec/provider/kubernetes/envoyDeployment/container/env";
    put(&mut proxy, container, variables.into())?;
    put(&mut proxy, "/spec/bootstrap/jsonPatches", patches.into())?;
    Ok(yaml::document(&proxy))
}

fn policy(gate: &Gate, namespace: &str, options: &Options) -> Result<String, String> {
    let mut policy = document(POLICY)?;
    let image = "/spec/wasm/0/code/image";
    put(&mut policy, "/metadata/namespace", namespace.into())?;
    put(
        &mut policy,
        &format!("{image}/url"),
        options.image.as_str().into(),
    )?;
    put(
        &mut policy,
        &format!("{image}/sha256"),
        options.sha256.as_str().into(),
    )?;
    put(
        &mut policy,
        "/spec/wasm/0/env/hostKeys",
        gate.variables.clone().into(),
    )?;
    put(
        &mut policy,
        "/spec/wasm/0/config",
        gate.configuration.clone(),
    )?;
    Ok(yaml::document(&policy))
}

/// A size as Kubernetes writes it, not less than these bytes.
fn size(bytes: u64) -> String {
    format!("{}Ki", bytes.div_ceil(1024))
}

/// The field that an `EnvoyExtensionPolicy` does not have. Envoy Gateway must allow such patches
/// (`extensionApis.enableEnvoyPatchPolicy`).
fn bodies(namespace: &str) -> Value {
    // The name that Envoy Gateway gives to the filter of a policy.
    let filter =
        format!("envoy.filters.http.wasm/envoyextensionpolicy/{namespace}/n8n-idp-gate/wasm/0");
    json!({
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyPatchPolicy",
        "metadata": { "name": "n8n-idp-gate", "namespace": namespace },
        "spec": {
            "targetRef": { "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "n8n" },
            "type": "JSONPatch",
            "jsonPatches": [{
                "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
                "name": format!("{namespace}/n8n/https"),
                "operation": {
                    "op": "add",
                    "jsonPath": format!("..http_filters[?(@.name=='{filter}')].typed_config.config"),
                    "path": "/allow_on_headers_stop_iteration",
                    "value": true,
                },
            }],
        },
    })
}
