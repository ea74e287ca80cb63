//! `PingOne`, and `PingFederate` where it is set up alike.

use super::{has_session, text, ClaimNames, Reading};
use crate::formats::json::Object;
use crate::identity::IdentityFault;

pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["client_id"],
    scopes: &["scope"],
    roles: &["roles"],
    tenant: &["env", "org"],
};

/// `PingOne` gives a token without a person no `sub`, and no session either. `PingFederate` may
/// leave `sub` out of a person's token.
pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    let is_ping_one = text(claims, "iss")?.is_some_and(is_ping_one);
    let has_person = ["sub", "sid", "auth_time", "acr"]
        .iter()
        .any(|name| claims.contains_key(name));
    reading.marks.app |= is_ping_one && reading.client.is_some() && !has_person;
    reading.marks.user = claims.contains_key("sub") && has_session(claims, "sid");
    Ok(())
}

/// Whether an issuer is one of `PingOne`, which end in `/as`.
pub(in crate::identity) fn is_ping_one(issuer: &str) -> bool {
    issuer.ends_with("/as")
}
