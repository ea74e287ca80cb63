//! What a second policy would decide about a request, as far as anything outside of the comparison sees it.

use std::sync::Arc;

/// What a second policy would decide about a request.
///
/// This is all that leaves the second decision: nothing in it can be done to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Same,
    /// Something else.
    Different(Box<OtherDecision>),
    /// It would need something first that the decision in force did not need.
    Unknown,
}

impl Comparison {
    /// What would be decided, if it is something else.
    pub fn difference(&self) -> Option<&OtherDecision> {
        match self {
            Self::Different(difference) => Some(difference),
            Self::Same | Self::Unknown => None,
        }
    }
}

/// What a second policy would decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherDecision {
    /// The name of the outcome.
    pub decision: &'static str,
    /// The reason of a refusal.
    pub reason: Option<&'static str>,
    /// The name of the principal.
    pub principal: Option<Arc<str>>,
    /// The n8n scopes that the caller would lack.
    pub missing: Vec<&'static str>,
    /// What differs: `decision`, `reason`, `principal`, `missing`, `credential`.
    pub differs: Vec<&'static str>,
}
