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
    folder: PathBuf,
}

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
            n8n: port("DEMO_N8N_PORT", "n8n", usual.n8n),
            provider: port("DEMO_PROVIDER_PORT", "the OpenID provider", usual.provider),
        };
        if !faults.is_empty() {
            return Err(faults.join("\n       ").into());
        }
        let folder = installed::root().join(".local/demo");
        // The folder has n8n API keys in it.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        Ok(Self { ports, folder })
    }

    /// n8n's data. It is kept, so that the next demo starts in seconds.
    pub(crate) fn n8n_folder(&self) -> PathBuf {
        self.folder.join("n8n")
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

/// A path relative to the root of the repository, as the reader types it.
pub(crate) fn shown(path: &Path) -> String {
    let path = path.strip_prefix(installed::root()).unwrap_or(path);
    path.display().to_string()
}

fn chosen(variable: &str, purpose: &str, usual: u16) -> Result<u16, String> {
    let port = match env::var_os(variable) {
        None => usual,
        Some(value) => value
            .to_str()
            .and_then(|value| value.parse().ok())
            .filter(|port| *port != 0)
            .ok_or_else(|| format!("{variable} is {}, not a port", value.display()))?,
    };
    match ports::require_free(port, purpose) {
        Ok(()) => Ok(port),
        Err(error) => Err(format!(
            "{error}; choose another one: make demo {variable}=..."
        )),
    }
}
