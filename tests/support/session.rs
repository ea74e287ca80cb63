//! What a person gets who logs in at a real provider.

use super::http::Answer;
use super::Outcome;

/// The tokens of a person.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The access token, for n8n.
    pub(crate) access: String,
    /// The refresh token, for more of them.
    pub(crate) refresh: String,
    /// The ID token, which says who the person is.
    pub(crate) id: String,
}

impl Session {
    /// Reads the answer of a token endpoint (RFC 6749 §5.1, OpenID Connect Core 1.0 §3.1.3.3).
    pub(crate) fn of(answer: &Answer) -> Outcome<Self> {
        Ok(Self {
            access: answer.member("access_token")?,
            refresh: answer.member("refresh_token")?,
            id: answer.member("id_token")?,
        })
    }
}
