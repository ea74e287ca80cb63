//! The session of a user of n8n.

use std::time::Duration;

use crate::secret::Secret;
use crate::time::UnixMillis;

/// How long a session is used. n8n's own last for seven days; a shorter one bounds how long a stolen
/// one is of use to the gate's other workers.
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// The session of a user of n8n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The value of `Cookie`.
    pub(super) cookie: Secret,
    /// When it was made.
    pub(super) since: UnixMillis,
}

impl Session {
    /// Whether it may still be used.
    pub(super) fn is_usable(&self, now: UnixMillis) -> bool {
        now.since(self.since) < LONGEST
    }

    /// A clock that was set back must not make it last.
    pub(super) fn clamp(&mut self, now: UnixMillis) {
        self.since = self.since.min(now);
    }
}
