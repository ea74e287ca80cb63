//! Values for the chart `istio/gateway`, which keep what the gate needs over upgrades.

use serde_json::{json, Value};

use super::istio::MODULE_DIRECTORY;
use super::options::Options;
use super::{yaml, Gate};

/// The values.
pub(crate) fn values(gate: &Gate, options: &Options) -> String {
    let variables = gate.variables.iter();
    let variables: Vec<Value> = variables.map(|name| variable(name, options)).collect();
    let mut values = json!({
        "name": options.gateway,
        "labels": { "istio": options.gateway },
        "podAnnotations": {
            // Audit records have the level info.
            "sidecar.istio.io/componentLogLevel": "wasm:info",
            // A gateway drops metrics that it does not know.
            "proxy.istio.io/config":
                "proxyStatsMatcher:\n  inclusionPrefixes: [\"wasmcustom.n8n_idp_gate\"]\n",
        },
        "envVarFrom": variables,
    });
    if let (true, Some(members)) = (gate.needs_bodies, values.as_object_mut()) {
        // An EnvoyFilter reads the module from a file.
        let image = json!({ "reference": format!("{}@sha256:{}", options.image, options.sha256) });
        let volumes = json!([{ "name": "n8n-idp-gate", "image": image }]);
        let mounts =
            json!([{ "name": "n8n-idp-gate", "mountPath": MODULE_DIRECTORY, "readOnly": true }]);
        members.insert("volumes".to_owned(), volumes);
        members.insert("volumeMounts".to_owned(), mounts);
    }
    yaml::document(&values)
}

/// A variable of a container, from the Secret.
pub(crate) fn variable(name: &str, options: &Options) -> Value {
    json!({
        "name": name,
        "valueFrom": { "secretKeyRef": { "name": options.secret, "key": name } },
    })
}
