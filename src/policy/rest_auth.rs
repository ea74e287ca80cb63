//! How n8n's internal API is guarded.

/// How n8n's internal API is guarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestAuth {
    /// Every request passes: n8n's sessions guard it.
    Pass,
    /// A request with a token gets the session of its caller's user. All others pass.
    Bearer,
}
