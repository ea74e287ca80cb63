//! One call and its response.

use std::time::Duration;

use thiserror::Error;

use super::fault::FaultCode;
use super::ResponseHeaders;
use crate::http::Endpoint;
use crate::secret::Secret;

/// The largest body that is read, in bytes. Real key sets are a few kilobytes. A response without a
/// bound would fill the memory of the module, which never shrinks.
pub const MAX_DOCUMENT: usize = 256 * 1024;

/// Ties a response to its call. Never used twice, so that a late response to a call that was given
/// up is not taken for the response to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A call that the worker sends.
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
    /// The largest body of a response that is read, in bytes.
    pub most: usize,
}

/// The method of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
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
            most: MAX_DOCUMENT,
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
            most: MAX_DOCUMENT,
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
/// Why a call brought no document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallFault {
    /// No connection, a timeout, a reset.
    #[error("the server did not respond")]
    NoResponse,
    /// Envoy has no cluster of that name.
    #[error("Envoy could not make the call: is there a cluster of that name?")]
    NotDispatched,
    /// A status other than 200. Envoy itself responds with 503 when it cannot connect, and with 504 when
    /// the response does not come in time. Redirects are not followed: an open redirector at the
    /// provider must not choose the keys.
    #[error("the server responded with status {status}{}", leads_to(location.as_ref()))]
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
}

fn leads_to(location: Option<&String>) -> String {
    location.map_or_else(String::new, |to| format!(", to \"{to}\""))
}

impl CallFault {
    /// Its row in the table of faults.
    pub const fn code(&self) -> FaultCode {
        match self {
            Self::NoResponse => FaultCode::NoResponse,
            Self::NotDispatched => FaultCode::NotDispatched,
            Self::Status { status, .. } => FaultCode::of_status(*status),
            Self::ContentEncoding(_) => FaultCode::ContentEncoding,
            Self::TooLarge => FaultCode::TooLarge,
        }
    }
}

impl CallResponse {
    /// The HTTP status, if a whole response came.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Response { status, .. } => Some(*status),
            Self::NoResponse | Self::NotDispatched => None,
        }
    }

    /// The headers, if a whole response came.
    pub(super) const fn headers(&self) -> Option<&ResponseHeaders> {
        match self {
            Self::Response { headers, .. } => Some(headers),
            Self::NoResponse | Self::NotDispatched => None,
        }
    }

    /// The body, whatever the status is.
    pub(super) fn body(&self) -> &[u8] {
        match self {
            Self::Response { body, .. } => body,
            Self::NoResponse | Self::NotDispatched => &[],
        }
    }

    /// How long the provider says that the document is fresh.
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

    /// The document, if the call brought one with status 200.
    pub(super) fn document(self) -> Result<Vec<u8>, CallFault> {
        self.document_of(&[200])
    }

    /// The document, if the call brought one with one of these statuses.
    pub fn document_of(self, statuses: &[u16]) -> Result<Vec<u8>, CallFault> {
        self.document_up_to(MAX_DOCUMENT, statuses)
    }

    /// The same for a document that may be larger than others.
    pub fn document_up_to(self, most: usize, statuses: &[u16]) -> Result<Vec<u8>, CallFault> {
        match self {
            Self::Response {
                status,
                body,
                headers,
            } if statuses.contains(&status) => match headers.coding(&body) {
                Some(coding) => Err(CallFault::ContentEncoding(coding)),
                None if body.len() > most => Err(CallFault::TooLarge),
                None => Ok(body),
            },
            Self::Response {
                status, headers, ..
            } => Err(CallFault::Status {
                status,
                location: headers.location(),
            }),
            Self::NoResponse => Err(CallFault::NoResponse),
            Self::NotDispatched => Err(CallFault::NotDispatched),
        }
    }
}
