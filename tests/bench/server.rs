//! An Envoy with a chain of filters: usually one worker on one core. It makes the responses itself.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use n8n_idp_gate::decide::IDENTITY_HEADERS;
use serde_json::{json, Value};
use tempfile::TempDir;

use crate::peers::{Peer, RunningPeer};
use crate::support::envoy::is_ready;
use crate::support::envoy::minimal::address;
use crate::support::http::Request;
use crate::support::process::{Ending, Process};
use crate::support::{installed, ports, Outcome};

/// How long Envoy may take to start; compiling the module is most of it.
const START: Duration = Duration::from_secs(60);

/// The file that Envoy's listeners are read from.
const LISTENERS: &str = "listeners.json";

/// The response to a request with this header repeats the headers with the caller's identity and with
/// credentials, with `x-echo-` before their names, so that a test can see what the chain did. No timed
/// request has this header.
pub(crate) const ECHO: &str = "x-bench-echo";

/// Where a chain writes audit records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audit {
    /// It writes none.
    None,
    /// To Envoy's log.
    Log,
    /// To the file of an access log.
    AccessLog,
}

/// The file of the access log with audit records.
const RECORDS: &str = "records";

/// The filters between the listener and the response.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The filters before the router.
    pub(crate) filters: Vec<Value>,
    /// The environment of Envoy.
    pub(crate) environment: Vec<(String, String)>,
    /// Whether headers with underscores are dropped before the filters.
    pub(crate) drops_underscores: bool,
    /// Where audit records go.
    pub(crate) audit: Audit,
    /// The loopback port of a real upstream. Without one, Envoy makes the responses.
    pub(crate) upstream: Option<u16>,
    /// The number of workers.
    pub(crate) workers: usize,
    /// The program that its filters ask.
    pub(crate) peer: Option<Peer>,
    /// The largest head of a request in KiB, if it is not Envoy's usual one.
    pub(crate) largest_head: Option<u32>,
}

impl Chain {
    /// A chain of these filters.
    pub(crate) fn new(name: &'static str, filters: Vec<Value>) -> Self {
        Self {
            name,
            filters,
            environment: Vec::new(),
            drops_underscores: false,
            audit: Audit::None,
            upstream: None,
            workers: 1,
            peer: None,
            largest_head: None,
        }
    }

    /// Starts Envoy on this core, and waits until it is ready.
    pub(crate) fn start(&self, core: usize) -> Outcome<Server> {
        self.start_on(&[core])
    }

    /// Starts Envoy on these cores, and waits until it is ready.
    pub(crate) fn start_on(&self, cores: &[usize]) -> Outcome<Server> {
        let mut server = self.launch(cores)?;
        let (port, admin) = (server.port, server.admin);
        server.process.wait_until(START, |_| {
            is_ready(admin) && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })?;
        Ok(server)
    }

    /// Starts Envoy on these cores, and does not wait.
    pub(crate) fn launch(&self, cores: &[usize]) -> Outcome<Server> {
        let directory = tempfile::tempdir()?;
        let (port, admin) = (ports::free()?, ports::free()?);
        let file = directory.path().join("envoy.json");
        let listeners = directory.path().join(LISTENERS);
        let cores: Vec<String> = cores.iter().map(ToString::to_string).collect();
        let cores = cores.join(",");
        let peer = self.peer.as_ref();
        let peer = peer.map(|peer| peer.start(&cores, directory.path()));
        let peer = peer.transpose()?;
        let bootstrap = self.bootstrap(admin, &listeners, peer.as_ref());
        fs::write(&file, bootstrap.to_string())?;
        fs::write(
            &listeners,
            self.listeners(port, directory.path()).to_string(),
        )?;
        let envoy = installed::envoy()?;
        let process = Process::start(
            "Envoy",
            Path::new("/usr/bin/taskset"),
            &directory.path().join("log"),
            Ending::Kill,
            |command| {
                command
                    .current_dir(installed::root())
                    .envs(self.environment.iter().map(|(name, value)| (name, value)))
                    .args(["--cpu-list", &cores])
                    .arg(envoy)
                    .arg("--config-path")
                    .arg(file)
                    .args(["--use-dynamic-base-id", "--concurrency"])
                    .arg(self.workers.to_string())
                    .args(["--log-level", "warning", "--component-log-level"])
                    .arg(match self.audit {
                        Audit::Log => "wasm:info",
                        Audit::None | Audit::AccessLog => "wasm:warning",
                    });
            },
        )?;
        Ok(Server {
            name: self.name,
            process,
            port,
            admin,
            peer: peer.map(Box::new),
            directory,
        })
    }

    /// What Envoy reads as its listeners, now and whenever the file is replaced.
    fn listeners(&self, port: u16, directory: &Path) -> Value {
        let mut filters = self.filters.clone();
        filters.push(json!({
            "name": "router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }));
        let underscores = if self.drops_underscores {
            "DROP_HEADER"
        } else {
            "ALLOW"
        };
        let mut manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "bench",
            "common_http_protocol_options": { "headers_with_underscores_action": underscores },
            "http_filters": filters,
            "route_config": { "virtual_hosts": [ {
                "name": "n8n",
                "domains": ["*"],
                "routes": self.routes(),
            } ] },
        });
        if self.audit == Audit::AccessLog {
            manager["access_log"] = json!([{
                "name": "records",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": directory.join(RECORDS),
                    "log_format": { "text_format_source": {
                        "inline_string": "%FILTER_STATE(wasm.n8n_idp_gate.audit:PLAIN)%\n",
                    } },
                },
            }]);
        }
        if let Some(kibibytes) = self.largest_head {
            manager["max_request_headers_kb"] = json!(kibibytes);
        }
        json!({ "resources": [ {
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": "bench",
            "address": address(port),
            "filter_chains": [ { "filters": [ { "name": "http", "typed_config": manager } ] } ],
        } ] })
    }

    fn bootstrap(&self, admin: u16, listeners: &Path, peer: Option<&RunningPeer>) -> Value {
        let upstream = self.upstream.iter().map(|port| cluster(*port));
        let peer = peer.map(RunningPeer::cluster);
        let clusters: Vec<Value> = upstream.chain(peer).collect();
        json!({
            "node": { "id": "bench", "cluster": "bench" },
            "admin": { "address": address(admin) },
            "dynamic_resources": {
                "lds_config": { "path_config_source": { "path": listeners } },
            },
            "static_resources": { "clusters": clusters },
        })
    }

    fn routes(&self) -> Vec<Value> {
        if self.upstream.is_some() {
            return vec![
                json!({ "match": { "prefix": "/" }, "route": { "cluster": "n8n", "timeout": "0s" } }),
            ];
        }
        let echo: Vec<Value> = ["authorization", "x-n8n-api-key"]
            .iter()
            .chain(&IDENTITY_HEADERS)
            .map(|name| {
                let header =
                    json!({ "key": format!("x-echo-{name}"), "value": format!("%REQ({name})%") });
                json!({ "header": header })
            })
            .collect();
        let response = json!({ "status": 200, "body": { "inline_string": "{\"data\":[]}" } });
        vec![
            json!({
                "match": { "prefix": "/", "headers": [ { "name": ECHO, "present_match": true } ] },
                "direct_response": response,
                "response_headers_to_add": echo,
            }),
            json!({ "match": { "prefix": "/" }, "direct_response": response }),
        ]
    }
}

/// A WebAssembly filter in its own virtual machine.
pub(crate) fn wasm_filter(wasm: &Path, configuration: &Value, variables: &[String]) -> Value {
    json!({
        "name": "wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "bench",
                "vm_config": {
                    "vm_id": "bench",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": wasm } },
                    "environment_variables": { "host_env_keys": variables },
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration.to_string(),
                },
            },
        },
    })
}

fn cluster(port: u16) -> Value {
    json!({
        "name": "n8n",
        "type": "STATIC",
        "connect_timeout": "2s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": { "http_protocol_options": {} },
                // Node.js closes idle connections after 5 s. Envoy must close them before.
                "common_http_protocol_options": { "idle_timeout": "4s" },
            },
        },
        "load_assignment": {
            "cluster_name": "n8n",
            "endpoints": [ { "lb_endpoints": [ { "endpoint": { "address": address(port) } } ] } ],
        },
    })
}

/// A running Envoy. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    /// The name of its chain.
    pub(crate) name: &'static str,
    process: Process,
    port: u16,
    admin: u16,
    /// The program that it asks.
    peer: Option<Box<RunningPeer>>,
    /// Envoy's log and files are here. Dropping the value removes them.
    directory: TempDir,
}

impl Server {
    /// The port for clients.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Gives the running Envoy the filters of this chain.
    pub(crate) fn update(&self, chain: &Chain) -> Outcome<()> {
        let file = self.directory.path().join(LISTENERS);
        let new = file.with_extension("new");
        let listeners = chain.listeners(self.port, self.directory.path());
        fs::write(&new, listeners.to_string())?;
        // Envoy notices a file that is moved over the old one.
        Ok(fs::rename(new, file)?)
    }

    /// Its process id, for a profiler.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// A file of the process below `/proc`.
    pub(crate) fn proc_file(&self, name: &str) -> Outcome<String> {
        Ok(fs::read_to_string(format!("/proc/{}/{name}", self.id()))?)
    }

    /// The processor time so far of all its threads, and of those of its peer, in seconds.
    pub(crate) fn processor_seconds(&self) -> Outcome<f64> {
        let envoy = processor_seconds(&self.proc_file("stat")?);
        let Some(peer) = &self.peer else {
            return Ok(envoy);
        };
        let peer = fs::read_to_string(format!("/proc/{}/stat", peer.id()))?;
        Ok(envoy + processor_seconds(&peer))
    }

    /// The number of responses with a status of 500 or above.
    pub(crate) fn failures(&self) -> Outcome<f64> {
        let page = self.admin_page("/stats?filter=^http\\.bench\\.downstream_rq_5xx$")?;
        page.lines()
            .find_map(|line| line.strip_prefix("http.bench.downstream_rq_5xx: "))
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| "Envoy does not say how many requests failed".into())
    }

    /// Whether it writes audit records to this place, and to no other. They come some time after the
    /// responses: Envoy writes an access log every ten seconds, and when it has gathered 64 KiB.
    pub(crate) fn writes_audit_to(&self, expected: Audit) -> bool {
        let has_record = |text: &str| text.contains("\"decision\":\"forward\"");
        let written = || {
            let records = fs::read_to_string(self.directory.path().join(RECORDS));
            match (has_record(&self.process.log_text()), records) {
                (true, _) => Audit::Log,
                (_, Ok(records)) if has_record(&records) => Audit::AccessLog,
                _ => Audit::None,
            }
        };
        let patience = match expected {
            Audit::None | Audit::Log => Duration::from_secs(2),
            Audit::AccessLog => Duration::from_secs(12),
        };
        let started = Instant::now();
        loop {
            let is_expected = written() == expected;
            if is_expected || started.elapsed() > patience {
                return is_expected;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A page of Envoy's admin interface.
    pub(crate) fn admin_page(&self, path: &str) -> Outcome<String> {
        Ok(Request::get(path).send(self.admin)?.text())
    }
}

/// The processor time of a process, in seconds. `stat` is its file of that name below `/proc`.
fn processor_seconds(stat: &str) -> f64 {
    // The fields after the name, which may contain blanks, begin with 3. Fields 14 and 15 are the times.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    // Linux counts a hundred ticks a second on every platform of Envoy.
    ticks / 100.0
}
