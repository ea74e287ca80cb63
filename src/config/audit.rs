//! Which requests leave an audit record, and where.

use super::field::Field;
use super::raw::RawAudit;
use super::read::OneOrMany;
use crate::policy::AuditRules;

/// The rules for audit records. `None`: something is wrong, and was reported.
pub(super) fn audit(raw: Field<RawAudit>) -> Option<AuditRules> {
    let raw = raw.value?;
    let surfaces = raw.surfaces.value_or_error();
    let to = raw.to.value?.0;
    let surfaces = surfaces.ok()?;
    let surfaces =
        surfaces.map(|OneOrMany(list)| list.into_iter().map(|surface| surface.0).collect());
    Some(AuditRules { surfaces, to })
}
