//! One call to a provider and its answer.

use std::time::Duration;

use thiserror::Error;

use super::status::StatusClass;
use super::Hints;
use crate::crypto::KeySetFault;
use crate::policy::Endpoint;
use crate::secret::Secret;

/// The largest document that is read, in bytes. Real key sets are a few kilobytes; an answer
/// without a bound would fill the memory of the module, which never shrinks.
pub const MAX_DOCUMENT: usize = 256 * 1024;

/// Ties an answer to its call. Never used twice, so that a late answer to a call that was given
/// up cannot be taken for the answer to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A call that the shell dispatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// Names the call.
    pub call: CallId,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// How long it may take.
    pub timeout: Duration,
    /// The value of its `Authorization` header.
    pub authorization: Option<Secret>,
    /// Its body, a form: then it is a POST, else a GET.
    pub form: Option<Secret>,
}

impl FetchRequest {
    /// A GET that everybody may make.
    pub(super) const fn document(call: CallId, endpoint: Endpoint, timeout: Duration) -> Self {
        Self {
            call,
            endpoint,
            timeout,
            authorization: None,
            form: None,
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchAnswer {
    /// A whole response.
    Response {
        /// HTTP status.
        status: u16,
        /// What its header says about when to ask again.
        hints: Hints,
        /// The body, or as much of it as the host gave.
        body: Vec<u8>,
    },
    /// No response: no connection, a timeout, a reset.
    NoResponse,
    /// The host refused to make the call: it does not know the cluster.
    NotDispatched,
}

/// Why a fetch brought no usable document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FetchFault {
    /// No connection, a timeout, a reset.
    #[error("the provider did not answer")]
    NoResponse,
    /// Envoy has no cluster of that name.
    #[error("Envoy could not make the call: is there a cluster of that name?")]
    NotDispatched,
    /// A status other than 200. Envoy itself answers with 503 when it cannot connect, and with 504
    /// when the answer does not come in time. Redirects are not followed: an open redirector at the
    /// provider must not choose our keys.
    #[error("the provider answered with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// A body of more than 256 KiB.
    #[error("the document is larger than 256 KiB")]
    TooLarge,
    /// A discovery document that is not a JSON object with the members that are needed.
    #[error("the discovery document is malformed")]
    DocumentMalformed,
    /// A discovery document of somebody else (OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3).
    #[error("the discovery document is of another issuer")]
    IssuerMismatch,
    /// A `jwks_uri` that is no address, or not `https` where the issuer is (RFC 8414 §2).
    #[error("the discovery document's jwks_uri cannot be used")]
    JwksUri,
    /// A key set that cannot be used.
    #[error(transparent)]
    Keys(#[from] KeySetFault),
}

/// Every code of a fault. Workers tell each other its place here.
const CODES: [&str; 19] = [
    "no_response",
    "not_dispatched",
    "redirect",
    "not_found",
    "rate_limited",
    "client_error",
    "unavailable",
    "timeout",
    "server_error",
    "status",
    "too_large",
    "document_malformed",
    "issuer_mismatch",
    "jwks_uri",
    "not_json",
    "not_a_key_set",
    "empty",
    "no_usable_key",
    "duplicate_member",
];

/// The code at a place among all codes.
pub(super) fn code_at(place: u8) -> Option<&'static str> {
    CODES.get(usize::from(place)).copied()
}

/// The place of a code among all codes; one past all of them for none.
pub(super) fn place_of(code: Option<&str>) -> u8 {
    let place = CODES.iter().position(|known| Some(*known) == code);
    u8::try_from(place.unwrap_or(CODES.len())).unwrap_or(u8::MAX)
}

impl FetchFault {
    /// The stable code of the fault, for audit and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoResponse => "no_response",
            Self::NotDispatched => "not_dispatched",
            Self::Status { status } => StatusClass::of(*status).as_str(),
            Self::TooLarge => "too_large",
            Self::DocumentMalformed => "document_malformed",
            Self::IssuerMismatch => "issuer_mismatch",
            Self::JwksUri => "jwks_uri",
            Self::Keys(fault) => fault.as_str(),
        }
    }

    /// Whether the provider merely asks for less.
    pub(super) const fn is_rate_limit(&self) -> bool {
        match self {
            Self::Status { status } => matches!(StatusClass::of(*status), StatusClass::RateLimited),
            _ => false,
        }
    }

    /// Whether it lies in what a discovery document says.
    pub(super) const fn is_in_document(&self) -> bool {
        matches!(
            self,
            Self::DocumentMalformed | Self::IssuerMismatch | Self::JwksUri
        )
    }
}

impl FetchAnswer {
    /// How long the provider says that its document is fresh.
    pub(super) fn max_age(&self) -> Option<Duration> {
        match self {
            Self::Response { hints, .. } => hints.max_age(),
            _ => None,
        }
    }

    /// How long a provider that is overloaded wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Response {
                status: 429 | 503,
                hints,
                ..
            } => hints.retry_after(),
            _ => None,
        }
    }

    /// The document, if the call brought one.
    pub(super) fn document(self) -> Result<Vec<u8>, FetchFault> {
        match self {
            Self::Response {
                status: 200, body, ..
            } if body.len() > MAX_DOCUMENT => Err(FetchFault::TooLarge),
            Self::Response {
                status: 200, body, ..
            } => Ok(body),
            Self::Response { status, .. } => Err(FetchFault::Status { status }),
            Self::NoResponse => Err(FetchFault::NoResponse),
            Self::NotDispatched => Err(FetchFault::NotDispatched),
        }
    }
}
