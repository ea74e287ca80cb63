//! Manifests for Istio.

mod site;

use serde_json::{json, Value};

use super::objects::Objects;
use super::options::Options;
use super::template::{document, documents, put, replaced, with_audit};
use super::upstream::Upstream;
use super::{yaml, Gate, Target};

/// Where the gateway has the module if an `EnvoyFilter` installs the gate.
pub(crate) const MODULE_DIRECTORY: &str = "/etc/n8n-idp-gate";

const PLUGIN: &str = include_str!("../../../../deploy/istio/wasmplugin.yaml");
const OTHERS: [&str; 3] = [
    include_str!("../../../../deploy/istio/route.yaml"),
    include_str!("../../../../deploy/istio/limits.yaml"),
    include_str!("../../../../deploy/istio/access-log.yaml"),
];
const ONLY_THROUGH: &str = include_str!("../../../../deploy/istio/only-through-the-gateway.yaml");
const ENVOY: &str = include_str!("../../../../envoy.yaml");

/// All manifests, in the order in which they are applied.
pub(crate) fn render(gate: &Gate, options: &Options) -> Result<String, String> {
    let mut parts = Vec::new();
    for (number, upstream) in (1_usize..).zip(gate.calls.providers()) {
        if let Some(part) = provider(upstream, number, options)? {
            parts.push(part);
        }
    }
    parts.push(if gate.needs_bodies {
        filter(gate, options)?
    } else {
        plugin(gate, options)?
    });
    for file in OTHERS.into_iter().chain([ONLY_THROUGH]) {
        parts.push(of_sites(file, gate, options)?);
    }
    Ok(parts.join("---\n"))
}

/// A shipped file for each n8n. What is equal for several of them is written once.
fn of_sites(file: &str, gate: &Gate, options: &Options) -> Result<String, String> {
    let mut texts = Vec::new();
    for site in &gate.sites {
        site.check_hosts(true)?;
        let n8n = Upstream::n8n(options, Target::Istio, site.instance.as_deref())?;
        let service = service(&n8n.host).ok_or(
            "--n8n: Istio needs the service of n8n. Hint: write NAME.NAMESPACE.svc.cluster.local:PORT",
        )?;
        let file = with_audit(file, gate);
        texts.push((site, with_names(&file, gate, &n8n, service, options)));
    }
    if let [(site, text)] = &*texts {
        if site.is_as_shipped() {
            return Ok(text.clone());
        }
    }
    let mut objects = Objects::default();
    for (site, text) in &texts {
        for (number, object) in documents(text)?.into_iter().enumerate() {
            objects.add(number, site::own(site, &gate.sites, object)?);
        }
    }
    Ok(objects.text())
}

/// Name and namespace of a service.
pub(crate) fn service(host: &str) -> Option<[&str; 2]> {
    let (name, rest) = host.split_once('.')?;
    let (namespace, rest) = rest.split_once('.')?;
    (rest == "svc" || rest.starts_with("svc.")).then_some([name, namespace])
}

/// A shipped file with the names of this installation.
fn with_names(
    text: &str,
    gate: &Gate,
    n8n: &Upstream,
    [name, namespace]: [&str; 2],
    options: &Options,
) -> String {
    let port = n8n.port.to_string();
    let buffer = format!("per_connection_buffer_limit_bytes: {}", gate.buffer);
    let window = format!("initial_stream_window_size: {}", gate.buffer);
    let of_gateway = format!("namespace: {}", options.namespace);
    let account = format!("ns/{}/sa/{}", options.namespace, options.gateway);
    let label = format!("metadata.name: {}", options.namespace);
    let own = format!("namespace: {namespace}\n");
    let app = format!("{{ app: {name} }}");
    replaced(
        text,
        &[
            ("n8n.n8n.svc.cluster.local", &n8n.host),
            ("5678", &port),
            ("per_connection_buffer_limit_bytes: 65536", &buffer),
            ("initial_stream_window_size: 65536", &window),
            ("n8n.example.com", &options.host),
            ("n8n-example-com", &options.certificate),
            ("namespace: n8n-ingress", &of_gateway),
            ("ns/n8n-ingress/sa/n8n-ingress", &account),
            ("metadata.name: n8n-ingress", &label),
            ("n8n-ingress", &options.gateway),
            ("namespace: n8n\n", &own),
            ("{ app: n8n }", &app),
        ],
    )
}

/// A provider's server as a cluster of the gateway. `None`: the mesh knows it.
fn provider(
    upstream: &Upstream,
    number: usize,
    options: &Options,
) -> Result<Option<String>, String> {
    let Upstream {
        host,
        port,
        has_tls,
        ..
    } = upstream;
    if upstream.is_address() {
        return Err(format!(
            "{}: Istio has no cluster for an address. Hint: give the provider a name, or write a \
             ServiceEntry with endpoints by hand",
            upstream.address()
        ));
    }
    let is_service = service(host).is_some();
    if is_service && !has_tls {
        return Ok(None);
    }
    let metadata = json!({
        "name": format!("n8n-idp-gate-provider-{number}"),
        "namespace": options.namespace,
    });
    let protocol = if *has_tls { "HTTPS" } else { "HTTP" };
    let entry = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": metadata,
        "spec": {
            "hosts": [host],
            "exportTo": ["."],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "ports": [{ "name": protocol.to_ascii_lowercase(), "number": port, "protocol": protocol }],
        },
    });
    let rule = json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": metadata,
        "spec": {
            "host": host,
            "exportTo": ["."],
            "trafficPolicy": { "tls": {
                "mode": "SIMPLE",
                "sni": host,
                "subjectAltNames": [host],
                "caCertificates": options.ca,
            }},
        },
    });
    let entry = (!is_service).then_some(&entry);
    let rule = has_tls.then_some(&rule);
    Ok(Some(yaml::documents(entry.into_iter().chain(rule))))
}

fn plugin(gate: &Gate, options: &Options) -> Result<String, String> {
    let mut plugin = document(PLUGIN)?;
    let variables = gate.variables.iter();
    let variables: Vec<Value> = variables
        .map(|name| json!({ "name": name, "valueFrom": "HOST" }))
        .collect();
    for (pointer, value) in [
        ("/metadata/namespace", options.namespace.as_str().into()),
        (
            "/spec/selector/matchLabels/istio",
            options.gateway.as_str().into(),
        ),
        ("/spec/url", format!("oci://{}", options.image).into()),
        ("/spec/sha256", options.sha256.as_str().into()),
        ("/spec/vmConfig/env", variables.into()),
        ("/spec/pluginConfig", gate.configuration.clone()),
    ] {
        put(&mut plugin, pointer, value)?;
    }
    Ok(yaml::document(&plugin))
}

/// The gate as an `EnvoyFilter`: a `WasmPlugin` cannot say that bodies are handed over. The values of
/// the chart mount the module.
fn filter(gate: &Gate, options: &Options) -> Result<String, String> {
    let envoy = document(ENVOY)?;
    let filter = super::envoy::filter(&envoy, gate, &format!("{MODULE_DIRECTORY}/plugin.wasm"))?;
    let router = "envoy.filters.http.router";
    Ok(yaml::document(&json!({
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": { "name": "n8n-idp-gate", "namespace": options.namespace },
        "spec": {
            "workloadSelector": { "labels": { "istio": options.gateway } },
            "configPatches": [{
                "applyTo": "HTTP_FILTER",
                "match": {
                    "context": "GATEWAY",
                    "listener": { "filterChain": { "filter": {
                        "name": "envoy.filters.network.http_connection_manager",
                        "subFilter": { "name": router },
                    }}},
                },
                "patch": { "operation": "INSERT_BEFORE", "value": filter },
            }],
        },
    })))
}
