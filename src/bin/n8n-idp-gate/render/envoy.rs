//! The file of an Envoy that runs by itself, and of Docker Compose.

mod virtual_host;

use n8n_idp_gate::n8n::Line;
use serde_json::{json, Value};

use self::virtual_host::virtual_host;
use super::options::Options;
use super::site::Site;
use super::template::{document, put, with_audit};
use super::upstream::Upstream;
use super::{yaml, Gate, Target};

const ENVOY: &str = include_str!("../../../../envoy.yaml");
const COMPOSE: &str = include_str!("../../../../deploy/compose/docker-compose.yaml");

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
const CLUSTERS: &str = "/static_resources/clusters";

/// Where the container of Envoy has the module.
const IN_CONTAINER: &str = "/etc/envoy/n8n-idp-gate.wasm";

/// The file.
pub(crate) fn render(gate: &Gate, options: &Options) -> Result<String, String> {
    let file = file(
        gate,
        Target::Envoy,
        &options.module,
        &options.listen,
        options,
    )?;
    Ok(yaml::document(&file))
}

fn file(
    gate: &Gate,
    target: Target,
    module: &str,
    (address, port): &(String, u16),
    options: &Options,
) -> Result<Value, String> {
    let mut file = document(&with_audit(ENVOY, gate))?;
    // Where there is one for audit records, they go to standard output, too.
    if let Some(path) = file.pointer_mut(&format!("{MANAGER}/access_log/1/typed_config/path")) {
        *path = "/dev/stdout".into();
    }
    let filter = filter(&file, gate, module)?;
    put(&mut file, &format!("{MANAGER}/http_filters/0"), filter)?;
    let listener = "/static_resources/listeners/0/address/socket_address";
    let socket = json!({ "address": address, "port_value": port });
    put(&mut file, listener, socket)?;
    for pointer in [
        "/static_resources/listeners/0/per_connection_buffer_limit_bytes",
        &format!("{MANAGER}/http2_protocol_options/initial_stream_window_size"),
    ] {
        put(&mut file, pointer, gate.buffer.into())?;
    }
    let hosts = format!("{MANAGER}/route_config/virtual_hosts");
    let template = |pointer: String| {
        let found = file.pointer(&pointer).cloned();
        found.ok_or_else(|| format!("the template has no {pointer}"))
    };
    let host = template(format!("{hosts}/0"))?;
    let cluster = template(format!("{CLUSTERS}/0"))?;
    let mut virtual_hosts = Vec::new();
    let mut clusters = Vec::new();
    for site in &gate.sites {
        let n8n = Upstream::n8n(options, target, site.instance.as_deref())?;
        virtual_hosts.push(virtual_host(site, &host, &n8n.cluster(target))?);
        clusters.push(cluster_of(&cluster, &n8n, target)?);
    }
    put(&mut file, &hosts, virtual_hosts.into())?;
    if gate.sites.iter().any(|site| !site.hosts.is_empty()) {
        // The gate compares hosts without their ports.
        let routes = file.pointer_mut(&format!("{MANAGER}/route_config"));
        let routes = routes.and_then(Value::as_object_mut);
        let routes = routes.ok_or("the template has no routes")?;
        routes.insert("ignore_port_in_host_matching".to_owned(), true.into());
    }
    let providers = gate.calls.providers().into_iter();
    clusters.extend(providers.map(|upstream| upstream.of_envoy(target, &options.ca)));
    put(&mut file, CLUSTERS, clusters.into())?;
    Ok(file)
}

/// The cluster of the template as that of this n8n.
fn cluster_of(template: &Value, n8n: &Upstream, target: Target) -> Result<Value, String> {
    let mut cluster = template.clone();
    let name = n8n.cluster(target);
    let endpoint = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    let socket = json!({ "address": n8n.host, "port_value": n8n.port });
    put(&mut cluster, endpoint, socket)?;
    put(&mut cluster, "/name", name.clone().into())?;
    put(&mut cluster, "/load_assignment/cluster_name", name.into())?;
    Ok(cluster)
}

/// The filter of the shipped file with another configuration.
pub(crate) fn filter(file: &Value, gate: &Gate, module: &str) -> Result<Value, String> {
    let filter = file.pointer(&format!("{MANAGER}/http_filters/0"));
    let mut filter = filter.cloned().ok_or("the template has no filter")?;
    let config = "/typed_config/config";
    for (pointer, value) in [
        ("/configuration/value", gate.configuration.clone()),
        ("/vm_config/code/local/filename", module.into()),
        (
            "/vm_config/environment_variables/host_env_keys",
            gate.variables.clone().into(),
        ),
        ("/allow_on_headers_stop_iteration", gate.needs_bodies.into()),
    ] {
        put(&mut filter, &format!("{config}{pointer}"), value)?;
    }
    if let (true, Some(vm)) = (
        gate.variables.is_empty(),
        filter.pointer_mut("/typed_config/config/vm_config"),
    ) {
        vm.as_object_mut()
            .and_then(|vm| vm.remove("environment_variables"));
    }
    Ok(filter)
}

/// Envoy and n8n in containers. n8n has no port of its own on the host.
pub(crate) fn compose(gate: &Gate, options: &Options) -> Result<String, String> {
    let inside = ("0.0.0.0".to_owned(), 8080);
    let file = file(gate, Target::Compose, IN_CONTAINER, &inside, options)?;
    let shipped = document(COMPOSE)?;
    let shipped = |pointer: &str| shipped.pointer(pointer).cloned().unwrap_or_default();
    let (address, port) = &options.listen;
    let module = &options.module;
    let from_here = if module.starts_with(['/', '.']) {
        ""
    } else {
        "./"
    };
    let mut envoy = json!({
        "image": shipped("/services/envoy/image"),
        "command": shipped("/services/envoy/command"),
        "configs": [{ "source": "envoy", "target": "/etc/envoy/envoy.yaml" }],
        "environment": gate.variables,
        "ports": [format!("{address}:{port}:8080")],
        "restart": "unless-stopped",
        "volumes": [format!("{from_here}{module}:{IN_CONTAINER}:ro")],
    });
    // Compose replaces `$NAME` in texts; `$$` is one dollar.
    let content = yaml::document(&file).replace('$', "$$");
    let configs = json!({ "envoy": { "content": content } });
    let is_own = |site: &Site| {
        let n8n = Upstream::n8n(options, Target::Compose, site.instance.as_deref());
        n8n.is_ok_and(|n8n| n8n.instance.is_none() && n8n.host == "n8n")
    };
    if !gate.sites.iter().all(is_own) {
        let services = json!({ "envoy": envoy });
        let all = json!({ "configs": configs, "services": services });
        return Ok(yaml::document(&all));
    }
    if let Some(envoy) = envoy.as_object_mut() {
        let healthy = json!({ "n8n": { "condition": "service_healthy" } });
        envoy.insert("depends_on".to_owned(), healthy);
    }
    let n8n = json!({
        "image": image(&gate.configuration, shipped("/services/n8n/image")),
        "environment": { "N8N_PROXY_HOPS": "1" },
        "healthcheck": shipped("/services/n8n/healthcheck"),
        "restart": "unless-stopped",
        "volumes": ["n8n:/home/node/.n8n"],
    });
    let all = json!({
        "configs": configs,
        "services": { "envoy": envoy, "n8n": n8n },
        "volumes": { "n8n": {} },
    });
    Ok(yaml::document(&all))
}

/// The image of the n8n that the configuration names: of its version, or of the one that its line is tested with.
fn image(configuration: &Value, shipped: Value) -> Value {
    let Some(version) = configuration["n8n_version"].as_str() else {
        return shipped;
    };
    let lines = Line::ALL.into_iter();
    let mut named = lines.filter(|line| line.as_str() == version);
    let tested = named.next().map(Line::tested_version);
    format!("n8nio/n8n:{}", tested.unwrap_or(version)).into()
}
