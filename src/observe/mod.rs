//! What an operator sees: one audit line a decision, and counters.

mod audit;
mod metrics;
mod tally;
mod timestamp;

pub use audit::audit_line;
pub use metrics::Metric;
pub use tally::{Decided, Tally};
