//! A provider's word that a token is active.

use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::time::UnixMillis;

/// A provider's own answer that a token is active, and how long it may be believed.
///
/// Only the store of facts makes one, of the answer to a call that it had made for this token.
#[derive(Clone)]
pub struct ActiveResponse {
    claims: Rc<Map<String, Value>>,
    term: Term,
}

/// From when to when an answer is believed. It ends at both sides, lest a clock that was ahead
/// makes it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// When the answer came.
    pub since: UnixMillis,
    /// When it must be asked anew.
    pub until: UnixMillis,
}

impl Term {
    /// Whether an answer is believed at `now`.
    pub fn holds(&self, now: UnixMillis) -> bool {
        self.since <= now && now < self.until
    }
}

impl ActiveResponse {
    /// Of the members of an answer that says that the token is active.
    pub(crate) fn new(claims: Map<String, Value>, term: Term) -> Self {
        Self {
            claims: Rc::new(claims),
            term,
        }
    }

    /// What it says.
    pub const fn claims(&self) -> &Rc<Map<String, Value>> {
        &self.claims
    }

    /// How long it may be believed.
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
