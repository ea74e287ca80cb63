//! Service accounts of Kubernetes.

use super::{text, ClaimNames, Reading};
use crate::formats::json::{Object, Value};
use crate::identity::kind::Marks;
use crate::identity::IdentityFault;

pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["sub"],
    scopes: &[],
    roles: &[],
    tenant: &[],
};

/// `sub` is `system:serviceaccount:<namespace>:<name>`, and the client as well: no person uses the
/// account. Its namespace is the tenant.
pub(super) fn refine(reading: &mut Reading, claims: Object<'_>) -> Result<(), IdentityFault> {
    let account = text(claims, "sub")?
        .and_then(|subject| subject.strip_prefix("system:serviceaccount:"))
        .and_then(|account| account.split_once(':'));
    let claimed = claims
        .get("kubernetes.io")
        .and_then(|object| object.get("namespace"));
    let namespace = account.map(|(namespace, _)| namespace);
    if claimed.is_some() && claimed.and_then(Value::as_str) != namespace {
        return Err(IdentityFault::NamespacesDisagree);
    }
    reading.marks = Marks {
        app: account.is_some(),
        user: false,
    };
    reading.tenant = namespace.map(str::to_owned);
    Ok(())
}
