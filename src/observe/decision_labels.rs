//! The labels of a decision in the metrics.

use std::sync::Arc;

use crate::decide::{Decision, OtherDecision, Outcome};
use crate::n8n::Surface;

/// The labels of one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionLabels {
    /// The surface; `none` for a path without a single reading.
    pub surface: &'static str,
    /// The outcome.
    pub outcome: &'static str,
    /// The reason of a refusal; `none` for other outcomes.
    pub reason: &'static str,
    /// The name of the provider, if one was concerned.
    pub provider: Option<Arc<str>>,
}

impl DecisionLabels {
    pub(super) fn of(decision: &Decision) -> Self {
        let record = &decision.record;
        Self {
            surface: record.surface.map_or("none", Surface::as_str),
            outcome: decision.outcome.as_str(),
            reason: match &decision.outcome {
                Outcome::Reject(reason) => reason.as_str(),
                _ => "none",
            },
            provider: record.provider.clone(),
        }
    }

    /// The same with what another policy would decide.
    pub(super) fn of_other(decision: &Decision, other: &OtherDecision) -> Self {
        Self {
            surface: decision.record.surface.map_or("none", Surface::as_str),
            outcome: other.decision,
            reason: other.reason.unwrap_or("none"),
            provider: None,
        }
    }
}
