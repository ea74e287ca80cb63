//! Whether the plugin gets the environment variables that its configuration names.

use n8n_idp_gate::formats::printable::quoted;
use serde_json::Value;

use super::values::walk;
use crate::diagnostic::rules::{SECRET_IN_FILE, VARIABLE_NOT_HANDED_OVER};
use crate::diagnostic::Fault;
use crate::file::found::Variables;

/// Compares the names. `None`: it is not known what the plugin gets.
pub(super) fn look(configuration: &Value, handed: Option<&Variables>) -> Vec<Fault> {
    let Some(handed) = handed else {
        return Vec::new();
    };
    let mut found = Vec::new();
    walk(configuration, "", &mut |path, name| {
        if path.rsplit('.').next() != Some("env")
            || path.starts_with("roles.")
            || path.contains("].roles.")
        {
            return;
        }
        let shown = quoted(name);
        if handed.in_file.contains(name) {
            found.push(Fault::new(
                SECRET_IN_FILE,
                path,
                format!(
                    "the file itself has the value of {shown}, which Envoy's /config_dump shows"
                ),
                "hand it over from the environment of Envoy",
            ));
        } else if !handed.of_host.contains(name) {
            found.push(Fault::new(
                VARIABLE_NOT_HANDED_OVER,
                path,
                format!("the plugin does not get {shown} from the environment"),
                "name it in vm_config.environment_variables.host_env_keys (Istio: vmConfig.env with \
                 valueFrom: HOST; Envoy Gateway: env.hostKeys)",
            ));
        }
    });
    found
}
