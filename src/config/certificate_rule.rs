//! Which clients a webhook admits by their certificates.

use super::field::{Field, Reported};
use super::raw::RawCertificateRule;
use super::read::OneOrMany;
use super::syntax::Text;
use crate::policy::CertificateRule;

/// The rule, if there is one. `Err`: something is wrong, and was reported.
pub(super) fn certificate_rule(
    raw: Field<RawCertificateRule>,
) -> Result<Option<CertificateRule>, Reported> {
    let Some(raw) = raw.value_or_error()? else {
        return Ok(None);
    };
    Ok(Some(CertificateRule {
        subjects: texts(raw.subject)?,
        uris: texts(raw.uri)?,
        dns: texts(raw.dns)?,
    }))
}

fn texts<S>(field: Field<OneOrMany<Text<S>>>) -> Result<Vec<String>, Reported> {
    let written = field.value_or_error()?;
    let written = written.into_iter().flat_map(|list| list.0);
    Ok(written.map(|text| text.text).collect())
}
