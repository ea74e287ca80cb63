//! Keycloak, with its roles of the realm and of clients.

use serde_json::{Map, Value};

use super::{kind, text, whole_names, Places, Reading};
use crate::identity::IdentityFault;

pub(super) const PLACES: Places = Places {
    client: &["azp", "client_id"],
    scopes: &["scope"],
    roles: &[],
    tenant: &[],
};

/// The roles of the realm, and those of each client, which become `<client>:<role>` so that a role
/// of one client is never taken for another's.
pub(super) fn refine(
    reading: &mut Reading,
    claims: &Map<String, Value>,
) -> Result<(), IdentityFault> {
    reading.roles = whole_names(
        claims
            .get("realm_access")
            .and_then(|realm| realm.get("roles")),
    );
    if let Some(Value::Object(clients)) = claims.get("resource_access") {
        for (owner, access) in clients {
            let own = whole_names(access.get("roles"));
            let named = own.into_iter().map(|role| format!("{owner}:{role}"));
            reading.roles.extend(named);
        }
    }
    // The user that Keycloak keeps for a client's own account has the client's name in its own.
    // Where the client has no such account, a person who registers may take that name: but what a
    // person gets by logging in belongs to a session, and what a client gets for itself to none.
    let has_session = ["sid", "session_state"]
        .iter()
        .any(|name| claims.contains_key(*name));
    let account =
        text(claims, "preferred_username")?.and_then(|name| name.strip_prefix("service-account-"));
    // User names are kept in lower case, client names as they were given.
    reading.kind = kind(match (account, &reading.client) {
        (Some(account), Some(client)) => !has_session && account == client.to_lowercase(),
        _ => false,
    });
    Ok(())
}
