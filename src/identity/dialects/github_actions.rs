//! Workflows of GitHub Actions.

use serde_json::{Map, Value};

use super::{Places, Reading};
use crate::identity::{IdentityFault, Kind};

/// The repository is the client, and its owner the tenant. Everything else that tells workflows
/// apart (`ref`, `environment`, `job_workflow_ref` …) is for rules on claims.
const PLACES: Places = Places {
    client: &["repository"],
    scopes: &[],
    roles: &[],
    tenant: &["repository_owner"],
};

pub(super) fn read(claims: &Map<String, Value>) -> Result<Reading, IdentityFault> {
    let mut reading = PLACES.read(claims)?;
    reading.kind = Kind::App;
    Ok(reading)
}
