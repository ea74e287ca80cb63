//! Any OpenID provider: the claims of RFC 9068, RFC 8693 and OpenID Connect, and the usual names
//! beside them.

use serde_json::{Map, Value};

use super::{auth0, text, Places, Reading};
use crate::identity::{IdentityFault, Kind};

pub(super) const PLACES: Places = Places {
    client: &["azp", "client_id", "cid", "appid"],
    scopes: &["scope", "scp"],
    roles: &["roles"],
    tenant: &["tid", "org_id"],
};

/// Auth0 and Entra have words of their own for an application that acts for itself.
pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    if text(claims, "idtyp")? == Some("app") || auth0::is_app(claims, reading)? {
        reading.kind = Kind::App;
    }
    // RFC 7662 §2.2: whoever authorised the token, who may have chosen the name of a client.
    if claims.contains_key("username") {
        reading.kind = Kind::User;
    }
    Ok(())
}
