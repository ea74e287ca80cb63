//! Microsoft Entra ID, tokens of version 1.0 and 2.0.

use serde_json::{Map, Value};

use super::{kind, text, Places, Reading};
use crate::identity::IdentityFault;

/// The client is in `azp` of version 2.0 and `appid` of version 1.0.
pub(super) const PLACES: Places = Places {
    client: &["azp", "appid"],
    scopes: &["scp"],
    roles: &["roles"],
    tenant: &["tid"],
};

pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    // `idtyp` is an optional claim. Without it, delegated permissions (`scp`) mark a token that a
    // person stands behind: a token that an application got for itself carries none. Nor does an
    // ID token, which a person can get without any mark of one where `audiences` names a client:
    // but that names no client beside its audience.
    reading.kind = kind(match text(claims, "idtyp")? {
        Some(declared) => declared == "app",
        None => reading.client.is_some() && !claims.contains_key("scp"),
    });
    // Whoever administers a tenant may write any address into `email` (nOAuth). Only the optional
    // claim `xms_edov` says that the tenant owns the domain of the address; a claim of another
    // name that somebody maps into the token says nothing good.
    reading.email_verified = match claims.get("xms_edov") {
        Some(says) => Some(*says == true || *says == 1 || *says == "1"),
        None => reading.email_verified.map(|_| false),
    };
    // More groups than fit: `hasgroups` in implicit flows, elsewhere a pointer to Graph.
    let elsewhere = claims
        .get("_claim_names")
        .is_some_and(|names| names.get("groups").is_some());
    reading.groups_left_out = elsewhere || claims.contains_key("hasgroups");
    Ok(())
}
