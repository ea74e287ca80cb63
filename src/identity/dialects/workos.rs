//! WorkOS: sessions of `AuthKit`, and tokens of Connect applications.

use serde_json::{Map, Value};

use super::{Places, Reading};
use crate::identity::IdentityFault;

const PLACES: Places = Places {
    client: &["client_id", "azp"],
    scopes: &["scope", "permissions"],
    roles: &["roles", "role"],
    tenant: &["org_id"],
};

/// `role` is the first of `roles`, and alone in older tokens.
pub(super) fn read(claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
    let mut reading = PLACES.read(claims)?;
    if let Some(last) = reading.roles.pop() {
        if !reading.roles.contains(&last) {
            reading.roles.push(last);
        }
    }
    Ok(reading)
}
