//! A token that was read and not verified.

use std::fmt;
use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;

use super::claims::text;
use super::numeric_date::numeric_date;
use super::tenant::tenant;
use super::{misfit, TokenFault, TokenRules, UnverifiedClaims};
use crate::crypto::{Algorithm, MAX_KEY_ID_BYTES};
use crate::formats::json::{Document, Object, Value};
use crate::time::UnixSeconds;

/// The longest token that is read. Tokens with hundreds of groups have some 10 KiB; Envoy accepts
/// 60 KiB of headers.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// How deep the header and the claims of a token may be nested.
pub const MAX_TOKEN_DEPTH: usize = 16;

/// A token in a sound form. No content of it is trusted.
pub struct UntrustedToken<'t> {
    signing_input: &'t str,
    signature: Vec<u8>,
    header: Header,
    /// They have an `iss` that is text.
    claims: Arc<Document>,
}

impl<'t> UntrustedToken<'t> {
    /// Reads the compact serialisation (RFC 7515 §7.1).
    pub fn parse(compact: &'t str) -> Result<Self, TokenFault> {
        if compact.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::TooLong);
        }
        let [header, claims, signature] = three_parts(compact)?;
        let signing_input = compact
            .strip_suffix(signature)
            .and_then(|input| input.strip_suffix('.'))
            .ok_or(TokenFault::NotAJws)?;
        let signature = decode(signature)?;
        let header = Header::read(decode(header)?)?;
        let claims = Document::read(decode(claims)?, MAX_TOKEN_DEPTH)
            .map_err(|_| TokenFault::ClaimsMalformed)?;
        text(claims.object(), "iss")?.ok_or(TokenFault::IssuerMissing)?;
        Ok(Self {
            signing_input,
            signature,
            header,
            claims: Arc::new(claims),
        })
    }

    /// The `iss` that the token claims. It only selects the keys for the check.
    pub fn claimed_issuer(&self) -> &str {
        self.claimed_text("iss").unwrap_or_default()
    }

    /// The `alg` that the token claims, if the gate can check it.
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::parse(self.header.text("alg")?)
    }

    /// The name of the `alg` that the token claims, if it is a registered one.
    pub fn algorithm_name(&self) -> Option<&'static str> {
        Algorithm::registered(self.header.text("alg")?)
    }

    /// `kid` of the header: the key that the token claims to be signed with.
    pub fn key_id(&self) -> Option<&str> {
        self.header.text("kid")
    }

    /// `typ` of the header: the kind that the token claims to be.
    pub fn typ(&self) -> Option<&str> {
        self.header.text("typ")
    }

    /// The `jti` that the token claims.
    pub fn claimed_id(&self) -> Option<&str> {
        self.claimed_text("jti")
    }

    /// The `exp` that the token claims, if it is a date at all.
    pub fn claimed_expiry(&self) -> Option<UnixSeconds> {
        numeric_date(self.claims(), "exp").ok().flatten()
    }

    /// The `iat` that the token claims, if it is a date at all.
    pub fn claimed_issue(&self) -> Option<UnixSeconds> {
        numeric_date(self.claims(), "iat").ok().flatten()
    }

    /// A claim that is text.
    pub fn claimed_text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// The claims that help an operator to find out why the token was refused.
    pub fn claimed(&self) -> UnverifiedClaims {
        UnverifiedClaims::of(self.claims(), self.key_id())
    }

    /// `tid`, if it is a GUID. Nothing else may become a part of an issuer.
    pub fn claimed_tenant(&self) -> Option<&str> {
        tenant(self.claims())
    }

    /// The usual cause of this fault, for the audit record.
    pub fn misfit(&self, fault: TokenFault, rules: &TokenRules) -> Option<&'static str> {
        misfit(fault, &self.claims, &rules.audiences)
    }

    /// The input of the signature: header and claims as they came (RFC 7515 §5.2).
    pub(super) const fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(super) fn claims(&self) -> Object<'_> {
        self.claims.object()
    }

    /// The same, to be kept.
    pub(super) const fn shared_claims(&self) -> &Arc<Document> {
        &self.claims
    }
}

/// Shows nothing that the client wrote: the token may be good, and its text can be anything.
impl fmt::Debug for UntrustedToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UntrustedToken")
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// What of the header is used. `jku`, `jwk`, `x5u`, `x5c` and `x5t` are never read: they would let
/// the token itself name the key that it is checked with (RFC 8725 §3.10), and make the gate call
/// addresses that the client chooses.
struct Header(Document);

impl Header {
    fn read(document: Vec<u8>) -> Result<Self, TokenFault> {
        let malformed = TokenFault::HeaderMalformed;
        let header = Document::read(document, MAX_TOKEN_DEPTH).map_err(|_| malformed)?;
        let members = header.object();
        if members.contains_key("enc") || members.contains_key("zip") {
            return Err(TokenFault::Encrypted);
        }
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(TokenFault::CriticalHeader);
        }
        let text = |name| text(members, name).map_err(|_| malformed);
        text("alg")?.ok_or(malformed)?;
        text("typ")?;
        match text("kid")? {
            Some(key_id) if key_id.len() > MAX_KEY_ID_BYTES => Err(malformed),
            _ => Ok(Self(header)),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }
}

/// Splits a token without an allocation: a token of many dots must cost nothing
/// (CVE-2025-30204, CVE-2025-27144).
pub(super) fn three_parts(compact: &str) -> Result<[&str; 3], TokenFault> {
    let mut parts = compact.split('.');
    let mut next = || parts.next();
    match [next(), next(), next(), next(), next(), next()] {
        [Some(header), Some(claims), Some(signature), None, ..]
            if ![header, claims, signature].contains(&"") =>
        {
            Ok([header, claims, signature])
        }
        [Some(_), Some(_), Some(_), Some(_), Some(_), None] => Err(TokenFault::Encrypted),
        _ => Err(TokenFault::NotAJws),
    }
}

/// Strict base64url: no padding, no whitespace, no other alphabet, and the unused bits of the
/// last character zero, so that a signature has exactly one spelling (RFC 7515 §2, §5.2).
pub(super) fn decode(part: &str) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenFault::NotAJws)
}

#[cfg(test)]
mod tests;
