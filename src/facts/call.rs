//! One call and its response.

use std::time::Duration;

use thiserror::Error;

use super::status::StatusClass;
use super::ResponseHeaders;
use crate::crypto::KeySetFault;
use crate::formats::printable::quoted_up_to;
use crate::http::Endpoint;
use crate::secret::Secret;

/// The largest body that is read, in bytes. Real key sets are a few kilobytes. A response without a
/// bound would fill the memory of the module, which never shrinks.
pub const MAX_DOCUMENT: usize = 256 * 1024;

/// Ties a response to its call. Never used twice, so that a late response to a call that was given
/// up is not taken for the response to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A call that the shell dispatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Names the call.
    pub id: CallId,
    /// What is asked.
    pub request: CallRequest,
}

/// What a call asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Its method.
    pub method: Method,
    /// Its headers, beside those that every call has. Each value may be a secret.
    pub headers: Vec<(&'static str, Secret)>,
    /// Its body.
    pub body: Option<Body>,
    /// How long it may take.
    pub timeout: Duration,
}

/// The method of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// The body of a call. It may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    Form(Secret),
    /// `application/json`.
    Json(Secret),
}

impl Body {
    /// The value of its `Content-Type`.
    pub const fn content_type(&self) -> &'static str {
        match self {
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Json(_) => "application/json",
        }
    }

    /// Its bytes.
    pub fn content(&self) -> &Secret {
        match self {
            Self::Form(content) | Self::Json(content) => content,
        }
    }
}

impl CallRequest {
    /// A GET without a credential.
    pub const fn get(endpoint: Endpoint, timeout: Duration) -> Self {
        Self {
            endpoint,
            method: Method::Get,
            headers: Vec::new(),
            body: None,
            timeout,
        }
    }

    /// A POST of this body.
    pub const fn post(endpoint: Endpoint, body: Body, timeout: Duration) -> Self {
        Self {
            endpoint,
            method: Method::Post,
            headers: Vec::new(),
            body: Some(body),
            timeout,
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Secret) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&Secret> {
        let mut headers = self.headers.iter();
        headers.find_map(|(known, value)| (*known == name).then_some(value))
    }
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallResponse {
    /// A whole response.
    Response {
        /// HTTP status.
        status: u16,
        /// Its headers.
        headers: ResponseHeaders,
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
    #[error("the provider answered with status {status}{}", leads_to(location.as_ref()))]
    Status {
        /// The status.
        status: u16,
        /// Where a redirect leads to, for the log alone.
        location: Option<String>,
    },
    /// A compressed body. The gate asks for none.
    #[error("the document is encoded ({0}), though that was not asked for")]
    ContentEncoding(String),
    /// A body of more than 256 KiB.
    #[error("the document is larger than 256 KiB")]
    TooLarge,
    /// A discovery document that is not a JSON object with the members that are needed.
    #[error("the discovery document is malformed: {0}")]
    DocumentMalformed(&'static str),
    /// A discovery document of somebody else (OpenID Connect Discovery 1.0 §4.3, RFC 8414 §3.3).
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

/// The longest text of a provider that a message quotes, in characters: addresses are long.
pub(super) const LONGEST_SHOWN: usize = 256;

/// What a provider wrote, for the log alone.
fn shown(text: &str) -> String {
    quoted_up_to(text, LONGEST_SHOWN)
}

fn leads_to(location: Option<&String>) -> String {
    location.map_or_else(String::new, |to| format!(", to \"{to}\""))
}

/// The numbers by which workers tell each other codes of faults. Workers of two versions may share
/// memory: a number never changes its meaning, and none is used again.
pub(super) const NUMBERS: &[(u8, &str)] = &[
    (0, "no_response"),
    (1, "not_dispatched"),
    (2, "redirect"),
    (3, "not_found"),
    (4, "rate_limited"),
    (5, "client_error"),
    (6, "unavailable"),
    (7, "timeout"),
    (8, "server_error"),
    (9, "status"),
    (10, "too_large"),
    (11, "document_malformed"),
    (12, "issuer_mismatch"),
    (13, "jwks_uri"),
    (14, "not_json"),
    (15, "not_a_key_set"),
    (16, "empty"),
    (17, "no_usable_key"),
    (18, "duplicate_member"),
    (19, "content_encoding"),
    (20, "page"),
    (21, "keys_missing"),
    (22, "list"),
    (23, "certificates"),
    (24, "single_key"),
    (25, "discovery_document"),
];

/// The number that stands for no code.
const NO_CODE: u8 = u8::MAX;

/// The code with a number.
pub(super) fn code_of(number: u8) -> Option<&'static str> {
    let mut codes = NUMBERS.iter();
    codes.find_map(|(known, code)| (*known == number).then_some(*code))
}

/// The number of a code.
pub(super) fn number_of(code: Option<&str>) -> u8 {
    let mut codes = NUMBERS.iter();
    let number = codes.find_map(|(number, known)| (Some(*known) == code).then_some(*number));
    number.unwrap_or(NO_CODE)
}

impl FetchFault {
    /// The stable code of the fault, for audit and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoResponse => "no_response",
            Self::NotDispatched => "not_dispatched",
            Self::Status { status, .. } => StatusClass::of(*status).as_str(),
            Self::ContentEncoding(_) => "content_encoding",
            Self::TooLarge => "too_large",
            Self::DocumentMalformed(_) => "document_malformed",
            Self::IssuerMismatch { .. } => "issuer_mismatch",
            Self::JwksUri { .. } => "jwks_uri",
            Self::Keys(fault) => fault.as_str(),
        }
    }

    /// Whether the provider merely asks for less.
    pub(super) const fn is_rate_limit(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                matches!(StatusClass::of(*status), StatusClass::RateLimited)
            }
            _ => false,
        }
    }

    /// Whether it lies in what a discovery document says.
    pub(super) const fn is_in_document(&self) -> bool {
        matches!(
            self,
            Self::DocumentMalformed(_) | Self::IssuerMismatch { .. } | Self::JwksUri { .. }
        )
    }
}

impl CallResponse {
    /// How long the provider says that its document is fresh.
    pub(super) fn max_age(&self) -> Option<Duration> {
        match self {
            Self::Response { headers, .. } => headers.max_age(),
            _ => None,
        }
    }

    /// How long a provider that is overloaded wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Response {
                status: 429 | 503,
                headers,
                ..
            } => headers.retry_after(),
            _ => None,
        }
    }

    /// The document, if the call brought one.
    pub(super) fn document(self) -> Result<Vec<u8>, FetchFault> {
        match self {
            Self::Response {
                status: 200,
                body,
                headers,
            } => match headers.coding(&body) {
                Some(coding) => Err(FetchFault::ContentEncoding(coding)),
                None if body.len() > MAX_DOCUMENT => Err(FetchFault::TooLarge),
                None => Ok(body),
            },
            Self::Response {
                status, headers, ..
            } => Err(FetchFault::Status {
                status,
                location: headers.location(),
            }),
            Self::NoResponse => Err(FetchFault::NoResponse),
            Self::NotDispatched => Err(FetchFault::NotDispatched),
        }
    }
}
