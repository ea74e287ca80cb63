//! Which environment variables a plugin gets.

use serde_json::{Map, Value};

use super::fields::field;
use super::found::Variables;

impl Variables {
    /// Those of a filter of Envoy with this `config`, if that has a VM.
    pub(super) fn of_envoy(config: &Map<String, Value>) -> Option<Self> {
        let vm = field(config, "vm_config")?.as_object()?;
        let variables = field(vm, "environment_variables").and_then(Value::as_object);
        let Some(variables) = variables else {
            return Some(Self::default());
        };
        let values = field(variables, "key_values").and_then(Value::as_object);
        Some(Self {
            of_host: texts(field(variables, "host_env_keys")).collect(),
            in_file: values
                .into_iter()
                .flat_map(|values| values.keys().cloned())
                .collect(),
        })
    }

    /// Those of a `WasmPlugin` of Istio with this `spec`.
    pub(super) fn of_istio(spec: &Map<String, Value>) -> Self {
        let mut found = Self::default();
        let vm = field(spec, "vm_config").and_then(|vm| vm.get("env"));
        for variable in vm.and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = variable["name"].as_str() else {
                continue;
            };
            let is_of_host = variable["valueFrom"] == "HOST";
            let names = if is_of_host {
                &mut found.of_host
            } else {
                &mut found.in_file
            };
            names.insert(name.to_owned());
        }
        found
    }

    /// Those of an item of `wasm` of Envoy Gateway.
    pub(super) fn of_envoy_gateway(item: &Map<String, Value>) -> Self {
        let environment = item.get("env").and_then(Value::as_object);
        let names = environment.and_then(|members| field(members, "host_keys"));
        Self {
            of_host: texts(names).collect(),
            ..Self::default()
        }
    }
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned))
}
