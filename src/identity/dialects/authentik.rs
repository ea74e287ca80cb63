//! authentik.

use super::{Places, Reading};
use crate::identity::Kind;

/// Entitlements of the application stand beside the roles. A service account is a user like any
/// other: nothing that its owner could not choose too tells it from a person. That goes for `sub`,
/// which may be the name of the user.
pub(super) const PLACES: Places = Places {
    client: &["azp", "client_id"],
    scopes: &["scope"],
    roles: &["roles", "entitlements"],
    tenant: &[],
};

/// Up to version 2025.8 every address was called verified that a user had written into a profile,
/// and a mapping that authentik's own documentation shows still does so. It never checks one.
pub(super) fn refine(reading: &mut Reading) {
    reading.kind = Kind::User;
    reading.email_verified = reading.email_verified.filter(|verified| !verified);
}
