//! What the facts have the worker do.

use super::demand::SourceId;
use super::{Call, CallId, Event, WaiterId};

/// Something that the worker must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make a call.
    Call(Call),
    /// Make a call that needs the token of a request that waits. The store has no token.
    CallFor {
        /// Names the call.
        call: CallId,
        /// The source.
        source: SourceId,
        /// The request.
        waiter: WaiterId,
    },
    /// Take the decision of this request again.
    Wake {
        /// The request.
        waiter: WaiterId,
        /// It has waited long enough: it does not wait again for what is still missing now.
        last_chance: bool,
    },
    /// Refuse this request: another one has its slot.
    Displace(WaiterId),
    /// Tell the operators.
    Report(Event),
}
