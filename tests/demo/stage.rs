//! The servers of the demo: the provider, n8n, and Envoy with the repository's `envoy.yaml`.

use std::path::Path;

use crate::support::envoy::{Envoy, Setup};
use crate::support::envoy_file::Ports;
use crate::support::n8n::RealN8n;
use crate::support::provider::{clients, RealProvider};
use crate::support::Outcome;

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
    /// Starts all servers, with n8n's data below `folder`. `starting` is called with the name of
    /// each.
    pub(crate) fn start(
        ports: Ports,
        folder: &Path,
        mut starting: impl FnMut(&str),
    ) -> Outcome<Self> {
        starting("the OpenID provider");
        let provider = RealProvider::start(ports.provider, clients())?;
        starting("n8n");
        let n8n = RealN8n::start(ports.n8n, folder)?;
        starting("Envoy with the filter");
        let provisioned = n8n.provisioned();
        let envoy = Setup::shipped(ports)
            .secret("N8N_KEY_APP_A", &provisioned.app_a.api_key)
            .secret("N8N_KEY_APP_B", &provisioned.app_b.api_key)
            .start()?;
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
