//! What signatures are checked with.

use std::fmt;
use std::sync::Arc;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use ed25519_compact::{PublicKey, Signature};

use super::mac::is_equal;

/// What one signature is checked with. `Debug` shows only its kind.
#[derive(Clone)]
pub enum SignatureKey {
    /// The key of an HMAC: the secret as it is, or the bytes that it encodes.
    Shared(Arc<[u8]>),
    /// The public key of the asymmetric form of Standard Webhooks.
    Ed25519(PublicKey),
}

/// Why a secret is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// The text after its prefix is not in base64.
    NotBase64,
    /// The public key is no point of Ed25519, or one with which any signature is good.
    NotAPublicKey,
    /// It is the private key of the sender, which no receiver has.
    PrivateKey,
}

/// What a symmetric secret of Standard Webhooks begins with. Stripe writes its own in the same way,
/// and signs with the whole text.
const SYMMETRIC: &str = "whsec_";

/// What a public key of Standard Webhooks begins with.
const PUBLIC: &str = "whpk_";

/// What a private key of Standard Webhooks begins with.
const PRIVATE: &str = "whsk_";

impl SignatureKey {
    /// A secret that is used as it is.
    pub fn of_text(secret: &str) -> Self {
        Self::Shared(secret.as_bytes().into())
    }

    /// A secret as Standard Webhooks writes it: base64 after `whsec_`, which may be absent, or a public
    /// key after `whpk_`.
    ///
    /// # Errors
    ///
    /// It is no such key.
    pub fn of_standard_webhooks(secret: &str) -> Result<Self, KeyFault> {
        let decoded = |text: &str| STANDARD.decode(text).map_err(|_| KeyFault::NotBase64);
        if secret.starts_with(PRIVATE) {
            return Err(KeyFault::PrivateKey);
        }
        if let Some(key) = secret.strip_prefix(PUBLIC) {
            let key = PublicKey::from_slice(&decoded(key)?);
            let key = key.map_err(|_| KeyFault::NotAPublicKey)?;
            key.validate().map_err(|_| KeyFault::NotAPublicKey)?;
            return Ok(Self::Ed25519(key));
        }
        let secret = secret.strip_prefix(SYMMETRIC).unwrap_or(secret);
        Ok(Self::Shared(decoded(secret)?.into()))
    }

    /// Whether a secret is one of Standard Webhooks by its beginning.
    pub fn is_of_standard_webhooks(secret: &str) -> bool {
        [SYMMETRIC, PUBLIC, PRIVATE]
            .iter()
            .any(|prefix| secret.starts_with(prefix))
    }

    /// How many bytes an attacker must guess; `None`: it is no secret.
    pub fn secret_length(&self) -> Option<usize> {
        match self {
            Self::Shared(key) => Some(key.len()),
            Self::Ed25519(_) => None,
        }
    }

    /// Whether this is the secret itself, in a time that says nothing but its length.
    pub(super) fn is(&self, sent: &[u8]) -> bool {
        match self {
            Self::Shared(key) => is_equal(key, sent),
            Self::Ed25519(_) => false,
        }
    }
}

/// Whether an Ed25519 signature is good (RFC 8032 §5.1.7).
pub(super) fn is_signed_with(
    key: &PublicKey,
    signature: &[u8],
    message: &[std::borrow::Cow<'_, [u8]>],
) -> bool {
    let checked = Signature::from_slice(signature).and_then(|signature| {
        let mut state = key.verify_incremental(&signature)?;
        for part in message {
            state.absorb(part);
        }
        state.verify()
    });
    checked.is_ok()
}

impl fmt::Debug for SignatureKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Shared(_) => "Shared(redacted)",
            Self::Ed25519(_) => "Ed25519",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_standard_webhooks_is_decoded() {
        let of = SignatureKey::of_standard_webhooks;
        for text in ["whsec_c2VjcmV0", "c2VjcmV0"] {
            let key = of(text).unwrap();
            assert!(key.is(b"secret"), "{text}");
            assert_eq!(key.secret_length(), Some(6));
            assert_eq!(format!("{key:?}"), "Shared(redacted)");
        }
        // The public key of RFC 8032 §7.1 test 2.
        let public = "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";
        assert_eq!(of(public).unwrap().secret_length(), None);
        for (text, fault) in [
            ("whsec_c2VjcmV", KeyFault::NotBase64),
            ("whsec_c2Vj cmV0", KeyFault::NotBase64),
            ("whsec_c2VjcmV-", KeyFault::NotBase64),
            ("whpk_c2VjcmV0", KeyFault::NotAPublicKey),
            // The neutral element: one signature would be good over every message.
            (
                "whpk_AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                KeyFault::NotAPublicKey,
            ),
            ("whsk_c2VjcmV0", KeyFault::PrivateKey),
        ] {
            assert_eq!(of(text).err(), Some(fault), "{text}");
        }
    }

    #[test]
    fn a_public_key_is_no_shared_secret() {
        let text = "whpk_PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=";
        let key = SignatureKey::of_standard_webhooks(text).unwrap();
        assert!(!key.is(text.as_bytes()));
        assert!(!key.is(b""));
    }
}
