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

/// `PingOne`, whose issuers end in `/as`, gives a token without a person no `sub`. `PingFederate`
/// may leave it out of a person's token.
pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    let is_ping_one = text(claims, "iss")?.is_some_and(|issuer| issuer.ends_with("/as"));
    let nobody = is_ping_one && reading.client.is_some() && !claims.contains_key("sub");
    reading.kind = kind(nobody || reading.kind == Kind::App);
    Ok(())
}
