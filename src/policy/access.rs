//! Whether clients can reach a part of n8n through the gate.

/// Whether clients can reach a part of n8n through the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// They can.
    Pass,
    /// They cannot.
    Deny,
}
