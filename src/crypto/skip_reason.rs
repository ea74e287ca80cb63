//! Why a key of a set is skipped.

use thiserror::Error;

use crate::formats::json::JsonFault;

/// Why a JWK of a set is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum SkipReason {
    /// Not an object, or one with two members of one name or too deep.
    #[error("not a JSON object that can be read")]
    NotAnObject,
    /// `kty` is absent or unknown (RFC 7517 §4.1).
    #[error("a key type that cannot check signatures here")]
    KeyType,
    /// A symmetric key: every client can read it and sign with it.
    #[error("a symmetric key")]
    Symmetric,
    /// It has private members: every client can sign with it (RFC 7518 §6.2.2, §6.3.2).
    #[error("a private key that was published")]
    PrivateKey,
    /// `use` is not `sig` (RFC 7517 §4.2).
    #[error("not for signatures")]
    Use,
    /// `key_ops` has no `verify` (RFC 7517 §4.3).
    #[error("not for checking signatures")]
    KeyOperations,
    /// `alg` is not one that this gate checks, or not one for keys of this type and curve.
    #[error("for an algorithm that is not supported or does not fit the key")]
    Algorithm,
    /// `kid` is not a string, or too long (RFC 7517 §4.5).
    #[error("a key id that is no string")]
    KeyId,
    /// `issuer` is not a string, or too long.
    #[error("an issuer that is no string")]
    Issuer,
    /// `crv` is absent or not one of P-256, P-384 and Ed25519.
    #[error("an unsupported curve")]
    Curve,
    /// A certificate (`x5c`) without the numbers of its key. Certificates are not read: a JWK says
    /// the same without them (RFC 7517 §4.7).
    #[error("a certificate without the numbers of its key")]
    Certificate,
    /// A member that the key consists of is absent, not base64url, or of a wrong length.
    #[error("a malformed number")]
    Number,
    /// RSA of less than 2048 bits (RFC 7518 §3.3).
    #[error("an RSA key of less than 2048 bits")]
    TooWeak,
    /// RSA of more than 4096 bits: each check would cost too much.
    #[error("an RSA key of more than 4096 bits")]
    TooLarge,
    /// RSA with another public exponent than 65537.
    #[error("an unusual RSA exponent")]
    Exponent,
    /// The numbers are no sound key: a point off the curve or of small order, an even modulus.
    #[error("no sound key")]
    Unsound,
}

impl SkipReason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 16] = [
        Self::NotAnObject,
        Self::KeyType,
        Self::Symmetric,
        Self::PrivateKey,
        Self::Use,
        Self::KeyOperations,
        Self::Algorithm,
        Self::KeyId,
        Self::Issuer,
        Self::Curve,
        Self::Certificate,
        Self::Number,
        Self::TooWeak,
        Self::TooLarge,
        Self::Exponent,
        Self::Unsound,
    ];

    /// The stable name.
    pub fn as_str(self) -> &'static str {
        let fault = self.as_fault();
        fault.strip_prefix("skipped: ").unwrap_or(fault)
    }

    /// The reason with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// The fault in the audit record for a token whose key is skipped.
    pub const fn as_fault(self) -> &'static str {
        match self {
            Self::NotAnObject => "skipped: not_an_object",
            Self::KeyType => "skipped: key_type",
            Self::Symmetric => "skipped: symmetric",
            Self::PrivateKey => "skipped: private_key",
            Self::Use => "skipped: use",
            Self::KeyOperations => "skipped: key_operations",
            Self::Algorithm => "skipped: algorithm",
            Self::KeyId => "skipped: key_id",
            Self::Issuer => "skipped: issuer",
            Self::Curve => "skipped: curve",
            Self::Certificate => "skipped: certificate",
            Self::Number => "skipped: number",
            Self::TooWeak => "skipped: too_weak",
            Self::TooLarge => "skipped: too_large",
            Self::Exponent => "skipped: exponent",
            Self::Unsound => "skipped: unsound",
        }
    }

    /// What an operator does about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotAnObject => "Tell the provider: two programs could read two keys in it.",
            Self::KeyType => "Nothing, if it signs no tokens: `kty` is `RSA`, `EC` or `OKP`, in these letters.",
            Self::Symmetric | Self::PrivateKey => {
                "Tell the provider at once: any client can sign with it. Have it replaced."
            }
            Self::Use | Self::KeyOperations => {
                "Nothing, if it signs no tokens, such as a key for encryption."
            }
            Self::Algorithm => {
                "Nothing, if it signs no tokens. ES512, ES256K, HMAC and the names of COSE are not taken."
            }
            Self::KeyId => "Have the provider write `kid` as a string of at most 1024 bytes.",
            Self::Issuer => "Have the provider write `issuer` as a string of at most 1024 bytes.",
            Self::Curve => "Have the provider sign with P-256, P-384 or Ed25519.",
            Self::Certificate => {
                "Have the provider publish the numbers of the key, `n` and `e` or `x` and `y`."
            }
            Self::Number => "Look at the numbers of the key: base64url of octets (RFC 7518 section 6).",
            Self::TooWeak => "Have the provider sign with RSA of 2048 bits or more.",
            Self::TooLarge => "Have the provider sign with RSA of 4096 bits or less.",
            Self::Exponent => "Have the provider make a key with the exponent 65537.",
            Self::Unsound => "Tell the provider: no signature can be good under this key.",
        }
    }
}

impl From<JsonFault> for SkipReason {
    fn from(_: JsonFault) -> Self {
        Self::NotAnObject
    }
}
