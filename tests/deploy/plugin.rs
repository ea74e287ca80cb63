//! Finds plugin configurations in manifests of all kinds.

use std::collections::BTreeSet;

use n8n_idp_gate::config::{self, ConfigErrors, Loaded};
use n8n_idp_gate::policy::{KeySource, Policy};
use serde_json::Value;

use super::environment::Variables;

/// The top-level fields of a configuration.
pub(crate) const FIELDS: [&str; 14] = [
    "providers",
    "instances",
    "hosts",
    "other_hosts",
    "roles",
    "principals",
    "n8n",
    "public_api",
    "webhooks",
    "endpoints",
    "path_prefix",
    "oauth",
    "outside",
    "metrics",
];

/// The settings of a plugin in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plugin {
    pub(crate) configuration: Value,
    /// The variables that the virtual machine gets.
    pub(crate) variables: BTreeSet<String>,
    /// Whether requests are refused when the plugin fails.
    pub(crate) fails_closed: bool,
    /// Whether the manifest writes out the value of a variable.
    pub(crate) has_plain_values: bool,
}

impl Plugin {
    /// Every plugin in a document for Envoy, Istio or Envoy Gateway.
    pub(crate) fn all_in(document: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        collect(document, &mut found);
        found
    }

    pub(crate) fn load(&self) -> Result<Loaded, ConfigErrors> {
        load(&self.configuration, &self.variables)
    }
}

/// Reads a configuration in an environment with these variables.
pub(crate) fn load(
    configuration: &Value,
    variables: &BTreeSet<String>,
) -> Result<Loaded, ConfigErrors> {
    config::load(
        configuration.to_string().as_bytes(),
        &Variables::Only(variables),
    )
}

/// The clusters that the filter calls.
pub(crate) fn clusters(policy: &Policy) -> BTreeSet<String> {
    policy
        .providers
        .iter()
        .flat_map(|provider| match &provider.keys {
            KeySource::Discovery {
                document,
                jwks_cluster,
            } => {
                vec![Some(document.cluster.clone()), jwks_cluster.clone()]
            }
            KeySource::Jwks(endpoint) => vec![Some(endpoint.cluster.clone())],
            KeySource::Inline(_) => vec![],
        })
        .flatten()
        .collect()
}

/// Every `{ env: NAME }` in a configuration.
pub(crate) fn named_variables(configuration: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match configuration {
        Value::Array(items) => found.extend(items.iter().flat_map(named_variables)),
        Value::Object(members) => {
            let named = members.get("env").filter(|_| members.len() == 1);
            found.extend(named.and_then(Value::as_str).map(str::to_owned));
            found.extend(members.values().flat_map(named_variables));
        }
        _ => {}
    }
    found
}

fn collect(value: &Value, found: &mut Vec<Plugin>) {
    found.extend(of_envoy(value).or_else(|| of_istio(value)));
    found.extend(of_envoy_gateway(value));
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        _ => {}
    }
}

fn of_envoy(value: &Value) -> Option<Plugin> {
    let kind = value["@type"].as_str()?;
    if !kind.ends_with("/envoy.extensions.filters.http.wasm.v3.Wasm") {
        return None;
    }
    let config = &value["config"];
    let environment = &config["vm_config"]["environment_variables"];
    let configuration = &config["configuration"];
    let is_text = configuration["@type"].as_str()?.ends_with("StringValue");
    Some(Plugin {
        configuration: if is_text {
            serde_json::from_str(configuration["value"].as_str()?).ok()?
        } else {
            configuration["value"].clone()
        },
        variables: names(&environment["host_env_keys"]),
        fails_closed: matches!(
            config["failure_policy"].as_str(),
            Some("FAIL_RELOAD" | "FAIL_CLOSED")
        ) && config["fail_open"].is_null(),
        has_plain_values: !environment["key_values"].is_null(),
    })
}

fn of_istio(value: &Value) -> Option<Plugin> {
    if value["kind"] != "WasmPlugin" {
        return None;
    }
    let spec = &value["spec"];
    let variables = spec["vmConfig"]["env"].as_array();
    let from_host = |variable: &&Value| variable["valueFrom"] == "HOST";
    let all = || variables.into_iter().flatten();
    Some(Plugin {
        configuration: spec["pluginConfig"].clone(),
        variables: all()
            .filter(from_host)
            .filter_map(|variable| Some(variable["name"].as_str()?.to_owned()))
            .collect(),
        fails_closed: spec["failStrategy"] == "FAIL_CLOSE" && spec["phase"] == "AUTHN",
        has_plain_values: !all().all(|variable| from_host(&variable)),
    })
}

fn of_envoy_gateway(value: &Value) -> Vec<Plugin> {
    if value["kind"] != "EnvoyExtensionPolicy" {
        return Vec::new();
    }
    let plugins = value["spec"]["wasm"].as_array();
    plugins
        .into_iter()
        .flatten()
        .map(|plugin| Plugin {
            configuration: plugin["config"].clone(),
            variables: names(&plugin["env"]["hostKeys"]),
            fails_closed: plugin["failOpen"] == false,
            has_plain_values: false,
        })
        .collect()
}

fn names(list: &Value) -> BTreeSet<String> {
    let names = list.as_array().into_iter().flatten();
    names
        .filter_map(|name| Some(name.as_str()?.to_owned()))
        .collect()
}
