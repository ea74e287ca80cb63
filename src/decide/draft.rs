//! A decision that is not finished.

use super::{DecisionRecord, EmbedEdits, Need, Outcome, Remember, Revocation, UseOnce};
use crate::reply::Reason;
use crate::token::CompactToken;

/// What a decision has found out so far.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) record: Box<DecisionRecord>,
    pub(super) remember: Option<Remember>,
    pub(super) embed: Option<EmbedEdits>,
    pub(super) otherwise: Option<Box<Outcome>>,
    pub(super) use_once: Option<Box<UseOnce>>,
    pub(super) revocation: Option<Box<Revocation>>,
    pub(super) asked_about: Option<CompactToken<'static>>,
}

/// Why a decision ends before a forward, a pass or a local reply.
#[derive(Debug)]
pub(super) enum Stop {
    Reject(Reason),
    Await(Need),
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Reject(reason)
    }
}

impl From<Need> for Stop {
    fn from(need: Need) -> Self {
        Self::Await(need)
    }
}
