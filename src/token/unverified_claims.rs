//! The claims of a token that was not accepted.

use super::claims::{audiences, CLIENT_CLAIMS};
use super::CompactToken;
use crate::formats::json::{Document, Object, Value};

/// The claims of a token that was not accepted, or of the introspection response about it. Any client
/// can write a token: these claims decide nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnverifiedClaims {
    /// `iss`.
    pub issuer: Option<String>,
    /// `aud`.
    pub audience: Vec<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// The first of the claims that may name a client.
    pub client: Option<String>,
    /// `kid` of the header.
    pub key_id: Option<String>,
}

impl UnverifiedClaims {
    /// Reads the claims of a token.
    pub(super) fn of(claims: Object<'_>, key_id: Option<&str>) -> Self {
        Self::read(claims, key_id, None)
    }

    /// Reads an introspection response about an opaque token. The token, which can be used as long
    /// as it is active, is left out where the response repeats it.
    pub fn of_response(claims: &Document, token: &CompactToken<'_>) -> Self {
        Self::read(claims.object(), None, Some(token.expose()))
    }

    fn read(claims: Object<'_>, key_id: Option<&str>, token: Option<&str>) -> Self {
        let text = |value: Value<'_>| {
            let text = value.as_str()?;
            let repeats = token.is_some_and(|token| text.contains(token));
            (!repeats).then(|| text.to_owned())
        };
        let named = |name: &&str| claims.get(name).and_then(text);
        Self {
            issuer: named(&"iss"),
            audience: audiences(claims).iter().filter_map(text).collect(),
            subject: named(&"sub"),
            client: CLIENT_CLAIMS.iter().find_map(named),
            key_id: key_id.map(str::to_owned),
        }
    }
}
