//! A decision about a request with a credential that stands for another one.

use std::sync::Arc;

use n8n_idp_gate::decide::{Decision, OtherDecision, Outcome, UpstreamCredential};
use n8n_idp_gate::policy::WebhookAuth;
use n8n_idp_gate::reply::Reason;

use super::judge::{one, Needs};
use super::nature::{nature, Nature};
use super::old::Facts;
use super::record::Record;
use super::sent::{is_of_credential, Quality, Sent};
use crate::explain::place::Place;

/// A decision about a request with this credential, as one about that of the record. An error is what would
/// have to be known.
pub(super) fn seen(
    record: &Record,
    sent: &Sent,
    decision: &Decision,
) -> Result<OtherDecision, &'static str> {
    let own = record.reason();
    let own_nature = own.map(nature);
    let kept = |principal| OtherDecision {
        decision: "reject",
        reason: own.map(Reason::as_str),
        principal,
        missing: Vec::new(),
        differs: Vec::new(),
    };
    let is_caller = sent
        .quality()
        .is_some_and(|quality| quality != Quality::Forged);
    if sent.quality() == Some(Quality::Unusable) && decision.record.cache.is_some() {
        return Err("whether the token is bound to its client, or was ended by its provider");
    }
    if is_caller && decision.record.cache.is_some() {
        // The token was accepted, and what the record says comes then.
        match own_nature {
            Some(Nature::Possession) => return Ok(kept(decision.record.principal.clone())),
            Some(Nature::Status) => return Ok(kept(None)),
            _ => {}
        }
    }
    let is_misplaced = own == Some(&Reason::TokenAsApiKey) && matches!(sent, Sent::ApiKey);
    match &decision.outcome {
        Outcome::Await(_) => Err("the body"),
        Outcome::Reject(Reason::ApiKeyRefused) | Outcome::Pass(_) if is_misplaced => Ok(kept(None)),
        Outcome::Reject(reason) => match nature(reason) {
            Nature::Credential if is_caller => Err("the token"),
            Nature::Credential if own.is_some_and(is_of_credential) => Ok(kept(None)),
            Nature::Policy | Nature::Credential => Ok(OtherDecision::of(decision)),
            _ => Err("what a record does not have"),
        },
        // n8n gets a key or a session that the gate makes, or a run.
        Outcome::Forward(forward)
            if own_nature == Some(Nature::Later)
                && !matches!(
                    forward.credential(),
                    None | Some(UpstreamCredential::StaticKey(_))
                ) =>
        {
            Ok(kept(decision.record.principal.clone()))
        }
        Outcome::Job(_) if own_nature == Some(Nature::Later) => {
            Ok(kept(decision.record.principal.clone()))
        }
        _ => Ok(OtherDecision::of(decision)),
    }
}

/// What a webhook rule decides that asks for a signature or a certificate, of which a record has what it
/// opened. `None`: the rule is another one.
pub(super) fn by_sender(
    record: &Record,
    place: &Place<'_, '_>,
    facts: Option<&Facts<'_>>,
) -> Result<Option<OtherDecision>, Needs> {
    let Some((_, rule)) = place.rule else {
        return Ok(None);
    };
    let old = facts.map(|facts| facts.rule.map(|rule| &rule.auth));
    let principal = match &rule.auth {
        WebhookAuth::Signature(new) => {
            let sender = record.delivery.as_ref().map(|one| &*one.sender);
            let is_same = match old {
                None => sender == Some(new.sender),
                Some(Some(WebhookAuth::Signature(old))) => {
                    let verifiers = [&old.verifier, &new.verifier];
                    let [old_one, new_one] = verifiers.map(|verifier| format!("{verifier:?}"));
                    old_one == new_one && old.secrets == new.secrets
                }
                Some(_) => false,
            };
            if !is_same {
                return Err(one("the signature of a delivery"));
            }
            record.principal.as_ref().map(|_| Arc::clone(&new.name))
        }
        WebhookAuth::Certificate(new) => {
            let is_same = matches!(old, Some(Some(WebhookAuth::Certificate(old))) if old == new);
            if !is_same {
                return Err(one("the certificate of the client"));
            }
            record.principal.as_deref().map(Into::into)
        }
        WebhookAuth::Open | WebhookAuth::Bearer | WebhookAuth::Deny => return Ok(None),
    };
    let decided = record.decided().ok_or_else(Needs::new)?;
    Ok(Some(OtherDecision {
        principal,
        ..decided
    }))
}
