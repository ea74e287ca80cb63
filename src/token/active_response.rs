//! The introspection response about an active token.

use std::fmt;
use std::sync::Arc;

use crate::formats::json::Document;
use crate::time::UnixMillis;

/// The introspection response about an active token, and how long it counts.
///
/// Only the fact store makes one, of the response to its call for this token.
#[derive(Clone)]
pub struct ActiveResponse {
    claims: Arc<Document>,
    term: Term,
}

/// From when to when a response counts. It has a beginning, so that a clock that was ahead for a while
/// does not extend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// When the response came.
    pub since: UnixMillis,
    /// When the token status must be asked for again.
    pub until: UnixMillis,
}

impl Term {
    /// Whether the response counts at `now`.
    pub fn holds(&self, now: UnixMillis) -> bool {
        self.since <= now && now < self.until
    }
}

impl ActiveResponse {
    /// Of the members of a response that says that the token is active.
    pub(crate) fn new(claims: Document, term: Term) -> Self {
        Self {
            claims: Arc::new(claims),
            term,
        }
    }

    /// Its members.
    pub const fn claims(&self) -> &Arc<Document> {
        &self.claims
    }

    /// How long it counts.
    pub const fn term(&self) -> Term {
        self.term
    }
}

/// Leaves the claims out: they are a person's data.
impl fmt::Debug for ActiveResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ActiveResponse")
            .field("term", &self.term)
            .finish_non_exhaustive()
    }
}
