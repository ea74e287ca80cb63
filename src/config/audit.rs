//! Which requests leave an audit record.

use super::raw::RawAudit;
use super::section::Field;
use crate::n8n::Surface;
use crate::policy::AuditRules;

/// The surfaces on which requests can pass. On the gate's own, none does.
const SURFACES: [Surface; 14] = [
    Surface::PublicApi,
    Surface::Webhook,
    Surface::WebhookTest,
    Surface::WebhookWaiting,
    Surface::Form,
    Surface::Chat,
    Surface::Agent,
    Surface::Mcp,
    Surface::Oauth,
    Surface::Rest,
    Surface::Metrics,
    Surface::Health,
    Surface::Ui,
    Surface::Outside,
];

/// Turns what was written into what it means. `None`: something is wrong, and was reported.
pub(super) fn audit(raw: &mut Field<RawAudit>) -> Option<AuditRules> {
    let surfaces = match raw.value.take() {
        Some(RawAudit { surfaces }) => surfaces,
        None if raw.given => return None,
        None => return Some(AuditRules::default()),
    };
    let path = surfaces.path.clone();
    let Some(written) = surfaces.value_or_error().ok()? else {
        return Some(AuditRules::default());
    };
    let mut surfaces = Vec::new();
    for word in written.0 {
        match SURFACES.iter().find(|known| known.as_str() == word.text) {
            Some(known) => surfaces.push(*known),
            None => path.error(
                "names something that is no surface on which requests pass",
                "write surfaces as the audit names them, such as public_api and webhook",
            ),
        }
    }
    Some(AuditRules {
        surfaces: Some(surfaces),
    })
}
