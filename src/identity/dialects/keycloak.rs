//! Keycloak, with its roles of the realm and of clients.

use super::{has_session, once_each, text, whole_names, ClaimNames, Reading};
use crate::formats::json::{Object, Value};
use crate::identity::kind::Marks;
use crate::identity::IdentityFault;

pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["azp", "client_id"],
    scopes: &["scope"],
    roles: &[],
    tenant: &[],
};

/// The roles of the realm, and those of each client, which become `<client>:<role>` so that a role
/// of one client is never taken for another's.
pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    let of_the_realm = claims
        .get("realm_access")
        .and_then(|realm| realm.get("roles"));
    let mut roles: Vec<_> = whole_names(of_the_realm)
        .iter()
        .map(|role| plain(role))
        .collect();
    if let Some(Value::Object(clients)) = claims.get("resource_access") {
        for (owner, access) in clients.members() {
            let owner = plain(owner);
            let own = whole_names(access.get("roles"));
            roles.extend(own.iter().map(|role| [&owner, ":", &plain(role)].concat()));
        }
    }
    reading.roles = once_each(roles);
    // The user that Keycloak has for a client's own account has the client's name in its own. If the
    // client has no such account, a person can register with that name. But a token that a person gets
    // by logging in belongs to a session, and one that a client gets for itself does not, unless the
    // client uses refresh tokens: then its tokens have the marks of both.
    let sessions = ["sid", "session_state"];
    let name = text(claims, "preferred_username")?;
    let is_account = |name: &str| name.starts_with("service-account-");
    let is_service_account = name.is_some_and(is_account)
        || text(claims, "username")?.is_some_and(is_account)
        || claims.contains_key("clientHost");
    // User names are kept in lower case, client names as they were given.
    let client = reading.client.as_deref().map(str::to_lowercase);
    let client = client.map(|client| ["service-account-", &client].concat());
    reading.marks = Marks {
        app: client.is_some()
            && name == client.as_deref()
            && !sessions.iter().any(|name| claims.contains_key(name)),
        user: name.is_some()
            && !is_service_account
            && sessions.iter().any(|name| has_session(claims, name)),
    };
    Ok(())
}

/// A name in which a colon can only stand between a client and its role: `%3A` for a colon and
/// `%25` for a percent sign. Without that the role `b:c` of the client `a`, the role `c` of the
/// client `a:b` and the role `a:b:c` of the realm would have one name, and the right to make one
/// of them would be the right to make the others.
fn plain(name: &str) -> String {
    name.replace('%', "%25").replace(':', "%3A")
}
