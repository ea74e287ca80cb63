//! Whether something can be reached through the gate.

/// Whether something can be reached through the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It can.
    Pass,
    /// It cannot.
    Deny,
}
