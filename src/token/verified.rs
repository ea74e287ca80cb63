//! A verified token: verified by its signature, or by the introspection response of its provider.
//! Only [`VerifiedToken::verify`] and [`VerifiedToken::introspected`] make one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::claims::{audiences, text, CLIENT_CLAIMS};
use super::numeric_date::numeric_date;
use super::times::Times;
use super::{
    issuer, kind, ActiveResponse, CompactToken, ResponseKind, TokenFault, TokenRules,
    UntrustedToken, TENANT,
};
use crate::crypto::{
    Algorithm, Candidates, CryptoPath, KeySet, PublicKey, SignatureVerifier, Verification,
};
use crate::time::UnixSeconds;

/// A token that passed all checks, of its signature or of its provider's introspection response.
#[derive(Clone)]
pub struct VerifiedToken {
    issuer: Arc<str>,
    claims: Arc<Map<String, Value>>,
    times: Times,
    clock_skew: Duration,
    /// The kind of the response that the claims come from; `None`: they are signed.
    response_kind: Option<ResponseKind>,
    /// `None`: it was verified by introspection.
    signature: Option<Signature>,
    /// From when to when the token status of the provider counts, if it was asked.
    status_term: Option<(UnixSeconds, UnixSeconds)>,
    /// What the introspection response about a signed token adds to its claims.
    confirmation: Option<Arc<Confirmation>>,
    keeps_rfc_9068: bool,
    hint: Option<&'static str>,
}

/// What the introspection response about a signed token says about the caller (RFC 7662 §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// `client_id`.
    pub client: Option<String>,
    /// It names a resource owner (`username`).
    pub has_owner: bool,
}

/// A signature that is good.
#[derive(Clone, Debug)]
struct Signature {
    algorithm: Algorithm,
    key: Arc<PublicKey>,
    /// Whether the token names that very key.
    names_its_key: bool,
    crypto_path: CryptoPath,
}

impl VerifiedToken {
    /// Verifies a token against the rules and keys of the provider that its issuer belongs to.
    ///
    /// This does not check that `iss` is the provider's: `rules` and `keys` must have been chosen by
    /// the exact [`UntrustedToken::claimed_issuer`] (RFC 8725 §3.8).
    ///
    /// All that needs no signature is checked first: a signature check is the one costly step, and
    /// nothing can interrupt it.
    pub fn verify(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        keys: &KeySet,
        crypto: &dyn SignatureVerifier,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let Unsigned {
            algorithm,
            kind,
            times,
        } = check_unsigned(token, rules, now)?;
        let (key, verification) = check_signature(token, algorithm, rules, keys, crypto)?;
        Ok(Self {
            response_kind: None,
            issuer: token.claimed_issuer().into(),
            claims: Arc::clone(token.claims()),
            times,
            clock_skew: rules.clock_skew,
            signature: Some(Signature {
                algorithm,
                key: Arc::clone(key),
                names_its_key: token.key_id().is_some() && token.key_id() == key.key_id(),
                crypto_path: verification.path,
            }),
            status_term: None,
            confirmation: None,
            keeps_rfc_9068: kind.keeps_rfc_9068,
            hint: kind.hint,
        })
    }

    /// Checks all that needs no key: a token that fails here would be refused with any key.
    pub fn check_without_keys(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<(), TokenFault> {
        check_unsigned(token, rules, now).map(|_| ())
    }

    /// Verifies an opaque token by the introspection response of its provider.
    ///
    /// The response passes the same checks as the claims of a JWT. Without `iss`, the issuer is the
    /// provider that was asked. Without `exp`, the response counts as long as it is cached.
    pub fn introspected(
        token: &CompactToken,
        response: &ActiveResponse,
        kind: ResponseKind,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let claims = response.claims();
        let is_userinfo = kind == ResponseKind::UserInfo;
        if let ResponseKind::Introspection { accept_untyped } = kind {
            kind::check_response(claims, accept_untyped)?;
        }
        if claims.contains_key("cnf") {
            return Err(TokenFault::SenderConstrained);
        }
        for name in ["sub", "jti"] {
            text(claims, name)?;
        }
        let issuer = match text(claims, "iss")? {
            Some(issuer) if rules.issuers.contains(issuer) => issuer,
            Some(_) => return Err(TokenFault::ResponseDisagrees("iss")),
            None if rules.issuers.discovery.contains(TENANT) => {
                return Err(TokenFault::IssuerMissing);
            }
            None => &rules.issuers.discovery,
        };
        // With userinfo, the configuration accepts any audience explicitly. An `aud` in the response,
        // as Ory Hydra writes it, is that of ID tokens: the client that the person logged in to.
        if !is_userinfo {
            check_audience(claims, rules)?;
        }
        if kind == ResponseKind::GoogleTokenInfo && !claims.contains_key("exp") {
            return Err(TokenFault::ExpiryMissing);
        }
        let status_term = status_term(response, now)?;
        let times = Times::of_response(claims, status_term.1)?;
        times.check(rules.clock_skew, now)?;
        Ok(Self {
            response_kind: Some(kind),
            issuer: issuer.into(),
            claims: if is_userinfo {
                without_claims_about_tokens(&without_token(claims, token))
            } else {
                without_token(claims, token)
            },
            times,
            clock_skew: rules.clock_skew,
            signature: None,
            status_term: Some(status_term),
            confirmation: None,
            keeps_rfc_9068: false,
            hint: None,
        })
    }

    /// Adds the token status "active" to a signed token, which is then good no longer than the status
    /// counts. Claims that the response repeats must be those of the token.
    pub fn confirmed(
        mut self,
        response: &ActiveResponse,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let status = response.claims();
        // An ID token may be active, too. A token that may be one needs a response that says that it
        // is an access token.
        if self.hint.take().is_some() {
            kind::check_response(status, false)?;
        } else {
            kind::check_use(status)?;
        }
        if status.contains_key("cnf") {
            return Err(TokenFault::SenderConstrained);
        }
        if status.contains_key("aud") {
            check_audience(status, rules)?;
        }
        for name in ["iss", "sub", "jti"] {
            let both = self.claims.get(name).zip(status.get(name));
            if both.is_some_and(|(own, other)| own != other) {
                return Err(TokenFault::ResponseDisagrees(name));
            }
        }
        // The response names the client of a token that names none. It never overrides the token.
        let client = text(status, "client_id")?;
        for name in CLIENT_CLAIMS {
            let own = self.claims.get(name);
            if own.zip(client).is_some_and(|(own, client)| own != client) {
                return Err(TokenFault::ResponseDisagrees("client_id"));
            }
        }
        self.confirmation = Some(Arc::new(Confirmation {
            client: client
                .filter(|client| !client.is_empty())
                .map(str::to_owned),
            has_owner: status.contains_key("username"),
        }));
        let status_term = status_term(response, now)?;
        Times::of_response(status, status_term.1)?.check(rules.clock_skew, now)?;
        self.status_term = Some(status_term);
        Ok(self)
    }

    /// Whether the token is still good: the key of its signature is still in use, the token status of
    /// the provider still counts, and its times still hold. Nothing else that was checked can change.
    pub fn still_holds(&self, keys: Option<&KeySet>, now: UnixSeconds) -> bool {
        // Without a key id in the token and in the key, the key that fits depends on the others.
        let in_use = |signature: &Signature| {
            signature.names_its_key && keys.is_some_and(|keys| keys.contains(&signature.key))
        };
        self.signature.as_ref().is_none_or(in_use)
            && self
                .status_term
                .is_none_or(|(since, until)| since <= now && now < until)
            && self.times.check(self.clock_skew, now).is_ok()
    }

    /// Drops the claims, which take more memory than everything else.
    #[must_use]
    pub fn without_claims(mut self) -> Self {
        self.claims = Arc::default();
        self.confirmation = None;
        self
    }

    /// `iss`.
    pub const fn issuer(&self) -> &Arc<str> {
        &self.issuer
    }

    /// Every claim.
    pub const fn claims(&self) -> &Arc<Map<String, Value>> {
        &self.claims
    }

    /// Whether the token's `typ` says that it keeps RFC 9068.
    pub const fn keeps_rfc_9068(&self) -> bool {
        self.keeps_rfc_9068
    }

    /// What may be wrong with the token, for the audit record.
    pub const fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    /// The kind of the response that the claims come from; `None`: the token is signed, and they are
    /// its own.
    pub const fn response_kind(&self) -> Option<ResponseKind> {
        self.response_kind
    }

    /// What the introspection response about a signed token says about the caller.
    pub fn confirmation(&self) -> Option<&Confirmation> {
        self.confirmation.as_deref()
    }

    /// `exp`. The token holds until then, plus the allowed clock skew.
    pub const fn expires(&self) -> UnixSeconds {
        self.times.expires
    }

    /// The algorithm of the signature, if there is one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.signature.as_ref().map(|signature| signature.algorithm)
    }

    /// `kid` of the key that the signature was good under.
    pub fn key_id(&self) -> Option<&str> {
        self.signature.as_ref()?.key.key_id()
    }

    /// What checked the signature, if there is one.
    pub fn crypto_path(&self) -> Option<CryptoPath> {
        self.signature
            .as_ref()
            .map(|signature| signature.crypto_path)
    }
}

/// Leaves the claims out: they are a person's data, and long.
impl fmt::Debug for VerifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifiedToken")
            .field("issuer", &self.issuer)
            .field("expires", &self.times.expires)
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id())
            .field("crypto_path", &self.crypto_path())
            .field("status_term", &self.status_term)
            .finish_non_exhaustive()
    }
}

/// Removes a `jti` that shows the token: some providers write the opaque token itself there, and
/// `jti` is in the audit record.
fn without_token(
    claims: &Arc<Map<String, Value>>,
    token: &CompactToken,
) -> Arc<Map<String, Value>> {
    let mut claims = Arc::clone(claims);
    let id = claims.get("jti").and_then(Value::as_str);
    let token = token.expose();
    if id.is_some_and(|id| token.contains(id) || id.contains(token)) {
        Arc::make_mut(&mut claims).remove("jti");
    }
    claims
}

/// Removes claims about a token from a userinfo response, which is about a person: there, claims with
/// the names of client, scopes and grant are parts of the person's profile.
fn without_claims_about_tokens(claims: &Map<String, Value>) -> Arc<Map<String, Value>> {
    const OF_THE_TOKEN: [&str; 9] = [
        "azp",
        "client_id",
        "cid",
        "appid",
        "scope",
        "scp",
        "permissions",
        "gty",
        "idtyp",
    ];
    let members = claims.iter();
    let of_the_person = members.filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str()));
    Arc::new(
        of_the_person
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

/// From when to when a token status counts: no longer than its own `exp`, to the second, because the
/// provider knows its own clock.
fn status_term(
    response: &ActiveResponse,
    now: UnixSeconds,
) -> Result<(UnixSeconds, UnixSeconds), TokenFault> {
    let term = response.term();
    let (since, mut until) = (term.since.to_seconds(), term.until.to_seconds());
    if let Some(expires) = numeric_date(response.claims(), "exp")? {
        if now >= expires {
            return Err(TokenFault::Expired);
        }
        until = until.min(expires);
    }
    Ok((since, until))
}

/// What is known of a token before its signature is checked.
struct Unsigned {
    algorithm: Algorithm,
    kind: kind::AccessToken,
    times: Times,
}

/// Checks all that can be checked without a key.
fn check_unsigned(
    token: &UntrustedToken<'_>,
    rules: &TokenRules,
    now: UnixSeconds,
) -> Result<Unsigned, TokenFault> {
    let claims = token.claims();
    let algorithm = allowed_algorithm(token, rules)?;
    let kind = kind::check(token, rules)?;
    if claims.contains_key("cnf") {
        return Err(TokenFault::SenderConstrained);
    }
    for name in ["sub", "jti"] {
        text(claims, name)?;
    }
    check_audience(claims, rules)?;
    let times = Times::read(claims)?;
    times.check(rules.clock_skew, now)?;
    Ok(Unsigned {
        algorithm,
        kind,
        times,
    })
}

fn allowed_algorithm(
    token: &UntrustedToken<'_>,
    rules: &TokenRules,
) -> Result<Algorithm, TokenFault> {
    token
        .algorithm()
        .filter(|algorithm| rules.algorithms.contains(algorithm))
        .ok_or_else(|| TokenFault::AlgorithmNotAllowed(token.algorithm_name()))
}

/// `aud` is a string or an array of strings, and one of them must be an audience of the provider
/// (RFC 7519 §4.1.3). Only if it names no audience is the claim read that the configuration names
/// for that case. Ory Hydra writes an empty array for clients that ask for no audience; an empty
/// string and `null` name none either.
fn check_audience(claims: &Map<String, Value>, rules: &TokenRules) -> Result<(), TokenFault> {
    let is_ours = |audience: &str| rules.audiences.contains(audience);
    let named = audiences(claims);
    let found = if named.iter().all(|audience| *audience == "") {
        let name = rules.audience_claim.ok_or(TokenFault::AudienceMissing)?;
        is_ours(text(claims, name)?.ok_or(TokenFault::AudienceMissing)?)
    } else {
        let mut found = false;
        for value in named {
            let wrong_type = TokenFault::ClaimOfWrongType("aud");
            found |= is_ours(value.as_str().ok_or(wrong_type)?);
        }
        found
    };
    found.then_some(()).ok_or(TokenFault::WrongAudience)
}

/// Finds the key that the signature is good under.
fn check_signature<'k>(
    token: &UntrustedToken<'_>,
    algorithm: Algorithm,
    rules: &TokenRules,
    keys: &'k KeySet,
    crypto: &dyn SignatureVerifier,
) -> Result<(&'k Arc<PublicKey>, Verification), TokenFault> {
    let candidates = match keys.candidates(algorithm, token.key_id()) {
        Candidates::Keys(candidates) => candidates,
        Candidates::Revoked => return Err(TokenFault::RevokedKey),
        Candidates::UnknownKeyId => {
            let skipped = token.key_id().and_then(|key_id| keys.skip_reason(key_id));
            return Err(TokenFault::UnknownKeyId(skipped));
        }
        Candidates::NoneFits => return Err(TokenFault::NoKeyFits),
    };
    let mut fault = TokenFault::KeyOfAnotherIssuer;
    for key in candidates {
        if !issuer::may_sign(key, token, rules) {
            continue;
        }
        let check = crypto.verify(key, algorithm, token.signing_input(), token.signature());
        if check.valid {
            return Ok((key, check));
        }
        fault = TokenFault::BadSignature;
    }
    Err(fault)
}

#[cfg(test)]
mod tests;
