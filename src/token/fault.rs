//! Why a token is not accepted.

use crate::crypto::SkipReason;

/// Why a token is not accepted. The first check that fails is named; a claim of a wrong type is
/// never taken for an absent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// Expected at most [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES). Stops tokens that cost memory
    /// and time before anything about them is known.
    TooLong,
    /// Expected three non-empty parts of unpadded base64url, joined by dots (RFC 7515 §7.1, §5.2).
    /// Stops unsigned tokens with an empty last part, the JSON serialisation, and one signature
    /// in several spellings.
    NotAJws,
    /// Expected a signed token, got an encrypted one (RFC 7516 §9). Stops decompression and
    /// key-derivation bombs, and JWS/JWE confusion (RFC 8725 §3.2, §3.3).
    Encrypted,
    /// Expected a JSON object with unique names, a string `alg` and, if present, strings `kid`
    /// and `typ` (RFC 7515 §4).
    HeaderMalformed,
    /// Expected no `crit` and no `b64`: this gate understands no extension, and what is critical
    /// and not understood makes a token invalid (RFC 7515 §4.1.11, RFC 7797 §6).
    CriticalHeader,
    /// Expected a JSON object with unique names (RFC 7519 §4, §7.2).
    ClaimsMalformed,
    /// Expected an `iss` (RFC 9068 §2.2): without it there is no provider to check the token with.
    IssuerMissing,
    /// Expected this claim to have the type that its definition gives it (RFC 7519 §4.1). Stops
    /// the likes of `"exp": "9999999999"`, which lax readers take for no expiry at all.
    ClaimOfWrongType(&'static str),
    /// Expected one of the provider's algorithms (RFC 8725 §3.1). Stops `none`, HMAC keyed with a
    /// public key, and weaker algorithms than agreed. The name is kept only if it is a
    /// registered one; a client can write any other text.
    AlgorithmNotAllowed(Option<&'static str>),
    /// Expected an access token, got one with the mark of another kind: this member
    /// of its header or claims, or its absence (RFC 8725 §3.11, §3.12; RFC 9068 §4).
    WrongType(&'static str),
    /// Expected the introspection response to say that the token is an access token (`token_type`, `typ` or
    /// `token_use`). Stops refresh tokens: RFC 7662 calls them active, too.
    KindMissing,
    /// Expected a bearer token, got one that is bound to a key of its client by `cnf`. Without
    /// proof of that key it may be stolen (RFC 9449 §7.2, RFC 8705 §3).
    SenderConstrained,
    /// Expected an `aud` that names an audience (RFC 8725 §3.9).
    AudienceMissing,
    /// Expected one of the provider's audiences in `aud` (RFC 7519 §4.1.3). Stops tokens that were
    /// given to, or taken by, another resource server.
    WrongAudience,
    /// Expected an `exp` (RFC 9068 §2.2). Stops tokens that never end.
    ExpiryMissing,
    /// Expected now to be before `exp` (RFC 7519 §4.1.4).
    Expired,
    /// Expected now not to be before `nbf` (RFC 7519 §4.1.5).
    NotYetValid,
    /// Expected `iat` not to be in the future (RFC 7519 §4.1.6). Stops tokens that were made for later.
    IssuedInTheFuture,
    /// Expected `iat` not to be after `exp`: no honest issuer makes a token that has expired already.
    IssuedAfterExpiry,
    /// Expected the provider's key set to have the token's `kid` (RFC 7515 §4.1.4). The set may be
    /// out of date, or the key is in it and left out for this reason.
    UnknownKeyId(Option<SkipReason>),
    /// Expected a `kid` that the operator did not revoke.
    RevokedKey,
    /// Expected a key that fits `alg` in type, curve and use (RFC 8725 §3.1). Stops an ES256 token
    /// that names an RSA key, for example.
    NoKeyFits,
    /// Expected a key that signs for the token's issuer, got one that its key set binds to another:
    /// in a key set of many tenants, the key of one must not sign for the next.
    KeyOfAnotherIssuer,
    /// Expected the signature to be good under a key of the provider (RFC 7515 §5.2).
    BadSignature,
    /// Expected the provider to say that the token is active (RFC 7662 §2.2). Stops tokens that were
    /// revoked, have expired or never were.
    Inactive,
    /// Expected the introspection response to be about this token and this provider: this member
    /// differs.
    ResponseDisagrees(&'static str),
}
