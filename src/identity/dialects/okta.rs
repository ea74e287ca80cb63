//! Okta, tokens of its custom authorization servers.

use serde_json::{Map, Value};

use super::{text, ClaimNames, Reading};
use crate::identity::IdentityFault;

pub(super) const NAMES: ClaimNames = ClaimNames {
    // RFC 7662 §2.2 calls them `client_id` and `scope`, and so do answers about tokens.
    client: &["cid", "client_id"],
    scopes: &["scp", "scope"],
    roles: &["roles"],
    tenant: &[],
};

/// `uid` is the id of a person. The subject is an expression of the operator's, so that somebody's
/// could come out as the client's.
pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    let person = text(claims, "uid")?;
    reading.marks.user = person.is_some_and(|person| !person.is_empty());
    reading.marks.app &= person.is_none();
    Ok(())
}
