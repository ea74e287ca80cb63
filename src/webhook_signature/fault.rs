//! Why a delivery is not taken.

/// Why a delivery is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// The method is none that the sender uses. The method is not signed: a recorded delivery would
    /// reach the workflow of another method.
    Method {
        /// Those that it uses.
        allowed: &'static str,
    },
    /// The header with the signature is absent. Every rule needs it, so that the body is not read.
    Missing,
    /// A header of the scheme is there more than once, or in two namings. Two programs could each
    /// read another one.
    Duplicate,
    /// A header of the scheme is absent, empty, too long or not as the sender writes it. The text
    /// says which part.
    Malformed(&'static str),
    /// No secret makes this signature over what was sent.
    Invalid,
    /// The signature is good, and its time is too far from now. Too long ago: a recorded delivery. Too far
    /// ahead: it could be sent again for long. The text says which.
    Stale(&'static str),
}
