//! Configurations in files: alone, or inside a manifest of Envoy or Istio.

use std::fs;
use std::path::Path;

use n8n_idp_gate::config::{self, yaml, Environment, Loaded};
use n8n_idp_gate::secret::Secret;
use serde_json::Value;

/// The environment of this process, with a stand-in for what is not set unless that is asked for:
/// where configurations are checked, the secrets should not be.
pub(crate) struct ProcessEnvironment {
    pub(crate) is_required: bool,
}

impl Environment for ProcessEnvironment {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the twin's reader of the environment"
    )]
    fn secret(&self, name: &str) -> Option<Secret> {
        let value = std::env::var(name).ok();
        let stand_in = || (!self.is_required).then(|| "not-set".to_owned());
        value.or_else(stand_in).map(Secret::new)
    }
}

/// A configuration of this filter in a file.
pub(crate) struct Found {
    pub(crate) configuration: Value,
    /// The `route_config` of the Envoy listener that it stands in, if it stands in one.
    pub(crate) routes: Value,
}

/// Every configuration of this filter in a YAML or JSON file.
pub(crate) fn configurations(path: &Path) -> Result<Vec<Found>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut found = Vec::new();
    for document in text.split("\n---") {
        let json =
            yaml::to_json(document).map_err(|fault| format!("{}: {fault}", path.display()))?;
        let value = serde_json::from_slice(&json)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        collect(&value, &Value::Null, &mut found);
    }
    if found.is_empty() {
        return Err(format!(
            "{}: no configuration with providers in it",
            path.display()
        ));
    }
    Ok(found)
}

/// Reads one configuration as the filter would.
pub(crate) fn load(configuration: &Value, environment: &dyn Environment) -> Result<Loaded, String> {
    config::load(configuration.to_string().as_bytes(), environment)
        .map_err(|errors| errors.to_string())
}

/// A configuration is a map with `providers`, wherever it stands; inside a manifest it may also be
/// text that holds one.
fn collect(value: &Value, routes: &Value, found: &mut Vec<Found>) {
    match value {
        Value::Object(members) if members.contains_key("providers") => found.push(Found {
            configuration: value.clone(),
            routes: routes.clone(),
        }),
        Value::Object(members) => {
            let routes = members.get("route_config").unwrap_or(routes);
            let members = members.values();
            members.for_each(|member| collect(member, routes, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, routes, found)),
        Value::String(text) if text.contains("providers") => {
            let json = yaml::to_json(text).unwrap_or_default();
            if let Ok(inner @ Value::Object(_)) = serde_json::from_slice(&json) {
                collect(&inner, routes, found);
            }
        }
        _ => {}
    }
}
