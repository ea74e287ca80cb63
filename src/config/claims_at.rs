//! Where a provider puts claims, as it is written.

use serde_json::Value;

use super::place::Place;
use super::raw::RawClaimsAt;
use super::read::{List, Read};
use super::section::Field;
use crate::identity::{ClaimPath, ClaimsAt};

/// Claims that people may fill in at many providers.
const OF_A_PROFILE: [&str; 17] = [
    "address",
    "birthdate",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "user_metadata",
    "username",
    "website",
    "zoneinfo",
];

/// One path, or a list of several. A list of names is one path, so that each of several is a list
/// of its own: `[[roles], [role]]`.
pub(super) struct ClaimPaths(Vec<ClaimPath>);

impl Read for ClaimPaths {
    fn shape() -> String {
        format!("{}; or a list of such lists", ClaimPath::shape())
    }

    fn read(value: &Value, place: &Place) -> Option<Self> {
        let is_list = |value: &Value| value.is_array();
        let paths = match value {
            Value::Array(items) if items.iter().any(is_list) => {
                if !items.iter().all(is_list) {
                    let problem = "has lists and other things side by side";
                    let hint = "make each path a list of names, such as [[roles], [role]]";
                    place.error(problem, hint);
                    return None;
                }
                List::read(value, place)?.0
            }
            one => vec![ClaimPath::read(one, place)?],
        };
        if let ([path], Value::Array(_)) = (paths.as_slice(), value) {
            // A name of one claim alone needs no list either, and says what is meant.
            let has_dot = |name: &String| name.contains('.');
            if path.names().len() > 1 && !path.names().iter().any(has_dot) {
                place.warn(
                    "is one claim within another",
                    "write a dot between each two names if that is meant, or [[a], [b]] for several claims",
                );
            }
        }
        for (index, path) in paths.iter().enumerate() {
            if paths.iter().take(index).any(|earlier| earlier == path) {
                place.item(index).error("is listed twice", "take one out");
                return None;
            }
        }
        Some(Self(paths))
    }
}

/// `None`: something is wrong, and was reported.
pub(super) fn claims_at(
    raw: Field<RawClaimsAt>,
    trust_email: Option<bool>,
) -> Option<Option<ClaimsAt>> {
    let place = raw.place.clone();
    let Some(raw) = raw.said().ok()? else {
        return Some(None);
    };
    let names = [&raw.roles, &raw.groups, &raw.scopes];
    let texts = [&raw.client, &raw.tenant, &raw.email];
    if !names.iter().chain(&texts).any(|field| field.given) && !place.has_errors() {
        place.error("says nothing", "say where claims are, or take it out");
    }
    // What is granted, and what principals match, must not be what people write about themselves.
    for field in names.into_iter().chain([&raw.client, &raw.tenant]) {
        warn_of_profile(field);
    }
    if raw.email.given && trust_email == Some(false) {
        raw.email.place.error(
            "never counts without trust_email: `email_verified` speaks of `email` alone",
            "add trust_email: true, if every address there is known to be its owner's",
        );
    }
    let paths = |field: Field<ClaimPaths>| Some(field.said().ok()?.map(|paths| paths.0));
    let (roles, groups, scopes) = (paths(raw.roles), paths(raw.groups), paths(raw.scopes));
    let (client, tenant, email) = (paths(raw.client), paths(raw.tenant), paths(raw.email));
    Some(Some(ClaimsAt {
        roles: roles?,
        groups: groups?,
        scopes: scopes?,
        client: client?,
        tenant: tenant?,
        email: email?,
    }))
}

fn warn_of_profile(field: &Field<ClaimPaths>) {
    let mut paths = field.value.iter().flat_map(|paths| &paths.0);
    let is_written = |path: &ClaimPath| path.first().is_some_and(|n| OF_A_PROFILE.contains(&n));
    if paths.any(is_written) {
        field.place.warn(
            "is a claim that people may write about themselves at many providers",
            "point to a claim that the provider alone writes",
        );
    }
}
