//! Keycloak, with its roles of the realm and of clients.

use serde_json::{Map, Value};

use super::{client, names, text, whole_names, Reading};
use crate::identity::{IdentityFault, Kind};

/// Reads `azp` and `client_id`, `scope`, `realm_access.roles`, `groups`, and the roles of each
/// client in `resource_access`, which become `<client>:<role>` so that a role of one client is
/// never taken for another's.
pub(super) fn read(claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
    let client = client(claims, &["azp", "client_id"])?;
    let mut roles = whole_names(
        claims
            .get("realm_access")
            .and_then(|realm| realm.get("roles")),
    );
    if let Some(Value::Object(clients)) = claims.get("resource_access") {
        for (owner, access) in clients {
            let own = whole_names(access.get("roles"));
            roles.extend(own.into_iter().map(|role| format!("{owner}:{role}")));
        }
    }
    Ok(Reading {
        kind: kind(claims, client.as_deref())?,
        client,
        scopes: names(claims.get("scope")),
        roles,
        groups: whole_names(claims.get("groups")),
        tenant: None,
    })
}

/// The user that Keycloak keeps for a client's own account has the client's name in its own.
/// Keycloak reserves that prefix for those accounts.
fn kind(claims: &Map<String, Value>, client: Option<&str>) -> Result<Kind, IdentityFault> {
    let account =
        text(claims, "preferred_username")?.and_then(|name| name.strip_prefix("service-account-"));
    // User names are kept in lower case, client names as they were given.
    let own = match (account, client) {
        (Some(account), Some(client)) => account == client.to_lowercase(),
        _ => false,
    };
    Ok(if own { Kind::App } else { Kind::User })
}
