//! The validated policy: what a configuration means.
//!
//! Only [`crate::config`] makes one. Every type here is plain data, ready for the decision.

mod access;
mod admission;
mod api_key_rules;
mod audit_rules;
mod below;
mod caller_properties;
mod certificate_rule;
mod client_certificates;
mod condition;
mod dimension;
mod dpop;
mod embed;
mod identity_header;
mod index;
mod instance;
mod instances;
mod introspection;
mod issuer_index;
mod key_expiry;
mod n8n_user;
mod pattern;
mod principal;
mod principals;
mod provider;
mod provisioning;
mod push;
mod refusal_rules;
mod rest_auth;
mod revoked;
mod shadow;
mod signature_rule;
#[cfg(test)]
mod tests;
mod webhook_rules;

pub use access::Access;
pub use admission::{Admission, NotAdmitted};
pub use api_key_rules::{ApiKeyRule, ApiKeyRules, ApiKeys};
pub use audit_rules::{AuditRules, AuditTo};
pub use caller_properties::{CallerProperties, CallerProperty};
pub use certificate_rule::{CertificateNames, CertificateRule};
pub use client_certificates::ClientCertificates;
pub use condition::{Condition, Mismatch};
pub use dimension::Dimension;
pub use dpop::{DpopUse, ProofRules};
pub use embed::Embed;
pub use identity_header::IdentityHeader;
pub use instance::{BearerInDescription, Instance, InstanceId, PublicApi};
pub use instances::{DuplicateHost, Instances};
pub use introspection::{Introspection, Protocol};
pub use issuer_index::IssuerIndex;
pub use key_expiry::{principal_label, KeyOf};
pub use n8n_user::{N8nUser, NoUser, Per, UserRule};
pub use pattern::{PathPattern, PatternFault};
pub use principal::{Principal, StaticKey, Upstream};
pub use principals::Principals;
pub use provider::{Freshness, KeySource, Provider, ProviderId, RolesFrom};
pub use provisioning::Provisioning;
pub use push::Push;
pub use refusal_rules::RefusalRules;
pub use rest_auth::RestAuth;
pub use revoked::{RevokedEntry, RevokedTokens};
pub use shadow::Shadow;
pub use signature_rule::{Replay, SignatureRule};
pub use webhook_rules::{Preflight, RuleChoice, TokenFrom, WebhookAuth, WebhookRule, WebhookRules};

use crate::secret::Secret;

/// Everything that a decision needs beside the request, the facts and the time.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The providers in the order of the configuration; [`ProviderId`] is the index.
    pub providers: Vec<Provider>,
    /// Which provider an `iss` belongs to.
    pub issuers: IssuerIndex,
    /// Those that are asked about opaque tokens, in the same order.
    pub introspecting: Vec<ProviderId>,
    /// The instances of n8n behind this gate.
    pub instances: Instances,
    /// Where the certificates of clients are looked for; `None`: in the connection, and the metadata does
    /// not say so.
    pub client_certificates: Option<ClientCertificates>,
    /// How proofs are checked.
    pub proofs: ProofRules,
    /// What checks signatures.
    pub crypto: CryptoMode,
    /// With the upstream API keys it proves that shared values come from a worker with this
    /// configuration.
    pub sharing_secret: Option<Secret>,
    /// Tokens that are refused although they are good.
    pub revoked: RevokedTokens,
    /// What leaves an audit record.
    pub audit: AuditRules,
    /// What the host learns about a verified caller.
    pub caller_properties: CallerProperties,
    /// What refusals say.
    pub refusals: RefusalRules,
    /// The policy that is only judged; `None`: there is none.
    pub shadow: Option<Box<Shadow>>,
}

impl Policy {
    /// The secrets that only programs with this configuration have.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let instances = self.instances.iter();
        let of_instances = instances.flat_map(|instance| {
            let principals = instance.principals.iter();
            let keys = principals.flat_map(|principal| principal.upstream.static_keys());
            let keys = keys.map(|key| &key.key);
            let provisioning = instance.provisioning.as_ref();
            let rules = instance.webhooks.iter();
            let of_senders = rules.filter_map(|rule| match &rule.auth {
                WebhookAuth::Signature(rule) => Some(&rule.secrets),
                WebhookAuth::Open
                | WebhookAuth::Bearer
                | WebhookAuth::Certificate(_)
                | WebhookAuth::Deny => None,
            });
            keys.chain(of_senders.flatten()).chain(
                provisioning
                    .into_iter()
                    .flat_map(|own| [&own.api_key, &own.seed]),
            )
        });
        of_instances.chain(&self.sharing_secret)
    }
}

/// What checks signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CryptoMode {
    /// The host if it passes the self-test, else this module.
    Auto,
    /// This module, always.
    Guest,
}
