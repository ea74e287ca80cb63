//! The HTTP connection manager around the gate: what it does to paths and addresses, and the filters
//! before the gate.

use serde_json::{Map, Value};

use super::{holds_configuration, Walk};
use crate::diagnostic::rules::{CLIENT_ADDRESS, PATH_NORMALIZED, TOKEN_REMOVED};
use crate::file::fields::{field, snake};

impl Walk<'_> {
    /// An object around a configuration, if it is a connection manager.
    pub(super) fn connection_manager(&mut self, members: &Map<String, Value>) {
        let Some(filters) = field(members, "http_filters").and_then(Value::as_array) else {
            return;
        };
        for (name, value) in members {
            let changes = match &*snake(name) {
                "normalize_path" | "merge_slashes" => value == true,
                "path_with_escaped_slashes_action" => {
                    value
                        .as_str()
                        .is_some_and(|action| !KEEPING.contains(&action))
                        || value.as_u64().is_some_and(|action| action > 1)
                }
                _ => false,
            };
            if changes {
                self.report(PATH_NORMALIZED, name, NORMALIZED);
            }
        }
        let is_told = field(members, "use_remote_address").is_some_and(|value| value == true)
            || field(members, "original_ip_detection_extensions").is_some();
        if !is_told {
            self.report(CLIENT_ADDRESS, "use_remote_address", ADDRESS);
        }
        let gate = filters.iter().position(holds_configuration);
        let before = filters.iter().take(gate.unwrap_or_default());
        for (index, filter) in before.enumerate() {
            self.tokens_removed(index, filter);
        }
    }

    /// A filter before the gate, if it removes tokens that it verified.
    fn tokens_removed(&mut self, index: usize, filter: &Value) {
        let Some(config) = filter.as_object().and_then(|filter| {
            let config = field(filter, "typed_config")?.as_object()?;
            let kind = config.get("@type")?.as_str()?;
            kind.ends_with(".JwtAuthentication").then_some(config)
        }) else {
            return;
        };
        let providers = config.get("providers").and_then(Value::as_object);
        for (name, provider) in providers.into_iter().flatten() {
            let Some(provider) = provider.as_object() else {
                continue;
            };
            let forwards = field(provider, "forward").is_some_and(|value| value == true);
            if !forwards && reads_authorization(provider) {
                let steps = [
                    "http_filters",
                    &index.to_string(),
                    "typed_config",
                    "providers",
                ];
                let length = self.steps.len();
                self.steps.extend(steps.map(str::to_owned));
                self.steps.push(name.clone());
                self.report(TOKEN_REMOVED, "", REMOVED);
                self.steps.truncate(length);
            }
        }
    }
}

/// Whether `jwt_authn`, or Istio, takes the token of a provider from `Authorization`: if it names no place, it does.
pub(super) fn reads_authorization(provider: &Map<String, Value>) -> bool {
    let list = |name| {
        let list = field(provider, name).and_then(Value::as_array);
        list.map_or(&[][..], Vec::as_slice)
    };
    let headers = list("from_headers");
    let is_authorization = |header: &Value| {
        let name = header["name"].as_str().unwrap_or_default();
        name.eq_ignore_ascii_case("authorization")
    };
    (headers.is_empty() && list("from_params").is_empty() && list("from_cookies").is_empty())
        || headers.iter().any(is_authorization)
}

/// What leaves a path as it is.
const KEEPING: [&str; 2] = ["KEEP_UNCHANGED", "IMPLEMENTATION_SPECIFIC_DEFAULT"];

const NORMALIZED: &str = "Envoy changes paths before the gate reads them, and n8n itself does not: a path \
     that n8n serves nothing at becomes a call, and names with %2F break. Hint: write normalize_path: \
     false, merge_slashes: false and path_with_escaped_slashes_action: KEEP_UNCHANGED";
const ADDRESS: &str =
    "is not true: a client can choose its own address in X-Forwarded-For, by which the \
     gate shares its slots and which n8n records. Hint: write use_remote_address: true, and \
     xff_num_trusted_hops with the number of your own proxies before this one";
const REMOVED: &str =
    "this filter removes the token after it verified it, and the gate sees a request \
     without one. Hint: write forward: true, or put the gate first";
