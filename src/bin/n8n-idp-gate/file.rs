//! Configurations in files: alone, or inside a manifest of Envoy or Istio.

use std::path::Path;
use std::rc::Rc;

use n8n_idp_gate::config::yaml::{Budget, YamlFault};
use n8n_idp_gate::config::{self, Environment, Loaded};
use n8n_idp_gate::secret::Secret;
use serde_json::{Map, Value};

use crate::input;

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

/// A YAML or JSON file, with what texts in it hold put in their place.
pub(crate) struct Manifest {
    /// What is in it.
    pub(crate) documents: Vec<Value>,
    /// Every configuration of this filter in it.
    pub(crate) configurations: Vec<Found>,
}

/// A configuration of this filter in a file.
pub(crate) struct Found {
    pub(crate) configuration: Value,
    /// The `route_config` of the Envoy listener that it stands in, if it stands in one.
    pub(crate) routes: Rc<Value>,
}

/// How deep texts may stand in texts: a configuration in an Envoy file in a `ConfigMap` is two.
const MAX_TEXTS: usize = 3;

impl Manifest {
    /// Reads a file, whatever is in it.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = input::text(path)?;
        let say = |fault: YamlFault| format!("{}: {fault}", input::shown(path));
        let budget = Budget::default();
        let mut documents = budget.documents(&text).map_err(say)?;
        for document in &mut documents {
            unfold(document, &budget, MAX_TEXTS).map_err(say)?;
        }
        let mut configurations = Vec::new();
        for document in &documents {
            collect(document, &Rc::default(), &mut configurations);
        }
        Ok(Self {
            documents,
            configurations,
        })
    }

    /// The first configuration in a file.
    pub(crate) fn first_configuration(path: &Path) -> Result<Value, String> {
        let first = Self::read(path)?.configurations.into_iter().next();
        first
            .map(|found| found.configuration)
            .ok_or_else(|| without_configuration(path))
    }
}

pub(crate) fn without_configuration(path: &Path) -> String {
    let path = input::shown(path);
    format!("{path}: no configuration with providers in it")
}

/// Reads one configuration as the filter would.
pub(crate) fn load(configuration: &Value, environment: &dyn Environment) -> Result<Loaded, String> {
    config::load(configuration.to_string().as_bytes(), environment)
        .map_err(|errors| errors.to_string())
}

/// Whether a value is a configuration of this filter, wherever it stands.
pub(crate) fn is_configuration(members: &Map<String, Value>) -> bool {
    members.contains_key("providers")
}

/// Puts what texts hold in their place: manifests hold configurations and Envoy files as text. The
/// texts of a configuration are its own.
fn unfold(value: &mut Value, budget: &Budget, texts: usize) -> Result<(), YamlFault> {
    match value {
        Value::Object(members) if !is_configuration(members) => {
            let mut members = members.values_mut();
            members.try_for_each(|member| unfold(member, budget, texts))
        }
        Value::Array(items) => {
            let mut items = items.iter_mut();
            items.try_for_each(|item| unfold(item, budget, texts))
        }
        Value::String(text) if may_hold_a_manifest(text) => {
            let mut inner = match budget.documents(text) {
                Ok(documents) => documents,
                Err(fault) if fault.is_of_a_bound() => return Err(fault),
                Err(_) => return Ok(()),
            };
            if !inner.iter().any(Value::is_object) {
                return Ok(());
            }
            let deeper = texts.checked_sub(1).ok_or(YamlFault::TooDeep)?;
            let mut documents = inner.iter_mut();
            documents.try_for_each(|document| unfold(document, budget, deeper))?;
            *value = match inner.pop() {
                Some(only) if inner.is_empty() => only,
                last => Value::Array(inner.into_iter().chain(last).collect()),
            };
            Ok(())
        }
        _ => Ok(()),
    }
}

fn may_hold_a_manifest(text: &str) -> bool {
    let words = [
        "providers",
        "rewrite",
        "Rewrite",
        "per_filter_config",
        "PerFilterConfig",
    ];
    text.contains(':') && words.iter().any(|word| text.contains(word))
}

fn collect(value: &Value, routes: &Rc<Value>, found: &mut Vec<Found>) {
    match value {
        Value::Object(members) if is_configuration(members) => found.push(Found {
            configuration: value.clone(),
            routes: Rc::clone(routes),
        }),
        Value::Object(members) => {
            let own = members.get("route_config").cloned().map(Rc::new);
            let routes = own.as_ref().unwrap_or(routes);
            let members = members.values();
            members.for_each(|member| collect(member, routes, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, routes, found)),
        _ => {}
    }
}
