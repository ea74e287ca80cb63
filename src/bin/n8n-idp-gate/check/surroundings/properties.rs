//! Names of the caller that access logs, rate limits and other filters read, and that the gate does not set.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Walk;
use crate::diagnostic::rules::PROPERTY_NOT_SET;

/// How Envoy names the properties that the gate sets.
const OWN: &str = "wasm.n8n_idp_gate.";

/// What the configurations make the gate set. `None`: there is no configuration.
#[derive(Default)]
pub(super) struct Properties(Option<BTreeSet<String>>);

impl Properties {
    /// Adds a configuration.
    pub(super) fn add(&mut self, configuration: &Value) {
        let set = self.0.get_or_insert_default();
        let wanted = &configuration["caller_properties"];
        let several = wanted.as_array().into_iter().flatten();
        let names = several.chain([wanted]).filter_map(Value::as_str);
        set.extend(names.map(str::to_owned));
        let to = configuration.pointer("/audit/to").and_then(Value::as_str);
        if matches!(to, Some("access_log" | "both")) {
            set.insert("audit".to_owned());
        }
    }

    /// The properties in a text that none of the configurations sets.
    fn missing_in<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> + use<'_, 't> {
        let names = text.split(OWN).skip(1).map(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_lowercase());
            rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
        });
        names.filter(|name| self.0.as_ref().is_some_and(|set| !set.contains(*name)))
    }
}

impl Walk<'_> {
    /// Looks for the properties of the gate in a text.
    pub(super) fn properties(&mut self, text: &str) {
        for name in self.gates.properties.missing_in(text) {
            let (field, value) = match name {
                "audit" => ("audit", "{ to: access_log }"),
                _ => ("caller_properties", name),
            };
            let sentence = format!(
                "reads {OWN}{name}, which the gate does not set. Hint: add {value} to {field} in the configuration"
            );
            self.report(PROPERTY_NOT_SET, "", &sentence);
        }
    }
}
