//! Which decisions leave an audit record, and where.

use crate::n8n::Surface;

/// Which decisions leave a record, and where.
#[derive(Clone, Debug, Default)]
pub struct AuditRules {
    /// The surfaces on which requests that pass leave one; `None`: all of them.
    pub surfaces: Option<Vec<Surface>>,
    /// Where records go.
    pub to: AuditTo,
}

/// Where records go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuditTo {
    /// To the host's log.
    #[default]
    Log,
    /// To the host's access logs, as a property of the request.
    AccessLog,
    /// To both.
    Both,
}
