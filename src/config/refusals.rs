//! What refusals say beside their reason.

use super::field::Field;
use super::raw::RawRefusals;
use crate::policy::RefusalRules;

/// The rules for refusals. `None`: something is wrong, and was reported.
pub(super) fn refusals(raw: Field<RawRefusals>) -> Option<RefusalRules> {
    let raw = raw.value?;
    Some(RefusalRules {
        types: raw.types.value_or_error().ok()?.map(|types| types.text),
        audiences: raw.audiences.value?,
        hints: raw.hints.value?,
    })
}
