//! Whom a caller becomes in n8n.

use std::collections::BTreeMap;

use super::api_key::api_key;
use super::condition::condition;
use super::environment::Environment;
use super::known::Known;
use super::place::Place;
use super::raw::RawPrincipal;
use super::read::At;
use super::scopes::Scopes;
use super::section::{Field, Reported};
use crate::n8n::ScopeSet;
use crate::policy::{Principal, Principals};

/// What principals are checked against.
pub(super) struct Surroundings<'s> {
    pub(super) providers: &'s [Known],
    pub(super) has_roles: bool,
    pub(super) environment: &'s dyn Environment,
}

/// Turns what was written of the principals into what it means. Whatever is missing in the
/// result was reported.
pub(super) fn principals(
    raw: Vec<At<RawPrincipal>>,
    surroundings: &Surroundings<'_>,
) -> Principals {
    report_equal_names(&raw);
    let (places, list): (Vec<Place>, Vec<Principal>) = raw
        .into_iter()
        .filter_map(|At { place, value }| {
            let principal = principal(value, &place, surroundings)?;
            Some((place, principal))
        })
        .unzip();
    let principals = Principals::new(list);
    report_unreachable(&places, &principals);
    principals
}

fn report_unreachable(places: &[Place], principals: &Principals) {
    for (number, (place, principal)) in places.iter().zip(principals.iter()).enumerate() {
        let Some((earlier, _)) = principals.first_covering(principal) else {
            continue;
        };
        if let Some(earlier_place) = places.get(earlier).filter(|_| earlier < number) {
            place.error(
                format!(
                    "can never be reached: {earlier_place} matches every caller that it matches"
                ),
                "the first match wins: put the narrower one first",
            );
        }
    }
}

fn principal(
    raw: RawPrincipal,
    place: &Place,
    surroundings: &Surroundings<'_>,
) -> Option<Principal> {
    if !surroundings.has_roles && !raw.grant.given {
        let hint = "add grant: [workflow:read], or roles beside principals";
        place.warn(
            "may do nothing on the public API: there are no roles, and it has no grant",
            hint,
        );
    }
    let limits = limits(raw.grant, raw.allow);
    let matches = condition(raw.r#match, surroundings.providers);
    let key = raw.api_key.value.as_ref();
    let key = key.and_then(|name| api_key(name, surroundings.environment, &raw.api_key.place));
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

/// What it may do whatever its roles are, and the most that it may do.
fn limits(
    grant: Field<Scopes>,
    allow: Field<Scopes>,
) -> Result<(ScopeSet, Option<ScopeSet>), Reported> {
    let place = allow.place.clone();
    let grant = grant
        .value_or_error()?
        .map(|scopes| scopes.0)
        .unwrap_or_default();
    let allow = allow.value_or_error()?.map(|scopes| scopes.0);
    let keeps_grant = |allow: &ScopeSet| grant.intersection(allow) == grant;
    if !allow.as_ref().is_none_or(keeps_grant) {
        let hint = "allow is the most that it may do: list there what grant lists, or grant less";
        place.error("takes away some of what grant gives", hint);
        return Err(Reported);
    }
    Ok((grant, allow))
}

fn report_equal_names(principals: &[At<RawPrincipal>]) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for field in principals.iter().map(|item| &item.value.name) {
        let Some(name) = &field.value else { continue };
        if let Some(first) = seen.insert(&name.text, &field.place) {
            let problem = format!("is the name at {first} too");
            field
                .place
                .error(problem, "give each principal a name of its own");
        }
    }
}

/// Also across instances: one would learn a key of the other.
pub(super) fn warn_of_shared_keys<'r>(principals: impl Iterator<Item = &'r At<RawPrincipal>>) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for field in principals.map(|item| &item.value.api_key) {
        let Some(key) = &field.value else { continue };
        if let Some(first) = seen.insert(key.variable(), &field.place) {
            let problem = format!("is the key at {first} too");
            let hint = "n8n cannot tell the two apart; give each a key of its own";
            field.place.warn(problem, hint);
        }
    }
}
