//! A real Envoy with the filter.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{json, Map, Value};
use tempfile::TempDir;

use super::envoy_file::{self, Ports};
use super::http::{exchange_within, Request};
use super::process::{Ending, Process};
use super::{installed, ports, Outcome};

/// How long Envoy may take to start; compiling the module is most of it.
const START: Duration = Duration::from_secs(60);

/// The settings of an Envoy.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    file: File,
    gate: u16,
    admin: u16,
    environment: Vec<(String, String)>,
    concurrency: usize,
    log_level: &'static str,
    module: Option<PathBuf>,
    withheld: Option<&'static str>,
    holds_heads_alone: bool,
}

#[derive(Clone, Debug)]
enum File {
    /// The repository's `envoy.yaml`.
    Shipped {
        ports: Ports,
        /// Texts of the file, and the texts that replace them in the running copy.
        edits: Vec<(String, String)>,
    },
    /// A minimal bootstrap around one plugin configuration.
    Minimal {
        plugin: Value,
        upstream: u16,
        clusters: Vec<(String, u16)>,
        env_keys: Vec<String>,
        /// Domains of virtual hosts, and the clusters that they lead to.
        hosts: Vec<(String, String)>,
        /// The routes of every other host. Empty: one route to the upstream.
        routes: Vec<Value>,
        normalize: bool,
        discovered: bool,
        /// The limit of a request's head in KiB; Envoy's default is 60.
        head: u32,
        /// The last entry of `X-Forwarded-For` is the client's address, as behind a proxy.
        proxied: bool,
        /// The VM id of another module before the filter.
        neighbour: Option<String>,
        /// The policy of Envoy's own CORS filter before the filter.
        cors: Option<Value>,
    },
}

impl Setup {
    /// The repository's own file.
    pub(crate) fn shipped(ports: Ports) -> Self {
        let edits = Vec::new();
        Self::with(File::Shipped { ports, edits }, ports.gate, ports.admin)
    }

    /// Changes one value of the repository's file in the running copy: a limit, so that few
    /// requests reach it, or a time that is too long for a test.
    #[must_use]
    pub(crate) fn edited(mut self, text: &str, with: &str) -> Self {
        if let File::Shipped { edits, .. } = &mut self.file {
            edits.push((text.to_owned(), with.to_owned()));
        }
        self
    }

    /// One listener, the filter with this configuration, and the upstream at a loopback port.
    pub(crate) fn minimal(plugin: Value, upstream: u16) -> Outcome<Self> {
        let file = File::Minimal {
            plugin,
            upstream,
            clusters: Vec::new(),
            env_keys: Vec::new(),
            hosts: Vec::new(),
            routes: Vec::new(),
            normalize: false,
            discovered: false,
            head: 60,
            proxied: false,
            neighbour: None,
            cors: None,
        };
        Ok(Self::with(file, ports::free()?, ports::free()?))
    }

    const fn with(file: File, gate: u16, admin: u16) -> Self {
        Self {
            file,
            gate,
            admin,
            environment: Vec::new(),
            concurrency: 1,
            log_level: "info",
            module: None,
            withheld: None,
            holds_heads_alone: false,
        }
    }

    /// Adds a cluster at a loopback port.
    #[must_use]
    pub(crate) fn cluster(mut self, name: &str, port: u16) -> Self {
        if let File::Minimal { clusters, .. } = &mut self.file {
            clusters.push((name.to_owned(), port));
        }
        self
    }

    /// Leads a host, or all hosts below a domain, to another upstream at a loopback port. All
    /// others lead to the first upstream.
    #[must_use]
    pub(crate) fn host(self, name: &str, port: u16) -> Self {
        self.leading(name, name).cluster(name, port)
    }

    /// Leads a host to the first upstream, although its domain leads to another one.
    #[must_use]
    pub(crate) fn host_of_first(self, name: &str) -> Self {
        self.leading(name, "upstream")
    }

    fn leading(mut self, name: &str, cluster: &str) -> Self {
        if let File::Minimal { hosts, .. } = &mut self.file {
            hosts.push((name.to_owned(), cluster.to_owned()));
        }
        self
    }

    /// Uses only these routes, to the cluster `upstream` or others.
    #[must_use]
    pub(crate) fn routes(mut self, own: Value) -> Self {
        if let (File::Minimal { routes, .. }, Value::Array(own)) = (&mut self.file, own) {
            *routes = own;
        }
        self
    }

    /// Sets an environment variable of Envoy, and lets the filter read it.
    #[must_use]
    pub(crate) fn secret(mut self, name: &str, value: &str) -> Self {
        if let File::Minimal { env_keys, .. } = &mut self.file {
            env_keys.push(name.to_owned());
        }
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the number of worker threads; the default is one.
    #[must_use]
    pub(crate) const fn workers(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Normalises paths and merges slashes before the filter, which Istio can be configured to do.
    #[must_use]
    pub(crate) fn normalizing(mut self) -> Self {
        if let File::Minimal { normalize, .. } = &mut self.file {
            *normalize = true;
        }
        self
    }

    /// Accepts heads of this number of KiB, for clients that send large cookies.
    #[must_use]
    pub(crate) fn heads_of(mut self, kib: u32) -> Self {
        if let File::Minimal { head, .. } = &mut self.file {
            *head = kib;
        }
        self
    }

    /// Configures the filter by extension discovery, as Istio does, so that [`Envoy::update`] can
    /// replace its configuration.
    #[must_use]
    pub(crate) fn discovered(mut self) -> Self {
        if let File::Minimal { discovered, .. } = &mut self.file {
            *discovered = true;
        }
        self
    }

    /// Takes the client's address from `X-Forwarded-For`, as behind a proxy.
    #[must_use]
    pub(crate) fn proxied(mut self) -> Self {
        if let File::Minimal { proxied, .. } = &mut self.file {
            *proxied = true;
        }
        self
    }

    /// Puts the module that reads and writes shared data before the filter, with this VM id, or
    /// with that of the filter.
    #[must_use]
    pub(crate) fn neighbour(mut self, vm_id: Option<&str>) -> Self {
        if let File::Minimal { neighbour, .. } = &mut self.file {
            *neighbour = Some(vm_id.unwrap_or(NAME).to_owned());
        }
        self
    }

    /// Puts Envoy's own CORS filter before the filter, with this policy for all hosts.
    #[must_use]
    pub(crate) fn cors(mut self, policy: Value) -> Self {
        if let File::Minimal { cors, .. } = &mut self.file {
            *cors = Some(policy);
        }
        self
    }

    /// Loads another module instead of the filter.
    #[must_use]
    pub(crate) fn module(mut self, module: PathBuf) -> Self {
        self.module = Some(module);
        self
    }

    /// Does not let the filter call this function of the host.
    #[must_use]
    pub(crate) const fn withholding(mut self, function: &'static str) -> Self {
        self.withheld = Some(function);
        self
    }

    /// Sets `allow_on_headers_stop_iteration`: a filter that holds a head still gets the body and
    /// the trailers.
    #[must_use]
    pub(crate) const fn holding_heads_alone(mut self) -> Self {
        self.holds_heads_alone = true;
        self
    }

    /// Lets the filter (not Envoy) log at this level.
    #[must_use]
    pub(crate) const fn log_level(mut self, level: &'static str) -> Self {
        self.log_level = level;
        self
    }

    /// Starts Envoy and waits until it serves.
    pub(crate) fn start(self) -> Outcome<Envoy> {
        let (gate, admin) = (self.gate, self.admin);
        let mut envoy = self.launch()?;
        envoy.process.wait_until(START, |_| {
            is_ready(admin) && TcpStream::connect((Ipv4Addr::LOCALHOST, gate)).is_ok()
        })?;
        Ok(envoy)
    }

    /// Starts Envoy, waits until it ends with an error, and returns its log.
    pub(crate) fn start_is_refused(self) -> Outcome<String> {
        let mut envoy = self.launch()?;
        let status = envoy.process.wait_for_end(START)?;
        if status.success() {
            return Err(format!("Envoy ended with {status}").into());
        }
        Ok(envoy.log_text())
    }

    fn launch(self) -> Outcome<Envoy> {
        let directory = tempfile::tempdir()?;
        let (name, text) = match &self.file {
            File::Shipped { ports, edits } => {
                installed::wasm()?;
                ("envoy.yaml", edited(envoy_file::text_with(*ports)?, edits)?)
            }
            File::Minimal {
                plugin, env_keys, ..
            } => {
                let module = self.module.clone().map_or_else(installed::wasm, Ok)?;
                let mut filter = filter(&module, plugin, env_keys);
                let config = filter.pointer_mut("/config").and_then(Value::as_object_mut);
                if let Some(config) = config {
                    if let Some(withheld) = self.withheld {
                        let restriction = "capability_restriction_config".to_owned();
                        config.insert(restriction, all_but(withheld)?);
                    }
                    if self.holds_heads_alone {
                        let option = "allow_on_headers_stop_iteration".to_owned();
                        config.insert(option, json!(true));
                    }
                }
                let discovery = directory.path().join(DISCOVERY);
                publish(&discovery, &filter)?;
                ("envoy.json", self.bootstrap(&filter, &discovery)?)
            }
        };
        let file = directory.path().join(name);
        fs::write(&file, text)?;
        let process = Process::start(
            "Envoy",
            &installed::envoy()?,
            &directory.path().join("log"),
            Ending::Kill,
            |command| {
                command
                    .current_dir(installed::root())
                    .envs(self.environment.iter().map(|(name, value)| (name, value)))
                    .arg("--config-path")
                    .arg(file)
                    .args(["--use-dynamic-base-id", "--concurrency"])
                    .arg(self.concurrency.to_string())
                    .args(["--log-level", "warning", "--component-log-level"])
                    .arg(format!("wasm:{}", self.log_level));
            },
        )?;
        Ok(Envoy {
            process,
            port: self.gate,
            admin: self.admin,
            file: self.file,
            directory,
        })
    }

    fn bootstrap(&self, filter: &Value, discovery: &Path) -> Outcome<String> {
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
            Ok::<_, super::Failure>(json!({ "name": "neighbour", "typed_config": filter }))
        });
        let neighbour = neighbour.transpose()?;
        let first = cors.as_ref().map(|_| {
            json!({
                "name": CORS,
                "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" },
            })
        });
        let per_filter = cors.as_ref().map(|policy| json!({ CORS: policy }));
        let manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "gate",
            "http_protocol_options": { "enable_trailers": true },
            "normalize_path": normalize,
            "merge_slashes": normalize,
            "max_request_headers_kb": head,
            "use_remote_address": proxied,
            "xff_num_trusted_hops": i32::from(*proxied),
            "http_filters": first.iter().chain(&neighbour).chain([&gate, &router]).collect::<Vec<_>>(),
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
                    "filter_chains": [ { "filters": [ { "name": "http", "typed_config": manager } ] } ],
                } ],
                "clusters": clusters,
            },
        });
        Ok(bootstrap.to_string())
    }
}

/// The text with its edits. Each edit must match exactly once.
fn edited(text: String, edits: &[(String, String)]) -> Outcome<String> {
    edits.iter().try_fold(text, |text, (before, after)| {
        match text.matches(before.as_str()).count() {
            1 => Ok(text.replace(before.as_str(), after)),
            count => Err(format!("{before:?} is in the file {count} times").into()),
        }
    })
}

/// Envoy's own CORS filter.
const CORS: &str = "envoy.filters.http.cors";

/// The name of the filter and of its virtual machine.
const NAME: &str = "n8n-idp-gate";

/// The file for extension discovery.
const DISCOVERY: &str = "filter.json";

fn filter(wasm: &Path, plugin: &Value, env_keys: &[String]) -> Value {
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
fn all_but(withheld: &str) -> Outcome<Value> {
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

/// Writes the discovered file in one step, because Envoy watches for a file that is moved here.
fn publish(path: &Path, filter: &Value) -> Outcome<()> {
    let resource = json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": NAME,
        "typed_config": filter,
    });
    let draft = path.with_extension("draft");
    fs::write(&draft, json!({ "resources": [resource] }).to_string())?;
    fs::rename(&draft, path)?;
    Ok(())
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

/// Whether the Envoy with this admin port is ready.
pub(crate) fn is_ready(admin: u16) -> bool {
    let request = Request::get("/ready").bytes();
    exchange_within(admin, &request, Duration::from_secs(1))
        .is_ok_and(|response| response.status == 200)
}

/// A running Envoy. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Envoy {
    process: Process,
    port: u16,
    admin: u16,
    file: File,
    directory: TempDir,
}

impl Envoy {
    /// The port for clients.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Replaces the configuration of a filter that is [`Setup::discovered`]. It takes effect a
    /// moment later.
    pub(crate) fn update(&self, plugin: &Value) -> Outcome<()> {
        let File::Minimal { env_keys, .. } = &self.file else {
            return Err("the shipped file is not discovered".into());
        };
        let filter = filter(&installed::wasm()?, plugin, env_keys);
        publish(&self.directory.path().join(DISCOVERY), &filter)
    }

    /// All metrics, in the text format of Prometheus.
    pub(crate) fn stats(&self) -> Outcome<String> {
        self.admin_page("/stats/prometheus")
    }

    /// The metric whose name begins with `name` and has `label` in it, once it has reached `least`.
    /// Workers report their counts a few times a second.
    pub(crate) fn counted(&self, name: &str, label: &str, least: u64) -> Outcome<u64> {
        let mut count = 0;
        for _ in 0..50 {
            let stats = self.stats()?;
            count = stats
                .lines()
                .filter(|line| line.starts_with(name) && line.contains(label))
                .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .sum();
            if count >= least {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(count)
    }

    /// A page of Envoy's admin interface.
    pub(crate) fn admin_page(&self, path: &str) -> Outcome<String> {
        Ok(Request::get(path).send(self.admin)?.text())
    }

    /// Everything that Envoy and the filter logged.
    pub(crate) fn log_text(&self) -> String {
        self.process.log_text()
    }

    /// The audit records so far, oldest first: the lines of the filter that are JSON and hold a
    /// `decision`.
    pub(crate) fn audit(&self) -> Vec<Value> {
        self.log_text()
            .lines()
            .filter_map(|line| line.split_once("wasm log ")?.1.split_once('{'))
            .filter_map(|(_, rest)| serde_json::from_str::<Value>(&format!("{{{rest}")).ok())
            .filter(|record| record.get("decision").is_some())
            .collect()
    }
}
