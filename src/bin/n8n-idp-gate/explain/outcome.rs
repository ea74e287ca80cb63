//! The decision itself, in words.

use n8n_idp_gate::decide::{Decision, Need, Outcome, UpstreamCredential};
use n8n_idp_gate::facts::Fact;
use n8n_idp_gate::policy::{Policy, ProviderId};
use n8n_idp_gate::reply::{problem, LocalReply, Resource};

use crate::judge::Case;

/// The kinds of outcomes, as explanations and policy tests name them.
#[cfg(test)]
pub(crate) const DECISIONS: [&str; 6] = ["forward", "pass", "reject", "respond", "job", "await"];

/// The kind of outcome.
pub(crate) const fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Await(_) => "await",
        Outcome::Job(_) => "job",
        // Only for requests to which n8n has responded.
        other => other.as_str(),
    }
}

/// What it means for the request.
pub(crate) fn sentence(case: &Case<'_>, decision: &Decision) -> String {
    match &decision.outcome {
        Outcome::Forward(forward) => {
            let caller = match &decision.record.principal {
                Some(principal) => format!("for the principal {principal}"),
                None => "for a verified caller".to_owned(),
            };
            let credential = match forward.credential() {
                None => "without a credential".to_owned(),
                Some(UpstreamCredential::StaticKey(_)) => {
                    "with an API key of the configuration".to_owned()
                }
                Some(UpstreamCredential::MintedKey(request, _)) => format!(
                    "with an API key that the gate makes for the user {}",
                    request.email()
                ),
                Some(UpstreamCredential::Session(request, _)) => {
                    format!("with a session of the user {}", request.email())
                }
            };
            format!("n8n gets it {caller}, {credential}")
        }
        Outcome::Pass(_) => "n8n gets it as it came, without made-up identity headers".to_owned(),
        Outcome::Reject(reason) => format!("refused with {}", reason.status()),
        Outcome::Respond(reply) => format!("the gate responds with {}", reply.status),
        Outcome::Job(job) => match job.session() {
            Some((user, _)) => {
                let user = user.email();
                format!("the gate carries it out, as the user {user} of n8n")
            }
            None => "the gate responds with n8n's description, with bearer tokens in it".to_owned(),
        },
        Outcome::UpstreamResponse | Outcome::UnderWay => String::new(),
        Outcome::Await(need) => waits_for(need, case.policy),
    }
}

/// What has to be given for a decision.
fn waits_for(need: &Need, policy: &Policy) -> String {
    let name = |id: &ProviderId| {
        let provider = policy.providers.get(id.0);
        provider.map_or("?", |provider| &*provider.name)
    };
    match need {
        Need::Body { .. } => {
            "waits for the body of the request: give it with --body FILE".to_owned()
        }
        Need::Fact(fact) => match fact {
            Fact::TokenStatusToDecide(id, _) | Fact::TokenStatusToConfirm(id, _) => {
                let name = name(id);
                format!(
                    "waits for the response of {name} about the token: give it with --response {name}=FILE"
                )
            }
            Fact::KeySet(id) | Fact::NewerKeySet(id, _) | Fact::ChangedKeySet(id, ..) => {
                let name = name(id);
                format!("waits for the keys of {name}: give them with --key-set {name}=FILE")
            }
            Fact::MintedKey(request) => {
                format!("waits for an API key of the user {}", request.email())
            }
            Fact::BrowserLogin(request) => {
                format!("waits for a log-in of the user {}", request.user().email)
            }
            Fact::Session(request) => {
                format!("waits for a session of the user {}", request.email())
            }
        },
    }
}

/// The response of the gate, if it makes one now.
pub(crate) fn reply(case: &Case<'_>, decision: &Decision) -> Option<LocalReply> {
    match &decision.outcome {
        Outcome::Reject(reason) => {
            let instance = case.policy.instances.of(case.head);
            let resource = instance.and_then(|instance| {
                Resource::asked_for(instance, decision.record.surface, case.head)
                    .map(|resource| resource.requiring_proofs(decision.record.requires_proof))
            });
            let told = decision.record.told(reason, case.policy);
            Some(problem(reason, resource.as_ref(), case.head, told))
        }
        Outcome::Respond(reply) => Some(reply.clone()),
        _ => None,
    }
}
