//! The ports and the files of the demo.

use std::env;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::support::envoy_file::Ports;
use crate::support::{installed, ports, Outcome};

/// The settings of one run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The ports on loopback.
    pub(crate) ports: Ports,
    /// The lifetime of the API keys that the gate makes, if it is not that of `envoy.yaml`.
    pub(crate) key_ttl: Option<String>,
    folder: PathBuf,
}

/// The variable with the port of n8n.
const N8N_PORT: &str = "DEMO_N8N_PORT";

impl Settings {
    /// The ports of `envoy.yaml`, or those in the environment. All of them must be free.
    pub(crate) fn read() -> Outcome<Self> {
        let usual = Ports::default();
        let mut faults = Vec::new();
        let mut port = |variable: &str, purpose: &str, usual: u16| {
            chosen(variable, purpose, usual).unwrap_or_else(|fault| {
                faults.push(fault);
                usual
            })
        };
        let ports = Ports {
            gate: port("DEMO_GATE_PORT", "the gate", usual.gate),
            admin: port("DEMO_ADMIN_PORT", "Envoy's own pages", usual.admin),
            n8n: port(N8N_PORT, "n8n", usual.n8n),
            provider: port("DEMO_PROVIDER_PORT", "the OpenID provider", usual.provider),
        };
        if !faults.is_empty() {
            return Err(faults.join("\n       ").into());
        }
        let key_ttl = env::var("DEMO_KEY_TTL").ok();
        let folder = folder();
        // The folder has n8n API keys in it.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        Ok(Self {
            ports,
            key_ttl,
            folder,
        })
    }

    /// n8n's data. It is kept, so that the next demo starts in seconds.
    pub(crate) fn n8n_folder(&self) -> PathBuf {
        self.folder.join(N8N)
    }

    /// The file that a shell reads to run the commands of the steps.
    pub(crate) fn variables_file(&self) -> PathBuf {
        self.folder.join("variables.sh")
    }

    /// The gate's audit records.
    pub(crate) fn audit_file(&self) -> PathBuf {
        self.folder.join("gate.log")
    }
}

/// The n8n of a demo that runs: its port, and the folder of its data.
pub(crate) fn running_n8n() -> Outcome<(u16, PathBuf)> {
    let port = port_in(N8N_PORT, Ports::default().n8n)?;
    Ok((port, folder().join(N8N)))
}

/// The folder with the data of n8n.
const N8N: &str = "n8n";

fn folder() -> PathBuf {
    installed::root().join(".local/demo")
}

/// A path relative to the root of the repository, as the reader types it.
pub(crate) fn shown(path: &Path) -> String {
    let path = path.strip_prefix(installed::root()).unwrap_or(path);
    path.display().to_string()
}

/// The port in a variable of the environment, or the usual one.
fn port_in(variable: &str, usual: u16) -> Result<u16, String> {
    let Some(value) = env::var_os(variable) else {
        return Ok(usual);
    };
    let port = value.to_str().and_then(|value| value.parse().ok());
    port.filter(|port| *port != 0)
        .ok_or_else(|| format!("{variable} is {}, not a port", value.display()))
}

fn chosen(variable: &str, purpose: &str, usual: u16) -> Result<u16, String> {
    let port = port_in(variable, usual)?;
    match ports::require_free(port, purpose) {
        Ok(()) => Ok(port),
        Err(error) => Err(format!(
            "{error}; choose another one: make demo {variable}=..."
        )),
    }
}
