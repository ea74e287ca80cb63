//! Whether a fact is available.

use std::time::Duration;

/// Why a fact is not available now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the next attempt is due.
    pub retry_after: Duration,
    /// The code of the last fault; `None`: there was none yet.
    pub fault: Option<&'static str>,
}

/// Whether a fact is available.
#[derive(Clone, Copy, Debug)]
pub enum Availability<T> {
    /// It is.
    Known(T),
    /// It is being fetched, or will be now.
    Pending,
    /// It could not be fetched, and is not fetched again before this time has passed.
    Unavailable(Outage),
}
