//! The settings of an Envoy.

use std::path::PathBuf;

use serde_json::Value;

use super::minimal::NAME;
use crate::support::envoy_file::Ports;
use crate::support::{ports, Outcome};

/// The settings of an Envoy.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(super) file: File,
    pub(super) gate: u16,
    pub(super) admin: u16,
    pub(super) environment: Vec<(String, String)>,
    pub(super) concurrency: usize,
    pub(super) log_level: &'static str,
    pub(super) module: Option<PathBuf>,
    pub(super) withheld: Option<&'static str>,
    pub(super) holds_heads_alone: bool,
}

#[derive(Clone, Debug)]
pub(super) enum File {
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
        listener: Box<Listener>,
    },
}

/// What is unusual about the listener.
#[derive(Clone, Debug, Default)]
pub(super) struct Listener {
    /// The TLS context; `None`: clients connect without TLS.
    pub(super) tls: Option<Value>,
    /// Other fields of the connection manager.
    pub(super) manager: Vec<(String, Value)>,
    /// Other filters before the filter.
    pub(super) before: Vec<Value>,
    /// A proxy without the filter.
    pub(super) is_bare: bool,
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
            listener: Box::default(),
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

    /// Listens at this port.
    #[must_use]
    pub(crate) const fn at(mut self, gate: u16) -> Self {
        self.gate = gate;
        self
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

    /// Serves TLS with this context.
    #[must_use]
    pub(crate) fn tls(mut self, context: Value) -> Self {
        if let File::Minimal { listener, .. } = &mut self.file {
            listener.tls = Some(context);
        }
        self
    }

    /// Sets a field of the connection manager.
    #[must_use]
    pub(crate) fn manager(mut self, name: &str, value: Value) -> Self {
        if let File::Minimal { listener, .. } = &mut self.file {
            listener.manager.push((name.to_owned(), value));
        }
        self
    }

    /// Puts another filter before the filter.
    #[must_use]
    pub(crate) fn before(mut self, filter: Value) -> Self {
        if let File::Minimal { listener, .. } = &mut self.file {
            listener.before.push(filter);
        }
        self
    }

    /// A proxy without the filter.
    #[must_use]
    pub(crate) fn without_gate(mut self) -> Self {
        if let File::Minimal { listener, .. } = &mut self.file {
            listener.is_bare = true;
        }
        self
    }

    /// Sets `public_origin` of the filter to the address of this listener.
    #[must_use]
    pub(crate) fn at_own_origin(mut self, scheme: &str) -> Self {
        let origin = format!("{scheme}://127.0.0.1:{}", self.gate);
        if let File::Minimal { plugin, .. } = &mut self.file {
            if let Some(plugin) = plugin.as_object_mut() {
                plugin.insert("public_origin".to_owned(), Value::from(origin));
            }
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
}
