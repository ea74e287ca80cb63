//! A server that the proxy calls, and its cluster.

use std::net::IpAddr;

use n8n_idp_gate::http::Endpoint;
use serde_json::{json, Value};

use super::options::Options;
use super::Target;

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) has_tls: bool,
    /// Whether it is an n8n behind the gate.
    pub(crate) is_n8n: bool,
    /// The instance that it is, if there are several.
    pub(crate) instance: Option<String>,
}

impl Upstream {
    /// The server of a URL.
    pub(crate) fn of(endpoint: &Endpoint) -> Result<Self, String> {
        let has_tls = endpoint.scheme == "https";
        let authority = &*endpoint.authority;
        let after_address = authority
            .rsplit_once(']')
            .map_or(authority, |(_, after)| after);
        let (host, port) = match after_address.rsplit_once(':') {
            Some((_, port)) => {
                let end = authority.len().saturating_sub(port.len()).saturating_sub(1);
                (authority.get(..end).unwrap_or_default(), port.parse().ok())
            }
            None => (authority, Some(if has_tls { 443 } else { 80 })),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.ok_or_else(|| format!("{authority}: no port"))?;
        Ok(Self {
            host: host.to_owned(),
            port,
            has_tls,
            is_n8n: false,
            instance: None,
        })
    }

    /// A server of a provider at the usual port.
    pub(crate) fn https(host: String) -> Self {
        Self {
            host,
            port: 443,
            has_tls: true,
            is_n8n: false,
            instance: None,
        }
    }

    /// The n8n behind the gate: the only one, or that of an instance.
    pub(crate) fn n8n(
        options: &Options,
        target: Target,
        instance: Option<&str>,
    ) -> Result<Self, String> {
        let usual = match target {
            Target::Envoy => "127.0.0.1",
            Target::Compose => "n8n",
            _ => "n8n.n8n.svc.cluster.local",
        };
        let mut given = options.n8n.iter();
        let given = given.find(|given| given.instance.as_deref() == instance);
        let (host, port) = match (given, instance) {
            (Some(given), _) => given.address.clone(),
            (None, None) => (usual.to_owned(), 5678),
            // The values have no address.
            (None, Some(_)) if target == Target::HelmValues => (usual.to_owned(), 5678),
            (None, Some(name)) => {
                return Err(format!(
                    "instances: where the n8n of {name} is, is not known. Hint: write --n8n \
                     {name}=HOST:PORT"
                ))
            }
        };
        Ok(Self {
            host,
            port,
            has_tls: false,
            is_n8n: true,
            instance: instance.map(str::to_owned),
        })
    }

    /// The name of its cluster.
    pub(crate) fn cluster(&self, target: Target) -> String {
        let Self { host, port, .. } = self;
        match target {
            Target::Istio | Target::HelmValues => format!("outbound|{port}||{host}"),
            Target::Envoy | Target::Compose if self.is_n8n => match &self.instance {
                Some(instance) => format!("n8n-{instance}"),
                None => "n8n".to_owned(),
            },
            Target::EnvoyGateway if self.is_n8n => match &self.instance {
                Some(instance) => format!("n8n-idp-gate-n8n-{instance}"),
                None => "n8n-idp-gate-n8n".to_owned(),
            },
            Target::Envoy | Target::Compose => format!("provider-{host}-{port}"),
            Target::EnvoyGateway => format!("n8n-idp-gate-{host}-{port}"),
        }
    }

    /// Scheme, host and port, for people.
    pub(crate) fn address(&self) -> String {
        let scheme = if self.has_tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    /// Whether its host is an address and not a name.
    pub(crate) fn is_address(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }

    /// A cluster of Envoy that checks the certificate and the name in it.
    pub(crate) fn of_envoy(&self, target: Target, ca: &str) -> Value {
        let name = self.cluster(target);
        let mut cluster = json!({
            "name": name,
            "type": "STRICT_DNS",
            "connect_timeout": "2s",
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": {
                    "socket_address": { "address": self.host, "port_value": self.port },
                }}}]}],
            },
        });
        if self.has_tls {
            let kind = if self.is_address() {
                "IP_ADDRESS"
            } else {
                "DNS"
            };
            let mut tls = json!({
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": { "validation_context": {
                    "trusted_ca": { "filename": ca },
                    "match_typed_subject_alt_names": [
                        { "san_type": kind, "matcher": { "exact": self.host } },
                    ],
                }},
            });
            if let (false, Some(members)) = (self.is_address(), tls.as_object_mut()) {
                members.insert("sni".to_owned(), self.host.as_str().into());
            }
            let socket = json!({ "name": "envoy.transport_sockets.tls", "typed_config": tls });
            if let Some(members) = cluster.as_object_mut() {
                members.insert("transport_socket".to_owned(), socket);
            }
        }
        cluster
    }
}
