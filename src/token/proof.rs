//! Proofs that a client has the key to which its token is bound: `DPoP` (RFC 9449).

use std::time::Duration;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;

use super::numeric_date::numeric_date;
use super::untrusted::{decode, three_parts};
use super::{CompactToken, NonceKey, ProofFault, MAX_TOKEN_DEPTH};
use crate::crypto::{Algorithm, PublicKey, SignatureVerifier, SkipReason, Thumbprint};
use crate::formats::json::{Document, Object, Value};
use crate::http::{Origin, RequestHead};
use crate::time::UnixSeconds;

/// The longest proof that is read: one with an RSA key of 4096 bits and a long URL has some 4 KiB.
pub const MAX_PROOF_BYTES: usize = 8 * 1024;

/// The longest `jti` of a proof.
pub const MAX_PROOF_ID_BYTES: usize = 256;

/// The header of proofs.
pub const PROOF_HEADER: &str = "dpop";

/// What a proof must be for.
#[derive(Clone, Copy)]
pub struct ProofTarget<'t> {
    /// The request that the proof came with.
    pub request: &'t RequestHead,
    /// The origins under which clients call it.
    pub origins: &'t [Origin],
    /// The token that the proof came with.
    pub token: &'t CompactToken<'t>,
    /// The key that the token is bound to.
    pub key: &'t Thumbprint,
    /// The time.
    pub now: UnixSeconds,
    /// How far `iat` may be from the time.
    pub window: Duration,
    /// Makes the nonces that a proof must have; `None`: it needs none.
    pub nonces: Option<&'t NonceKey>,
}

/// A proof that passed all checks but one: whether it was used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    /// Its `jti`. It is unique among the proofs of its key.
    pub id: String,
    /// The last second in which it is accepted.
    pub accepted_until: UnixSeconds,
}

impl VerifiedProof {
    /// Checks the proof of a request (RFC 9449 §4.3). Its signature is checked last, because that alone
    /// costs time.
    pub fn verify(
        target: &ProofTarget<'_>,
        crypto: &dyn SignatureVerifier,
    ) -> Result<Self, ProofFault> {
        let proof = proof_of(target.request)?;
        let [header, claims, signature] = three_parts(proof).map_err(|_| ProofFault::Malformed)?;
        let signing_input = proof.rsplit_once('.').ok_or(ProofFault::Malformed)?.0;
        let (header, claims) = (object(header)?, object(claims)?);
        let (header, claims) = (header.object(), claims.object());
        let signature = decode(signature).map_err(|_| ProofFault::Malformed)?;
        let algorithm = check_header(header)?;
        let (id, issued) = check_claims(claims, target)?;
        let (key, thumbprint) = key(header, algorithm)?;
        if thumbprint != *target.key {
            return Err(ProofFault::OtherKey);
        }
        let check = crypto.verify(&key, algorithm, signing_input.as_bytes(), &signature);
        if !check.valid {
            return Err(ProofFault::BadSignature);
        }
        Ok(Self {
            id: id.to_owned(),
            accepted_until: issued.saturating_add(target.window),
        })
    }
}

/// The one proof of a request.
fn proof_of(request: &RequestHead) -> Result<&str, ProofFault> {
    let mut values = request.values(PROOF_HEADER);
    let value = values.next().ok_or(ProofFault::Missing)?;
    // Some hosts join headers of one name with a comma, and no JWT has one.
    if values.next().is_some() || value.contains(&b',') {
        return Err(ProofFault::Several);
    }
    let value = value.trim_ascii();
    if value.len() > MAX_PROOF_BYTES {
        return Err(ProofFault::TooLong);
    }
    std::str::from_utf8(value).map_err(|_| ProofFault::Malformed)
}

fn object(part: &str) -> Result<Document, ProofFault> {
    let document = decode(part).map_err(|_| ProofFault::Malformed)?;
    Document::read(document, MAX_TOKEN_DEPTH).map_err(|_| ProofFault::Malformed)
}

fn check_header(header: Object<'_>) -> Result<Algorithm, ProofFault> {
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(ProofFault::Malformed);
    }
    match header.get("typ") {
        Some(Value::String("dpop+jwt")) => {}
        _ => return Err(ProofFault::WrongType),
    }
    let name = text(header, "alg")?;
    Algorithm::parse(name).ok_or_else(|| {
        let registered = Algorithm::registered(name);
        ProofFault::AlgorithmNotSupported(registered)
    })
}

/// Checks what the proof is for. Gives its id, and when it was made.
fn check_claims<'c>(
    claims: Object<'c>,
    target: &ProofTarget<'_>,
) -> Result<(&'c str, UnixSeconds), ProofFault> {
    let request = target.request;
    if text(claims, "htm")?.as_bytes() != request.method() {
        return Err(ProofFault::OtherMethod);
    }
    let uri = text(claims, "htu")?;
    let mut origins = target.origins.iter();
    if !origins.any(|origin| origin.has(request.path(), uri)) {
        return Err(ProofFault::OtherUrl);
    }
    let issued = numeric_date(claims, "iat").ok().flatten();
    let issued = issued.ok_or(ProofFault::Malformed)?;
    if target.now > issued.saturating_add(target.window) {
        return Err(ProofFault::TooOld);
    }
    if issued > target.now.saturating_add(target.window) {
        return Err(ProofFault::FromTheFuture);
    }
    let nonce = claims.get("nonce").and_then(Value::as_str);
    if let Some(nonces) = target.nonces {
        if !nonce.is_some_and(|nonce| nonces.accepts(nonce, target.now)) {
            return Err(ProofFault::OtherNonce);
        }
    }
    let id = text(claims, "jti").map_err(|_| ProofFault::IdMalformed)?;
    if !(1..=MAX_PROOF_ID_BYTES).contains(&id.len()) {
        return Err(ProofFault::IdMalformed);
    }
    let digest = Thumbprint::of(target.token.expose().as_bytes());
    if text(claims, "ath")? != URL_SAFE_NO_PAD.encode(digest.bytes()) {
        return Err(ProofFault::OtherToken);
    }
    Ok((id, issued))
}

/// The key that the proof names itself. Whose it is follows from its thumbprint alone.
fn key(header: Object<'_>, algorithm: Algorithm) -> Result<(PublicKey, Thumbprint), ProofFault> {
    let jwk = header.get("jwk").and_then(Value::as_object);
    let jwk = jwk.ok_or(ProofFault::Malformed)?;
    let (key, thumbprint) =
        PublicKey::of_client(&jwk.to_map()).map_err(ProofFault::KeyNotSupported)?;
    if !key.fits(algorithm) {
        return Err(ProofFault::KeyNotSupported(SkipReason::Algorithm));
    }
    Ok((key, thumbprint))
}

fn text<'m>(members: Object<'m>, name: &str) -> Result<&'m str, ProofFault> {
    let text = members.get(name).and_then(Value::as_str);
    text.ok_or(ProofFault::Malformed)
}

#[cfg(test)]
mod tests;
