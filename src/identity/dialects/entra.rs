//! Microsoft Entra ID, tokens of version 1.0 and 2.0.

use super::{text, ClaimNames, Reading};
use crate::formats::json::{Object, Value};
use crate::identity::kind::Marks;
use crate::identity::IdentityFault;

/// The client is in `azp` of version 2.0 and `appid` of version 1.0.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["azp", "appid"],
    scopes: &["scp"],
    roles: &["roles"],
    tenant: &["tid"],
};

pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    // `idtyp` is an optional claim. Without it, delegated permissions (`scp`) have a person behind
    // them. Without those, the subject shows it: in the token of an application it is the object id;
    // that of a person is made for the pair of person and application.
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
    // An administrator of a tenant can write any address into `email` (nOAuth). Only the optional claim
    // `xms_edov` says that the address was verified: the tenant owns its domain, or the account is a
    // guest's, who had the address when it was invited. A claim of another name, which an administrator
    // can add to tokens, verifies nothing.
    reading.email_verified = match claims.get("xms_edov") {
        Some(says) => {
            let is_one = says == "1" || says.as_u64() == Some(1);
            Some(is_one || says == "true" || says == Value::Bool(true))
        }
        None => claims.contains_key("email_verified").then_some(false),
    };
    // More groups than fit: `hasgroups` in implicit flows, elsewhere a pointer to Graph.
    reading.groups_left_out |= claims.contains_key("hasgroups");
    Ok(())
}
