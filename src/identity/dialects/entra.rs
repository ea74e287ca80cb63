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
    // `idtyp` is an optional claim. Without it, a token that an application got for itself is told
    // by its subject, which is the object that acts; a person's is made for the pair of person and
    // application. Delegated permissions (`scp`) and an ID token, which names no client beside its
    // audience, have a person behind them in any case.
    let object = text(claims, "oid")?;
    let is_own_object = object.is_some() && object == text(claims, "sub")?;
    reading.kind = kind(match text(claims, "idtyp")? {
        Some(declared) => declared == "app",
        None => reading.client.is_some() && !claims.contains_key("scp") && is_own_object,
    });
    // Whoever administers a tenant may write any address into `email` (nOAuth). Only the optional
    // claim `xms_edov` says that somebody looked: the tenant owns the domain of the address, or the
    // account is a guest's, who had the address when it was invited. A claim of another name that
    // somebody maps into the token says nothing good.
    reading.email_verified = match claims.get("xms_edov") {
        Some(says) => Some(*says == true || *says == 1 || *says == "1"),
        None => reading.email_verified.map(|_| false),
    };
    // More groups than fit: `hasgroups` in implicit flows, elsewhere a pointer to Graph.
    reading.groups_left_out |= claims.contains_key("hasgroups");
    Ok(())
}
