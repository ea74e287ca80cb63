//! Proofs that clients have the keys of their tokens.

use super::field::Field;
use super::field_path::FieldPath;
use super::key_source::warn_of_plaintext;
use super::raw::{RawDpopProofs, RawProvider};
use super::read::{Located, OneOrMany};
use super::syntax::{Server, Text};
use crate::http::Origin;
use crate::policy::{DpopUse, Policy, ProofRules};

/// Why proofs are of no use without the origin.
const NO_ORIGIN: &str = "has no effect without public_origin: a proof names the URL of its request";

/// What to do then.
const ADD_ORIGIN: &str =
    "add public_origin with the origin that clients call, such as https://n8n.example.com";

/// How proofs are checked. `None`: something is wrong, and was reported.
pub(super) fn proofs(raw: Field<RawDpopProofs>) -> Option<ProofRules> {
    let raw = raw.value?;
    Some(ProofRules {
        window: raw.window.value?.0,
        nonces: raw.nonces.value?,
    })
}

/// The origins under which clients call an instance. `None`: something is wrong, and was reported.
pub(super) fn origins(raw: Field<OneOrMany<Located<Text<Server>>>>) -> Option<Vec<Origin>> {
    let written = raw.value_or_error().ok()?;
    let written = written.map(|list| list.0).unwrap_or_default().into_iter();
    written
        .map(|Located { path, value }| {
            warn_of_plaintext(&value.text, &path);
            Origin::parse(&value.text)
        })
        .collect()
}

/// Reports a demand for proofs at an instance that takes none.
pub(super) fn report_no_origin(path: &FieldPath) {
    path.error(NO_ORIGIN, ADD_ORIGIN);
}

/// The fields with which providers demand proofs.
pub(super) fn demands(providers: &[RawProvider]) -> Vec<FieldPath> {
    let fields = providers.iter().map(|provider| &provider.dpop);
    let required = fields.filter(|field| {
        let word = field.value.as_ref();
        word.is_some_and(|word| word.0 == DpopUse::Required)
    });
    required.map(|field| field.path.clone()).collect()
}

/// A provider that demands proofs needs an instance that takes them: no caller could be let in.
pub(super) fn check_demands(demands: &[FieldPath], policy: &Policy) {
    let mut instances = policy.instances.iter();
    if instances.any(|instance| !instance.public_origins.is_empty()) {
        return;
    }
    for path in demands {
        report_no_origin(path);
    }
}

/// Nonces are made with the secrets of the configuration, because workers must accept those of each other.
pub(super) fn check_nonces(path: &FieldPath, policy: &Policy) {
    if policy.proofs.nonces && policy.secrets().next().is_none() {
        let problem =
            "needs a secret that workers share: each would refuse the nonces of the others";
        path.error(problem, "write sharing_secret: { env: NAME }");
    }
}
