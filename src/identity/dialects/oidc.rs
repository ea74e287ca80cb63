//! Any OpenID provider: the claims of RFC 9068, RFC 8693 and OpenID Connect, and the usual names
//! beside them.

use serde_json::{Map, Value};

use super::{client, names, text, whole_names, Reading};
use crate::identity::{IdentityFault, Kind};

/// Reads `azp`, `client_id`, `cid` and `appid`; `scope` and `scp`; `roles`; `groups`; `tid` and
/// `org_id`.
pub(super) fn read(claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
    let client = client(claims, &["azp", "client_id", "cid", "appid"])?;
    let mut scopes = names(claims.get("scope"));
    scopes.extend(names(claims.get("scp")));
    let tenant = match text(claims, "tid")? {
        Some(tenant) => Some(tenant),
        None => text(claims, "org_id")?,
    };
    Ok(Reading {
        kind: kind(claims, client.as_deref())?,
        client,
        scopes,
        roles: whole_names(claims.get("roles")),
        groups: whole_names(claims.get("groups")),
        tenant: tenant.map(str::to_owned),
    })
}

/// RFC 9068 §2.2 and RFC 9700 §4.15: where no resource owner is involved, `sub` is the client.
/// Auth0 says it in `gty`, Entra in `idtyp`.
fn kind(claims: &Map<String, Value>, client: Option<&str>) -> Result<Kind, IdentityFault> {
    let declared = text(claims, "idtyp")? == Some("app")
        || names(claims.get("gty"))
            .iter()
            .any(|grant| grant == "client-credentials");
    let own_subject = match (text(claims, "sub")?, client) {
        (Some(subject), Some(client)) => {
            // Auth0 appends "@clients" to the client.
            subject == client || subject.strip_suffix("@clients") == Some(client)
        }
        _ => false,
    };
    Ok(if declared || own_subject {
        Kind::App
    } else {
        Kind::User
    })
}
