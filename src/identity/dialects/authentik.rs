//! authentik.

use super::{ClaimNames, Reading};
use crate::identity::kind::Marks;

/// Entitlements of the application are roles, too. A service account is a user like any other: a person
/// can choose everything in which they differ. That includes `sub`, which may be the name of the user,
/// and a session, which an app password opens.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["azp", "client_id"],
    scopes: &["scope"],
    roles: &["roles", "entitlements"],
    tenant: &[],
};

/// Up to version 2025.8 authentik called every address verified that a user had written into a profile,
/// and a mapping in its own documentation still does. It never verifies one.
pub(super) fn refine(reading: &mut Reading) {
    reading.marks = Marks::default();
    reading.email_verified = reading.email_verified.filter(|verified| !verified);
}
