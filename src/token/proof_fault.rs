//! Why a proof of possession is not accepted.

use crate::crypto::SkipReason;

/// Why a `DPoP` proof is not accepted (RFC 9449 §4.3). The first check that fails is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofFault {
    /// Expected a header `DPoP`.
    Missing,
    /// Expected one header `DPoP`: two programs may take another one of several.
    Several,
    /// Expected at most [`MAX_PROOF_BYTES`](super::MAX_PROOF_BYTES). Stops proofs that cost memory and
    /// time before anything about them is known.
    TooLong,
    /// Expected a signed JWT with a `jwk` in its header, and with the claims `htm`, `htu`, `iat`, `jti`
    /// and `ath` of their types. No extension is understood (`crit`).
    Malformed,
    /// Expected `typ` to be `dpop+jwt`. Stops other JWTs that the client signed with this key.
    WrongType,
    /// Expected an asymmetric algorithm that the gate supports. Stops `none` and HMAC.
    AlgorithmNotSupported(Option<&'static str>),
    /// Expected a public key that may be used and fits the algorithm. Stops private keys in a proof, and
    /// RSA keys of 1024 bits.
    KeyNotSupported(SkipReason),
    /// Expected `htm` to be the method of the request. Stops proofs of a request with another method.
    OtherMethod,
    /// Expected `htu` to be the URL of the request. Stops proofs that were made for, or taken by, another
    /// server.
    OtherUrl,
    /// Expected `iat` not to be older than the window. Stops proofs that were kept.
    TooOld,
    /// Expected `iat` not to be later than the window. Stops proofs that were made for later.
    FromTheFuture,
    /// Expected `nonce` to be one that the gate gave out for this time (RFC 9449 §9). Stops proofs that were
    /// made before, on a machine that was stolen from since.
    OtherNonce,
    /// Expected a `jti` of 1 to [`MAX_PROOF_ID_BYTES`](super::MAX_PROOF_ID_BYTES) bytes.
    IdMalformed,
    /// Expected `ath` to be the digest of the token. Stops proofs that were made for another token.
    OtherToken,
    /// Expected the key that the token is bound to. Stops stolen tokens.
    OtherKey,
    /// Expected the signature to be good under the key in the proof.
    BadSignature,
    /// Expected a proof that was not used before. Stops replays of a whole request.
    Replayed,
}
