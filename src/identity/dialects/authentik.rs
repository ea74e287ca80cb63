//! authentik.

use super::Places;

/// Entitlements of the application stand beside the roles. A service account is a user like any
/// other: nothing that its owner could not choose too tells it from a person. That goes for `sub`,
/// which may be the name of the user.
pub(super) const PLACES: Places = Places {
    client: &["azp", "client_id"],
    scopes: &["scope"],
    roles: &["roles", "entitlements"],
    tenant: &[],
};
