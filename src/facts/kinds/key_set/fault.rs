//! Why the keys of a provider could not be fetched.

use thiserror::Error;

use crate::crypto::KeySetFault;
use crate::facts::call::CallFault;
use crate::facts::fault::FaultCode;
use crate::facts::response_headers::LONGEST_SHOWN;
use crate::formats::printable::quoted_up_to;

/// Why the keys of a provider could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeysFault {
    /// No document came.
    #[error(transparent)]
    Call(#[from] CallFault),
    /// A discovery document that is not a JSON object with the members that are needed.
    #[error("the discovery document is malformed: {0}")]
    DocumentMalformed(&'static str),
    /// A discovery document of another issuer (OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3).
    #[error(
        "the discovery document is of another issuer: expected {}, found {}",
        shown(expected),
        shown(found)
    )]
    IssuerMismatch {
        /// The first of the configured issuers.
        expected: String,
        /// That of the document.
        found: String,
    },
    /// A `jwks_uri` that is no address, or not `https` where the issuer is (RFC 8414 §2).
    #[error(
        "the discovery document's jwks_uri {} cannot be used: it {why}",
        shown(found)
    )]
    JwksUri {
        /// It.
        found: String,
        /// What is wrong with it.
        why: String,
    },
    /// A key set that cannot be used.
    #[error(transparent)]
    Keys(#[from] KeySetFault),
}

/// What a provider wrote, for the log alone.
fn shown(text: &str) -> String {
    quoted_up_to(text, LONGEST_SHOWN)
}

impl KeysFault {
    /// Its row in the table of faults.
    pub const fn code(&self) -> FaultCode {
        match self {
            Self::Call(fault) => fault.code(),
            Self::DocumentMalformed(_) => FaultCode::DocumentMalformed,
            Self::IssuerMismatch { .. } => FaultCode::IssuerMismatch,
            Self::JwksUri { .. } => FaultCode::JwksUri,
            Self::Keys(fault) => match fault {
                KeySetFault::TooLarge => FaultCode::TooLarge,
                KeySetFault::NotJson => FaultCode::NotJson,
                KeySetFault::Page => FaultCode::Page,
                KeySetFault::NotAKeySet => FaultCode::NotAKeySet,
                KeySetFault::KeysMissing => FaultCode::KeysMissing,
                KeySetFault::List => FaultCode::List,
                KeySetFault::Certificates => FaultCode::Certificates,
                KeySetFault::SingleKey => FaultCode::SingleKey,
                KeySetFault::DiscoveryDocument => FaultCode::DiscoveryDocument,
                KeySetFault::DuplicateMember => FaultCode::DuplicateMember,
                KeySetFault::Empty => FaultCode::Empty,
                KeySetFault::NoUsableKey(_) => FaultCode::NoUsableKey,
            },
        }
    }

    /// Whether it is in what a discovery document says.
    pub(super) const fn is_in_document(&self) -> bool {
        matches!(
            self,
            Self::DocumentMalformed(_) | Self::IssuerMismatch { .. } | Self::JwksUri { .. }
        )
    }
}
