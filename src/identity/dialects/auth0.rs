//! Auth0, tokens of both of its profiles.

use super::{names, text, ClaimNames, Reading};
use crate::formats::json::Object;
use crate::identity::IdentityFault;

/// Permissions of role-based access control are scopes, too. Roles are in no claim of
/// Auth0's own; an Action may put them into `roles`.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["azp", "client_id"],
    scopes: &["scope", "permissions"],
    roles: &["roles"],
    tenant: &["org_id"],
};

/// `gty` names the grant in Auth0's own profile. A person's subject is `<connection>|<id>`, whatever
/// the id: no client has a bar in its name.
pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    let grants = names(claims.get("gty"));
    let has = |grant: &str| grants.iter().any(|own| own == grant);
    reading.marks.app = has_own_subject(claims, reading)? || has("client-credentials");
    reading.marks.user = text(claims, "sub")?.is_some_and(|subject| subject.contains('|'))
        || has("password")
        || has("authorization_code");
    Ok(())
}

/// In both profiles, the subject of an application is its client with `@clients` behind it.
pub(super) fn has_own_subject(
    claims: Object<'_>,
    reading: &Reading,
) -> Result<bool, IdentityFault> {
    let subject = text(claims, "sub")?.and_then(|subject| subject.strip_suffix("@clients"));
    Ok(subject.is_some() && subject == reading.client.as_deref())
}
