//! From the text of a configuration to a [`Policy`], or to all errors in it at once.
//!
//! `raw` declares the fields, `syntax` the texts, `rules` which fields go together; the reader, the
//! reference documentation and the schema are made of these declarations. The other modules make the
//! policy. A `FieldPath` goes with every value, so that each check can report where a problem is.
//! Reading continues after an error, and a wrong value never has a meaning: there is a policy only if
//! nothing was reported.

mod api_key;
mod audit;
mod certificate_rule;
mod choices;
mod claim_path;
mod claims;
mod claims_at;
mod client_certificates;
mod condition;
mod defaults;
mod description;
mod dialect;
mod document;
mod dpop;
mod duration;
mod embed;
mod endpoints;
mod environment;
mod field;
mod field_path;
mod freshness;
mod instance;
mod introspection;
mod issuers;
mod key_source;
mod keys;
mod n8n_line;
mod principal;
mod provider;
mod provider_summary;
mod provisioning;
mod public_api;
mod push;
mod raw;
mod read;
pub mod reference;
mod refusals;
mod report;
mod rest;
mod revoked;
mod rules;
mod scalar;
mod scopes;
mod secrets;
mod section;
mod shadow;
mod shape;
mod signature;
mod size;
mod suggest;
mod syntax;
mod warnings;
mod webhook;
mod wire;
#[cfg(not(target_arch = "wasm32"))]
pub mod yaml;

pub use environment::Environment;
pub use report::{ConfigErrors, Diagnostic};
pub use suggest::nearest;

use serde_json::Value;

use crate::policy::{Policy, Shadow};
use crate::secret::Secret;
use document::document;
use field_path::FieldPath;
use instance::{instances, InstanceContext};
use provider_summary::ProviderSummary;
use raw::RawConfiguration;
use read::{OneOrMany, Read};
use secrets::SecretName;
use warnings::{warn_of_idle_providers, warn_of_scopes, warn_of_unshared_deliveries};

/// The least length of a secret that only workers with this configuration know.
const MIN_SHARING_SECRET: usize = 16;

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// What is legal and probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a configuration as the host sends it: JSON, or a serialised
/// `google.protobuf.Struct`.
///
/// # Errors
///
/// Everything that is wrong with it. A policy is never made of a part of a configuration.
pub fn load(text: &[u8], environment: &dyn Environment) -> Result<Loaded, ConfigErrors> {
    let whole = FieldPath::whole();
    let policy = document(text, &whole).and_then(|document| {
        let policy = read(&document, &whole, environment);
        let Some(promoted) = shadow::promoted(document, &whole) else {
            return policy;
        };
        let second = FieldPath::whole();
        let shadow = read(&promoted.document, &second, environment);
        whole.adopt(&second, &promoted.fields);
        Some(Policy {
            shadow: Some(Box::new(Shadow::of(shadow?))),
            ..policy?
        })
    });
    let errors = whole.errors();
    match policy {
        Some(policy) if errors.is_empty() => Ok(Loaded {
            policy,
            warnings: whole.warnings(),
        }),
        _ if errors.is_empty() => Err(ConfigErrors(vec![Diagnostic {
            path: String::new(),
            problem: "cannot be read, and the filter does not know why".to_owned(),
            hint: "report this as a fault of the filter, with the configuration".to_owned(),
        }])),
        _ => Err(ConfigErrors(errors)),
    }
}

// Two readings, one copy of their code in the module.
#[inline(never)]
fn read(document: &Value, whole: &FieldPath, environment: &dyn Environment) -> Option<Policy> {
    policy(RawConfiguration::read(document, whole)?, environment)
}

/// The policy. `None`, or a policy with gaps: something was wrong, and was reported.
fn policy(raw: RawConfiguration, environment: &dyn Environment) -> Option<Policy> {
    let providers_path = raw.providers.path;
    let providers = raw.providers.value.map(|list| list.0).unwrap_or_default();
    let demands = dpop::demands(&providers);
    let pushes = push::fields(&providers);
    let summaries: Vec<_> = providers.iter().filter_map(ProviderSummary::of).collect();
    let providers = provider::providers(providers, environment);
    let sharing_secret = match &raw.sharing_secret.value {
        Some(name) => sharing_secret(name, environment, &raw.sharing_secret.path),
        None => None,
    };
    let audit = audit::audit(raw.audit);
    let caller_properties = raw.caller_properties.value_or_error();
    let refusals = refusals::refusals(raw.refusals);
    let nonces_path = raw.dpop_proofs.path.member("nonces");
    let proofs = dpop::proofs(raw.dpop_proofs);
    let certificates = raw.client_certificates.value.as_ref();
    let has_verified_certificates = certificates.is_some_and(|raw| raw.verified.value.is_some());
    let client_certificates = client_certificates::client_certificates(raw.client_certificates);
    let revoked = revoked::revoked(raw.revoked, &summaries);
    let context = InstanceContext {
        has_verified_certificates,
        providers: &summaries,
        environment,
    };
    let other_hosts = raw.other_hosts.value.map(|word| word.0);
    let policy = Policy {
        instances: instances(raw.instances, &raw.hosts, other_hosts, raw.n8n, &context)?,
        introspecting: providers.introspecting(),
        providers: providers.list,
        issuers: providers.issuers,
        client_certificates: client_certificates.ok()?,
        proofs: proofs?,
        crypto: raw.crypto.value?.0,
        sharing_secret,
        revoked: revoked.ok()?,
        audit: audit?,
        caller_properties: caller_properties
            .ok()?
            .map_or_else(Default::default, |OneOrMany(list)| {
                list.into_iter().map(|one| one.0).collect()
            }),
        refusals: refusals?,
        shadow: None,
    };
    dpop::check_demands(&demands, &policy);
    push::check(&pushes, raw.sharing_secret.given, &policy);
    dpop::check_nonces(&nonces_path, &policy);
    warn_of_idle_providers(&policy, &providers_path);
    warn_of_scopes(&policy, &summaries);
    warn_of_unshared_deliveries(&policy, &raw.sharing_secret.path);
    Some(policy)
}

fn sharing_secret(
    name: &SecretName,
    environment: &dyn Environment,
    path: &FieldPath,
) -> Option<Secret> {
    let secret = name.look_up(environment, path)?;
    if secret.expose().len() < MIN_SHARING_SECRET {
        // Other modules can read what is sealed with it, and guess a short secret.
        let problem = format!("is shorter than {MIN_SHARING_SECRET} characters");
        path.error(problem, "make one with: openssl rand -hex 32");
        return None;
    }
    Some(secret)
}
