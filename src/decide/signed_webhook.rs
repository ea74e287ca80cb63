//! Deliveries that a sender signs.

use super::decision::CredentialKind;
use super::draft::{Draft, Stop};
use super::{DecisionContext, DeliveryRecord, Forward, IdDigest, Outcome, Request, UseOnce};
use crate::policy::{Instance, PathPattern, Replay, SignatureRule};
use crate::reply::{LocalReply, Reason};
use crate::webhook_signature::{ChallengeReply, DeliveryDigest, SignatureFault};

impl From<SignatureFault> for Stop {
    fn from(fault: SignatureFault) -> Self {
        Self::Reject(Reason::Signature(fault))
    }
}

/// Decides on a delivery: its head, then its body, then whether it came before. What its head shows is
/// refused before the body is held.
pub(super) fn decide(
    context: DecisionContext<'_>,
    instance: &Instance,
    request: Request<'_>,
    (pattern, rule): (&PathPattern, &SignatureRule),
    draft: &mut Draft,
) -> Result<Outcome, Stop> {
    if let Some(question) = rule.verifier.question(request.head) {
        return Ok(answered(question?));
    }
    let claimed = rule.verifier.read(request.head)?;
    let delivery = draft.record.delivery.insert(DeliveryRecord {
        sender: rule.sender,
        id: claimed.id().map(str::to_owned),
        secret: None,
    });
    draft.record.credential = Some(CredentialKind::Signature);
    let body = request.body(rule.max_body)?;
    let proof = claimed.verify(body, context.now)?;
    delivery.secret = u16::try_from(proof.secret_number()).ok();
    draft.record.principal = Some(rule.name.clone());
    if let Some(question) = proof.question() {
        return Ok(answered(question?));
    }
    if rule.replay == Replay::Refuse {
        draft.use_once = Some(Box::new(UseOnce {
            digest: id(instance, pattern, &proof.digest()),
            until: proof.good_until(context.now),
            replayed: Reason::DeliveryReplayed,
            // Senders repeat what n8n could not take. What is signed without a time is the same then.
            free_after_failure: true,
        }));
    }
    Ok(Outcome::Forward(Forward::of_delivery(
        request.head,
        &proof,
        rule,
    )))
}

/// Stands for a delivery to one rule. The path is no part of it: no sender but Twilio signs it, and an
/// attacker would send a delivery again to another path of the rule.
fn id(instance: &Instance, pattern: &PathPattern, delivery: &DeliveryDigest) -> IdDigest {
    let instance = instance.name.as_deref().unwrap_or_default();
    IdDigest::of(&[
        b"delivery",
        instance.as_bytes(),
        pattern.to_string().as_bytes(),
        &delivery.0,
    ])
}

fn answered(reply: ChallengeReply) -> Outcome {
    Outcome::Respond(LocalReply {
        cookies: Vec::new(),
        status: 200,
        headers: vec![
            ("content-type", reply.content_type.into()),
            ("cache-control", "no-store".into()),
            ("x-content-type-options", "nosniff".into()),
        ],
        body: reply.body,
    })
}
