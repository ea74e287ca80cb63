//! The kinds of facts: key sets and token statuses.

pub(super) mod key_set;
pub(super) mod token_status;
