//! The calls about tokens that are under way.

use crate::facts::peer::Peer;
use crate::facts::schedule::Calls;

/// The calls about tokens that are under way.
pub(super) type TokenStatusCalls = Calls<Step>;

/// The one call that a token status takes.
#[derive(Debug)]
pub(in crate::facts) struct Step {
    pub(super) is_proven: bool,
    /// Where the request came from that it is made for.
    pub(super) peer: Option<Peer>,
    /// It was made in a pause.
    pub(super) is_probe: bool,
}
