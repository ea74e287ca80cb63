//! Why a token is not accepted.

use thiserror::Error;

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// Not three parts of base64url (RFC 7515 §7.1).
    #[error("not a signed JWT")]
    NotAJws,
}
