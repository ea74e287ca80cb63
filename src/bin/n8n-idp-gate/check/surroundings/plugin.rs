//! How a plugin is installed: whether requests pass when it fails, or is not called.

use serde_json::{Map, Value};

use super::Walk;
use crate::diagnostic::rules;
use crate::file::fields::{field, snake};

impl Walk<'_> {
    /// An object around a configuration: a plugin, or a filter.
    pub(super) fn plugin(&mut self, members: &Map<String, Value>) {
        let is_filter = members.get("name").is_some() && field(members, "typed_config").is_some();
        for (name, value) in members {
            let opens = match &*snake(name) {
                "failure_policy" => value == "FAIL_OPEN" || value.as_u64() == Some(3),
                "fail_strategy" => value == "FAIL_OPEN",
                "fail_open" => value == true,
                _ => false,
            };
            if opens {
                let says = value
                    .as_str()
                    .map_or(String::new(), |word| format!(": {word}"));
                self.report(rules::FAIL_OPEN, &format!("{name}{says}"), FAILS_OPEN);
            }
            if is_filter && matches!(&*snake(name), "disabled" | "is_optional") && value == true {
                self.report(rules::SWITCHED_OFF, name, SWITCHED_OFF);
            }
            if snake(name) == "capability_restriction_config" {
                self.not_called(name, value);
            }
        }
    }

    /// Callbacks that the host must not call: it uses its default instead, which lets the request pass.
    /// If nothing is listed, nothing is restricted.
    fn not_called(&mut self, name: &str, restriction: &Value) {
        let members = restriction.as_object();
        let allowed = members.and_then(|members| field(members, "allowed_capabilities"));
        let allowed = allowed.and_then(Value::as_object);
        let Some(allowed) = allowed.filter(|allowed| !allowed.is_empty()) else {
            return;
        };
        for callback in HOLDING_CALLBACKS {
            if !allowed.contains_key(callback) {
                let name = format!("{name} without {callback}");
                self.report(rules::CALLBACK_MISSING, &name, NOT_CALLED);
            }
        }
    }
}

pub(super) const SWITCHED_OFF: &str =
    "the gate is switched off, and everything passes here. Hint: remove \
     it; the configuration says which requests pass";
const FAILS_OPEN: &str = "every request passes when the module cannot be loaded or fails. Hint: \
     write FAIL_RELOAD or FAIL_CLOSED (failStrategy: FAIL_CLOSE, failOpen: false)";
/// The callbacks in which the gate can stop a request.
const HOLDING_CALLBACKS: [&str; 3] = [
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
];

const NOT_CALLED: &str = "the gate is not called for this part of a request, which then passes \
     without a decision. Hint: list every name of scripts/wasm-exports.txt, or remove the restriction";
