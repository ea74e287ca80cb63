//! What a call of the public API does, in n8n's own scope names.

use super::{Route, ScopeSet};

/// One operation of n8n's public API.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path below `/api/v1`, with `{parameter}` segments.
    pub template: &'static str,
    /// The API-key scopes that n8n asks for; none: any key will do.
    pub scopes: &'static [&'static str],
}

impl Operation {
    /// The operation that n8n would run for this call; `None`: none that is known.
    pub fn find(_method: &[u8], _route: &Route) -> Option<&'static Self> {
        None
    }

    /// Whether `granted` allows it: every scope that n8n asks for is in it.
    pub fn is_allowed_by(&self, granted: &ScopeSet) -> bool {
        self.scopes.iter().all(|scope| granted.contains(scope))
    }
}
