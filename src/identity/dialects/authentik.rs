//! authentik.

use serde_json::{Map, Value};

use super::{Places, Reading};
use crate::identity::IdentityFault;

/// Entitlements of the application stand beside the roles. A service account is a user like any
/// other: nothing that its owner could not choose too tells it from a person.
const PLACES: Places = Places {
    client: &["azp", "client_id"],
    scopes: &["scope"],
    roles: &["roles", "entitlements"],
    tenant: &[],
};

pub(super) fn read(claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
    PLACES.read(claims)
}
