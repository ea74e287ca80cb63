//! What an operator sees: one audit line a decision, and counters.

mod audit;
mod decided;
mod metrics;
mod tally;
mod timestamp;

pub use audit::audit_line;
pub use decided::Decided;
pub use metrics::Metric;
pub use tally::Tally;
