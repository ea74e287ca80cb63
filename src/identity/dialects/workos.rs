//! WorkOS: sessions of `AuthKit`, and tokens of Connect applications.

use super::{has_session, text, ClaimNames, Reading};
use crate::formats::json::Object;
use crate::identity::IdentityFault;

/// `role` is the first of `roles`, and alone in older tokens.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["client_id", "azp"],
    scopes: &["scope", "permissions"],
    roles: &["roles", "role"],
    tenant: &["org_id"],
};

/// The tokens of people belong to a session or a consent (`sid`), those of applications to none.
pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    text(claims, "sid")?;
    reading.marks.user = has_session(claims, "sid");
    Ok(())
}
