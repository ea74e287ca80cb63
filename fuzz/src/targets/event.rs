//! Decides about what is sent to the endpoints of a provider: log-out tokens and security events.
//!
//! The input is a body; or, so that fuzzing reaches what is behind the signature, the description of a
//! [signed token](crate::signed), which each endpoint gets in its own form.

use n8n_idp_gate::crypto::GuestCrypto;
use n8n_idp_gate::decide::{decide, Decision, DecisionContext, NoRevocations, Outcome, Request};
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::{KeySource, Policy, Push};
use n8n_idp_gate::time::UnixSeconds;
use n8n_idp_gate::token::{EndedBy, EventKind, UntrustedToken, VerifiedEvent, VerifiedToken};
use serde_json::{json, Value};

use crate::at_hand::AtHand;
use crate::signed::{signed, Signed};
use crate::world::{key_set, load, AUDIENCE, ISSUER, NOW, SECRET};

const SKEW: u64 = 30;
const LOGOUT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The words in the names of events that end sessions.
const ENDING: [&str; 3] = ["revoked", "account-disabled", "account-purged"];

thread_local! {
    static POLICY: Policy = policy();
}

/// Access tokens and both kinds of events have one audience, so that nothing but their kind tells them apart.
fn policy() -> Policy {
    load(&json!({
        "providers": [{
            "name": "idp", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": key_set().clone(),
            "logout": {"audience": AUDIENCE}, "events": {"audience": AUDIENCE},
        }],
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
        "sharing_secret": {"env": "SHARING"},
    }))
}

/// The target.
pub fn run(input: &[u8]) {
    let signed = signed(input);
    POLICY.with(|policy| {
        let pushes = &policy.providers[0].pushes;
        assert_eq!(pushes.len(), 2);
        let accepted = pushes
            .iter()
            .filter(|push| is_accepted(policy, push, input, signed.as_ref()));
        assert!(accepted.count() < 2, "an event of two kinds");
    });
}

fn is_accepted(policy: &Policy, push: &Push, input: &[u8], signed: Option<&Signed<'_>>) -> bool {
    let kind = push.rules.kind;
    let body = match (signed, kind) {
        (None, _) => input.to_vec(),
        (Some(signed), EventKind::Logout) => form(&signed.text),
        (Some(signed), EventKind::Security) => signed.text.clone(),
    };
    let decision = decided(policy, push, &body);
    let shown = format!("{:?}", decision.record);
    assert!(!shown.contains(SECRET), "the record shows a secret");
    match decision.outcome {
        Outcome::Respond(_) => {}
        Outcome::Reject(_) => {
            assert_eq!(decision.revocation, None, "a refused event ends tokens");
            return false;
        }
        other => panic!("an event is no request to n8n: {other:?}"),
    }
    let signed = signed.expect("an event that the provider did not sign is accepted");
    assert!(
        signed.is_genuine,
        "an event that was not signed so is accepted"
    );
    let event = check(policy, push, signed);
    assert_eq!(
        decision.revocation.map(|revocation| revocation.at),
        (!event.ends.is_empty()).then_some(event.issued),
    );
    assert_eq!(
        decision.use_once.is_some(),
        kind == EventKind::Logout,
        "a log-out token counts once"
    );
    true
}

fn decided(policy: &Policy, push: &Push, body: &[u8]) -> Decision {
    let media_type = match push.rules.kind {
        EventKind::Logout => "application/x-www-form-urlencoded",
        EventKind::Security => "application/secevent+jwt",
    };
    let pairs = [
        (":method", "POST"),
        (":path", &*push.path),
        (":authority", "n8n.example.com"),
        ("content-type", media_type),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let head = RequestHead::new(pairs.to_vec());
    let context = DecisionContext {
        revocations: &NoRevocations,
        nonces: None,
        is_recorded: true,
        policy,
        facts: &AtHand(policy),
        token_cache: &Default::default(),
        crypto: &GuestCrypto,
        now: UnixSeconds(NOW),
    };
    let request = Request {
        body: Some(body),
        ..Request::of_head(&head)
    };
    decide(context, request)
}

/// The form of a log-out token, with each byte that could mean something else escaped.
fn form(token: &[u8]) -> Vec<u8> {
    let mut form = b"logout_token=".to_vec();
    for byte in token {
        if byte.is_ascii_alphanumeric() {
            form.push(*byte);
        } else {
            form.extend(format!("%{byte:02x}").bytes());
        }
    }
    form
}

/// What must be in every event that is accepted, read by another reader.
fn check(policy: &Policy, push: &Push, signed: &Signed<'_>) -> VerifiedEvent {
    let provider = &policy.providers[0];
    let KeySource::Inline(keys) = &provider.keys else {
        panic!("the keys are in the configuration");
    };
    let text = std::str::from_utf8(&signed.text).expect("a text");
    let token = UntrustedToken::parse(text).expect("a token");
    let now = UnixSeconds(NOW);
    let rules = (&provider.token, &push.rules);
    let event = VerifiedEvent::verify(&token, rules, keys, &GuestCrypto, now);
    let event = event.expect("the decision accepts what is no event");
    let without_keys = VerifiedEvent::check_without_keys(&token, rules, now);
    assert_eq!(
        without_keys.as_ref(),
        Ok(&event),
        "other checks without keys"
    );
    let access = VerifiedToken::verify(&token, &provider.token, keys, &GuestCrypto, now);
    assert!(access.is_err(), "an event counts as an access token");

    let read = |text| serde_json::from_slice::<Value>(text).expect("JSON");
    let (header, claims) = (read(signed.header), read(signed.claims));
    assert_eq!(header["alg"], signed.algorithm, "{header}");
    assert!(header.get("crit").is_none(), "{header}");
    assert_eq!(claims["iss"], ISSUER, "another issuer: {claims}");
    assert!(claims.get("nonce").is_none(), "an ID token: {claims}");
    let audience = &claims["aud"];
    let in_list = |list: &Vec<Value>| list.iter().any(|one| one == AUDIENCE);
    assert!(
        audience == AUDIENCE || audience.as_array().is_some_and(in_list),
        "for another audience: {claims}"
    );
    assert_eq!(claims["jti"], *event.id, "{claims}");
    assert!((1..=512).contains(&event.id.len()), "{claims}");
    assert!(event.issued.0 <= NOW + SKEW, "of the future: {claims}");
    assert!(event.accepted_until.0 >= NOW, "too old: {claims}");
    if let Some(expires) = claims.get("exp") {
        let expires = expires.as_f64().expect("a number");
        assert!(expires + 30.0 >= 1_800_000_000.0, "expired: {claims}");
    }

    let events = claims["events"].as_object().expect("an object");
    let typ = header.get("typ").map(|typ| typ.as_str().expect("a text"));
    let typ = typ.map(str::to_ascii_lowercase);
    if push.rules.kind == EventKind::Logout {
        assert!(typ.is_none_or(|typ| !typ.contains("secevent")), "{header}");
        assert!(events[LOGOUT].is_object(), "no log-out: {claims}");
        assert!(!event.ends.is_empty(), "it ends nothing: {claims}");
    } else {
        assert!(
            typ.is_some_and(|typ| typ.ends_with("secevent+jwt")),
            "{header}"
        );
        assert!(events.values().all(Value::is_object), "{claims}");
        let ends = |name: &String| ENDING.iter().any(|word| name.contains(word));
        assert!(
            event.ends.is_empty() || events.keys().any(ends),
            "no event that ends anything: {claims}"
        );
    }
    let mut texts = Vec::new();
    texts_of(&claims, &mut texts);
    for end in &event.ends {
        assert!(!end.value.is_empty(), "all callers without one: {claims}");
        let names = |text: &&str| match end.by {
            EndedBy::Email => text.to_ascii_lowercase() == end.value,
            _ => **text == end.value,
        };
        assert!(texts.iter().any(names), "{end:?} is not in {claims}");
    }
    event
}

/// Every text in a value.
fn texts_of<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(list) => list.iter().for_each(|one| texts_of(one, texts)),
        Value::Object(object) => object.values().for_each(|one| texts_of(one, texts)),
        _ => {}
    }
}
