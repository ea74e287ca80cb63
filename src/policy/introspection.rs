//! How a provider is asked for the status of tokens.

use std::time::Duration;

use crate::http::Endpoint;
use crate::secret::Secret;
use crate::token::ResponseKind;

/// How a provider is asked for the status of tokens.
#[derive(Clone, Debug)]
pub struct Introspection {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The protocol, and the form of its responses.
    pub protocol: Protocol,
    /// The status of each JWT is asked for, too, after its signature was verified.
    pub always: bool,
    /// The prefixes of its opaque tokens. Empty: they are not known.
    pub token_prefixes: Vec<String>,
    /// The longest time that the status "active" is cached.
    pub ttl: Duration,
    /// The time that the status "inactive" is cached.
    pub inactive_ttl: Duration,
    /// How long one call may take.
    pub timeout: Duration,
}

/// The protocol of a provider for the status of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Token introspection (RFC 7662).
    Introspection {
        /// The value of `Authorization`, by `client_secret_basic` (RFC 6749 §2.3.1).
        authorization: Option<Secret>,
        /// The last field of the form, by `client_secret_post`.
        form: Option<Secret>,
        /// A response need not say that a token is an access token.
        accept_untyped: bool,
    },
    /// `UserInfo` (OpenID Connect Core 1.0 §5.3). A response names the person, and neither the
    /// audience nor the end of the token: a token of any application would pass.
    UserInfo,
    /// Google's `tokeninfo`, whose response names the audience.
    GoogleTokenInfo,
}

impl Protocol {
    /// The kind of a response of this protocol.
    pub const fn response_kind(&self) -> ResponseKind {
        match self {
            Self::Introspection { accept_untyped, .. } => ResponseKind::Introspection {
                accept_untyped: *accept_untyped,
            },
            Self::UserInfo => ResponseKind::UserInfo,
            Self::GoogleTokenInfo => ResponseKind::GoogleTokenInfo,
        }
    }
}
