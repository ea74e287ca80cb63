//! What a bound token is bound to.

use super::TokenFault;
use crate::crypto::Thumbprint;
use crate::formats::json::Object;

/// What a token is bound to: its claim `cnf` (RFC 7800 §3.1). A client that has the token must also
/// have all of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// `jkt`: the key of `DPoP` proofs (RFC 9449 §6.1).
    pub key: Option<Thumbprint>,
    /// `x5t#S256`: the certificate of the client in mutual TLS (RFC 8705 §3.1).
    pub certificate: Option<Thumbprint>,
}

impl Binding {
    /// Reads `cnf`; `None`: the token is not bound.
    ///
    /// Members that are not known are ignored (RFC 7800 §3.1), but one that is known must be there: a
    /// token that is bound to something else is no bearer token.
    pub(super) fn read(claims: Object<'_>) -> Result<Option<Self>, TokenFault> {
        let Some(confirmation) = claims.get("cnf") else {
            return Ok(None);
        };
        let members = confirmation
            .as_object()
            .ok_or(TokenFault::SenderConstrained)?;
        let thumbprint = |name| match members.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_str()
                .and_then(Thumbprint::from_base64url)
                .map(Some)
                .ok_or(TokenFault::SenderConstrained),
        };
        let binding = Self {
            key: thumbprint("jkt")?,
            certificate: thumbprint("x5t#S256")?,
        };
        if binding.key.or(binding.certificate).is_none() {
            return Err(TokenFault::SenderConstrained);
        }
        Ok(Some(binding))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};

    use super::*;
    use crate::formats::json::Document;

    const ONE: &str = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
    const OTHER: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn read(confirmation: &Value) -> Result<Option<Binding>, TokenFault> {
        let claims = json!({"sub": "a", "cnf": confirmation});
        Binding::read(Document::from(&claims).object())
    }

    #[test]
    fn a_token_is_bound_to_a_key_to_a_certificate_or_to_both() {
        let (one, other) = (
            Thumbprint::from_base64url(ONE),
            Thumbprint::from_base64url(OTHER),
        );
        for (confirmation, key, certificate) in [
            (json!({"jkt": ONE}), one, None),
            (json!({"x5t#S256": OTHER}), None, other),
            (json!({"jkt": ONE, "x5t#S256": OTHER}), one, other),
            (json!({"jkt": ONE, "kid": "x"}), one, None),
        ] {
            let binding = Binding { key, certificate };
            assert_eq!(read(&confirmation), Ok(Some(binding)), "{confirmation}");
        }
        assert_eq!(Binding::read(Document::default().object()), Ok(None));
    }

    #[test]
    fn a_token_that_is_bound_to_something_else_is_no_bearer_token() {
        for confirmation in [
            json!(null),
            json!({}),
            json!([]),
            json!("jkt"),
            json!({"kid": "x"}),
            json!({"jwk": {"kty": "EC"}}),
            json!({"x5t": ONE}),
            json!({"JKT": ONE}),
            json!({"jkt": null}),
            json!({"jkt": [ONE]}),
            json!({"jkt": "x"}),
            json!({"jkt": ""}),
            json!({"jkt": ONE, "x5t#S256": null}),
            json!({"jkt": "x", "x5t#S256": OTHER}),
        ] {
            let refused = Err(TokenFault::SenderConstrained);
            assert_eq!(read(&confirmation), refused, "{confirmation}");
        }
    }
}
