//! Statuses that bring nothing of use, by what an operator makes of them.

/// What a status other than 200 says. The codes of faults, their meanings and what is done about them
/// follow these classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusClass {
    /// The document is elsewhere.
    Redirect,
    /// Nothing is there, or not any more.
    NotFound,
    /// The provider is asked too often.
    RateLimited,
    /// Another from 400 to 499.
    ClientError,
    /// 503, also of Envoy itself, which cannot connect.
    Unavailable,
    /// 504, also of Envoy itself, which waited in vain.
    Timeout,
    /// Another from 500 to 599.
    ServerError,
    /// Any other.
    Other,
}

impl StatusClass {
    /// Of every class one status, in the order of the documentation.
    pub(super) const EXAMPLES: [u16; 8] = [302, 404, 429, 400, 503, 504, 500, 204];

    /// The class of a status.
    pub(super) const fn of(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            404 | 410 => Self::NotFound,
            429 => Self::RateLimited,
            400..=499 => Self::ClientError,
            503 => Self::Unavailable,
            504 => Self::Timeout,
            500..=599 => Self::ServerError,
            _ => Self::Other,
        }
    }

    /// The stable code of a fault of this class.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::NotFound => "not_found",
            Self::RateLimited => "rate_limited",
            Self::ClientError => "client_error",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::ServerError => "server_error",
            Self::Other => "status",
        }
    }
}
