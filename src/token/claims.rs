//! Claims that several readers share.

use super::TokenFault;
use crate::formats::json::{Array, Object, Value};

/// The claims that can name the OAuth client of a token, with one provider or another.
pub const CLIENT_CLAIMS: [&str; 4] = ["azp", "client_id", "cid", "appid"];

/// A claim is of another type than a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText(pub &'static str);

impl From<NotText> for TokenFault {
    fn from(NotText(claim): NotText) -> Self {
        Self::ClaimOfWrongType(claim)
    }
}

/// A claim that must be a string if it is present. A claim of another type is not an absent one: a
/// client that can choose the type must not thereby choose how the gate decides (RFC 7519 §4).
pub fn text<'c>(claims: Object<'c>, name: &'static str) -> Result<Option<&'c str>, NotText> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(NotText(name)),
    }
}

/// The values of `aud`: one string, or an array of them (RFC 7519 §4.1.3). Their types are not
/// checked.
pub(super) fn audiences(claims: Object<'_>) -> Array<'_> {
    claims.several("aud")
}
