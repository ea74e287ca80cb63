//! The decision of the shadow about the same request, beside the one in force.

use n8n_idp_gate::decide::{Comparison, Need, Outcome};
use n8n_idp_gate::facts::Fact;
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::Policy;

use super::explanation::Explanation;
use crate::judge::known::Known;
use crate::judge::Case;

/// The explanation of the decision of a shadow.
pub(crate) struct Shadowed {
    /// Why it would be decided so.
    pub(crate) explanation: Explanation,
    /// How it compares with the decision in force.
    pub(crate) result: Compared,
}

/// How the decision of a shadow compares with the one in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// They agree.
    Same,
    /// What differs.
    Different(Vec<&'static str>),
    /// The filter would not know, because it lacks something for a policy that is only judged.
    Unknown(Lack),
    /// The shadow waits for something that must be given to `explain`.
    Waits,
    /// The decision in force does.
    FirstWaits,
}

/// What the filter does not get for a policy that is only judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The body of the request.
    Body,
    /// The response of the provider about the token.
    TokenStatus,
}

/// The second policy, if it judges this request. Its callers keep their claims, as those of the first do.
pub(crate) fn policy(first: &Policy, head: &RequestHead) -> Option<Policy> {
    let has_shadow = first.instances.of(head)?.has_shadow;
    let shadow = first.shadow.as_ref().filter(|_| has_shadow)?;
    let mut second = shadow.policy().clone();
    second.instances.keep_claims();
    Some(second)
}

impl Shadowed {
    /// Decides by the second policy, explains that, and notes the comparison in the record of the decision in force as
    /// the filter does.
    pub(crate) fn of(first: &Case<'_>, second: &Case<'_>, in_force: &mut Explanation) -> Self {
        let explanation = Explanation::of(second);
        let waits =
            |explanation: &Explanation| matches!(explanation.decision.outcome, Outcome::Await(_));
        if waits(in_force) {
            let result = Compared::FirstWaits;
            return Self {
                explanation,
                result,
            };
        }
        let bare = first.known.without_responses();
        let lack = lack(second, &bare).filter(|lacks| lack(first, &bare) != Some(*lacks));
        let compared = Comparison::of(&in_force.decision, &explanation.decision);
        let result = match (&compared, lack) {
            (_, Some(lack)) => Compared::Unknown(lack),
            (Comparison::Unknown, None) => Compared::Waits,
            (Comparison::Same, None) => Compared::Same,
            (Comparison::Different(other), None) => Compared::Different(other.differs.clone()),
        };
        in_force.decision.record.shadow = Some(match lack {
            Some(_) => Comparison::Unknown,
            None => compared,
        });
        Self {
            explanation,
            result,
        }
    }
}

impl Compared {
    /// Its name in JSON.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different(_) => "different",
            Self::Unknown(_) | Self::Waits | Self::FirstWaits => "unknown",
        }
    }

    /// A sentence about it.
    pub(crate) fn sentence(&self) -> String {
        let sentence = match self {
            Self::Same => "agrees with the decision in force",
            Self::Different(differs) => {
                return format!("differs from the decision in force: {}", differs.join(", "))
            }
            Self::Unknown(Lack::Body) => {
                "unknown to the filter, which holds no body for a policy that is only judged"
            }
            Self::Unknown(Lack::TokenStatus) => {
                "unknown to the filter, which asks no provider for a policy that is only judged"
            }
            Self::Waits => "not compared: it waits",
            Self::FirstWaits => "not compared: the decision in force waits",
        };
        sentence.to_owned()
    }

    /// What differs.
    pub(crate) fn differs(&self) -> &[&'static str] {
        match self {
            Self::Different(differs) => differs,
            _ => &[],
        }
    }
}

/// What a decision asks for first, if the filter had it for no other decision.
fn lack(case: &Case<'_>, bare: &Known) -> Option<Lack> {
    let case = Case {
        body: None,
        known: bare,
        ..*case
    };
    match case.decide().outcome {
        Outcome::Await(Need::Body { .. }) => Some(Lack::Body),
        Outcome::Await(Need::Fact(
            Fact::TokenStatusToDecide(..) | Fact::TokenStatusToConfirm(..),
        )) => Some(Lack::TokenStatus),
        _ => None,
    }
}
