//! WorkOS: sessions of `AuthKit`, and tokens of Connect applications.

use super::Places;

/// `role` is the first of `roles`, and alone in older tokens.
pub(super) const PLACES: Places = Places {
    client: &["client_id", "azp"],
    scopes: &["scope", "permissions"],
    roles: &["roles", "role"],
    tenant: &["org_id"],
};
