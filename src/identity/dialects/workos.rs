//! WorkOS: sessions of `AuthKit`, and tokens of Connect applications.

use super::{Places, Reading};

pub(super) const PLACES: Places = Places {
    client: &["client_id", "azp"],
    scopes: &["scope", "permissions"],
    roles: &["roles", "role"],
    tenant: &["org_id"],
};

/// `role` is the first of `roles`, and alone in older tokens.
pub(super) fn refine(reading: &mut Reading) {
    if let Some(last) = reading.roles.pop() {
        if !reading.roles.contains(&last) {
            reading.roles.push(last);
        }
    }
}
