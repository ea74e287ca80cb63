//! From the text of a configuration to a [`Policy`], or to every error in it at once.
//!
//! `raw` declares the language; the modules beside it say what its words mean. A `FieldPath`
//! goes with every value, so that whoever finds something wrong can say where. Reading goes on
//! after an error, and what was wrong never has a meaning: a policy comes out only when nothing
//! was reported.

mod address;
mod api_key;
mod audit;
mod choices;
mod claim_path;
mod claims;
mod claims_at;
mod condition;
mod defaults;
mod dialect;
mod duration;
mod endpoints;
mod environment;
mod field_path;
mod instance;
mod introspection;
mod issuers;
mod keys;
mod name;
mod principal;
mod provider;
mod provider_summary;
mod public_api;
mod raw;
mod read;
pub mod reference;
mod report;
mod scopes;
mod secrets;
mod section;
mod suggest;
mod webhook;
mod wire;
#[cfg(not(target_arch = "wasm32"))]
pub mod yaml;

pub use environment::Environment;
pub use report::{ConfigErrors, Diagnostic};
pub use suggest::nearest;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::formats::json::{self, JsonFault};
use crate::policy::{Condition, Policy, WebhookAuth, WebhookRule};
use crate::secret::Secret;
use field_path::FieldPath;
use instance::{instances, InstanceContext};
use provider_summary::ProviderSummary;
use raw::RawConfiguration;
use read::Read;
use secrets::SecretName;

/// How deep a configuration may be nested. The language itself needs eight levels, of which a
/// key set in it has four.
const MAX_DEPTH: usize = 16;

/// The least length of a secret that only workers with this configuration know.
const MIN_SHARING_SECRET: usize = 16;

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it means.
    pub policy: Policy,
    /// What is legal in it and probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a configuration as the host hands it over: JSON, or a serialised
/// `google.protobuf.Struct`.
///
/// # Errors
///
/// Everything that is wrong with it. There is no such thing as a part of a policy.
pub fn load(text: &[u8], environment: &dyn Environment) -> Result<Loaded, ConfigErrors> {
    let whole = FieldPath::whole();
    let policy = document(text, &whole)
        .and_then(|document| RawConfiguration::read(&document, &whole))
        .and_then(|raw| policy(raw, environment));
    let errors = whole.errors();
    match policy {
        Some(policy) if errors.is_empty() => Ok(Loaded {
            policy,
            warnings: whole.warnings(),
        }),
        _ if errors.is_empty() => Err(ConfigErrors(vec![Diagnostic {
            path: String::new(),
            problem: "cannot be read, and the filter does not know why".to_owned(),
            hint: "report this with the configuration".to_owned(),
        }])),
        _ => Err(ConfigErrors(errors)),
    }
}

fn document(text: &[u8], whole: &FieldPath) -> Option<Value> {
    const EMPTY: &str =
        "write providers and principals to begin with; docs/reference/configuration.md has an example";
    if matches!(text.trim_ascii(), b"" | b"null" | b"{}") {
        whole.error("is empty", EMPTY);
        return None;
    }
    let fault = match json::object(text, MAX_DEPTH) {
        Ok(members) => return Some(Value::Object(members)),
        Err(fault) => fault,
    };
    // No serialised Struct is JSON: its tags are control characters, which JSON forbids.
    if let Some(members) = wire::read_struct(text, MAX_DEPTH) {
        return Some(Value::Object(members));
    }
    match fault {
        JsonFault::NotJson => whole.error(
            format!("is not JSON{}", position(text)),
            "write YAML under `configuration` with its @type, or JSON in its value",
        ),
        JsonFault::NotAnObject => whole.error(
            "must be a map",
            "write the fields providers, principals and so on at the top",
        ),
        JsonFault::DuplicateMember => whole.error(
            "has two fields of one name in one map",
            "take one of the two out: readers disagree on which counts",
        ),
        JsonFault::TooDeep => whole.error(
            format!("is nested deeper than {MAX_DEPTH} levels"),
            "the language needs far fewer; look for a stray indentation",
        ),
    }
    None
}

/// Where JSON stops being JSON, without anything of what stands there.
fn position(text: &[u8]) -> String {
    match serde_json::from_slice::<Map<String, Value>>(text) {
        Err(error) if error.line() > 0 => {
            format!(": line {}, column {}", error.line(), error.column())
        }
        _ => String::new(),
    }
}

/// What the words mean. `None`, or a policy with gaps: something was wrong, and was reported.
fn policy(mut raw: RawConfiguration, environment: &dyn Environment) -> Option<Policy> {
    let providers_path = raw.providers.path.clone();
    let providers = raw.providers.value.take().map(|list| list.0);
    let providers = providers.unwrap_or_default();
    let known: Vec<ProviderSummary> = providers.iter().filter_map(ProviderSummary::of).collect();
    let providers = provider::providers(providers, environment);
    let sharing_secret = match &raw.sharing_secret.value {
        Some(name) => sharing_secret(name, environment, &raw.sharing_secret.path),
        None => None,
    };
    let crypto = raw.crypto.value.take();
    let audit = audit::audit(&mut raw.audit);
    let context = InstanceContext {
        providers: &known,
        environment,
    };
    let policy = Policy {
        instances: instances(raw, &context)?,
        providers: providers.list,
        issuers: providers.issuers,
        crypto: crypto?.0,
        sharing_secret,
        audit: audit?,
    };
    warn_of_idle_providers(&policy, &providers_path);
    warn_of_scopes(&policy, &known);
    Some(policy)
}

fn sharing_secret(
    name: &SecretName,
    environment: &dyn Environment,
    path: &FieldPath,
) -> Option<Secret> {
    let secret = name.look_up(environment, path)?;
    if secret.expose().len() < MIN_SHARING_SECRET {
        // Other modules can read what is sealed with it, and try words until one fits.
        let problem = format!("is shorter than {MIN_SHARING_SECRET} letters");
        path.error(problem, "make one with: openssl rand -hex 32");
        return None;
    }
    Some(secret)
}

fn warn_of_idle_providers(policy: &Policy, path: &FieldPath) {
    let mut conditions: Vec<&Condition> = Vec::new();
    for instance in policy.instances.iter() {
        conditions.extend(
            instance
                .principals
                .iter()
                .map(|principal| &principal.matches),
        );
        conditions.extend(instance.webhooks.iter().filter_map(taking_tokens));
    }
    for (index, provider) in policy.providers.iter().enumerate() {
        let speaks_of_it = |names: &BTreeSet<String>| names.contains(&*provider.name);
        if !conditions
            .iter()
            .any(|condition| condition.providers.as_ref().is_none_or(speaks_of_it))
        {
            path.item(index).warn(
                "no principal and no webhook takes its tokens",
                "name it in a match or require, or take it out",
            );
        }
    }
}

/// Where nothing says which of the two a name under `roles` is, a client may ask for it as a scope,
/// and some providers grant whatever is asked for.
fn warn_of_scopes(policy: &Policy, known: &[ProviderSummary]) {
    for known in known {
        let Some(path) = &known.unsaid_roles_from else {
            continue;
        };
        let meets = |condition: &Condition| {
            let names = condition.providers.as_ref();
            names.is_none_or(|names| names.contains(&known.name))
        };
        let mut instances = policy.instances.iter();
        if instances.any(|instance| {
            let mut principals = instance.principals.iter();
            !instance.grants.is_empty() && principals.any(|principal| meets(&principal.matches))
        }) {
            path.warn(
                "is not said: what stands under roles counts as a scope, too, and some providers grant every scope that a client asks for",
                "write roles, scopes or both",
            );
        }
    }
}

fn taking_tokens(rule: &WebhookRule) -> Option<&Condition> {
    (rule.auth == WebhookAuth::Bearer).then_some(&rule.require)
}
