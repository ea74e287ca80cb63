//! Workflows of GitHub Actions.

use super::{ClaimNames, Reading};
use crate::identity::kind::Marks;

/// Only workflows get such a token. The repository is the client, and its owner the tenant. Other
/// differences between workflows (`ref`, `environment`, `job_workflow_ref` …) are for rules on claims.
pub(super) const NAMES: ClaimNames = ClaimNames {
    client: &["repository"],
    scopes: &[],
    roles: &[],
    tenant: &["repository_owner"],
};

pub(super) fn refine(reading: &mut Reading) {
    reading.marks = Marks {
        app: true,
        user: false,
    };
}
