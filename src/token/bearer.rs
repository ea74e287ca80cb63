//! The bearer token of a request (RFC 6750 §2.1).

use thiserror::Error;

use crate::request::RequestHead;

/// What the `Authorization` header of a request holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// No `Authorization` header.
    Absent,
    /// Another scheme, such as `Basic`.
    OtherScheme,
    /// A bearer token, not looked at yet.
    Token(String),
}

/// Why the `Authorization` header cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BearerFault {
    /// More than one header, or one that was joined from several: readers would disagree.
    #[error("more than one Authorization header")]
    Duplicated,
    /// `Bearer` without a token, or with something that is no `b64token`.
    #[error("not a bearer token")]
    Malformed,
}

/// Reads the `Authorization` header.
pub fn bearer(_request: &RequestHead) -> Result<Bearer, BearerFault> {
    Err(BearerFault::Malformed)
}
