//! Whether the filter gets the bodies that its rules check.
//!
//! Envoy hands over the body of a request whose head is held only with
//! `allow_on_headers_stop_iteration`. Without it, each signed delivery is refused after some seconds.

use n8n_idp_gate::policy::{Policy, WebhookAuth};
use serde_json::{Map, Value};

use crate::bypass::field;

/// The field of the plugin that hands bodies over.
const FIELD: &str = "allow_on_headers_stop_iteration";

/// How the filter is installed, as far as a file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Installation {
    /// The file has the configuration alone.
    Unknown,
    /// By a filter of Envoy, with or without the field.
    Envoy {
        /// Whether bodies are handed over.
        hands_over: bool,
    },
    /// By the `WasmPlugin` of Istio, which does not have the field.
    Istio,
    /// By the `EnvoyExtensionPolicy` of Envoy Gateway, which does not have the field.
    EnvoyGateway,
}

impl Installation {
    /// By a filter of Envoy with this `config`.
    pub(crate) fn of_envoy(config: &Map<String, Value>) -> Self {
        let value = field(config, FIELD);
        Self::Envoy {
            hands_over: value == Some(&Value::Bool(true)),
        }
    }
}

/// What Envoy holds of a request over HTTP/1 by itself, in bytes.
const USUAL_BUFFER: u64 = 1024 * 1024;

/// What Envoy holds of a request over HTTP/1, in bytes. `None`: routes change it.
pub(crate) fn buffer(listener: &Map<String, Value>) -> Option<u64> {
    let routes = Value::from(listener.clone()).to_string();
    if routes.contains("request_body_buffer_limit") || routes.contains("requestBodyBufferLimit") {
        return None;
    }
    let limit = field(listener, "per_connection_buffer_limit_bytes");
    limit.map_or(Some(USUAL_BUFFER), Value::as_u64)
}

/// Says if Envoy refuses bodies that a rule would take. `buffer`: what it holds of a request over HTTP/1,
/// if that is known.
pub(crate) fn too_large(policy: &Policy, buffer: Option<u64>) -> Option<String> {
    let instances = policy.instances.iter();
    let rules = instances.flat_map(|instance| instance.webhooks.iter());
    let largest = rules.filter_map(|rule| {
        let WebhookAuth::Signature(rule) = &rule.auth else {
            return None;
        };
        u64::try_from(rule.max_body).ok()
    });
    let (largest, buffer) = (largest.max()?, buffer?);
    (largest > buffer).then(|| {
        format!(
            "a rule takes bodies of {largest} bytes, and Envoy refuses those of more than {buffer} over \
             HTTP/1. Hint: raise per_connection_buffer_limit_bytes of the listener, or write \
             request_body_buffer_limit on the routes of the webhooks"
        )
    })
}

/// Why rules of this policy get no bodies; `None`: they do, or need none.
pub(crate) fn missing(
    policy: &Policy,
    installation: Installation,
    is_patched: bool,
) -> Option<String> {
    let mut instances = policy.instances.iter();
    let needs_bodies = instances.any(|instance| {
        let mut rules = instance.webhooks.iter();
        rules.any(|rule| matches!(rule.auth, WebhookAuth::Signature(_)))
    });
    let hint = match installation {
        Installation::Envoy { hands_over: false } => {
            "write it beside failure_policy, in the config of the plugin"
        }
        Installation::Istio => {
            "WasmPlugin does not have it: install the filter by an EnvoyFilter, as the guide to signed \
             webhooks shows"
        }
        Installation::EnvoyGateway if !is_patched => {
            "EnvoyExtensionPolicy does not have it: add it by an EnvoyPatchPolicy, as the guide to signed \
             webhooks shows, and name that file here, too"
        }
        Installation::EnvoyGateway
        | Installation::Unknown
        | Installation::Envoy { hands_over: true } => return None,
    };
    needs_bodies.then(|| {
        format!(
            "a rule checks signatures, and Envoy does not hand over bodies without {FIELD}: true. \
             Hint: {hint}"
        )
    })
}

/// Whether a document is a patch of Envoy Gateway that adds the field.
pub(crate) fn is_patch(document: &Value) -> bool {
    let text = document.to_string();
    text.contains("EnvoyPatchPolicy") && text.contains(FIELD)
}
