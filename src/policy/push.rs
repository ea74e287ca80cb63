//! Where a provider sends its events.

use crate::token::EventRules;

/// An endpoint of the gate for events of one provider.
#[derive(Clone, Debug)]
pub struct Push {
    /// The path, as a path of n8n: below `path_prefix`.
    pub path: String,
    /// What an event must satisfy.
    pub rules: EventRules,
}
