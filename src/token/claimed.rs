//! What is said of a token that was not accepted.

use serde_json::{Map, Value};

use super::CompactToken;

/// What a token says of itself, or its provider of it. Anybody can write the former: it decides
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
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

impl Claimed {
    pub(super) fn of(claims: &Map<String, Value>, key_id: Option<&str>) -> Self {
        let text = |name: &&str| Some(claims.get(*name)?.as_str()?.to_owned());
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        Self {
            issuer: text(&"iss"),
            audience,
            subject: text(&"sub"),
            client: ["azp", "client_id", "cid", "appid"].iter().find_map(text),
            key_id: key_id.map(str::to_owned),
        }
    }

    /// What a provider said of a token that it alone can read. The token itself, which opens doors
    /// as long as it is active, is left out wherever the answer repeats it.
    pub fn of_answer(claims: &Map<String, Value>, token: &CompactToken) -> Self {
        let mut said = Self::of(claims, None);
        let repeats = |text: &String| text.contains(token.expose());
        for text in [&mut said.issuer, &mut said.subject, &mut said.client] {
            text.take_if(|text| repeats(text));
        }
        said.audience.retain(|audience| !repeats(audience));
        said
    }
}
