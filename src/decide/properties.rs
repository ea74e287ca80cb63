//! The properties of a request that name its verified caller.

use std::borrow::Cow;

use super::edits::{encode, MAX_VALUE};
use super::{CredentialKind, DecisionRecord};
use crate::policy::{CallerProperties, CallerProperty};

/// The properties of a request that name its verified caller: principal, client and subject.
///
/// This filter sets them only after a token, a signature or a certificate was verified, and forwards no request for which the host
/// does not set them: another module may have written them before. A client cannot write them, as it
/// can write the identity headers of a request that is refused. Envoy keeps them as filter state
/// under these names with `wasm.` in front.
pub const CALLER_PROPERTIES: [&str; CallerProperty::ALL.len()] = {
    let [a, b, c] = CallerProperty::ALL;
    [a.name(), b.name(), c.name()]
};

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
        let known = move |property| match property {
            CallerProperty::Principal => named.and_then(|principal| principal.as_deref()),
            CallerProperty::Client => identity.and_then(|known| known.client.as_deref()),
            CallerProperty::Subject => identity.and_then(|known| known.subject.as_deref()),
        };
        let all = CallerProperty::ALL.into_iter();
        all.filter(move |property| wanted.contains(*property))
            .filter_map(move |property| Some((property.name(), encode(known(property)?))))
            .filter(|(_, value)| (1..=MAX_VALUE).contains(&value.len()))
    }
}
