//! The form of a value in the header of API keys.
//!
//! n8n's API keys are JWTs that n8n signs with a secret of its own, so that the gate can verify nothing
//! in them. Older ones begin with `n8n_api_`, and later ones may have any form.

use std::fmt;

use super::claims::audiences;
use super::{is_opaque, TokenFault, UntrustedToken};
use crate::formats::json::Value;
use crate::time::UnixSeconds;

/// The `iss` of n8n's own keys begins so.
const ISSUER: &str = "n8n";

/// What n8n's older keys begin with.
const LEGACY_PREFIX: &str = "n8n_api_";

/// The `aud` of keys for the public API.
const AUDIENCE: &str = "public-api";

/// The form of a value in the header of API keys. Nothing of it is verified.
#[derive(Debug)]
pub enum ApiKeyForm<'k> {
    /// No JWT.
    Opaque,
    /// A JWT of n8n's.
    Key(KeyClaims),
    /// A JWT with another `iss`.
    Token(UntrustedToken<'k>),
    /// A JWT without an `iss` that is text.
    Unnamed,
    /// It begins as a JWT, but cannot be read: it was cut, or is encrypted.
    Unreadable,
}

/// The claims of an API key.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KeyClaims {
    /// `sub`: n8n's id of the user.
    pub subject: Option<String>,
    /// `jti`.
    pub id: Option<String>,
    /// `exp`; `None`: it never expires, or `exp` cannot be read.
    pub expiry: Option<UnixSeconds>,
    /// Whether it is for the public API, or names no audience.
    pub is_for_public_api: bool,
}

/// Shows nothing that a client wrote.
impl fmt::Debug for KeyClaims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyClaims(unverified)")
    }
}

impl<'k> ApiKeyForm<'k> {
    /// The form of a text.
    pub fn of(text: &'k str) -> Self {
        if is_opaque(text) {
            return Self::Opaque;
        }
        match UntrustedToken::parse(text) {
            Ok(token) if token.claimed_issuer().starts_with(ISSUER) => {
                Self::Key(KeyClaims::of(&token))
            }
            Ok(token) => Self::Token(token),
            Err(TokenFault::IssuerMissing | TokenFault::ClaimOfWrongType(_)) => Self::Unnamed,
            Err(_) => Self::Unreadable,
        }
    }
}

/// Whether a text is an API key of n8n, in a form that is known: one that begins with `n8n_api_`, or a
/// JWT with the `iss` and `aud` of keys. Other tokens of n8n are none, such as those of its OAuth
/// server and of its token exchange.
pub fn is_api_key(text: &str) -> bool {
    if is_opaque(text) {
        return text.starts_with(LEGACY_PREFIX);
    }
    UntrustedToken::parse(text).is_ok_and(|token| {
        token.claimed_issuer() == ISSUER && KeyClaims::of(&token).is_for_public_api
    })
}

impl KeyClaims {
    fn of(token: &UntrustedToken<'_>) -> Self {
        let owned = |name| token.claimed_text(name).map(str::to_owned);
        let mut audiences = audiences(token.claims())
            .iter()
            .filter_map(Value::as_str)
            .peekable();
        Self {
            subject: owned("sub"),
            id: owned("jti"),
            expiry: token.claimed_expiry(),
            is_for_public_api: audiences.peek().is_none() || audiences.any(|one| one == AUDIENCE),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use base64::Engine as _;
    use serde_json::{json, Value};

    use super::*;

    fn jwt(claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "HS256", "typ": "JWT"});
        format!("{}.{}.c2lnbmF0dXJl", part(&header), part(claims))
    }

    #[test]
    fn the_claims_of_an_api_key_are_read() {
        let text = jwt(&json!({"sub": "user", "iss": "n8n", "aud": "public-api",
            "jti": "key", "iat": 1, "exp": 1_600_000_000}));
        let ApiKeyForm::Key(claims) = ApiKeyForm::of(&text) else {
            panic!("it is one");
        };
        assert_eq!(claims.subject.as_deref(), Some("user"));
        assert_eq!(claims.id.as_deref(), Some("key"));
        assert_eq!(claims.expiry, Some(UnixSeconds(1_600_000_000)));
        assert!(claims.is_for_public_api);
        assert!(!format!("{claims:?}").contains("user"));
    }

    #[test]
    fn an_api_key_with_other_claims_is_one_too() {
        let text = jwt(&json!({"iss": "n8n", "sub": 7, "jti": null, "exp": "soon"}));
        assert!(
            matches!(ApiKeyForm::of(&text), ApiKeyForm::Key(claims) if claims == KeyClaims {
                is_for_public_api: true,
                ..KeyClaims::default()
            })
        );
        let text = jwt(&json!({"iss": "n8n", "aud": "mcp-server-api"}));
        assert!(
            matches!(ApiKeyForm::of(&text), ApiKeyForm::Key(claims) if !claims.is_for_public_api)
        );
    }

    #[test]
    fn only_known_forms_of_keys_are_keys() {
        for (claims, expected) in [
            (json!({"iss": "n8n", "aud": "public-api"}), true),
            (json!({"iss": "n8n"}), true),
            (json!({"iss": "n8n", "aud": "mcp-server-api"}), false),
            (
                json!({"iss": "n8n-token-exchange", "aud": "public-api"}),
                false,
            ),
            (
                json!({"iss": "https://idp.example", "aud": "public-api"}),
                false,
            ),
            (json!({"aud": "public-api"}), false),
        ] {
            assert_eq!(is_api_key(&jwt(&claims)), expected, "{claims}");
        }
        assert!(is_api_key("n8n_api_0123456789abcdef"));
        for text in ["", "static", "N8N_API_01", "eyJhbGciOiJkaXIifQ.a.b.c.d"] {
            assert!(!is_api_key(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_api_key_has_another_form() {
        let of_a_provider = jwt(&json!({"iss": "https://idp.example", "sub": "app"}));
        assert!(matches!(
            ApiKeyForm::of(&of_a_provider),
            ApiKeyForm::Token(token) if token.claimed_issuer() == "https://idp.example"
        ));
        for claims in [json!({"sub": "user"}), json!({"iss": 7})] {
            let text = jwt(&claims);
            assert!(
                matches!(ApiKeyForm::of(&text), ApiKeyForm::Unnamed),
                "{claims}"
            );
        }
        for text in ["eyJhbGciOiJkaXIifQ.a.b.c.d", "eyJhbGciOiJIUzI1NiJ9.."] {
            assert!(
                matches!(ApiKeyForm::of(text), ApiKeyForm::Unreadable),
                "{text}"
            );
        }
        for text in [
            "n8n_api_0123456789abcdef",
            "static",
            "",
            "eyJhbGciOiJIUzI1NiJ9",
        ] {
            assert!(matches!(ApiKeyForm::of(text), ApiKeyForm::Opaque), "{text}");
        }
    }
}
