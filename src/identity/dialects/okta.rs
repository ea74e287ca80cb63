//! Okta, tokens of its custom authorization servers.

use super::{text, ClaimNames, Reading};
use crate::formats::json::Object;
use crate::identity::IdentityFault;

pub(super) const NAMES: ClaimNames = ClaimNames {
    // In introspection responses they are `client_id` and `scope` (RFC 7662 §2.2).
    client: &["cid", "client_id"],
    scopes: &["scp", "scope"],
    roles: &["roles"],
    tenant: &[],
};

/// `uid` is the id of a person. The operator defines the subject by an expression, so that a person's
/// could be equal to the client.
pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    let person = text(claims, "uid")?;
    reading.marks.user = person.is_some_and(|person| !person.is_empty());
    reading.marks.app &= person.is_none();
    Ok(())
}
