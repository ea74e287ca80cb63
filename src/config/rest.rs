//! What of `rest` and `embed` has no effect.

use std::collections::BTreeMap;

use super::field_path::FieldPath;
use crate::n8n::ScopeSet;
use crate::policy::{Principals, Upstream};

/// Warns where one of the gate's own scopes and the grants of principals and roles do not fit: no caller
/// could use what it is for. `is_on`: callers with the scope and a user can.
pub(super) fn warn_of_own_scope(
    scope: &str,
    is_on: bool,
    grants: &BTreeMap<String, ScopeSet>,
    principals: &Principals,
    path: &FieldPath,
) {
    let by_role = grants.values().any(|granted| granted.contains(scope));
    let (mut granted, mut has_user) = (false, false);
    for principal in principals.iter() {
        let may = principal.grant.contains(scope) || by_role;
        granted |= may;
        has_user |= may && matches!(principal.upstream, Upstream::User(_));
    }
    match (is_on, granted) {
        (false, true) => path.warn(
            format!("is off, but a role or a principal grants {scope}: that has no effect"),
            format!("switch {scope} on, or remove the grant"),
        ),
        (true, false) => path.warn(
            format!("opens nothing: no role and no principal grants {scope}"),
            format!("add {scope} to the scopes of a role, or to grant of a principal"),
        ),
        (true, true) if !has_user => path.warn(
            "opens nothing: no principal with that grant has a user, and an API key has no session",
            "write n8n, and give the principal user instead of api_key",
        ),
        _ => {}
    }
}
