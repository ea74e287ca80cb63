//! How the filter is installed, and what that does to the bodies of requests.

use serde_json::{Map, Value};

use super::fields::field;

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
        let value = field(config, HANDS_OVER_BODIES);
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

/// The field of the plugin that hands bodies over.
pub(crate) const HANDS_OVER_BODIES: &str = "allow_on_headers_stop_iteration";
