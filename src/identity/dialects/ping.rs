//! `PingOne`, and `PingFederate` where it is set up alike.

use serde_json::{Map, Value};

use super::{kind, text, Places, Reading};
use crate::identity::{IdentityFault, Kind};

pub(super) const PLACES: Places = Places {
    client: &["client_id"],
    scopes: &["scope"],
    roles: &["roles"],
    tenant: &["env", "org"],
};

/// `PingOne`, whose issuers end in `/as`, gives a token without a person no `sub`, and no session
/// either. `PingFederate` may leave `sub` out of a person's token.
pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    let is_ping_one = text(claims, "iss")?.is_some_and(|issuer| issuer.ends_with("/as"));
    let has_person = ["sub", "sid", "auth_time", "acr"]
        .iter()
        .any(|name| claims.contains_key(*name));
    let nobody = is_ping_one && reading.client.is_some() && !has_person;
    reading.kind = kind(nobody || reading.kind == Kind::App);
    Ok(())
}
