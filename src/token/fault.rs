//! Why a token is not accepted.

use thiserror::Error;

use crate::crypto::SkipReason;

/// Why a token is not accepted. The first check that fails is named; a claim of a wrong type is
/// never taken for an absent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenFault {
    /// Expected at most [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES). Stops tokens that cost memory
    /// and time before anything about them is known.
    #[error("the token is too long")]
    TooLong,
    /// Expected three non-empty parts of unpadded base64url, joined by dots (RFC 7515 §7.1, §5.2).
    /// Stops unsigned tokens with an empty last part, the JSON serialisation, and one signature
    /// in several spellings.
    #[error("not a signed JWT")]
    NotAJws,
    /// Expected a signed token, got an encrypted one (RFC 7516 §9). Stops decompression and
    /// key-derivation bombs, and JWS/JWE confusion (RFC 8725 §3.2, §3.3).
    #[error("an encrypted token")]
    Encrypted,
    /// Expected a JSON object with unique names, a string `alg` and, if present, strings `kid`
    /// and `typ` (RFC 7515 §4).
    #[error("the header of the token is malformed")]
    HeaderMalformed,
    /// Expected no `crit` and no `b64`: this gate understands no extension, and what is critical
    /// and not understood makes a token invalid (RFC 7515 §4.1.11, RFC 7797 §6).
    #[error("the token demands an extension")]
    CriticalHeader,
    /// Expected a JSON object with unique names (RFC 7519 §4, §7.2).
    #[error("the claims of the token are malformed")]
    ClaimsMalformed,
    /// Expected an `iss` (RFC 9068 §2.2): without it nobody's keys can be asked.
    #[error("the token names no issuer")]
    IssuerMissing,
    /// Expected this claim to have the type that its definition gives it (RFC 7519 §4.1). Stops
    /// the likes of `"exp": "9999999999"`, which lax readers take for no expiry at all.
    #[error("the claim {0} is of a wrong type")]
    ClaimOfWrongType(&'static str),
    /// Expected one of the provider's algorithms (RFC 8725 §3.1). Stops `none`, HMAC keyed with a
    /// public key, and weaker algorithms than agreed. The name is kept only if it is a
    /// registered one; others are the sender's free text.
    #[error("the algorithm of the token is not allowed")]
    AlgorithmNotAllowed(Option<&'static str>),
    /// Expected an access token, got something that bears the mark of another kind: this member
    /// of its header or claims, or its absence (RFC 8725 §3.11, §3.12; RFC 9068 §4).
    #[error("not an access token, as {0} says")]
    WrongType(&'static str),
    /// Expected the provider's answer to say that the token is an access token (`token_type`, `typ` or
    /// `token_use`). Stops refresh tokens: RFC 7662 calls them active, too.
    #[error("the provider's answer does not say what kind of token it is")]
    KindMissing,
    /// Expected a bearer token, got one that is bound to a key of its client by `cnf`. Without
    /// proof of that key it may be stolen (RFC 9449 §7.2, RFC 8705 §3).
    #[error("a token that is bound to its sender's key")]
    SenderConstrained,
    /// Expected an `aud` that names somebody (RFC 8725 §3.9).
    #[error("the token names no audience")]
    AudienceMissing,
    /// Expected one of the provider's audiences in `aud` (RFC 7519 §4.1.3). Stops tokens that were
    /// given to, or taken by, another resource server.
    #[error("the token is for another audience")]
    WrongAudience,
    /// Expected an `exp` (RFC 9068 §2.2). Stops tokens that never end.
    #[error("the token has no expiry")]
    ExpiryMissing,
    /// Expected now to be before `exp` (RFC 7519 §4.1.4).
    #[error("the token has expired")]
    Expired,
    /// Expected now not to be before `nbf` (RFC 7519 §4.1.5).
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Expected `iat` not to lie ahead (RFC 7519 §4.1.6). Stops tokens made in store for later.
    #[error("the token was issued in the future")]
    IssuedInTheFuture,
    /// Expected `iat` not to be after `exp`: no honest issuer makes a token that is already over.
    #[error("the token was issued after its expiry")]
    IssuedAfterExpiry,
    /// Expected the provider's key set to have the token's `kid` (RFC 7515 §4.1.4). The set may be
    /// out of date, or the key is in it and left out for this reason.
    #[error("no key of the provider has the token's key id")]
    UnknownKeyId(Option<SkipReason>),
    /// Expected a `kid` that the operator did not revoke.
    #[error("the operator revoked the token's key: `revoked_kids`")]
    RevokedKey,
    /// Expected a key that fits `alg` in type, curve and use (RFC 8725 §3.1). Stops an ES256 token
    /// that points at an RSA key, and its like.
    #[error("no key of the provider fits the token")]
    NoKeyFits,
    /// Expected a key that signs for the token's issuer, got one that its key set binds to another:
    /// in a key set of many tenants, the key of one must not sign for the next.
    #[error("the key of the token signs for another issuer")]
    KeyOfAnotherIssuer,
    /// Expected the signature to be good under a key of the provider (RFC 7515 §5.2).
    #[error("the signature is not good")]
    BadSignature,
    /// Expected the provider to say that the token is active (RFC 7662 §2.2). Stops tokens that were
    /// revoked, have expired or never were.
    #[error("the provider says that the token is not active")]
    Inactive,
    /// Expected the provider's answer to speak of this token and this provider: this member is
    /// another's.
    #[error("the provider's answer and the token disagree on {0}")]
    AnswerDisagrees(&'static str),
}

impl TokenFault {
    /// The stable name used in audit, metrics and answers. The data of a variant is not in it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotAJws => "not_a_jws",
            Self::Encrypted => "encrypted",
            Self::HeaderMalformed => "header_malformed",
            Self::CriticalHeader => "critical_header",
            Self::ClaimsMalformed => "claims_malformed",
            Self::IssuerMissing => "issuer_missing",
            Self::ClaimOfWrongType(_) => "claim_of_wrong_type",
            Self::AlgorithmNotAllowed(_) => "algorithm_not_allowed",
            Self::WrongType(_) => "wrong_type",
            Self::KindMissing => "kind_missing",
            Self::SenderConstrained => "sender_constrained",
            Self::AudienceMissing => "audience_missing",
            Self::WrongAudience => "wrong_audience",
            Self::ExpiryMissing => "expiry_missing",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInTheFuture => "issued_in_the_future",
            Self::IssuedAfterExpiry => "issued_after_expiry",
            Self::UnknownKeyId(_) => "unknown_key_id",
            Self::RevokedKey => "revoked_key",
            Self::NoKeyFits => "no_key_fits",
            Self::KeyOfAnotherIssuer => "key_of_another_issuer",
            Self::BadSignature => "bad_signature",
            Self::Inactive => "inactive",
            Self::AnswerDisagrees(_) => "answer_disagrees",
        }
    }
}
