//! Sessions of the users that the gate makes.

use std::sync::Arc;

use super::draft::Stop;
use super::{DecisionContext, Need};
use crate::facts::{Availability, Fact, MintRequest};
use crate::reply::Reason;
use crate::secret::Secret;

/// The session of a user. One is made only for a request that is allowed.
pub(super) fn session(
    context: DecisionContext<'_>,
    user: &Arc<MintRequest>,
) -> Result<Secret, Stop> {
    match context.facts.session(user) {
        Availability::Known(cookie) => Ok(cookie.clone()),
        Availability::Pending => Err(Need::Fact(Fact::Session(Arc::clone(user))).into()),
        Availability::Unavailable(outage) => Err(Reason::UpstreamSessionUnavailable(outage).into()),
    }
}
