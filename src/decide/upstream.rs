//! What n8n's response says about the upstream credential.

use super::{Decision, DecisionRecord, Outcome, UpstreamCredential};

/// n8n does not know the API key or the session, or it has expired, or its user was deleted.
const UNAUTHORIZED: u16 = 401;

/// The API key or session is good and does not allow this: the scopes of the key, the user's role or share
/// in the resource, or n8n's licence. The response does not say which.
const FORBIDDEN: u16 = 403;

const NARROW_KEY: &str =
    "n8n refused what the gate allowed: the scopes of the principal's key, its \
    user's role or share in the resource, or n8n's licence do not reach as far";

const NARROW_SESSION: &str =
    "n8n refused what the gate allowed: the user's role or share in the resource, or n8n's licence do \
    not reach as far";

impl Decision {
    /// The decision after n8n's response, of this status, to a request that was forwarded with an
    /// upstream credential. `None`: there is nothing to do or to record.
    ///
    /// A 401 is never about the caller, whose token was good: a client would get new tokens without
    /// end, so that it becomes a 502. A 403 goes to the client: it does not ask for a new token, and
    /// the client may have asked for too much. It is recorded, because the credential may be the cause.
    #[must_use]
    pub fn after_response(
        mut record: Box<DecisionRecord>,
        credential: &UpstreamCredential,
        status: u16,
    ) -> Option<Self> {
        let narrow = match credential {
            UpstreamCredential::Session(..) => NARROW_SESSION,
            UpstreamCredential::StaticKey(_) | UpstreamCredential::MintedKey(..) => NARROW_KEY,
        };
        let (outcome, hint) = match status {
            UNAUTHORIZED => (Outcome::Reject(credential.refusal()), None),
            FORBIDDEN => (Outcome::UpstreamResponse, Some(narrow)),
            _ => return None,
        };
        record.hint = hint;
        record.upstream_status = Some(status);
        // The token was checked and counted with the request.
        record.crypto_path = None;
        record.cache = None;
        record.shadow = None;
        Some(Self {
            outcome,
            record,
            remember: None,
            asked_about: None,
            embed: None,
            otherwise: None,
            not_shown: None,
            use_once: None,
            revocation: None,
        })
    }
}
