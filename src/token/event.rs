//! Security event tokens (RFC 8417): log-out tokens (OpenID Connect Back-Channel Logout 1.0), and events
//! of the Shared Signals Framework (OpenID SSF 1.0, CAEP 1.0, RISC 1.0).
//!
//! They are signed with the keys of access tokens. So neither may ever count as the other (RFC 8725 §3.11):
//! an access token has no `events`, and a token with `events` is no access token.

use std::collections::BTreeSet;
use std::time::Duration;

use super::claims::{audiences, text};
use super::kind::is_media_type;
use super::numeric_date::numeric_date;
use super::verified::{allowed_algorithm, check_signature};
use super::{TokenFault, TokenRules, UntrustedToken};
use crate::crypto::{KeySet, SignatureVerifier};
use crate::formats::json::{Object, Value};
use crate::time::UnixSeconds;

/// The longest id of an event.
const MAX_ID_BYTES: usize = 512;

/// How long a log-out token may be on its way. It is sent at once, and should expire within two minutes
/// (Back-Channel Logout §2.4).
const LONGEST_LOGOUT: Duration = Duration::from_secs(10 * 60);

/// The member of `events` that makes a log-out token.
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The events that end the sessions of their subject. All others are acknowledged, and change nothing.
const ENDING: [&str; 4] = [
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
    "https://schemas.openid.net/secevent/risc/event-type/sessions-revoked",
    "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
    "https://schemas.openid.net/secevent/risc/event-type/account-purged",
];

/// What a provider sends to an endpoint of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Log-out tokens.
    Logout,
    /// Security events.
    Security,
}

/// The rules for the events of a provider, beside those for all of its tokens.
#[derive(Clone, Debug)]
pub struct EventRules {
    /// What is sent.
    pub kind: EventKind,
    /// `aud` must have one of these. Never empty.
    pub audiences: BTreeSet<String>,
    /// How long a revocation is kept. An older event would have no effect.
    pub keep: Duration,
}

/// An event that passed all checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedEvent {
    /// `jti`.
    pub id: String,
    /// `iat`.
    pub issued: UnixSeconds,
    /// Until when the token is accepted.
    pub accepted_until: UnixSeconds,
    /// The tokens that it ends. None: it is an event that ends nothing.
    pub ends: Vec<Ended>,
}

/// The tokens that an event ends, by what they have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which claim.
    pub by: EndedBy,
    /// Its value.
    pub value: String,
}

/// The claim by which an event names tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// `sid`.
    Session,
    /// `sub`.
    Subject,
    /// `sub` of a token without `sid`: it may be of the session that ended.
    SubjectWithoutSession,
    /// `jti`.
    TokenId,
    /// `email`, in lower case.
    Email,
}

/// Why an event is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFault {
    /// Expected a token that passes the checks of every token of the provider.
    Token(TokenFault),
    /// Expected an issuer of the provider that the endpoint is for.
    Issuer,
    /// Expected the media type and the one parameter of the specification.
    Form,
    /// Expected an `iat` (Back-Channel Logout §2.4, RFC 8417 §2.2).
    IssueMissing,
    /// Expected an event of the last minutes; a security event of the time for which it would count.
    TooOld,
    /// Expected a `jti` of a sensible length (RFC 8417 §2.2).
    Id,
    /// Expected a log-out token that did not come before (Back-Channel Logout §2.6).
    Replayed,
    /// Expected a subject: `sub` or `sid`, or a format of RFC 9493 that the gate knows.
    Subject,
}

impl EventFault {
    /// The name in the audit record, apart from those of tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Issuer => "issuer",
            Self::Form => "form",
            Self::IssueMissing => "iat",
            Self::TooOld => "too_old",
            Self::Id => "jti",
            Self::Replayed => "replayed",
            Self::Subject => "subject",
        }
    }

    /// The code for the transmitter (RFC 8935 §2.4).
    pub const fn error(self) -> &'static str {
        match self {
            Self::Issuer => "invalid_issuer",
            Self::Token(TokenFault::AudienceMissing | TokenFault::WrongAudience) => {
                "invalid_audience"
            }
            Self::Token(
                TokenFault::AlgorithmNotAllowed(_)
                | TokenFault::UnknownKeyId(_)
                | TokenFault::RevokedKey
                | TokenFault::NoKeyFits
                | TokenFault::KeyOfAnotherIssuer
                | TokenFault::BadSignature,
            ) => "invalid_key",
            _ => "invalid_request",
        }
    }
}

impl From<TokenFault> for EventFault {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl VerifiedEvent {
    /// Verifies an event by the rules and keys of the provider that its issuer belongs to, which the
    /// caller has found out. The signature is checked last, because nothing else is costly.
    pub fn verify(
        token: &UntrustedToken<'_>,
        (rules, own): (&TokenRules, &EventRules),
        keys: &KeySet,
        crypto: &dyn SignatureVerifier,
        now: UnixSeconds,
    ) -> Result<Self, EventFault> {
        let event = Self::check_without_keys(token, (rules, own), now)?;
        let algorithm = allowed_algorithm(token, rules)?;
        check_signature(token, algorithm, rules, keys, crypto)?;
        Ok(event)
    }

    /// Checks all that needs no key. What it returns is not verified.
    pub fn check_without_keys(
        token: &UntrustedToken<'_>,
        (rules, own): (&TokenRules, &EventRules),
        now: UnixSeconds,
    ) -> Result<Self, EventFault> {
        let claims = token.claims();
        allowed_algorithm(token, rules)?;
        let is_logout = own.kind == EventKind::Logout;
        check_typ(token.typ(), own.kind)?;
        // An ID token must never pass as a log-out token (Back-Channel Logout §2.6).
        if claims.contains_key("nonce") {
            return Err(TokenFault::WrongType("nonce").into());
        }
        let Some(Value::Object(events)) = claims.get("events") else {
            return Err(TokenFault::WrongType("events").into());
        };
        check_audience(claims, &own.audiences)?;
        let id = text(claims, "jti").map_err(TokenFault::from)?;
        let id = id.filter(|id| (1..=MAX_ID_BYTES).contains(&id.len()));
        let id = id.ok_or(EventFault::Id)?.to_owned();
        let longest = if is_logout { LONGEST_LOGOUT } else { own.keep };
        let (issued, accepted_until) = check_times(claims, rules.clock_skew, longest, now)?;
        let ends = if is_logout {
            ended_by_logout(claims, events)?
        } else {
            ended_by_event(token, rules, events)?
        };
        Ok(Self {
            id,
            issued,
            accepted_until,
            ends,
        })
    }
}

/// Log-out tokens should have a `typ` of their own, and of some providers do not (Back-Channel Logout
/// §2.4); `events` tells them from others. Security events must have theirs (SSF §4.1.6).
fn check_typ(typ: Option<&str>, kind: EventKind) -> Result<(), TokenFault> {
    let is = |kind: &str| typ.is_some_and(|typ| is_media_type(typ, kind));
    let is_good = match kind {
        EventKind::Logout => typ.is_none() || is("jwt") || is("logout+jwt"),
        EventKind::Security => is("secevent+jwt"),
    };
    is_good.then_some(()).ok_or(TokenFault::WrongType("typ"))
}

fn check_audience(claims: Object<'_>, wanted: &BTreeSet<String>) -> Result<(), TokenFault> {
    let named = audiences(claims);
    if named.is_empty() {
        return Err(TokenFault::AudienceMissing);
    }
    let mut found = false;
    for value in named.iter() {
        let wrong_type = TokenFault::ClaimOfWrongType("aud");
        found |= wanted.contains(value.as_str().ok_or(wrong_type)?);
    }
    found.then_some(()).ok_or(TokenFault::WrongAudience)
}

/// Checks `iat`, and `exp` and `nbf` if they are there.
fn check_times(
    claims: Object<'_>,
    skew: Duration,
    longest: Duration,
    now: UnixSeconds,
) -> Result<(UnixSeconds, UnixSeconds), EventFault> {
    let issued = numeric_date(claims, "iat")?.ok_or(EventFault::IssueMissing)?;
    let latest_now = now.saturating_add(skew);
    if issued > latest_now {
        return Err(TokenFault::IssuedInTheFuture.into());
    }
    let accepted_until = issued.saturating_add(longest).saturating_add(skew);
    if now > accepted_until {
        return Err(EventFault::TooOld);
    }
    if numeric_date(claims, "exp")?.is_some_and(|expires| now >= expires.saturating_add(skew)) {
        return Err(TokenFault::Expired.into());
    }
    if numeric_date(claims, "nbf")?.is_some_and(|moment| moment > latest_now) {
        return Err(TokenFault::NotYetValid.into());
    }
    Ok((issued, accepted_until))
}

fn ended_by_logout(claims: Object<'_>, events: Object<'_>) -> Result<Vec<Ended>, EventFault> {
    if !matches!(events.get(LOGOUT), Some(Value::Object(_))) {
        return Err(TokenFault::WrongType("events").into());
    }
    let claim = |name| {
        let value = text(claims, name).map_err(TokenFault::from)?;
        // An empty one would stand for all callers that have none.
        match value {
            Some("") => Err(EventFault::Subject),
            value => Ok(value),
        }
    };
    let ends = of_session(claim("sid")?, claim("sub")?);
    if ends.is_empty() {
        return Err(EventFault::Subject);
    }
    Ok(ends)
}

/// The tokens of one session of a subject, or without a session those of the subject.
fn of_session(session: Option<&str>, subject: Option<&str>) -> Vec<Ended> {
    let by_subject = if session.is_some() {
        EndedBy::SubjectWithoutSession
    } else {
        EndedBy::Subject
    };
    let mut ends = Vec::new();
    for (by, value) in [(EndedBy::Session, session), (by_subject, subject)] {
        ends.extend(value.map(|value| Ended::new(by, value)));
    }
    ends
}

fn ended_by_event(
    token: &UntrustedToken<'_>,
    rules: &TokenRules,
    events: Object<'_>,
) -> Result<Vec<Ended>, EventFault> {
    // RFC 8417 §2.2: a statement has at least one event, which is an object.
    let mut members = events.members().map(|(_, event)| event);
    if events.is_empty() || !members.all(|event| matches!(event, Value::Object(_))) {
        return Err(TokenFault::WrongType("events").into());
    }
    let Some(event) = ENDING.iter().find_map(|name| events.get(name)) else {
        return Ok(Vec::new());
    };
    // Before SSF 1.0 the subject was in the event.
    let subject = token
        .claims()
        .get("sub_id")
        .or_else(|| event.get("subject"));
    let is_issuer =
        |issuer: &str| issuer == token.claimed_issuer() || rules.issuers.contains(issuer);
    let ends = subject.and_then(|subject| subjects(subject, &is_issuer));
    ends.ok_or(EventFault::Subject)
}

/// The tokens of a subject (RFC 9493). `None`: the gate cannot say which they are.
fn subjects(subject: Value<'_>, is_issuer: &dyn Fn(&str) -> bool) -> Option<Vec<Ended>> {
    let member = |name: &str| {
        let text = subject.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let of_issuer = || member("iss").filter(|issuer| is_issuer(issuer));
    match member("format") {
        Some("iss_sub") => {
            of_issuer()?;
            Some(vec![Ended::new(EndedBy::Subject, member("sub")?)])
        }
        Some("jwt_id") => {
            of_issuer()?;
            Some(vec![Ended::new(EndedBy::TokenId, member("jti")?)])
        }
        Some("email") => {
            let address = member("email")?.to_ascii_lowercase();
            Some(vec![Ended::new(EndedBy::Email, &address)])
        }
        // Only the provider knows what it names: a session, as in the examples of CAEP, or a subject.
        Some("opaque") => {
            let id = member("id")?;
            Some(vec![
                Ended::new(EndedBy::Session, id),
                Ended::new(EndedBy::Subject, id),
            ])
        }
        Some("complex") | None => {
            let session = subject.get("session").map(|session| {
                let is_opaque = session.get("format").and_then(Value::as_str) == Some("opaque");
                let id = session.get("id").and_then(Value::as_str);
                id.filter(|id| is_opaque && !id.is_empty())
            });
            let mut ends = match subject.get("user") {
                None => Vec::new(),
                // A subject within a subject is a plain one.
                Some(user) => {
                    let format = user.get("format").and_then(Value::as_str);
                    format.filter(|format| *format != "complex")?;
                    subjects(user, is_issuer)?
                }
            };
            // Without one, all sessions of the user.
            if let Some(session) = session {
                for end in &mut ends {
                    if end.by == EndedBy::Subject {
                        end.by = EndedBy::SubjectWithoutSession;
                    }
                }
                ends.push(Ended::new(EndedBy::Session, session?));
            }
            (!ends.is_empty()).then_some(ends)
        }
        Some(_) => None,
    }
}

impl Ended {
    fn new(by: EndedBy, value: &str) -> Self {
        Self {
            by,
            value: value.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
