//! A token that was verified: by its signature, or by the word of its provider. Only
//! [`VerifiedToken::verify`] and [`VerifiedToken::introspected`] make one.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::numeric_date::numeric_date;
use super::times::Times;
use super::unverified_claims::audiences;
use super::{
    issuer, kind, ActiveResponse, CompactToken, ResponseKind, TokenFault, TokenRules,
    UntrustedToken, TENANT,
};
use crate::crypto::{
    Algorithm, Candidates, CryptoPath, KeySet, PublicKey, SignatureVerifier, Verification,
};
use crate::time::UnixSeconds;

/// A token whose claims hold, by its signature or by its provider's word.
#[derive(Clone)]
pub struct VerifiedToken {
    issuer: Rc<str>,
    audience: String,
    claims: Rc<Map<String, Value>>,
    times: Times,
    clock_skew: Duration,
    /// The kind of the response that the claims come from; `None`: they are signed.
    response_kind: Option<ResponseKind>,
    /// `None`: the provider's word is all there is.
    signature: Option<Signature>,
    /// From when to when the provider's word is believed, if it was asked.
    word: Option<(UnixSeconds, UnixSeconds)>,
    /// What the provider said of the caller, if it was asked about a signed token.
    confirmation: Option<Rc<Confirmation>>,
    keeps_rfc_9068: bool,
    hint: Option<&'static str>,
}

/// What a provider says of the caller when it is asked about a token that it signed (RFC 7662
/// §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// `client_id`.
    pub client: Option<String>,
    /// It names a resource owner (`username`).
    pub has_owner: bool,
}

/// The claims that can name the client of a token.
const CLIENTS: [&str; 4] = ["azp", "client_id", "cid", "appid"];

/// A signature that is good.
#[derive(Clone, Debug)]
struct Signature {
    algorithm: Algorithm,
    key: Rc<PublicKey>,
    /// Whether the token names that very key.
    names_its_key: bool,
    crypto_path: CryptoPath,
}

impl VerifiedToken {
    /// Verifies a token against the rules and keys of the provider that its issuer belongs to.
    ///
    /// That `iss` is the provider's is the caller's part: it chose `rules` and `keys` by the exact
    /// [`UntrustedToken::claimed_issuer`] (RFC 8725 §3.8).
    ///
    /// Whatever can be known without a signature is checked first: a signature check is the one
    /// costly step, and nothing can interrupt it.
    pub fn verify(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        keys: &KeySet,
        crypto: &dyn SignatureVerifier,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let Unsigned {
            algorithm,
            told,
            audience,
            times,
        } = check_unsigned(token, rules, now)?;
        let (key, verification) = check_signature(token, algorithm, rules, keys, crypto)?;
        Ok(Self {
            response_kind: None,
            issuer: token.claimed_issuer().into(),
            audience: audience.to_owned(),
            claims: Rc::clone(token.claims()),
            times,
            clock_skew: rules.clock_skew,
            signature: Some(Signature {
                algorithm,
                key: Rc::clone(key),
                names_its_key: token.key_id().is_some() && token.key_id() == key.key_id(),
                crypto_path: verification.path,
            }),
            word: None,
            confirmation: None,
            keeps_rfc_9068: told.keeps_rfc_9068,
            hint: told.hint,
        })
    }

    /// Refuses a token that no key could save, where the keys are not at hand.
    pub fn check_without_keys(
        token: &UntrustedToken<'_>,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<(), TokenFault> {
        check_unsigned(token, rules, now).map(|_| ())
    }

    /// Takes a provider's word for a token that only it can read.
    ///
    /// The answer passes the same checks as the claims of a JWT. Where it leaves out `iss`, it is
    /// the provider's, which was asked; where it leaves out `exp`, the provider's word holds as
    /// long as it is believed.
    pub fn introspected(
        token: &CompactToken,
        answer: &ActiveResponse,
        kind: ResponseKind,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let claims = answer.claims();
        let is_userinfo = kind == ResponseKind::UserInfo;
        if let ResponseKind::Introspection { accept_untyped } = kind {
            kind::check_answer(claims, accept_untyped)?;
        }
        if claims.contains_key("cnf") {
            return Err(TokenFault::SenderConstrained);
        }
        for name in ["sub", "jti"] {
            text(claims, name)?;
        }
        let issuer = match text(claims, "iss")? {
            Some(issuer) if rules.issuers.contains(issuer) => issuer,
            Some(_) => return Err(TokenFault::AnswerDisagrees("iss")),
            None if rules.issuers.discovery.contains(TENANT) => {
                return Err(TokenFault::IssuerMissing);
            }
            None => &rules.issuers.discovery,
        };
        let audience = if is_userinfo {
            // Configuration says in so many words that any will do. An `aud` in the answer, as Ory
            // Hydra writes it, is that of ID tokens: the client that the person logged in to.
            ""
        } else {
            our_audience(claims, rules)?
        };
        if kind == ResponseKind::GoogleTokenInfo && !claims.contains_key("exp") {
            return Err(TokenFault::ExpiryMissing);
        }
        let word = word(answer, now)?;
        let times = Times::of_answer(claims, word.1)?;
        times.check(rules.clock_skew, now)?;
        Ok(Self {
            response_kind: Some(kind),
            issuer: issuer.into(),
            audience: audience.to_owned(),
            claims: if is_userinfo {
                without_words_on_the_token(&without_token(claims, token))
            } else {
                without_token(claims, token)
            },
            times,
            clock_skew: rules.clock_skew,
            signature: None,
            word: Some(word),
            confirmation: None,
            keeps_rfc_9068: false,
            hint: None,
        })
    }

    /// Adds the provider's word that a signed token is active: it holds no longer than that is
    /// believed. What the answer says of the token must be what the token says.
    pub fn confirmed(
        mut self,
        answer: &ActiveResponse,
        rules: &TokenRules,
        now: UnixSeconds,
    ) -> Result<Self, TokenFault> {
        let said = answer.claims();
        // An ID token may be active, too. What may be one goes on only where the answer says that it is none.
        if self.hint.take().is_some() {
            kind::check_answer(said, false)?;
        } else {
            kind::check_use(said)?;
        }
        if said.contains_key("cnf") {
            return Err(TokenFault::SenderConstrained);
        }
        if said.contains_key("aud") {
            our_audience(said, rules)?;
        }
        for name in ["iss", "sub", "jti"] {
            let both = self.claims.get(name).zip(said.get(name));
            if both.is_some_and(|(ours, theirs)| ours != theirs) {
                return Err(TokenFault::AnswerDisagrees(name));
            }
        }
        // The answer names the client of a token that names none. It never overrides the token.
        let client = text(said, "client_id")?;
        for name in CLIENTS {
            let own = self.claims.get(name);
            if own.zip(client).is_some_and(|(own, client)| own != client) {
                return Err(TokenFault::AnswerDisagrees("client_id"));
            }
        }
        self.confirmation = Some(Rc::new(Confirmation {
            client: client
                .filter(|client| !client.is_empty())
                .map(str::to_owned),
            has_owner: said.contains_key("username"),
        }));
        let word = word(answer, now)?;
        Times::of_answer(said, word.1)?.check(rules.clock_skew, now)?;
        self.word = Some(word);
        Ok(self)
    }

    /// Whether the token would still be found good: the key that its signature is good under is
    /// still in use, the provider's word is still believed, and its times still hold. Everything
    /// else that was checked cannot change.
    pub fn still_holds(&self, keys: Option<&KeySet>, now: UnixSeconds) -> bool {
        // Which key a token means that names none, or one that has no name, depends on the others.
        let in_use = |signature: &Signature| {
            signature.names_its_key && keys.is_some_and(|keys| keys.contains(&signature.key))
        };
        self.signature.as_ref().is_none_or(in_use)
            && self
                .word
                .is_none_or(|(since, until)| since <= now && now < until)
            && self.times.check(self.clock_skew, now).is_ok()
    }

    /// Lets go of the claims, which take more memory than everything else.
    #[must_use]
    pub fn without_claims(mut self) -> Self {
        self.claims = Rc::default();
        self.confirmation = None;
        self
    }

    /// `iss`.
    pub const fn issuer(&self) -> &Rc<str> {
        &self.issuer
    }

    /// The one of the allowed audiences that `aud` holds; the first of several.
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Every claim.
    pub const fn claims(&self) -> &Rc<Map<String, Value>> {
        &self.claims
    }

    /// Whether the token says of itself that it keeps RFC 9068.
    pub const fn keeps_rfc_9068(&self) -> bool {
        self.keeps_rfc_9068
    }

    /// What an operator should know of the token, for the audit.
    pub const fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    /// The kind of the response that the claims come from; `None`: the token is signed, and they are
    /// its own.
    pub const fn response_kind(&self) -> Option<ResponseKind> {
        self.response_kind
    }

    /// What the provider said of the caller, if it was asked about a signed token.
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

    /// Who checked the signature, if there is one.
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
            .field("audience", &self.audience)
            .field("expires", &self.times.expires)
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id())
            .field("crypto_path", &self.crypto_path())
            .field("word", &self.word)
            .finish_non_exhaustive()
    }
}

/// Some providers know an opaque token by itself, and say so in `jti`, which is written to the audit.
fn without_token(claims: &Rc<Map<String, Value>>, token: &CompactToken) -> Rc<Map<String, Value>> {
    let mut claims = Rc::clone(claims);
    let id = claims.get("jti").and_then(Value::as_str);
    let token = token.expose();
    if id.is_some_and(|id| token.contains(id) || id.contains(token)) {
        Rc::make_mut(&mut claims).remove("jti");
    }
    claims
}

/// A userinfo answer speaks of a person. What looks there like a word on the token, its client and
/// what was granted is but a part of the person's profile.
fn without_words_on_the_token(claims: &Map<String, Value>) -> Rc<Map<String, Value>> {
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
    Rc::new(
        of_the_person
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

/// From when to when a provider's word is believed: no longer than the `exp` that it names itself,
/// to the second. It knows its own clock.
fn word(
    answer: &ActiveResponse,
    now: UnixSeconds,
) -> Result<(UnixSeconds, UnixSeconds), TokenFault> {
    let term = answer.term();
    let (since, mut until) = (term.since.to_seconds(), term.until.to_seconds());
    if let Some(expires) = numeric_date(answer.claims(), "exp")? {
        if now >= expires {
            return Err(TokenFault::Expired);
        }
        until = until.min(expires);
    }
    Ok((since, until))
}

/// What a token says that would hold, if its signature were good.
struct Unsigned<'c> {
    algorithm: Algorithm,
    told: kind::Told,
    audience: &'c str,
    times: Times,
}

/// Checks all that can be checked without a key.
fn check_unsigned<'c>(
    token: &'c UntrustedToken<'_>,
    rules: &TokenRules,
    now: UnixSeconds,
) -> Result<Unsigned<'c>, TokenFault> {
    let claims = token.claims();
    let algorithm = allowed_algorithm(token, rules)?;
    let told = kind::check(token, rules)?;
    if claims.contains_key("cnf") {
        return Err(TokenFault::SenderConstrained);
    }
    for name in ["sub", "jti"] {
        text(claims, name)?;
    }
    let audience = our_audience(claims, rules)?;
    let times = Times::read(claims)?;
    times.check(rules.clock_skew, now)?;
    Ok(Unsigned {
        algorithm,
        told,
        audience,
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

/// A claim that is a string where it is present.
fn text<'c>(
    claims: &'c Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'c str>, TokenFault> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(TokenFault::ClaimOfWrongType(name)),
    }
}

/// `aud` is a string or an array of strings, and one of them must be ours (RFC 7519 §4.1.3). Only
/// where it names nobody may another claim, which configuration names, stand for it: an `aud` that
/// names somebody has the last word. Ory Hydra writes an empty array for clients that ask for no
/// audience; an empty text and `null` name nobody either.
fn our_audience<'c>(
    claims: &'c Map<String, Value>,
    rules: &TokenRules,
) -> Result<&'c str, TokenFault> {
    let named = audiences(claims);
    if named.iter().all(|audience| *audience == "") {
        let name = rules.audience_claim.ok_or(TokenFault::AudienceMissing)?;
        let audience = text(claims, name)?.ok_or(TokenFault::AudienceMissing)?;
        let ours = rules.audiences.contains(audience);
        return ours.then_some(audience).ok_or(TokenFault::WrongAudience);
    }
    let mut ours = None;
    for value in named {
        let wrong_type = TokenFault::ClaimOfWrongType("aud");
        let audience = value.as_str().ok_or(wrong_type)?;
        if rules.audiences.contains(audience) {
            ours = ours.or(Some(audience));
        }
    }
    ours.ok_or(TokenFault::WrongAudience)
}

/// Finds the key that the signature is good under.
fn check_signature<'k>(
    token: &UntrustedToken<'_>,
    algorithm: Algorithm,
    rules: &TokenRules,
    keys: &'k KeySet,
    crypto: &dyn SignatureVerifier,
) -> Result<(&'k Rc<PublicKey>, Verification), TokenFault> {
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
