//! `PingOne`, and `PingFederate` where it is set up alike.

use serde_json::{Map, Value};

use super::{kind, Places, Reading};
use crate::identity::{IdentityFault, Kind};

const PLACES: Places = Places {
    client: &["client_id"],
    scopes: &["scope"],
    roles: &["roles"],
    tenant: &["env", "org"],
};

/// `PingOne` gives a token without a person no `sub`.
pub(super) fn read(claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
    let mut reading = PLACES.read(claims)?;
    let nobody = reading.client.is_some() && !claims.contains_key("sub");
    reading.kind = kind(nobody || reading.kind == Kind::App);
    Ok(reading)
}
