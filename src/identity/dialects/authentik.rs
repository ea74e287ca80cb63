//! authentik.

use super::{ClaimNames, Reading};
use crate::identity::kind::Marks;

/// Entitlements of the application stand beside the roles. A service account is a user like any
/// other: nothing that its owner could not choose too tells it from a person. That goes for `sub`,
/// which may be the name of the user, and for a session, which an app password opens.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["azp", "client_id"],
    scopes: &["scope"],
    roles: &["roles", "entitlements"],
    tenant: &[],
};

/// Up to version 2025.8 every address was called verified that a user had written into a profile,
/// and a mapping that authentik's own documentation shows still does so. It never checks one.
pub(super) fn refine(reading: &mut Reading) {
    reading.marks = Marks::default();
    reading.email_verified = reading.email_verified.filter(|verified| !verified);
}
