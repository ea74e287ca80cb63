//! The response to an event of a provider.

use super::LocalReply;
use crate::token::EventKind;

/// Acknowledges an event (OpenID Connect Back-Channel Logout 1.0 §2.8, RFC 8935 §2.2).
pub fn event_accepted(kind: EventKind) -> LocalReply {
    LocalReply {
        status: match kind {
            EventKind::Logout => 200,
            EventKind::Security => 202,
        },
        headers: vec![("cache-control", "no-store".into())],
        cookies: Vec::new(),
        body: String::new(),
    }
}
