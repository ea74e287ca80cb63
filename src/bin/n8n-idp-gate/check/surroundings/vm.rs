//! Plugins that share a VM's data with the gate.

use serde_json::{Map, Value};

use super::{holds_configuration, Walk};
use crate::diagnostic::rules::VM_SHARED;
use crate::file::fields::field;

impl Walk<'_> {
    /// A document, in which other plugins may have the `vm_id` of the gate.
    pub(super) fn shared_vms(&mut self, document: &Map<String, Value>) {
        let mut plugins = Plugins::default();
        let mut steps = Vec::new();
        plugins.add(document, &mut steps);
        let Plugins { gates, others } = plugins;
        for (steps, id) in gates {
            if others.contains(&id) {
                let before = std::mem::replace(&mut self.steps, steps);
                self.report(VM_SHARED, "vm_id", SHARED);
                self.steps = before;
            }
        }
    }
}

/// The plugins of Envoy in a document, with their `vm_id`.
#[derive(Default)]
struct Plugins {
    /// Those with a configuration of the gate, and where their VM is.
    gates: Vec<(Vec<String>, String)>,
    others: Vec<String>,
}

impl Plugins {
    fn add(&mut self, members: &Map<String, Value>, steps: &mut Vec<String>) {
        let vm = members.iter().find(|(name, _)| *name == "vm_config");
        if let Some((name, vm)) = vm.and_then(|(name, vm)| Some((name, vm.as_object()?))) {
            let id = field(vm, "vm_id").and_then(Value::as_str).unwrap_or("");
            if members.values().any(holds_configuration) {
                let vm = steps.iter().chain([name]).cloned().collect();
                self.gates.push((vm, id.to_owned()));
            } else {
                self.others.push(id.to_owned());
            }
        }
        for (name, value) in members {
            steps.push(name.clone());
            self.add_value(value, steps);
            steps.pop();
        }
    }

    fn add_value(&mut self, value: &Value, steps: &mut Vec<String>) {
        match value {
            Value::Object(members) => self.add(members, steps),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    steps.push(index.to_string());
                    self.add_value(item, steps);
                    steps.pop();
                }
            }
            _ => {}
        }
    }
}

const SHARED: &str =
    "another plugin of this file has the same vm_id, and can read, replace and fill up what \
     workers of the gate share. Hint: give the gate a vm_id of its own";
