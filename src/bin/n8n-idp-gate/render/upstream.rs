//! Which servers a configuration calls, and the names of their clusters.

use std::net::IpAddr;

use n8n_idp_gate::http::Endpoint;
use n8n_idp_gate::policy::{KeySource, Policy, Provider};
use serde_json::{json, Value};

use super::options::Options;
use super::Target;

/// The cluster of a call while its address is not known. The name is in no file that is written.
const STAND_IN: &str = "render";

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

/// The calls: the field that names the cluster of each, and the server.
pub(crate) struct Calls(pub(crate) Vec<(String, Upstream)>);

/// Names a cluster wherever the configuration needs one, so that it can be read.
pub(crate) fn stand_in(configuration: &mut Value) {
    for provider in list(configuration) {
        let has = |name: &str| provider.get(name).is_some();
        let is_asked = has("introspection") || has("userinfo");
        let has_source = ["cluster", "jwks_uri", "discovery_uri", "jwks_cluster"]
            .into_iter()
            .any(has);
        if has("jwks") || (is_asked && !has_source) {
            continue;
        }
        if let Some(members) = provider.as_object_mut() {
            members.insert("cluster".to_owned(), STAND_IN.into());
        }
    }
    for provider in list(configuration) {
        for inner in ["introspection", "userinfo"] {
            set(provider, &[inner, "cluster"], STAND_IN);
        }
    }
    for gate in instances(configuration) {
        set(gate, &["n8n", "cluster"], STAND_IN);
    }
    set(configuration, &["n8n", "cluster"], STAND_IN);
}

impl Calls {
    /// The calls of a policy.
    pub(crate) fn of(policy: &Policy, options: &Options, target: Target) -> Result<Self, String> {
        let mut calls = Vec::new();
        for (index, provider) in policy.providers.iter().enumerate() {
            let mut add = |field: &str, upstream| {
                calls.push((format!("providers[{index}].{field}"), upstream));
            };
            match &provider.keys {
                KeySource::Discovery {
                    document,
                    jwks_cluster,
                } => {
                    add("cluster", Upstream::of(document)?);
                    if jwks_cluster.is_some() {
                        let host = key_host(provider, index, options)?;
                        let port = 443;
                        let is_n8n = false;
                        let has_tls = true;
                        add(
                            "jwks_cluster",
                            Upstream {
                                host,
                                port,
                                has_tls,
                                is_n8n,
                                instance: None,
                            },
                        );
                    }
                }
                KeySource::Jwks(endpoint) => add("cluster", Upstream::of(endpoint)?),
                KeySource::Inline(_) => {}
            }
            if let Some(asked) = &provider.introspection {
                add("introspection.cluster", Upstream::of(&asked.endpoint)?);
            }
        }
        for (index, instance) in policy.instances.iter().enumerate() {
            let name = instance.name.as_deref();
            let field = match name {
                Some(_) => format!("instances[{index}].n8n.cluster"),
                None => "n8n.cluster".to_owned(),
            };
            if instance.provisioning.is_some() {
                calls.push((field, Upstream::n8n(options, target, name)?));
            }
        }
        Ok(Self(calls))
    }

    /// Writes the names of the clusters into the configuration.
    pub(crate) fn name(&self, configuration: &mut Value, target: Target) {
        for (field, upstream) in &self.0 {
            let cluster = upstream.cluster(target);
            let Some(field) = field.strip_prefix("providers[") else {
                let number = field.strip_prefix("instances[");
                let number = number.and_then(|rest| rest.split_once(']')?.0.parse().ok());
                let instance =
                    number.and_then(|number: usize| instances(configuration).nth(number));
                if let Some(instance) = instance {
                    set(instance, &["n8n", "cluster"], &cluster);
                } else {
                    set(configuration, &["n8n", "cluster"], &cluster);
                }
                continue;
            };
            let (index, field) = field.split_once("].").unwrap_or_default();
            let index = index.parse::<usize>().unwrap_or_default();
            let Some(provider) = list(configuration).nth(index) else {
                continue;
            };
            match field.split_once('.') {
                Some((_, name)) => {
                    for inner in ["introspection", "userinfo"] {
                        set(provider, &[inner, name], &cluster);
                    }
                }
                None => set(provider, &[field], &cluster),
            }
        }
    }

    /// The providers' servers, each once.
    pub(crate) fn providers(&self) -> Vec<&Upstream> {
        let mut servers: Vec<&Upstream> = Vec::new();
        for (_, upstream) in &self.0 {
            if !upstream.is_n8n && !servers.contains(&upstream) {
                servers.push(upstream);
            }
        }
        servers
    }

    /// Whether the gate calls n8n itself.
    pub(crate) fn has_n8n(&self) -> bool {
        self.0.iter().any(|(_, upstream)| upstream.is_n8n)
    }
}

fn key_host(provider: &Provider, index: usize, options: &Options) -> Result<String, String> {
    let mut hosts = options.key_host.iter();
    let found = hosts.find(|(name, _)| **name == *provider.name);
    found.map(|(_, host)| host.clone()).ok_or_else(|| {
        format!(
            "providers[{index}].jwks_cluster: the address of the key set is not known. Hint: write \
             --key-host {}=HOST, with the host in jwks_uri of the discovery document",
            provider.name
        )
    })
}

impl Upstream {
    fn of(endpoint: &Endpoint) -> Result<Self, String> {
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
            Target::EnvoyGateway if self.is_n8n => "n8n-idp-gate-n8n".to_owned(),
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
            if !self.is_address() {
                set(&mut tls, &["sni"], &self.host);
            }
            let socket = json!({ "name": "envoy.transport_sockets.tls", "typed_config": tls });
            if let Some(members) = cluster.as_object_mut() {
                members.insert("transport_socket".to_owned(), socket);
            }
        }
        cluster
    }
}

/// The providers of a configuration.
fn list(configuration: &mut Value) -> impl Iterator<Item = &mut Value> {
    let providers = configuration.get_mut("providers");
    providers
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// The instances of a configuration.
fn instances(configuration: &mut Value) -> impl Iterator<Item = &mut Value> {
    let instances = configuration.get_mut("instances");
    instances
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

/// Sets a text in an object; nothing, if one of the outer objects does not exist.
fn set(value: &mut Value, path: &[&str], text: &str) {
    let Some((last, outer)) = path.split_last() else {
        return;
    };
    let mut value = Some(value);
    for step in outer {
        value = value.and_then(|value| value.get_mut(*step));
    }
    if let Some(members) = value.and_then(Value::as_object_mut) {
        members.insert((*last).to_owned(), text.into());
    }
}
