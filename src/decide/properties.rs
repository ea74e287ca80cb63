//! The properties of a request that name its verified caller.

use std::borrow::Cow;

use crate::policy::CallerProperties;

use super::edits::{encode, MAX_VALUE};
use super::{CredentialKind, DecisionRecord};

/// The properties of a request that name its verified caller: principal, client and subject.
///
/// This filter sets them only after a token, a signature or a certificate was verified, and forwards no request for which the host
/// does not set them: another module may have written them before. A client cannot write them, as it
/// can write the identity headers of a request that is refused. Envoy keeps them as filter state
/// under these names with `wasm.` in front.
pub const CALLER_PROPERTIES: [&str; 3] = [
    "n8n_idp_gate.principal",
    "n8n_idp_gate.client",
    "n8n_idp_gate.subject",
];

/// The property of a request that is its audit record, if access logs are to have it.
pub const AUDIT_PROPERTY: &str = "n8n_idp_gate.audit";

impl DecisionRecord {
    /// Those of the wanted properties that are known of the caller, encoded as the identity headers are: no
    /// claim can end a line of a log. None for a caller that was not verified.
    pub fn caller_properties(
        &self,
        wanted: CallerProperties,
    ) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let identity = self.identity.as_deref();
        let delivery = self.delivery.as_ref();
        let is_signed = delivery.is_some_and(|delivery| delivery.secret.is_some());
        // Such a client has a principal only if its rule admitted it.
        let is_certified = self.credential == Some(CredentialKind::Certificate);
        let is_verified = identity.is_some() || is_signed || is_certified;
        let named = is_verified.then_some(&self.principal);
        let [principal, client, subject] = CALLER_PROPERTIES;
        [
            (
                wanted.principal,
                principal,
                named.and_then(|principal| principal.as_deref()),
            ),
            (
                wanted.client,
                client,
                identity.and_then(|known| known.client.as_deref()),
            ),
            (
                wanted.subject,
                subject,
                identity.and_then(|known| known.subject.as_deref()),
            ),
        ]
        .into_iter()
        .filter(|(is_wanted, ..)| *is_wanted)
        .filter_map(|(_, name, value)| Some((name, encode(value?))))
        .filter(|(_, value)| (1..=MAX_VALUE).contains(&value.len()))
    }
}
