//! The tenant in tokens and issuers, as Entra writes it.

/// What stands for the tenant in an issuer of several tenants, as Entra writes it in discovery
/// documents and keys.
pub const TENANT: &str = "{tenantid}";
use crate::formats::json::{Object, Value};

/// `tid`, if it is a GUID: nothing else may become a part of an issuer.
pub(super) fn tenant(claims: Object<'_>) -> Option<&str> {
    claims
        .get("tid")
        .and_then(Value::as_str)
        .filter(|tenant| is_guid(tenant))
}

/// Whether a text is a GUID in the one spelling that Entra uses.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}
