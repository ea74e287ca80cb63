//! Programs that people put behind Envoy for this task, and that Envoy asks about each request
//! (`ext_authz`). Each shares Envoy's core, and its processor time counts as Envoy's.

mod oauth2_proxy;
mod opa;

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{json, Value};

use crate::contestants::{chain, traffic, Contestant, Requirement};
use crate::server::Chain;
use crate::settings::peer;
use crate::support::envoy::minimal::address;
use crate::support::process::{Ending, Process};
use crate::support::scripted_provider::{ScriptedProvider, JWKS};
use crate::support::{ports, Outcome};
use crate::tokens::Tokens;
use crate::wrk::Credential;

/// How long a peer may take to start.
const START: Duration = Duration::from_secs(20);

/// How long Envoy waits for its answer. A response that came later would be a failure of the run.
const PATIENCE: &str = "10s";

/// A program that Envoy asks.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The name of the program.
    program: &'static str,
    /// What it is started with.
    setup: fn(&Place) -> Setup,
    /// Whether Envoy asks it over HTTP/2.
    is_grpc: bool,
    /// The key set that its provider publishes.
    keys: Vec<Value>,
}

/// What a peer needs to know of where it runs.
struct Place {
    /// Where its files are.
    folder: PathBuf,
    /// The port that Envoy asks.
    port: u16,
    /// Another port.
    other_port: u16,
    /// The address of the key set.
    keys: String,
}

/// What a peer is started with.
struct Setup {
    /// Files in its folder.
    files: Vec<(&'static str, Value)>,
    arguments: Vec<String>,
}

impl Peer {
    /// Starts it on these cores.
    pub(crate) fn start(&self, cores: &str, folder: &Path) -> Outcome<RunningPeer> {
        let provider = ScriptedProvider::start_at_own_address(&self.keys)?;
        let place = Place {
            folder: folder.to_owned(),
            port: ports::free()?,
            other_port: ports::free()?,
            keys: format!("http://127.0.0.1:{}{JWKS}", provider.port()),
        };
        let setup = (self.setup)(&place);
        for (name, content) in setup.files {
            fs::write(place.folder.join(name), content.to_string())?;
        }
        let program = peer(self.program)?;
        let mut process = Process::start(
            self.program,
            Path::new("/usr/bin/taskset"),
            &folder.join("peer.log"),
            Ending::Kill,
            |command| {
                command.args(["--cpu-list", cores]).arg(program);
                command.args(setup.arguments);
            },
        )?;
        process.wait_until(START, |_| {
            TcpStream::connect((Ipv4Addr::LOCALHOST, place.port)).is_ok()
        })?;
        Ok(RunningPeer {
            process,
            port: place.port,
            is_grpc: self.is_grpc,
            _provider: provider,
        })
    }
}

/// A peer that runs. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct RunningPeer {
    process: Process,
    port: u16,
    is_grpc: bool,
    _provider: ScriptedProvider,
}

impl RunningPeer {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Envoy's way to it.
    pub(crate) fn cluster(&self) -> Value {
        let protocol = if self.is_grpc {
            "http2_protocol_options"
        } else {
            "http_protocol_options"
        };
        json!({
            "name": "peer",
            "type": "STATIC",
            "connect_timeout": "2s",
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": { protocol: {} },
                },
            },
            "load_assignment": {
                "cluster_name": "peer",
                "endpoints": [ { "lb_endpoints": [ { "endpoint": { "address": address(self.port) } } ] } ],
            },
        })
    }
}

/// One chain for each peer.
pub(crate) fn chains(tokens: &Tokens) -> Vec<Chain> {
    let keys = tokens.keys["keys"].as_array().cloned().unwrap_or_default();
    vec![oauth2_proxy::chain(&keys), opa::chain(&keys)]
}

/// Envoy's filter that asks a peer.
fn ext_authz(service: &str, how: &Value) -> Value {
    json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            service: how,
        },
    })
}

/// Good and forged tokens for each peer.
pub(crate) fn contestants(tokens: &Tokens) -> Outcome<Vec<Contestant>> {
    let mut all = Vec::new();
    for (traffic, file) in [
        (traffic::REPEATED, "rs256-repeated"),
        (traffic::UNIQUE, "rs256-unique"),
        (traffic::FORGED, "rs256-forged"),
    ] {
        let credential = Credential::Tokens(tokens.list(file)?);
        for (chain, good) in [
            (chain::OAUTH2_PROXY, oauth2_proxy::good_outcome()),
            (chain::OPA, opa::good_outcome()),
        ] {
            let requirement = if traffic == traffic::FORGED {
                Requirement::Denied
            } else {
                good
            };
            all.push(Contestant {
                chain,
                traffic,
                credential: credential.clone(),
                requirement,
            });
        }
    }
    Ok(all)
}
