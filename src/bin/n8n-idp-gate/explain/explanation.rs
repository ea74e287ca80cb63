//! Why a request is decided as it is, and why not otherwise.

use n8n_idp_gate::decide::{Decision, Outcome};
use n8n_idp_gate::reply::Reason;

use super::caller::Caller;
use super::headers::{headers, Header};
use super::place::Place;
#[cfg(test)]
use super::step::Mark;
use super::step::Step;
use super::token;
use crate::judge::Case;

/// The explanation of a decision.
pub(crate) struct Explanation {
    /// The decision that is explained.
    pub(crate) decision: Decision,
    /// The steps to it, in the order in which the gate looks.
    pub(crate) steps: Vec<Step>,
    /// The name of the principal that matches.
    pub(crate) principal: Option<String>,
    /// The scopes that the caller has in n8n.
    pub(crate) granted: Vec<String>,
    /// The roles and scopes of the token that grant something.
    pub(crate) granting: Vec<String>,
    /// The webhook rule that applies: its number, from 0, and its path.
    pub(crate) rule: Option<(usize, String)>,
    /// The headers that n8n would see.
    pub(crate) headers: Option<Vec<Header>>,
}

impl Explanation {
    /// Decides, and explains the decision.
    pub(crate) fn of(case: &Case<'_>) -> Self {
        let decision = case.decide();
        let place = Place::of(case.policy, case.head);
        let mut steps = place.steps(case.head, &decision);
        steps.extend(token::steps(case, &place, &decision));
        let caller = Caller::of(case, &place, &decision);
        steps.extend(caller.steps);
        if let Outcome::Reject(reason) = &decision.outcome {
            let is_explained = steps
                .iter()
                .any(|step| step.reason == Some(reason.as_str()));
            if !is_explained {
                steps.push(other(reason));
            }
        }
        Self {
            rule: place
                .rule
                .map(|(number, rule)| (number, rule.pattern.to_string())),
            headers: headers(&decision, case.head),
            decision,
            steps,
            principal: caller.principal,
            granted: caller.granted,
            granting: caller.granting,
        }
    }

    /// The reason of a refusal.
    pub(crate) fn reason(&self) -> Option<&Reason> {
        match &self.decision.outcome {
            Outcome::Reject(reason) => Some(reason),
            _ => None,
        }
    }

    /// The first check that failed.
    #[cfg(test)]
    pub(crate) fn first_failed(&self) -> Option<&'static str> {
        let mut failed = self.steps.iter().filter(|step| step.mark == Mark::Failed);
        failed.next().and_then(|step| step.reason)
    }
}

/// A refusal that is no check of a token or caller.
fn other(reason: &Reason) -> Step {
    let step = Step::check("request", "request", Some(reason));
    match reason.fault() {
        Some(fault) => step.finding([fault]),
        None => step,
    }
}
