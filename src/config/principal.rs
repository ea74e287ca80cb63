//! Principals: which callers they match, and what those may do in n8n.

use std::collections::BTreeMap;

use super::api_key::api_key;
use super::choices::PerWord;
use super::condition::condition;
use super::environment::Environment;
use super::field::{Field, Reported};
use super::field_path::FieldPath;
use super::n8n_line::{no_users, warn_of_foreign_scopes};
use super::provider_summary::ProviderSummary;
use super::raw::{RawCondition, RawPrincipal, RawUser};
use super::read::{List, Located};
use super::scopes::Scopes;
use super::secrets::SecretName;
use crate::n8n::{Line, ScopeSet};
use crate::policy::{Per, Principal, Principals, StaticKey, Upstream, UserRule};

/// What principals need of the rest of the configuration.
pub(super) struct PrincipalContext<'s> {
    pub(super) providers: &'s [ProviderSummary],
    pub(super) has_roles: bool,
    /// Whether the gate itself may call n8n, or would after a correction.
    pub(super) has_provisioning: bool,
    /// The line of n8n; the usual one if it is wrong, which was reported.
    pub(super) line: Line,
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
    let limits = limits(raw.grant, raw.allow, context.line);
    let groups = groups(&raw.r#match);
    let matches = condition(raw.r#match, context.providers);
    let upstream = if raw.user.given {
        if !context.line.has_users_of_the_gate() {
            raw.user.error(
                no_users(context.line),
                "give the principal an api_key that was made in n8n",
            );
        } else if !context.has_provisioning {
            raw.user.error(
                "needs n8n beside principals: without it the gate cannot make keys",
                "write n8n with cluster, api_key and seed, or give the principal an api_key",
            );
        }
        let rule = raw.user.value.and_then(|user| user_rule(user, groups));
        rule.map(Upstream::User)
    } else {
        static_keys(&raw.api_key, &raw.api_keys, context.environment)
            .map(|keys| Upstream::Keys(keys.into()))
    };
    let (grant, allow) = limits.ok()?;
    Some(Principal {
        name: raw.name.value?.text.into(),
        matches: matches.ok()?,
        grant,
        allow,
        upstream: upstream?,
    })
}

/// The keys that an operator made. `None`: one is wrong, which was reported.
fn static_keys(
    one: &Field<SecretName>,
    several: &Field<List<Located<SecretName>>>,
    environment: &dyn Environment,
) -> Option<Vec<StaticKey>> {
    let one = one.value.iter().map(|name| (name, &one.path));
    let several = several.value.iter().flat_map(|list| &list.0);
    let several = several.map(|item| (&item.value, &item.path));
    let keys = one.chain(several);
    let keys: Vec<_> = keys
        .map(|(name, path)| api_key(name, environment, path))
        .collect();
    let keys: Option<Vec<_>> = keys.into_iter().collect();
    keys.filter(|keys| !keys.is_empty())
}

/// As which user the callers act. `groups`: those that the principal matches.
fn user_rule(raw: RawUser, groups: Vec<String>) -> Option<UserRule> {
    if let Some(email) = raw.email.value {
        // n8n stores addresses so.
        let email = email.text.to_lowercase();
        return Some(UserRule::One { email });
    }
    Some(UserRule::Per(match raw.per.value?.0 {
        PerWord::Client => Per::Client,
        PerWord::Subject => Per::Subject,
        PerWord::Tenant => Per::Tenant,
        PerWord::Group if groups.is_empty() => {
            raw.per.path.error(
                "needs groups in match: a caller may be in many, of which one must be chosen",
                "list the groups in match, in the order in which they count",
            );
            return None;
        }
        PerWord::Group => Per::Group(groups),
    }))
}

/// The scopes that it always has, and the most that it may do.
fn limits(
    grant: Field<Scopes>,
    allow: Field<Scopes>,
    line: Line,
) -> Result<(ScopeSet, Option<ScopeSet>), Reported> {
    let path = allow.path.clone();
    let warn = |field: &Field<Scopes>| {
        if let Some(Scopes(scopes)) = &field.value {
            warn_of_foreign_scopes(scopes, line, &field.path);
        }
    };
    warn(&grant);
    warn(&allow);
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

/// The groups that a principal matches, in the order of the configuration.
fn groups(condition: &Field<RawCondition>) -> Vec<String> {
    let groups = condition
        .value
        .as_ref()
        .and_then(|raw| raw.groups.value.as_ref());
    let groups = groups.into_iter().flat_map(|groups| &groups.0);
    groups.map(|group| group.text.clone()).collect()
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
    for principal in principals.map(|item| &item.value) {
        let one = principal
            .api_key
            .value
            .iter()
            .map(|name| (name, &principal.api_key.path));
        let several = principal.api_keys.value.iter().flat_map(|list| &list.0);
        for (key, path) in one.chain(several.map(|item| (&item.value, &item.path))) {
            if let Some(first) = seen.insert(key.variable(), path) {
                let problem = format!("is also the key at {first}");
                let hint = "give each an API key of its own: n8n sees one user for both";
                path.warn(problem, hint);
            }
        }
    }
}
