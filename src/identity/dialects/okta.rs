//! Okta, tokens of its custom authorization servers.

use serde_json::{Map, Value};

use super::{Places, Reading};
use crate::identity::Kind;

pub(super) const PLACES: Places = Places {
    // RFC 7662 §2.2 calls them `client_id` and `scope`, and so do answers about tokens.
    client: &["cid", "client_id"],
    scopes: &["scp", "scope"],
    roles: &["roles"],
    tenant: &[],
};

/// `uid` is the id of a person. The subject is an expression of the operator's, so that somebody's
/// could come out as the client's.
pub(super) fn refine(reading: &mut Reading, claims: &Map<String, Value>) {
    if claims.contains_key("uid") {
        reading.kind = Kind::User;
    }
}
