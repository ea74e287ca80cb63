//! The kinds of responses about a token.

/// The kind of a provider's response about a token. What a response must hold depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseKind {
    /// Token introspection (RFC 7662).
    Introspection {
        /// The response need not say that the token is an access token.
        accept_untyped: bool,
    },
    /// `UserInfo` (OpenID Connect Core 1.0 §5.3). The response names the person, and neither the
    /// audience nor the end of the token: a token of any application would pass.
    UserInfo,
    /// Google's `tokeninfo`, whose response names the audience.
    GoogleTokenInfo,
}
