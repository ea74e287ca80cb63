#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop where its own numbers are wrong"
)]

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::Engine as _;
use serde_json::{json, Value};

use super::*;
use crate::crypto::{Algorithm, GuestCrypto};
use crate::mint::{jwk_set, mint, KeyKind, Mint};
use crate::token::{Issuers, TypRule};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const ISSUER: &str = "https://idp.example";
const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";

fn signer() -> &'static Mint {
    mint(KeyKind::Ed25519)
}

fn rules() -> TokenRules {
    TokenRules {
        issuers: Issuers::one(ISSUER),
        audiences: ["api".to_owned()].into(),
        audience_claim: None,
        algorithms: Algorithm::ALL.into(),
        clock_skew: Duration::from_secs(30),
        typ: TypRule::AnyAccessToken,
        client_claims: &[],
    }
}

fn own(kind: EventKind) -> EventRules {
    EventRules {
        kind,
        audiences: ["gate".to_owned()].into(),
        keep: Duration::from_secs(86_400),
    }
}

fn logout() -> Value {
    json!({
        "iss": ISSUER, "aud": "gate", "iat": NOW.0, "exp": NOW.0 + 120, "jti": "e-1",
        "sub": "u-17", "sid": "s-17", "events": {LOGOUT: {}},
    })
}

fn security(subject: &Value) -> Value {
    json!({
        "iss": ISSUER, "aud": ["gate"], "iat": NOW.0, "jti": "e-1", "sub_id": subject,
        "events": {SESSION_REVOKED: {"event_timestamp": NOW.0}},
    })
}

fn verify_as(header: &Value, kind: EventKind, claims: &Value) -> Result<VerifiedEvent, EventFault> {
    let token = signer().sign(header, claims);
    let keys = KeySet::parse(&jwk_set(&[signer().jwk("one")])).unwrap();
    let token = UntrustedToken::parse(&token)?;
    VerifiedEvent::verify(&token, (&rules(), &own(kind)), &keys, &GuestCrypto, NOW)
}

fn header(kind: EventKind) -> Value {
    let typ = match kind {
        EventKind::Logout => "logout+jwt",
        EventKind::Security => "secevent+jwt",
    };
    json!({"alg": "EdDSA", "kid": "one", "typ": typ})
}

fn verify(kind: EventKind, claims: &Value) -> Result<VerifiedEvent, EventFault> {
    verify_as(&header(kind), kind, claims)
}

/// The claims with some of them changed; `null` removes one.
fn with(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn ended(kind: EventKind, claims: &Value) -> Vec<(EndedBy, String)> {
    let event = verify(kind, claims).unwrap();
    event
        .ends
        .into_iter()
        .map(|end| (end.by, end.value))
        .collect()
}

fn pairs(list: &[(EndedBy, &str)]) -> Vec<(EndedBy, String)> {
    let list = list.iter();
    list.map(|(by, value)| (*by, (*value).to_owned())).collect()
}

#[test]
fn a_log_out_token_ends_its_session_or_all_sessions_of_its_subject() {
    use EndedBy::{Session, Subject, SubjectWithoutSession};
    for (changes, expected) in [
        (
            json!({}),
            pairs(&[(Session, "s-17"), (SubjectWithoutSession, "u-17")]),
        ),
        (json!({"sub": null}), pairs(&[(Session, "s-17")])),
        (json!({"sid": null}), pairs(&[(Subject, "u-17")])),
        (
            json!({"sid": null, "sub": "Caf\u{e9}"}),
            pairs(&[(Subject, "Caf\u{e9}")]),
        ),
    ] {
        let found = ended(EventKind::Logout, &with(logout(), &changes));
        assert_eq!(found, expected, "{changes}");
    }
}

/// Each is a forgery, a replay, or another kind of token that the same key signed.
#[test]
fn what_is_no_log_out_token_is_refused() {
    use EventFault::{Id, IssueMissing, Subject, Token, TooOld};
    let day = 86_400;
    for (changes, expected) in [
        (json!({"nonce": "n"}), Token(TokenFault::WrongType("nonce"))),
        (json!({"nonce": {}}), Token(TokenFault::WrongType("nonce"))),
        (
            json!({"events": null}),
            Token(TokenFault::WrongType("events")),
        ),
        (
            json!({"events": [LOGOUT]}),
            Token(TokenFault::WrongType("events")),
        ),
        (
            json!({"events": {}}),
            Token(TokenFault::WrongType("events")),
        ),
        (
            json!({"events": {LOGOUT: true}}),
            Token(TokenFault::WrongType("events")),
        ),
        (
            json!({"events": {SESSION_REVOKED: {}}}),
            Token(TokenFault::WrongType("events")),
        ),
        (json!({"aud": null}), Token(TokenFault::AudienceMissing)),
        (json!({"aud": []}), Token(TokenFault::AudienceMissing)),
        (json!({"aud": "api"}), Token(TokenFault::WrongAudience)),
        (json!({"aud": "GATE"}), Token(TokenFault::WrongAudience)),
        (
            json!({"aud": ["gate", 7]}),
            Token(TokenFault::ClaimOfWrongType("aud")),
        ),
        (json!({"jti": null}), Id),
        (json!({"jti": ""}), Id),
        (json!({"jti": "x".repeat(513)}), Id),
        (
            json!({"jti": 7}),
            Token(TokenFault::ClaimOfWrongType("jti")),
        ),
        (json!({"iat": null}), IssueMissing),
        (
            json!({"iat": NOW.0 + 31}),
            Token(TokenFault::IssuedInTheFuture),
        ),
        (json!({"iat": NOW.0 - 631, "exp": null}), TooOld),
        (json!({"iat": NOW.0 - 631, "exp": NOW.0 + day}), TooOld),
        (
            json!({"iat": "now"}),
            Token(TokenFault::ClaimOfWrongType("iat")),
        ),
        (json!({"exp": NOW.0 - 30}), Token(TokenFault::Expired)),
        (
            json!({"exp": "never"}),
            Token(TokenFault::ClaimOfWrongType("exp")),
        ),
        (json!({"nbf": NOW.0 + 31}), Token(TokenFault::NotYetValid)),
        (json!({"sub": null, "sid": null}), Subject),
        (json!({"sub": ""}), Subject),
        (json!({"sid": ""}), Subject),
        (
            json!({"sub": ["u-17"]}),
            Token(TokenFault::ClaimOfWrongType("sub")),
        ),
        (
            json!({"sid": 17}),
            Token(TokenFault::ClaimOfWrongType("sid")),
        ),
    ] {
        let found = verify(EventKind::Logout, &with(logout(), &changes));
        assert_eq!(found, Err(expected), "{changes}");
    }
    let good = json!({"iat": NOW.0 - 630, "exp": null});
    assert!(verify(EventKind::Logout, &with(logout(), &good)).is_ok());
}

#[test]
fn the_typ_of_the_header_tells_one_kind_from_the_other() {
    use EventKind::{Logout, Security};
    let subject = json!({"format": "iss_sub", "iss": ISSUER, "sub": "u-17"});
    for (typ, logs_out, is_event) in [
        (json!("logout+jwt"), true, false),
        (json!("application/LOGOUT+jwt"), true, false),
        (json!("JWT"), true, false),
        (Value::Null, true, false),
        (json!("secevent+jwt"), false, true),
        (json!("application/secevent+jwt"), false, true),
        (json!("at+jwt"), false, false),
        (json!("dpop+jwt"), false, false),
    ] {
        let header = with(header(Logout), &json!({"typ": typ}));
        let wrong = Err(EventFault::Token(TokenFault::WrongType("typ")));
        let found = verify_as(&header, Logout, &logout());
        assert_eq!(found.is_ok(), logs_out, "{typ}");
        assert!(logs_out || found == wrong, "{typ} {found:?}");
        let found = verify_as(&header, Security, &security(&subject));
        assert_eq!(found.is_ok(), is_event, "{typ}");
        assert!(is_event || found == wrong, "{typ} {found:?}");
    }
}

#[test]
fn an_event_is_signed_with_a_key_and_an_algorithm_of_the_provider() {
    let keys = KeySet::parse(&jwk_set(&[signer().jwk("one")])).unwrap();
    let token = signer().sign(&header(EventKind::Logout), &logout());
    let (_, rest) = token.split_once('.').unwrap();
    for algorithm in ["none", "HS256", "eddsa"] {
        let header = json!({"alg": algorithm, "kid": "one", "typ": "logout+jwt"});
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let token = format!("{header}.{rest}");
        let token = UntrustedToken::parse(&token).unwrap();
        let own = own(EventKind::Logout);
        let found = VerifiedEvent::verify(&token, (&rules(), &own), &keys, &GuestCrypto, NOW);
        let fault = found.unwrap_err();
        let is_named = matches!(fault, EventFault::Token(TokenFault::AlgorithmNotAllowed(_)));
        assert!(is_named, "{algorithm} {fault:?}");
        assert_eq!(fault.error(), "invalid_key");
    }
    let keys = KeySet::parse(&jwk_set(&[mint(KeyKind::P256).jwk("one")])).unwrap();
    let token = signer().sign(&header(EventKind::Logout), &logout());
    let token = UntrustedToken::parse(&token).unwrap();
    let own = own(EventKind::Logout);
    let found = VerifiedEvent::verify(&token, (&rules(), &own), &keys, &GuestCrypto, NOW);
    assert_eq!(found, Err(EventFault::Token(TokenFault::NoKeyFits)));
    let keys = KeySet::parse(&jwk_set(&[signer().jwk("one")])).unwrap();
    let whole = signer().sign(&header(EventKind::Logout), &logout());
    let other = signer().sign(
        &header(EventKind::Logout),
        &with(logout(), &json!({"sub": "u-18"})),
    );
    let (claims, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = whole.rsplit_once('.').unwrap();
    let forged = format!("{claims}.{signature}");
    let token = UntrustedToken::parse(&forged).unwrap();
    let found = VerifiedEvent::verify(&token, (&rules(), &own), &keys, &GuestCrypto, NOW);
    assert_eq!(found, Err(EventFault::Token(TokenFault::BadSignature)));
}

#[test]
fn a_security_event_ends_the_tokens_of_its_subject() {
    use EndedBy::{Email, Session, Subject, SubjectWithoutSession, TokenId};
    let user = json!({"format": "iss_sub", "iss": ISSUER, "sub": "u-17"});
    let session = json!({"format": "opaque", "id": "s-17"});
    for (subject, expected) in [
        (user.clone(), pairs(&[(Subject, "u-17")])),
        (
            session.clone(),
            pairs(&[(Session, "s-17"), (Subject, "s-17")]),
        ),
        (
            json!({"format": "email", "email": "Ada@Example.com"}),
            pairs(&[(Email, "ada@example.com")]),
        ),
        (
            json!({"format": "jwt_id", "iss": ISSUER, "jti": "t-1"}),
            pairs(&[(TokenId, "t-1")]),
        ),
        (
            json!({"format": "complex", "user": user, "session": session}),
            pairs(&[(SubjectWithoutSession, "u-17"), (Session, "s-17")]),
        ),
        (
            json!({"format": "complex", "user": user, "device": {"format": "opaque", "id": "d"}}),
            pairs(&[(Subject, "u-17")]),
        ),
        (json!({"session": session}), pairs(&[(Session, "s-17")])),
    ] {
        let found = ended(EventKind::Security, &security(&subject));
        assert_eq!(found, expected, "{subject}");
        // As drafts of the framework had it.
        let mut before = with(security(&subject), &json!({"sub_id": null}));
        before["events"][SESSION_REVOKED]["subject"] = subject;
        assert_eq!(ended(EventKind::Security, &before), expected, "{before}");
    }
    for name in ENDING {
        let mut event = security(&user);
        event["events"] = json!({name: {}});
        assert_eq!(
            ended(EventKind::Security, &event),
            pairs(&[(Subject, "u-17")])
        );
    }
}

/// A transmitter must learn that nothing was revoked.
#[test]
fn a_subject_that_the_gate_cannot_find_is_refused() {
    let user = json!({"format": "iss_sub", "iss": ISSUER, "sub": "u-17"});
    for subject in [
        Value::Null,
        json!("u-17"),
        json!([]),
        json!({}),
        json!({"format": "iss_sub", "iss": ISSUER}),
        json!({"format": "iss_sub", "iss": "https://other.example", "sub": "u-17"}),
        json!({"format": "iss_sub", "iss": ISSUER, "sub": ""}),
        json!({"format": "iss_sub", "iss": ISSUER, "sub": 17}),
        json!({"format": "phone_number", "phone_number": "+1"}),
        json!({"format": "opaque"}),
        json!({"format": "complex", "tenant": {"format": "opaque", "id": "t"}}),
        json!({"format": "complex", "user": {"format": "complex", "user": user}}),
        json!({"format": "complex", "user": {"sub": "u-17"}}),
        json!({"format": "complex", "user": user, "session": {"format": "iss_sub", "id": "s"}}),
        json!({"format": "complex", "user": user, "session": {}}),
        json!({"format": 7, "user": "u"}),
    ] {
        let found = verify(EventKind::Security, &security(&subject));
        assert_eq!(found, Err(EventFault::Subject), "{subject}");
    }
}

#[test]
fn events_that_end_nothing_are_acknowledged() {
    for name in [
        "https://schemas.openid.net/secevent/ssf/event-type/verification",
        "https://schemas.openid.net/secevent/caep/event-type/credential-change",
        LOGOUT,
    ] {
        let event = with(
            security(&Value::Null),
            &json!({"events": {name: {"state": "x"}}}),
        );
        assert_eq!(ended(EventKind::Security, &event), pairs(&[]));
    }
    for events in [json!({}), json!({SESSION_REVOKED: 1}), json!("x")] {
        let event = with(security(&Value::Null), &json!({"events": events}));
        let expected = EventFault::Token(TokenFault::WrongType("events"));
        assert_eq!(
            verify(EventKind::Security, &event),
            Err(expected),
            "{events}"
        );
    }
}

/// A transmitter repeats what it could not deliver for hours (RFC 8935 §4), and a revocation that is
/// refused for its age would never count.
#[test]
fn a_security_event_may_be_as_old_as_it_would_count() {
    let user = json!({"format": "iss_sub", "iss": ISSUER, "sub": "u-17"});
    for (age, expected) in [(86_430, Ok(())), (86_431, Err(EventFault::TooOld))] {
        let event = with(security(&user), &json!({"iat": NOW.0 - age}));
        let found = verify(EventKind::Security, &event).map(|_| ());
        assert_eq!(found, expected, "{age}");
    }
}
