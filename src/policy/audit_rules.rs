//! Which decisions leave an audit record.

use crate::n8n::Surface;

/// Which decisions leave a record.
#[derive(Clone, Debug, Default)]
pub struct AuditRules {
    /// The surfaces on which requests that pass leave one; `None`: all of them.
    pub surfaces: Option<Vec<Surface>>,
}
