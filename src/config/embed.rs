//! Log-ins of browsers.

use super::field::{Field, Reported};
use super::raw::RawEmbed;
use crate::policy::Embed;

/// The log-ins; `None`: there is no such section.
pub(super) fn embed(raw: Field<RawEmbed>) -> Result<Option<Embed>, Reported> {
    let Some(raw) = raw.value_or_error()? else {
        return Ok(None);
    };
    let origins = raw.origins.value.ok_or(Reported)?.0;
    let origins = origins.into_iter().map(|origin| origin.text);
    Ok(Some(Embed::new(
        raw.enabled.value.ok_or(Reported)?,
        origins,
    )))
}
