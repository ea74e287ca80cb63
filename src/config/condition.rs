//! Which callers a rule matches: `match` of a principal, `require` of a webhook.

use std::collections::BTreeSet;

use super::claims::claim_rules;
use super::field::{Field, Reported};
use super::provider_summary::ProviderSummary;
use super::raw::RawCondition;
use super::read::{gathered, Located, OneOrMany};
use super::suggest::nearest;
use super::syntax::{EmailDomain, Text};
use crate::policy::Condition;

/// The condition that the configuration has. `providers` are all providers.
///
/// A wrong field never becomes a condition: without it, the condition would be wider.
pub(super) fn condition(
    field: Field<RawCondition>,
    providers: &[ProviderSummary],
) -> Result<Condition, Reported> {
    let Field { path, value, .. } = field;
    let raw = value.ok_or(Reported)?;
    let kind_path = raw.kind.path.clone();
    let client_path = raw.client.path.clone();
    let condition = Condition {
        providers: known_providers(raw.provider, providers)?,
        clients: set(raw.client)?,
        subjects: set(raw.subject)?,
        kind: raw.kind.value_or_error()?.map(|kind| kind.0),
        emails: set(raw.email)?.as_ref().map(in_lower_case),
        email_domains: domains(raw.email_domain)?,
        tenants: set(raw.tenant)?,
        roles: set(raw.roles)?,
        scopes: set(raw.scopes)?,
        groups: set(raw.groups)?,
        claims: raw
            .claims
            .value_or_error()?
            .map(|rules| claim_rules(rules.0))
            .unwrap_or_default(),
    };
    let is_met = |known: &&ProviderSummary| {
        let names = condition.providers.as_ref();
        names.is_none_or(|names| names.contains(&known.name))
    };
    for known in providers.iter().filter(is_met) {
        if let Some(kind) = condition.kind {
            known.warn_of_kind(kind, &kind_path);
        }
        for client in condition.clients.iter().flatten() {
            known.warn_of_client(client, &client_path);
        }
    }
    let named = [&condition.clients, &condition.subjects].map(Option::is_some);
    let is_one_providers_own = named.contains(&true) || !condition.claims.is_empty();
    if is_one_providers_own && condition.providers.is_none() && providers.len() > 1 {
        path.warn(
            "names a client, subject or claim without provider: another provider could have the same for another caller",
            "add provider",
        );
    }
    // A condition without fields holds for every caller: only `any` may make one.
    if path.has_errors() || (raw.any.value.is_none() && condition == Condition::default()) {
        return Err(Reported);
    }
    Ok(condition)
}

/// The names of providers that a field lists; `None`: it is absent.
pub(super) fn known_providers(
    field: Field<OneOrMany<Located<Text>>>,
    known: &[ProviderSummary],
) -> Result<Option<BTreeSet<String>>, Reported> {
    let Some(OneOrMany(names)) = field.value_or_error()? else {
        return Ok(None);
    };
    let mut all_known = Ok(());
    for Located { path, value } in &names {
        if known.iter().any(|known| known.name == value.text) {
            continue;
        }
        let hint = match nearest(&value.text, known.iter().map(|known| known.name.as_str())) {
            Some(near) => format!("did you mean {near}?"),
            None => "write the name of one of the providers".to_owned(),
        };
        path.error("there is no provider of that name", hint);
        all_known = Err(Reported);
    }
    all_known.map(|()| Some(gathered(names.into_iter().map(|name| name.value.text))))
}

/// The texts that a field lists; `None`: it is absent.
pub(super) fn set<S>(
    field: Field<OneOrMany<Text<S>>>,
) -> Result<Option<BTreeSet<String>>, Reported> {
    Ok(field.value_or_error()?.map(OneOrMany::into_set))
}

/// Domains in which any person can get an address: of a mailbox, or of a service account in a project
/// of their own.
const OPEN_DOMAINS: [&str; 8] = [
    "appspot.gserviceaccount.com",
    "developer.gserviceaccount.com",
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "outlook.com",
    "yahoo.com",
];

/// The domains of addresses, in lower case.
pub(super) fn domains(
    field: Field<OneOrMany<Text<EmailDomain>>>,
) -> Result<Option<BTreeSet<String>>, Reported> {
    let path = field.path.clone();
    let domains = set(field)?.as_ref().map(in_lower_case);
    for domain in OPEN_DOMAINS {
        if domains
            .as_ref()
            .is_some_and(|domains| domains.contains(domain))
        {
            let problem = format!("matches every person who gets an address at {domain}");
            path.warn(
                problem,
                "list the addresses that you mean, as `email` of a principal",
            );
        }
    }
    Ok(domains)
}

fn in_lower_case(texts: &BTreeSet<String>) -> BTreeSet<String> {
    gathered(texts.iter().map(|text| text.to_ascii_lowercase()))
}
