//! How a provider is asked about tokens.

use std::time::Duration;

use crate::http::Endpoint;
use crate::secret::Secret;
use crate::token::ResponseKind;

/// How a provider is asked about tokens that cannot be checked by themselves.
#[derive(Clone, Debug)]
pub struct Introspection {
    /// Where it is asked.
    pub endpoint: Endpoint,
    /// How it is asked, and what its answer looks like.
    pub protocol: Protocol,
    /// JWTs are asked about too, once their signature was found good.
    pub always: bool,
    /// What its opaque tokens begin with. Empty: nobody knows.
    pub token_prefixes: Vec<String>,
    /// How long an active answer is held at most.
    pub ttl: Duration,
    /// How long an inactive one is.
    pub inactive_ttl: Duration,
    /// How long one call may take.
    pub timeout: Duration,
}

/// How a provider is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Token introspection (RFC 7662).
    Introspection {
        /// The value of `Authorization`, by `client_secret_basic` (RFC 6749 §2.3.1).
        authorization: Option<Secret>,
        /// What goes behind the form's other fields, by `client_secret_post`.
        form: Option<Secret>,
        /// Its answers need not say that a token is an access token.
        accept_untyped: bool,
    },
    /// `UserInfo` (OpenID Connect Core 1.0 §5.3). Its answer says whose the token is, and neither
    /// for whom it was made nor when it ends: any application's token would do.
    UserInfo,
    /// Google's `tokeninfo`, whose answer names the audience.
    GoogleTokenInfo,
}

impl Protocol {
    /// What a response of this protocol is.
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
