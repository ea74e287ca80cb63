//! Auth0, tokens of both of its profiles.

use serde_json::{Map, Value};

use super::{names, text, Places, Reading};
use crate::identity::{IdentityFault, Kind};

/// Permissions of role-based access control stand beside the scopes. Roles are in no claim of
/// Auth0's own; an Action may put them into `roles`.
pub(super) const PLACES: Places = Places {
    client: &["azp", "client_id"],
    scopes: &["scope", "permissions"],
    roles: &["roles"],
    tenant: &["org_id"],
};

pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    if is_app(claims, reading)? {
        reading.kind = Kind::App;
    }
    Ok(())
}

/// `gty` names the grant in Auth0's own profile. In both, the subject of an application is its
/// client with `@clients` behind it.
pub(super) fn is_app(
    claims: &Map<String, Value>,
    reading: &Reading,
) -> Result<bool, IdentityFault> {
    let grants = names(claims.get("gty"));
    let subject = text(claims, "sub")?.and_then(|subject| subject.strip_suffix("@clients"));
    let own_subject = subject.is_some() && subject == reading.client.as_deref();
    Ok(own_subject || grants.iter().any(|grant| grant == "client-credentials"))
}
