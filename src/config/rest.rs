//! What of `rest` has no effect.

use std::collections::BTreeMap;

use super::field_path::FieldPath;
use crate::n8n::{ScopeSet, REST_SCOPE};
use crate::policy::{Principals, RestAuth, Upstream};

/// Warns where `rest` and the grants of principals and roles do not fit: no caller could use the internal
/// API then.
pub(super) fn warn_of_rest(
    rest: RestAuth,
    grants: &BTreeMap<String, ScopeSet>,
    principals: &Principals,
    path: &FieldPath,
) {
    let by_role = grants.values().any(|granted| granted.contains(REST_SCOPE));
    let mut granted = false;
    let mut has_user = false;
    for principal in principals.iter() {
        let is_user = matches!(principal.upstream, Upstream::User(_));
        let may = principal.grant.contains(REST_SCOPE) || by_role;
        granted |= may;
        has_user |= may && is_user;
    }
    match rest {
        RestAuth::Pass if granted => path.warn(
            "is pass, but a role or a principal grants rest: that has no effect",
            "write rest: bearer, or remove the grant",
        ),
        RestAuth::Bearer if !granted => path.warn(
            "opens nothing: no role and no principal grants rest",
            "add rest to the scopes of a role, or to grant of a principal",
        ),
        RestAuth::Bearer if !has_user => path.warn(
            "opens nothing: no principal with that grant has a user, and an API key has no session",
            "write n8n, and give the principal user instead of api_key",
        ),
        RestAuth::Pass | RestAuth::Bearer => {}
    }
}
