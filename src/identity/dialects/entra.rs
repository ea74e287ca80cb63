//! Microsoft Entra ID, tokens of version 1.0 and 2.0.

use serde_json::{Map, Value};

use super::{client, names, text, whole_names, Reading};
use crate::identity::{IdentityFault, Kind};

/// Reads `azp` (v2.0) or `appid` (v1.0), `scp`, `roles`, `groups` and `tid`.
pub(super) fn read(claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
    Ok(Reading {
        client: client(claims, &["azp", "appid"])?,
        kind: kind(claims)?,
        scopes: names(claims.get("scp")),
        roles: whole_names(claims.get("roles")),
        groups: whole_names(claims.get("groups")),
        tenant: text(claims, "tid")?.map(str::to_owned),
    })
}

/// `idtyp` is an optional claim. Without it, delegated permissions (`scp`) mark a token that a
/// person stands behind: a token that an application got for itself carries none.
fn kind(claims: &Map<String, Value>) -> Result<Kind, IdentityFault> {
    Ok(match (text(claims, "idtyp")?, claims.contains_key("scp")) {
        (Some("app"), _) | (None, false) => Kind::App,
        _ => Kind::User,
    })
}
