//! What an operator sees: one audit line for each decision, and metrics.

mod audit;
pub mod audit_reference;
mod decision_labels;
mod metrics;
mod tally;

pub use audit::audit_line;
pub use decision_labels::DecisionLabels;
pub use metrics::Metric;
pub use tally::Tally;
