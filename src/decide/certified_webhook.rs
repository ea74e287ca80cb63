//! Calls of webhooks by clients with a certificate.

use super::certified_client::admitted;
use super::decision::CredentialKind;
use super::draft::{Draft, Stop};
use super::{DecisionContext, Forward, Outcome, Request};
use crate::policy::CertificateRule;

pub(super) fn decide(
    context: DecisionContext<'_>,
    request: Request<'_>,
    rule: &CertificateRule,
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    draft.record.credential = Some(CredentialKind::Certificate);
    let client = admitted(context, request, rule)?;
    draft.record.principal = Some(client.name().into());
    Ok(Outcome::Forward(Forward::of_certified(
        request.head,
        &client,
    )))
}
