//! Which calls a configuration makes, and the names of their clusters.

use n8n_idp_gate::policy::{KeySource, Policy, Provider};
use serde_json::Value;

use super::options::Options;
use super::upstream::Upstream;
use super::Target;
use crate::file::fields::shown_path;

/// The cluster of a call while its address is not known. The name is in no file that is written.
const STAND_IN: &str = "render";

/// The calls of a configuration.
pub(crate) struct Calls(Vec<Call>);

/// A call.
pub(crate) struct Call {
    /// What leads to the field that names its cluster.
    field: Vec<String>,
    pub(crate) upstream: Upstream,
}

/// Names a cluster wherever the configuration needs one, so that it can be read.
pub(crate) fn stand_in(configuration: &mut Value) {
    let providers = configuration["providers"].as_array();
    let mut fields = Vec::new();
    for (index, provider) in providers.into_iter().flatten().enumerate() {
        let has = |name: &str| provider.get(name).is_some();
        let asked = ["introspection", "userinfo"].into_iter();
        let asked: Vec<_> = asked.filter(|name| has(name)).collect();
        let mut sources = ["cluster", "jwks_uri", "discovery_uri", "jwks_cluster"].into_iter();
        let has_source = sources.any(has);
        if !has("jwks") && (asked.is_empty() || has_source) {
            fields.push(of_provider(index, &["cluster"]));
        }
        let asked = asked.into_iter();
        fields.extend(asked.map(|name| of_provider(index, &[name, "cluster"])));
    }
    fields.extend(of_n8n(configuration).into_iter().map(|(field, _)| field));
    for field in fields {
        set(configuration, &field, STAND_IN);
    }
}

impl Calls {
    /// The calls of a configuration, which was read as this policy.
    pub(crate) fn of(
        policy: &Policy,
        configuration: &Value,
        options: &Options,
        target: Target,
    ) -> Result<Self, String> {
        let mut calls = Vec::new();
        for (index, provider) in policy.providers.iter().enumerate() {
            let mut add = |names: &[&str], upstream| {
                let field = of_provider(index, names);
                calls.push(Call { field, upstream });
            };
            match &provider.keys {
                KeySource::Discovery {
                    document,
                    jwks_cluster,
                } => {
                    add(&["cluster"], Upstream::of(document)?);
                    if jwks_cluster.is_some() {
                        let host = key_host(provider, index, options)?;
                        add(&["jwks_cluster"], Upstream::https(host));
                    }
                }
                KeySource::Jwks(endpoint) => add(&["cluster"], Upstream::of(endpoint)?),
                KeySource::Inline(_) => {}
            }
            if let Some(asked) = &provider.introspection {
                for name in ["introspection", "userinfo"] {
                    let own = of_provider(index, &[name]);
                    if configuration.pointer(&pointer(&own)).is_some() {
                        add(&[name, "cluster"], Upstream::of(&asked.endpoint)?);
                    }
                }
            }
        }
        for (field, instance) in of_n8n(configuration) {
            let upstream = Upstream::n8n(options, target, instance.as_deref())?;
            calls.push(Call { field, upstream });
        }
        Ok(Self(calls))
    }

    /// Writes the names of the clusters into the configuration.
    pub(crate) fn name(&self, configuration: &mut Value, target: Target) {
        for call in &self.0 {
            set(configuration, &call.field, &call.upstream.cluster(target));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Call> {
        self.0.iter()
    }

    /// The providers' servers, each once.
    pub(crate) fn providers(&self) -> Vec<&Upstream> {
        self.servers(false)
    }

    /// Those of n8n that the gate itself calls, each once.
    pub(crate) fn n8n(&self) -> Vec<&Upstream> {
        self.servers(true)
    }

    fn servers(&self, is_n8n: bool) -> Vec<&Upstream> {
        let mut servers: Vec<&Upstream> = Vec::new();
        for Call { upstream, .. } in &self.0 {
            if upstream.is_n8n == is_n8n && !servers.contains(&upstream) {
                servers.push(upstream);
            }
        }
        servers
    }
}

impl Call {
    /// The field that names its cluster, for people.
    pub(crate) fn field(&self) -> String {
        shown_path(&self.field)
    }
}

fn of_provider(index: usize, names: &[&str]) -> Vec<String> {
    let provider = ["providers".to_owned(), index.to_string()].into_iter();
    let names = names.iter().map(|name| (*name).to_owned());
    provider.chain(names).collect()
}

/// The fields that name the cluster of an n8n, each with the instance that it belongs to: of the policy, and of its
/// shadow, which makes no call, but could be put in force as it is.
fn of_n8n(configuration: &Value) -> Vec<(Vec<String>, Option<String>)> {
    let instances = configuration["instances"].as_array();
    let instances = instances.into_iter().flatten().enumerate();
    let instances = instances.map(|(index, own)| {
        let steps = vec!["instances".to_owned(), index.to_string()];
        (steps, own["name"].as_str().map(str::to_owned), own)
    });
    let mut fields = Vec::new();
    for (steps, name, own) in [(Vec::new(), None, configuration)]
        .into_iter()
        .chain(instances)
    {
        let has_n8n = own["n8n"].is_object();
        for shadow in [&[][..], &["shadow"]] {
            let inside = |names: &[&str]| {
                let names = shadow.iter().chain(names);
                let names = names.map(|name| (*name).to_owned());
                steps.iter().cloned().chain(names).collect::<Vec<_>>()
            };
            let n8n = ["n8n"].as_slice();
            let description = &["public_api", "bearer_in_description"];
            for names in [n8n, description] {
                let outer = configuration.pointer(&pointer(&inside(names)));
                let Some(Value::Object(members)) = outer else {
                    continue;
                };
                // A description is read through the cluster of `n8n`, if it has none of its own.
                if names == n8n || !has_n8n || members.contains_key("cluster") {
                    let mut field = inside(names);
                    field.push("cluster".to_owned());
                    fields.push((field, name.clone()));
                }
            }
        }
    }
    fields
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

/// What leads to a value, as one text (RFC 6901). No name here needs an escape.
fn pointer(steps: &[String]) -> String {
    let steps = steps.iter().flat_map(|step| ["/", step]);
    steps.collect()
}

/// Sets a text in an object; nothing, if the object does not exist.
fn set(value: &mut Value, steps: &[String], text: &str) {
    let Some((last, outer)) = steps.split_last() else {
        return;
    };
    let outer = value.pointer_mut(&pointer(outer));
    if let Some(members) = outer.and_then(Value::as_object_mut) {
        members.insert(last.clone(), text.into());
    }
}
