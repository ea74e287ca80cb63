//! What n8n's answer says about the key that this filter put in.

use super::{Decision, DecisionRecord, Outcome};
use crate::reply::Reason;

/// n8n knows no such key, or it has expired, or its user is gone.
const UNAUTHORIZED: u16 = 401;

/// The key is good and may not do this: its scopes, its user's role or share in the resource, or
/// n8n's licence are too narrow. The answers do not tell which.
const FORBIDDEN: u16 = 403;

const NARROW_KEY: &str =
    "n8n refused what the gate allowed: the scopes of the principal's key, its \
    user's role or share in the resource, or n8n's licence do not reach as far";

impl Decision {
    /// What there is to say once n8n has answered, with this status, a request that went on with a
    /// key of the gate's. `None`: nothing.
    ///
    /// A 401 is never the caller's: his token was good, and he would get new ones without end. A 403
    /// goes to the caller: he is known, no new token is asked of him, and he may well be the one who
    /// asks for too much. The operator is told, because it may be the key.
    #[must_use]
    pub fn after_answer(self, status: u16) -> Option<Self> {
        let (outcome, hint) = match status {
            UNAUTHORIZED => (Outcome::Reject(Reason::UpstreamKeyRefused), None),
            FORBIDDEN => (Outcome::Answered, Some(NARROW_KEY)),
            _ => return None,
        };
        let record = DecisionRecord {
            hint,
            upstream_status: Some(status),
            // The token was checked once, and counted then.
            crypto_path: None,
            cache: None,
            ..self.record
        };
        Some(Self { outcome, record })
    }
}
