//! Which certificates a listener takes from clients, where rules trust the names in them.

use serde_json::{Map, Value};

use super::Walk;
use crate::diagnostic::rules::{CERTIFICATE_NOT_ASKED, CERTIFICATE_UNVERIFIED};
use crate::file::fields::{field, snake};

impl Walk<'_> {
    /// A TLS context of a listener, or how it verifies certificates.
    pub(super) fn certificates(&mut self, members: &Map<String, Value>) {
        for (name, value) in members {
            let is_verification = snake(name) == "trust_chain_verification";
            if is_verification && (value == "ACCEPT_UNTRUSTED" || value.as_u64() == Some(1)) {
                let name = format!("{name}: ACCEPT_UNTRUSTED");
                self.report(CERTIFICATE_UNVERIFIED, &name, UNVERIFIED);
            }
        }
        let kind = members.get("@type").and_then(Value::as_str);
        if !kind.is_some_and(|kind| kind.ends_with(".DownstreamTlsContext")) {
            return;
        }
        let context = field(members, "common_tls_context").and_then(Value::as_object);
        let asks = context.is_some_and(|context| {
            let mut names = context.keys().map(|name| snake(name));
            names.any(|name| name.contains("validation_context"))
        });
        if !asks {
            self.report(CERTIFICATE_NOT_ASKED, "common_tls_context", ASKS_FOR_NONE);
        }
    }
}

const UNVERIFIED: &str =
    "the listener accepts certificates that it has not verified, and a rule with \
     auth: certificate trusts the names in them: any client could make one. Hint: remove it";
const ASKS_FOR_NONE: &str = "the listener asks no client for a certificate, and a rule with auth: \
     certificate refuses all. Hint: write validation_context with the trusted_ca of the clients, unless \
     certificates come from a proxy";
