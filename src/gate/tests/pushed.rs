//! Events of providers, from the request to what they end.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop where its own numbers are wrong"
)]

use serde_json::Value;

use super::*;
use crate::facts::SharedMemory;

pub(super) const NOW: u64 = START.0 / 1000;
const LOGOUT: &str = "/n8n-idp-gate/logout/idp";
const EVENTS: &str = "/in/events";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const SET: &str = "application/secevent+jwt";

/// A host that holds one body.
struct Body<'b>(&'b [u8]);

impl HeldBodies for Body<'_> {
    fn read(&self, _: WaiterId, length: usize) -> Option<Vec<u8>> {
        self.0.get(..length).map(<[u8]>::to_vec)
    }
}

fn worker() -> Gate {
    let key = json!({"keys": [mint(KeyKind::Ed25519).jwk("one")]});
    let configuration = json!({
        "providers": [
            {"name": "idp", "issuer": "https://idp.example", "audiences": ["api"], "jwks": key,
                "logout": {"audience": ["portal", "gate"]},
                "events": {"audience": "https://n8n.example.com/", "path": EVENTS}},
            {"name": "other", "issuer": "https://other.example", "audiences": ["api"], "jwks": key,
                "logout": {"audience": "gate"}},
            {"name": "silent", "issuer": "https://silent.example", "audiences": ["api"], "jwks": key},
        ],
        "principals": [{"name": "app", "match": {"any": true}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
        "webhooks": [{"path": "/webhook/**", "auth": "bearer"}],
        "sharing_secret": {"env": "SHARING"},
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &LongSecret);
    let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
    Gate::new(loaded.policy, Box::new(GuestCrypto))
}

struct LongSecret;

impl config::Environment for LongSecret {
    fn secret(&self, _: &str) -> Option<Secret> {
        Some(Secret::new("the-secret-of-all-workers".to_owned()))
    }
}

pub(super) fn sign(typ: &str, claims: &Value) -> String {
    let header = json!({"alg": "EdDSA", "kid": "one", "typ": typ});
    mint(KeyKind::Ed25519).sign(&header, claims)
}

pub(super) fn with(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone());
        }
    }
    claims
}

/// The claims of an access token that was issued a minute ago.
pub(super) fn access(changes: &Value) -> Value {
    let claims = json!({"iss": "https://idp.example", "aud": "api", "sub": "u-17", "azp": "portal",
        "sid": "s-17", "jti": "t-1", "iat": NOW.saturating_sub(60),
        "exp": NOW.saturating_add(3600)});
    with(claims, changes)
}

pub(super) fn logout(id: &str, changes: &Value) -> Value {
    let claims = json!({"iss": "https://idp.example", "aud": "gate", "sub": "u-17", "sid": "s-17",
        "iat": NOW, "exp": NOW.saturating_add(120), "jti": id,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
    with(claims, changes)
}

pub(super) fn form(claims: &Value) -> String {
    format!("logout_token={}", sign("logout+jwt", claims))
}

pub(super) struct Answer {
    pub(super) reply: LocalReply,
    pub(super) audit: Value,
}

impl Answer {
    fn reason(&self) -> &str {
        let reason = self.audit.get("reason").and_then(Value::as_str);
        reason.unwrap_or("accepted")
    }

    fn fault(&self) -> Option<&str> {
        self.audit.get("fault").and_then(Value::as_str)
    }
}

fn answer(step: Step) -> Answer {
    let Step::Settled(settled) = step else {
        panic!("waits");
    };
    let audit = serde_json::from_str(&settled.audit()).unwrap();
    match settled.action() {
        Action::Reply(_, reply) => Answer {
            reply: reply.clone(),
            audit,
        },
        Action::Continue(_) => panic!("let through: {audit}"),
    }
}

pub(super) fn post(
    gate: &mut Gate,
    memory: &dyn SharedMemory,
    (path, media_type, body): (&str, &str, &str),
) -> Answer {
    let length = body.len().to_string();
    let pairs = [
        (":method", "POST"),
        (":path", path),
        (":authority", "n8n.example.com"),
        ("content-type", media_type),
        ("content-length", &length),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let host = HostView {
        now: START,
        memory,
        bodies: &Body(body.as_bytes()),
        connections: &NoBodies,
    };
    let body = RequestBody::Whole(body.len());
    let request = (RequestHead::new(pairs.to_vec()), body);
    answer(gate.request_from(WaiterId(1), request, &host, || None))
}

/// What comes of a request with an access token: `forward`, or the reason of its refusal.
fn call_with(gate: &mut Gate, memory: &dyn SharedMemory, claims: &Value) -> String {
    let token = sign("at+jwt", claims);
    let host = HostView {
        now: START,
        memory,
        bodies: &NoBodies,
        connections: &NoBodies,
    };
    let mut results = Vec::new();
    for path in ["/api/v1/workflows", "/webhook/orders"] {
        let request = (bearing(path, &token), RequestBody::None);
        let Step::Settled(settled) = gate.request_from(WaiterId(1), request, &host, || None) else {
            panic!("waits");
        };
        results.push(match &settled.decision.outcome {
            Outcome::Reject(reason) => reason.as_str().to_owned(),
            other => other.as_str().to_owned(),
        });
    }
    results.dedup();
    results.join(", ")
}

#[test]
fn a_log_out_ends_the_tokens_of_its_session_in_every_worker() {
    let memory = host::Memory::default();
    let [mut one, mut two, mut three] = [(); 3].map(|()| worker());
    let tokens = [
        (json!({}), "token_revoked"),
        (json!({"iat": NOW.saturating_add(20)}), "token_revoked"),
        (json!({"iat": null}), "token_revoked"),
        // It may be of the session: it does not say.
        (json!({"sid": null}), "token_revoked"),
        (
            json!({"sid": null, "iat": NOW.saturating_add(30)}),
            "token_revoked",
        ),
        (json!({"sid": "s-18"}), "forward"),
        (json!({"sid": "S-17"}), "forward"),
        (json!({"sid": "s-17 "}), "forward"),
        (json!({"sid": "s-18", "sub": "u-18"}), "forward"),
        (json!({"iss": "https://other.example"}), "forward"),
        (json!({"iss": "https://silent.example"}), "forward"),
    ];
    for (changes, _) in &tokens {
        for gate in [&mut one, &mut two] {
            assert_eq!(
                call_with(gate, &memory, &access(changes)),
                "forward",
                "{changes}"
            );
        }
    }
    let body = form(&logout("e-1", &json!({})));
    let Answer { reply, audit } = post(&mut one, &memory, (LOGOUT, FORM, &body));
    assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{audit}");
    assert_eq!(reply.headers, [("cache-control", "no-store".into())]);
    for (name, value) in [
        ("decision", "respond"),
        ("surface", "gate"),
        ("operation", "logout"),
        ("provider", "idp"),
    ] {
        assert_eq!(audit.get(name), Some(&json!(value)), "{audit}");
    }
    // The first two have the tokens in their caches, and the third one has never seen them.
    for (changes, expected) in &tokens {
        for gate in [&mut one, &mut two, &mut three] {
            assert_eq!(
                call_with(gate, &memory, &access(changes)),
                *expected,
                "{changes}"
            );
        }
    }
    // Who logs in again gets tokens of another session.
    let again = json!({"sid": "s-19", "iat": NOW.saturating_add(5)});
    assert_eq!(call_with(&mut two, &memory, &access(&again)), "forward");
}

#[test]
fn a_log_out_without_a_session_ends_all_tokens_that_its_subject_had() {
    let memory = host::Memory::default();
    let mut gate = worker();
    let body = form(&logout("e-1", &json!({"sid": null})));
    assert_eq!(
        post(&mut gate, &memory, (LOGOUT, FORM, &body)).reply.status,
        200
    );
    for (changes, expected) in [
        (json!({}), "token_revoked"),
        (json!({"sid": "s-18"}), "token_revoked"),
        (json!({"sid": null}), "token_revoked"),
        // `clock_skew` of the provider is 30 seconds.
        (json!({"iat": NOW.saturating_add(30)}), "token_revoked"),
        (json!({"sub": "U-17"}), "forward"),
        (json!({"sub": "s-17"}), "forward"),
        (json!({"iss": "https://other.example"}), "forward"),
    ] {
        assert_eq!(
            call_with(&mut gate, &memory, &access(&changes)),
            expected,
            "{changes}"
        );
    }
}

#[test]
fn a_log_out_token_counts_once() {
    let memory = host::Memory::default();
    let [mut one, mut two] = [(); 2].map(|()| worker());
    let body = form(&logout("e-1", &json!({})));
    assert_eq!(
        post(&mut one, &memory, (LOGOUT, FORM, &body)).reply.status,
        200
    );
    for gate in [&mut one, &mut two] {
        let again = post(gate, &memory, (LOGOUT, FORM, &body));
        assert_eq!((again.reply.status, again.fault()), (400, Some("replayed")));
    }
    // An id is unique for its provider.
    let other = form(&logout("e-1", &json!({"iss": "https://other.example"})));
    let path = "/n8n-idp-gate/logout/other";
    assert_eq!(
        post(&mut two, &memory, (path, FORM, &other)).reply.status,
        200
    );
}

/// No request without a good signature may leave anything behind, and none of another kind may count.
#[test]
fn what_is_no_event_of_the_provider_is_refused_and_stores_nothing() {
    let memory = host::Memory::default();
    let mut gate = worker();
    let good = logout("e-1", &json!({}));
    let token = sign("logout+jwt", &good);
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    let as_access = sign("at+jwt", &access(&json!({})));
    let long = "x".repeat(65_537);
    for (media_type, body, status, fault) in [
        (
            FORM,
            form(&logout("e", &json!({"iss": "https://other.example"}))),
            400,
            Some("issuer"),
        ),
        (
            FORM,
            form(&logout("e", &json!({"iss": "https://evil.example"}))),
            400,
            Some("issuer"),
        ),
        (
            FORM,
            form(&logout("e", &json!({"aud": "api"}))),
            400,
            Some("wrong_audience"),
        ),
        (
            FORM,
            form(&logout("e", &json!({"nonce": "n"}))),
            400,
            Some("wrong_type"),
        ),
        (
            FORM,
            format!("logout_token={as_access}"),
            400,
            Some("wrong_type"),
        ),
        (
            FORM,
            format!("logout_token={unsigned}.AAAA"),
            400,
            Some("bad_signature"),
        ),
        (
            FORM,
            format!("logout_token={unsigned}."),
            400,
            Some("not_a_jws"),
        ),
        (
            FORM,
            format!("logout_token={token}&logout_token={token}"),
            400,
            Some("form"),
        ),
        (FORM, format!("LOGOUT_TOKEN={token}"), 400, Some("form")),
        (FORM, token.clone(), 400, Some("form")),
        (FORM, String::new(), 400, Some("form")),
        (FORM, "logout_token=%ff".to_owned(), 400, Some("form")),
        (
            FORM,
            format!("logout_token={}", "x".repeat(20_000)),
            400,
            Some("too_long"),
        ),
        ("application/json", form(&good), 400, Some("form")),
        ("", form(&good), 400, Some("form")),
        (FORM, long, 413, None),
    ] {
        let answer = post(&mut gate, &memory, (LOGOUT, media_type, &body));
        let shown = answer.audit.to_string();
        assert_eq!(
            (answer.reply.status, answer.fault()),
            (status, fault),
            "{shown}"
        );
        if status == 400 {
            assert_eq!(answer.reason(), "event_refused");
            let document: Value = serde_json::from_str(&answer.reply.body).unwrap();
            let error = document.get("error").and_then(Value::as_str).unwrap();
            assert!(error.starts_with("invalid_"), "{document}");
            assert_eq!(document.get("err"), document.get("error"));
            assert!(document.get("description").is_some(), "{document}");
        }
    }
    assert!(
        memory.is_empty(),
        "nothing is stored for a client without a key"
    );
    assert_eq!(
        call_with(&mut gate, &memory, &access(&json!({}))),
        "forward"
    );
}

#[test]
fn no_token_is_taken_for_one_of_another_kind() {
    let memory = host::Memory::default();
    let mut gate = worker();
    let both = with(
        logout("e-1", &json!({})),
        &json!({"aud": ["gate", "api"], "azp": "portal"}),
    );
    for typ in ["logout+jwt", "secevent+jwt", "at+jwt", "JWT"] {
        let token = sign(typ, &both);
        let request = (bearing("/api/v1/workflows", &token), RequestBody::None);
        let host = HostView {
            now: START,
            memory: &memory,
            bodies: &NoBodies,
            connections: &NoBodies,
        };
        let step = gate.request_from(WaiterId(1), request, &host, || None);
        assert_eq!(answer(step).reason(), "wrong_type", "{typ}");
    }
}

#[test]
fn an_endpoint_is_there_for_post_alone_and_under_its_own_path() {
    let mut gate = worker();
    for (method, path, expected) in [
        ("GET", LOGOUT, "event_method"),
        ("PUT", EVENTS, "event_method"),
        ("GET", "/n8n-idp-gate/logout/IDP", "pass"),
        ("GET", "/n8n-idp-gate/logout/idp/", "pass"),
        ("GET", "/n8n-idp-gate/logout/silent", "pass"),
        ("GET", "/n8n-idp-gate/events/idp", "pass"),
    ] {
        let pairs = [
            (":method", method),
            (":path", path),
            (":authority", "n8n.example.com"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let step = gate.request(WaiterId(1), RequestHead::new(pairs.to_vec()), START);
        let Step::Settled(settled) = step else {
            panic!("waits");
        };
        let found = match &settled.decision.outcome {
            Outcome::Reject(reason) => reason.as_str(),
            other => other.as_str(),
        };
        assert_eq!(found, expected, "{method} {path}");
    }
}

pub(super) fn set(id: &str, subject: &Value, changes: &Value) -> String {
    let claims = json!({"iss": "https://idp.example", "aud": "https://n8n.example.com/",
        "iat": NOW, "jti": id, "sub_id": subject, "events": {
        "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}}});
    sign("secevent+jwt", &with(claims, changes))
}

#[test]
fn a_security_event_ends_the_tokens_of_its_subject() {
    let user = json!({"format": "iss_sub", "iss": "https://idp.example", "sub": "u-17"});
    let session = json!({"format": "opaque", "id": "s-17"});
    let email = json!({"format": "email", "email": "ada@example.com"});
    let token = json!({"format": "jwt_id", "iss": "https://idp.example", "jti": "t-1"});
    let email_claim = json!({"email": "Ada@example.com", "sub": "u-18", "sid": null});
    let other = json!({"sub": "u-18", "sid": "s-18", "jti": "t-2"});
    for (subject, changes, expected) in [
        (&user, &json!({}), "token_revoked"),
        (&user, &json!({"sid": null}), "token_revoked"),
        (&user, &other, "forward"),
        (&session, &json!({}), "token_revoked"),
        (&session, &other, "forward"),
        (&email, &email_claim, "token_revoked"),
        (&email, &other, "forward"),
        (&token, &json!({"sub": "u-18"}), "token_revoked"),
        (&token, &other, "forward"),
    ] {
        let memory = host::Memory::default();
        let [mut one, mut two] = [(); 2].map(|()| worker());
        // Also with the blanks that some programs end a body with.
        let body = format!("{}\r\n", set("e-1", subject, &json!({})));
        for _ in 0..2 {
            // A transmitter that got no response sends it again, and it changes nothing.
            let answer = post(&mut one, &memory, (EVENTS, SET, &body));
            assert_eq!(answer.reply.status, 202, "{}", answer.audit);
            assert_eq!(answer.reply.body, "");
        }
        let found = call_with(&mut two, &memory, &access(changes));
        assert_eq!(found, expected, "{subject} {changes}");
    }
}

#[test]
fn a_security_event_that_is_not_good_is_refused_with_the_code_of_its_fault() {
    let memory = host::Memory::default();
    let mut gate = worker();
    let user = json!({"format": "iss_sub", "iss": "https://idp.example", "sub": "u-17"});
    let good = set("e-1", &user, &json!({}));
    for (media_type, body, err, fault) in [
        (FORM, good.clone(), "invalid_request", "form"),
        ("application/jwt", good, "invalid_request", "form"),
        (
            SET,
            set("e", &user, &json!({"iss": "https://other.example"})),
            "invalid_issuer",
            "issuer",
        ),
        (
            SET,
            set("e", &user, &json!({"aud": "gate"})),
            "invalid_audience",
            "wrong_audience",
        ),
        (
            SET,
            set("e", &json!({"format": "did"}), &json!({})),
            "invalid_request",
            "subject",
        ),
        (
            SET,
            sign("logout+jwt", &logout("e", &json!({}))),
            "invalid_request",
            "wrong_type",
        ),
        (SET, "\u{fffd}".to_owned(), "invalid_request", "not_a_jws"),
    ] {
        let answer = post(&mut gate, &memory, (EVENTS, media_type, &body));
        let shown = answer.audit.to_string();
        assert_eq!(
            (answer.reply.status, answer.fault()),
            (400, Some(fault)),
            "{shown}"
        );
        let document: Value = serde_json::from_str(&answer.reply.body).unwrap();
        assert_eq!(document.get("err"), Some(&json!(err)), "{shown}");
        let headers = answer.reply.headers;
        assert!(
            headers.contains(&("content-type", "application/json".into())),
            "{headers:?}"
        );
    }
    assert!(memory.is_empty());
}

/// The provider would not say it again.
#[test]
fn what_cannot_be_shared_is_not_acknowledged() {
    let mut gate = worker();
    let user = json!({"format": "iss_sub", "iss": "https://idp.example", "sub": "u-17"});
    let body = set("e-1", &user, &json!({}));
    let answer = post(&mut gate, &NoMemory, (EVENTS, SET, &body));
    assert_eq!(
        (answer.reply.status, answer.reason()),
        (503, "revocation_not_shared")
    );
    let retry = ("retry-after", "1".into());
    assert!(answer.reply.headers.contains(&retry));
    // The worker that knows it refuses the tokens all the same.
    assert_eq!(
        call_with(&mut gate, &NoMemory, &access(&json!({}))),
        "token_revoked"
    );
}
