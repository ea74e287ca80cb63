//! The servers of the demo: the provider, n8n, and Envoy with the repository's `envoy.yaml`.

use std::path::Path;

use crate::support::envoy::{Envoy, Setup};
use crate::support::envoy_file::Ports;
use crate::support::n8n::RealN8n;
use crate::support::provider::{clients, RealProvider};
use crate::support::Outcome;

/// The last line about API keys that the gate makes, and how far its fields are indented.
const SEED: &str = "seed: { env: N8N_GATE_SEED }\n";
const INDENT: &str = "                              ";

/// The running servers. Dropping it ends them, Envoy first.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The gate.
    pub(crate) envoy: Envoy,
    /// The n8n behind the gate.
    pub(crate) n8n: RealN8n,
    /// The provider that issues the tokens.
    pub(crate) provider: RealProvider,
}

impl Stage {
    /// Starts all servers, with n8n's data below `folder`. `key_ttl` replaces the lifetime of the
    /// API keys that the gate makes. `starting` is called with the name of each server.
    pub(crate) fn start(
        ports: Ports,
        folder: &Path,
        key_ttl: Option<&str>,
        mut starting: impl FnMut(&str),
    ) -> Outcome<Self> {
        starting("the OpenID provider");
        let provider = RealProvider::start(ports.provider, clients())?;
        starting("n8n");
        let n8n = RealN8n::start(ports.n8n, folder)?;
        starting("Envoy with the filter");
        let provisioned = n8n.provisioned();
        let mut setup = Setup::shipped(ports)
            .secret("N8N_PROVISIONING_KEY", &provisioned.provisioning_key)
            .secret("N8N_GATE_SEED", &provisioned.seed);
        if let Some(ttl) = key_ttl {
            setup = setup.edited(SEED, &format!("{SEED}{INDENT}key_ttl: {ttl}\n"));
        }
        let envoy = setup.start()?;
        Ok(Self {
            envoy,
            n8n,
            provider,
        })
    }

    /// Names and values of the shell variables in the commands, without the tokens.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("GATE", format!("http://127.0.0.1:{}", self.envoy.port())),
            ("IDP", self.provider.issuer()),
            ("N8N", format!("http://127.0.0.1:{}", self.n8n.port())),
            ("API_KEY", self.n8n.provisioned().owner.api_key.clone()),
        ];
        for client in clients() {
            let variable = match client.id {
                "app-a" => "SECRET_A",
                "app-b" => "SECRET_B",
                "app-late" => "SECRET_LATE",
                _ => continue,
            };
            variables.push((variable, client.secret));
        }
        variables
    }
}
