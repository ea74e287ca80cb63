//! The tokens of a person after a log-in at a real provider.

use super::http::Response;
use super::Outcome;

/// The tokens of a person.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The access token, for n8n.
    pub(crate) access: String,
    /// The refresh token.
    pub(crate) refresh: String,
    /// The ID token, which identifies the person.
    pub(crate) id: String,
}

impl Session {
    /// Reads the response of a token endpoint (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3).
    pub(crate) fn of(response: &Response) -> Outcome<Self> {
        Ok(Self {
            access: response.member("access_token")?,
            refresh: response.member("refresh_token")?,
            id: response.member("id_token")?,
        })
    }
}
