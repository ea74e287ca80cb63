//! Manifests for Envoy Gateway.

mod site;

use std::collections::BTreeSet;

use serde_json::{json, Value};

use super::helm::variable;
use super::istio::service;
use super::objects::Objects;
use super::options::Options;
use super::template::{document, documents, put, replaced, with_audit};
use super::upstream::Upstream;
use super::{yaml, Gate, Target};

const POLICY: &str = include_str!("../../../../deploy/envoy-gateway/policy.yaml");
const PROXY: &str = include_str!("../../../../deploy/envoy-gateway/proxy.yaml");
const OTHERS: [&str; 2] = [
    include_str!("../../../../deploy/envoy-gateway/limits.yaml"),
    include_str!("../../../../deploy/envoy-gateway/route.yaml"),
];

/// The n8n of an instance, or the only one: its service, and the port there.
struct Backend<'b> {
    name: &'b str,
    namespace: &'b str,
    port: u16,
}

/// All manifests, in the order in which they are applied.
pub(crate) fn render(gate: &Gate, options: &Options) -> Result<String, String> {
    let n8n = gate
        .sites
        .iter()
        .map(|site| Upstream::n8n(options, Target::EnvoyGateway, site.instance.as_deref()));
    let n8n = n8n.collect::<Result<Vec<_>, _>>()?;
    let backends = n8n.iter().map(|n8n| {
        let [name, namespace] = service(&n8n.host).ok_or(
            "--n8n: Envoy Gateway needs the service of n8n. Hint: write \
             NAME.NAMESPACE.svc.cluster.local:PORT",
        )?;
        let port = n8n.port;
        Ok::<_, String>(Backend {
            name,
            namespace,
            port,
        })
    });
    let backends = backends.collect::<Result<Vec<_>, _>>()?;
    let namespace = match &*backends {
        [first, others @ ..] if others.iter().all(|n8n| n8n.namespace == first.namespace) => {
            first.namespace
        }
        _ => &*options.namespace,
    };
    let mut parts = vec![proxy(gate, namespace, options)?];
    parts.push(policy(gate, namespace, options)?);
    if gate.needs_bodies {
        parts.push(yaml::document(&bodies(namespace)));
    }
    let grants = grants(&backends, namespace);
    if !grants.is_empty() {
        parts.push(yaml::documents(&grants));
    }
    for file in OTHERS {
        parts.push(of_sites(file, gate, &backends, namespace, options)?);
    }
    Ok(parts.join("---\n"))
}

/// A shipped file for each n8n. What is equal for several of them is written once.
fn of_sites(
    file: &str,
    gate: &Gate,
    backends: &[Backend<'_>],
    namespace: &str,
    options: &Options,
) -> Result<String, String> {
    let mut objects = Objects::default();
    for (site, backend) in gate.sites.iter().zip(backends) {
        site.check_hosts(false)?;
        let text = with_names(file, gate, backend, namespace, options);
        if gate.sites.len() == 1 && site.is_as_shipped() {
            return Ok(text);
        }
        for (number, object) in documents(&text)?.into_iter().enumerate() {
            objects.add(number, site::own(site, &gate.sites, object)?);
        }
    }
    Ok(objects.text())
}

/// A shipped file with the names of this installation.
fn with_names(
    text: &str,
    gate: &Gate,
    backend: &Backend<'_>,
    namespace: &str,
    options: &Options,
) -> String {
    let own = format!("namespace: {namespace}\n");
    let Backend { name, port, .. } = backend;
    let backend = if backend.namespace == namespace {
        format!("{{ name: {name}, port: {port} }}")
    } else {
        let elsewhere = backend.namespace;
        format!("{{ name: {name}, namespace: {elsewhere}, port: {port} }}")
    };
    let class = format!("gatewayClassName: {}\n", options.gateway_class);
    let buffer = format!("  connection:\n    bufferLimit: {}\n", size(gate.buffer));
    let window = format!("initialStreamWindowSize: {}\n", size(gate.buffer));
    let pairs: [(&str, &str); 7] = [
        ("  connection:\n    bufferLimit: 64Ki\n", &buffer),
        ("initialStreamWindowSize: 64Ki\n", &window),
        ("namespace: n8n\n", &own),
        ("{ name: n8n, port: 5678 }", &backend),
        ("gatewayClassName: envoy\n", &class),
        ("n8n.example.com", &options.host),
        ("n8n-example-com", &options.certificate),
    ];
    replaced(text, &pairs)
}

/// What lets the routes lead to services of other namespaces: for each of these, its services.
fn grants(backends: &[Backend<'_>], namespace: &str) -> Vec<Value> {
    let elsewhere = backends.iter().filter(|n8n| n8n.namespace != namespace);
    let services: BTreeSet<_> = elsewhere.map(|n8n| (n8n.namespace, n8n.name)).collect();
    let grants = services.into_iter().map(|(of, name)| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": { "name": format!("n8n-idp-gate-{name}"), "namespace": of },
            "spec": {
                "from": [{ "group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": namespace }],
                "to": [{ "group": "", "kind": "Service", "name": name }],
            },
        })
    });
    grants.collect()
}

/// The proxy's environment, logs, and clusters. The filter calls clusters by their names, and Envoy
/// Gateway chooses the names of those that it makes of routes.
fn proxy(gate: &Gate, namespace: &str, options: &Options) -> Result<String, String> {
    let mut proxy = document(&with_audit(PROXY, gate))?;
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
