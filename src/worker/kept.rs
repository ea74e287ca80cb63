//! What the host is to keep of a request.

use crate::policy::CallerProperties;

/// What the host is to keep of a request, for its access logs and for filters after this one.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    /// The audit record.
    pub(super) record: bool,
    /// What names its verified caller.
    pub(super) caller: CallerProperties,
}
