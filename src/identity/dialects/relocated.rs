//! Claims that the operator names instead of those of the dialect.

use super::Reading;
use crate::formats::json::{Object, Value};
use crate::identity::claims_at::text;
use crate::identity::values::{names, once_each, whole_names};
use crate::identity::{ClaimsAt, IdentityFault, IdentityPart};

/// Reads the claims that the operator names into a reading of the dialect. The client was read before,
/// because the marks depend on it.
pub(super) fn refine(
    at: &ClaimsAt,
    reading: &mut Reading,
    claims: Object<'_>,
) -> Result<(), IdentityFault> {
    for (what, list) in [
        (IdentityPart::Roles, &mut reading.roles),
        (IdentityPart::Groups, &mut reading.groups),
        (IdentityPart::Scopes, &mut reading.scopes),
    ] {
        if !at.moves(what) {
            continue;
        }
        list.clear();
        for path in at.paths(what) {
            // A path through something that is not an object leads to no claim.
            let claim = path.find(claims).ok().flatten();
            list.append(&mut match what {
                IdentityPart::Scopes => names(claim),
                _ => names_or_keys(claim),
            });
        }
        *list = once_each(std::mem::take(list));
    }
    if at.moves(IdentityPart::Tenant) {
        reading.tenant = None;
        for path in at.paths(IdentityPart::Tenant) {
            if reading.tenant.is_none() {
                reading.tenant = text(path, claims, "claims_at.tenant")?.map(str::to_owned);
            }
        }
    }
    Ok(())
}

/// Names in a claim in which a space is part of a name: an array of strings, one string, or the keys of
/// an object. The value of a key must be an object that is not empty, as Zitadel writes it for a granted
/// role (from organisation to domain), or `true`. A key with another value grants nothing.
fn names_or_keys(value: Option<Value<'_>>) -> Vec<String> {
    let Some(Value::Object(members)) = value else {
        return whole_names(value);
    };
    let is_granted = |value: Value<'_>| match value {
        Value::Object(members) => !members.is_empty(),
        value => value == Value::Bool(true),
    };
    let granted = members.members().filter(|(_, value)| is_granted(*value));
    granted.map(|(name, _)| name.to_owned()).collect()
}
