//! What is said of a token that was not accepted.

use serde_json::{Map, Value};

use super::CompactToken;

/// Claims that may name the client of a token, with one provider or another.
pub(super) const CLIENTS: [&str; 4] = ["azp", "client_id", "cid", "appid"];

/// What a token says of itself, or its provider of it. Anybody can write the former: it decides
/// nothing.
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
    /// What the claims of a token say.
    pub(super) fn of(claims: &Map<String, Value>, key_id: Option<&str>) -> Self {
        Self::read(claims, key_id, None)
    }

    /// What a provider said of a token that it alone can read. The token itself, which opens doors
    /// as long as it is active, is left out wherever the answer repeats it.
    pub fn of_response(claims: &Map<String, Value>, token: &CompactToken) -> Self {
        Self::read(claims, None, Some(token.expose()))
    }

    fn read(claims: &Map<String, Value>, key_id: Option<&str>, token: Option<&str>) -> Self {
        let text = |value: &Value| {
            let text = value.as_str()?;
            let repeats = token.is_some_and(|token| text.contains(token));
            (!repeats).then(|| text.to_owned())
        };
        let named = |name: &&str| claims.get(*name).and_then(text);
        Self {
            issuer: named(&"iss"),
            audience: audiences(claims).iter().filter_map(text).collect(),
            subject: named(&"sub"),
            client: CLIENTS.iter().find_map(named),
            key_id: key_id.map(str::to_owned),
        }
    }
}

/// The values of `aud`: one text, or an array of them (RFC 7519 §4.1.3). Whether they are texts is not
/// looked at.
pub(super) fn audiences(claims: &Map<String, Value>) -> &[Value] {
    match claims.get("aud") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(several)) => several,
        Some(one) => std::slice::from_ref(one),
    }
}
