//! Principals: which callers they match, and what those may do in n8n.

use std::collections::BTreeMap;

use super::api_key::api_key;
use super::condition::condition;
use super::environment::Environment;
use super::field::{Field, Reported};
use super::field_path::FieldPath;
use super::provider_summary::ProviderSummary;
use super::raw::RawPrincipal;
use super::read::Located;
use super::scopes::Scopes;
use crate::n8n::ScopeSet;
use crate::policy::{Principal, Principals};

/// What principals need of the rest of the configuration.
pub(super) struct PrincipalContext<'s> {
    pub(super) providers: &'s [ProviderSummary],
    pub(super) has_roles: bool,
    pub(super) environment: &'s dyn Environment,
}

/// The principals. What is missing in the result was wrong, and was reported.
pub(super) fn principals(
    raw: Vec<Located<RawPrincipal>>,
    context: &PrincipalContext<'_>,
) -> Principals {
    report_equal_names(&raw);
    let (paths, list): (Vec<FieldPath>, Vec<Principal>) = raw
        .into_iter()
        .filter_map(|Located { path, value }| {
            let principal = principal(value, &path, context)?;
            Some((path, principal))
        })
        .unzip();
    let principals = Principals::new(list);
    report_unreachable(&paths, &principals);
    principals
}

fn report_unreachable(paths: &[FieldPath], principals: &Principals) {
    for (number, (path, principal)) in paths.iter().zip(principals.iter()).enumerate() {
        let Some((earlier, _)) = principals.first_covering(principal) else {
            continue;
        };
        if let Some(earlier_path) = paths.get(earlier).filter(|_| earlier < number) {
            path.error(
                format!(
                    "can never be reached: {earlier_path} matches every caller that it matches"
                ),
                "the first match applies: put the narrower one first",
            );
        }
    }
}

fn principal(
    raw: RawPrincipal,
    path: &FieldPath,
    context: &PrincipalContext<'_>,
) -> Option<Principal> {
    if !context.has_roles && !raw.grant.given {
        let hint = "add grant: [workflow:read], or roles beside principals";
        path.warn(
            "allows nothing on the public API: there are no roles, and it has no grant",
            hint,
        );
    }
    let limits = limits(raw.grant, raw.allow);
    let matches = condition(raw.r#match, context.providers);
    let key = raw.api_key.value.as_ref();
    let key = key.and_then(|name| api_key(name, context.environment, &raw.api_key.path));
    let (grant, allow) = limits.ok()?;
    let key = key?;
    Some(Principal {
        name: raw.name.value?.text.into(),
        matches: matches.ok()?,
        grant,
        allow,
        api_key: key.secret,
        key_expiry: key.expiry,
    })
}

/// The scopes that it always has, and the most that it may do.
fn limits(
    grant: Field<Scopes>,
    allow: Field<Scopes>,
) -> Result<(ScopeSet, Option<ScopeSet>), Reported> {
    let path = allow.path.clone();
    let grant = grant
        .value_or_error()?
        .map(|scopes| scopes.0)
        .unwrap_or_default();
    let allow = allow.value_or_error()?.map(|scopes| scopes.0);
    let keeps_grant = |allow: &ScopeSet| grant.intersection(allow) == grant;
    if !allow.as_ref().is_none_or(keeps_grant) {
        let hint = "allow is the most that it may do: add the scopes of grant, or grant less";
        path.error("does not contain all scopes of grant", hint);
        return Err(Reported);
    }
    Ok((grant, allow))
}

fn report_equal_names(principals: &[Located<RawPrincipal>]) {
    let mut seen: BTreeMap<&str, &FieldPath> = BTreeMap::new();
    for field in principals.iter().map(|item| &item.value.name) {
        let Some(name) = &field.value else { continue };
        if let Some(first) = seen.insert(&name.text, &field.path) {
            let problem = format!("is also the name at {first}");
            field.error(problem, "give each principal a name of its own");
        }
    }
}

/// Warns of API keys that several principals have. Also across instances: one would learn a key of the
/// other.
pub(super) fn warn_of_shared_keys<'r>(principals: impl Iterator<Item = &'r Located<RawPrincipal>>) {
    let mut seen: BTreeMap<&str, &FieldPath> = BTreeMap::new();
    for field in principals.map(|item| &item.value.api_key) {
        let Some(key) = &field.value else { continue };
        if let Some(first) = seen.insert(key.variable(), &field.path) {
            let problem = format!("is also the key at {first}");
            let hint = "give each an API key of its own: n8n sees one user for both";
            field.warn(problem, hint);
        }
    }
}
