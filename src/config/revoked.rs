//! Tokens that the operator revoked.

use super::condition::{known_providers, set};
use super::field::{Field, Reported};
use super::provider_summary::ProviderSummary;
use super::raw::RawRevoked;
use super::read::List;
use crate::policy::{RevokedEntry, RevokedTokens};
use crate::webhook_signature::TimeFormat;

/// The tokens that the configuration revokes. `Err`: something is wrong, and was reported. An entry is
/// never used in part: it would revoke more, or less.
pub(super) fn revoked(
    field: Field<List<RawRevoked>>,
    providers: &[ProviderSummary],
) -> Result<RevokedTokens, Reported> {
    let list = field.value_or_error()?.map(|list| list.0);
    let mut entries = Vec::new();
    for raw in list.unwrap_or_default() {
        entries.push(entry(raw, providers)?);
    }
    Ok(RevokedTokens(entries))
}

fn entry(raw: RawRevoked, providers: &[ProviderSummary]) -> Result<RevokedEntry, Reported> {
    let before = raw.before.value_or_error()?;
    Ok(RevokedEntry {
        providers: known_providers(raw.provider, providers)?,
        subjects: set(raw.sub)?,
        clients: set(raw.client)?,
        sessions: set(raw.sid)?,
        token_ids: set(raw.jti)?,
        key_ids: set(raw.kid)?,
        before: before.and_then(|text| TimeFormat::Rfc3339.read(&text.text)),
    })
}
