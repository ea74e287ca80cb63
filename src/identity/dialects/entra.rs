//! Microsoft Entra ID, tokens of version 1.0 and 2.0.

use serde_json::{Map, Value};

use super::{text, ClaimNames, Reading};
use crate::identity::kind::Marks;
use crate::identity::IdentityFault;

/// The client is in `azp` of version 2.0 and `appid` of version 1.0.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["azp", "appid"],
    scopes: &["scp"],
    roles: &["roles"],
    tenant: &["tid"],
};

pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    // `idtyp` is an optional claim. Without it, delegated permissions (`scp`) have a person behind
    // them. Else the subject tells: that of a token which an application got for itself is the
    // object that acts; a person's is made for the pair of person and application.
    let [object, subject] = [text(claims, "oid")?, text(claims, "sub")?];
    let has_scopes = claims.contains_key("scp");
    let both = object.zip(subject);
    reading.marks = match text(claims, "idtyp")? {
        Some(declared) => Marks {
            app: declared == "app",
            user: declared == "user" || has_scopes,
        },
        None => Marks {
            app: !has_scopes
                && reading.client.is_some()
                && both.is_some_and(|(object, subject)| object == subject),
            user: has_scopes || both.is_some_and(|(object, subject)| object != subject),
        },
    };
    // Whoever administers a tenant may write any address into `email` (nOAuth). Only the optional
    // claim `xms_edov` says that somebody looked: the tenant owns the domain of the address, or the
    // account is a guest's, who had the address when it was invited. A claim of another name that
    // somebody maps into the token says nothing good.
    reading.email_verified = match claims.get("xms_edov") {
        Some(says) => Some(*says == true || *says == 1 || *says == "1" || *says == "true"),
        None => claims.contains_key("email_verified").then_some(false),
    };
    // More groups than fit: `hasgroups` in implicit flows, elsewhere a pointer to Graph.
    reading.groups_left_out |= claims.contains_key("hasgroups");
    Ok(())
}
