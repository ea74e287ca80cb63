//! Why a delivery is not taken.

/// Why a delivery is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// The method is none that the sender uses. The method is not signed: a recorded delivery would
    /// reach the workflow of another method.
    Method,
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
    /// The signature is good, and its time is too long ago: a recorded delivery.
    TooOld,
    /// The signature is good, and its time is too far ahead: it could be sent again for long.
    InTheFuture,
}

impl SignatureFault {
    /// What exactly was found, for the audit record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Malformed(part) => part,
            Self::Invalid => "invalid",
            Self::TooOld => "too_old",
            Self::InTheFuture => "in_the_future",
        }
    }
}
