//! Calls about tokens, and how often they are made.

use super::*;
use crate::crypto::KeySet;
use crate::policy::{Introspection, Protocol};
use crate::token::{CompactToken, TokenDigest};

pub(super) const TTL: u64 = 60_000;
pub(super) const INACTIVE_TTL: u64 = 10_000;
const TIMEOUT: u64 = 5_000;
/// How many calls one caller may have under way.
pub(super) const OF_ONE: usize = 32;

pub(super) fn asked() -> Introspection {
    Introspection {
        endpoint: endpoint("/introspect"),
        protocol: Protocol::Introspection {
            authorization: Some(Secret::new("Basic Z2F0ZTpzZWNyZXQ=".to_owned())),
            form: None,
            accept_untyped: false,
        },
        always: false,
        token_prefixes: Vec::new(),
        ttl: Duration::from_millis(TTL),
        inactive_ttl: Duration::from_millis(INACTIVE_TTL),
        timeout: Duration::from_millis(TIMEOUT),
    }
}

/// A store with keys in its configuration, so that nothing but tokens is asked about.
pub(super) fn store() -> FactStore {
    store_asking(asked())
}

pub(super) fn store_asking(asked: Introspection) -> FactStore {
    let keys = KeySet::parse(&key_set("one")).unwrap();
    let mut policy = policy(KeySource::Inline(keys), Some("secret"));
    policy.providers[0].introspection = Some(asked);
    FactStore::new(&policy)
}

fn token(text: &str) -> CompactToken<'static> {
    CompactToken::of(text.as_bytes()).unwrap().into_owned()
}

pub(super) fn digest(text: &str) -> TokenDigest {
    TokenDigest::of(&token(text))
}

pub(super) fn json(body: &str) -> CallResponse {
    CallResponse::Response {
        status: 200,
        headers: header("content-type", "application/json"),
        body: body.as_bytes().to_vec(),
    }
}

pub(super) fn active() -> CallResponse {
    json(r#"{"active":true,"sub":"a"}"#)
}

pub(super) fn inactive() -> CallResponse {
    json(r#"{"active":false}"#)
}

pub(super) fn wait(store: &mut FactStore, waiter: u32, text: &str, now: UnixMillis) {
    let fact = Fact::TokenStatusToDecide(THE_PROVIDER, digest(text));
    store.wait(WaiterId(waiter), &fact, now).unwrap();
}

/// The calls among the effects, and for which request each is made.
pub(super) fn asks(effects: &[Effect]) -> Vec<(CallId, u32)> {
    let asks = effects.iter().filter_map(|effect| match effect {
        Effect::CallFor { call, waiter, .. } => Some((*call, waiter.0)),
        _ => None,
    });
    asks.collect()
}

/// What is known of a token: `active`, `inactive`, `pending`, or the code of a fault.
pub(super) fn known(store: &FactStore, text: &str, now: UnixMillis) -> &'static str {
    view(
        &store
            .at(now)
            .token_status_to_decide(THE_PROVIDER, &digest(text)),
    )
}

/// The same of a token whose signature is good.
pub(super) fn confirmed(store: &FactStore, text: &str, now: UnixMillis) -> &'static str {
    view(
        &store
            .at(now)
            .token_status_to_confirm(THE_PROVIDER, &digest(text)),
    )
}

fn view(status: &Availability<TokenStatus>) -> &'static str {
    match status {
        Availability::Known(TokenStatus::Active(_)) => "active",
        Availability::Known(TokenStatus::Inactive) => "inactive",
        Availability::Known(TokenStatus::Nameless) => "nameless",
        Availability::Pending => "pending",
        Availability::Unavailable(outage) => outage.fault.unwrap_or("unknown"),
    }
}

/// A response with `Retry-After`.
pub(super) fn with_retry_after(code: u16, seconds: &str) -> CallResponse {
    CallResponse::Response {
        status: code,
        headers: header("retry-after", seconds),
        body: Vec::new(),
    }
}

/// Makes a call about a token, which gets this response at once.
pub(super) fn ask(
    store: &mut FactStore,
    text: &str,
    response: CallResponse,
    now: UnixMillis,
) -> Vec<Effect> {
    wait(store, 1, text, now);
    let calls = asks(&store.tick(now, &Memory::default()));
    assert_eq!(calls.len(), 1, "{text}");
    store.received(calls[0].0, response, now, &Memory::default())
}

#[test]
fn requests_with_one_token_share_one_call_and_its_response() {
    let mut store = store();
    for waiter in 1..=3 {
        wait(&mut store, waiter, "one", START);
    }
    wait(&mut store, 4, "two", START);
    let calls = asks(&store.tick(START, &Memory::default()));
    assert_eq!(calls.iter().map(|call| call.1).collect::<Vec<_>>(), [1, 4]);
    assert!(asks(&store.tick(after(2), &Memory::default())).is_empty());
    let effects = store.received(calls[0].0, active(), after(9), &Memory::default());
    assert_eq!(
        effects[0],
        Effect::Report(Event::TokenStatusReceived(THE_PROVIDER, true))
    );
    assert_eq!(woken(&effects), [(1, false), (2, false), (3, false)]);
    assert_eq!(known(&store, "one", after(9)), "active");
    assert_eq!(known(&store, "two", after(9)), "pending");
    let effects = store.received(calls[1].0, inactive(), after(10), &Memory::default());
    assert_eq!(
        effects[0],
        Effect::Report(Event::TokenStatusReceived(THE_PROVIDER, false))
    );
    assert_eq!(woken(&effects), [(4, false)]);
    assert_eq!(known(&store, "two", after(10)), "inactive");
}

#[test]
fn statuses_hold_for_their_time_and_no_longer() {
    let mut store = store();
    ask(&mut store, "good", active(), START);
    ask(&mut store, "bad", inactive(), START);
    for (text, said, length) in [("good", "active", TTL), ("bad", "inactive", INACTIVE_TTL)] {
        assert_eq!(known(&store, text, after(length - 1)), said);
        assert_eq!(known(&store, text, after(length)), "pending");
        assert_eq!(
            known(&store, text, before(START)),
            "pending",
            "a clock set back"
        );
    }
}

#[test]
fn a_provider_that_is_down_rests_and_is_asked_again() {
    for (response, fault) in [
        (CallResponse::NoResponse, "no_response"),
        (CallResponse::NotDispatched, "not_dispatched"),
        (status(503), "unavailable"),
        (status(504), "timeout"),
        (status(429), "rate_limited"),
        (status(401), "client_refused"),
        (status(404), "not_found"),
        (status(302), "redirect"),
    ] {
        let mut store = store();
        let effects = ask(&mut store, "one", response, START);
        assert!(
            matches!(&effects[0], Effect::Report(Event::TokenStatusFailed(_, why)) if why.code().as_str() == fault)
        );
        assert_eq!(woken(&effects), [(1, false)]);
        for text in ["one", "two"] {
            assert_eq!(known(&store, text, after(1)), fault);
            assert_eq!(known(&store, text, after(1001)), "pending");
        }
        ask(&mut store, "two", active(), after(1001));
        assert_eq!(known(&store, "two", after(1001)), "active");
    }
}

#[test]
fn a_token_that_makes_a_provider_fail_keeps_no_other_token_out() {
    for (response, fault) in [
        (status(400), "client_error"),
        (status(500), "server_error"),
        (json("{}"), "answer_malformed"),
        (json(&" ".repeat(300_000)), "too_large"),
        (ok("{\"active\":true}"), "content_type"),
    ] {
        let mut store = store();
        ask(&mut store, "odd", response, START);
        assert_eq!(known(&store, "odd", after(4_999)), fault);
        assert_eq!(known(&store, "odd", after(5_000)), "pending");
        assert_eq!(known(&store, "good", START), "pending", "{fault}");
        ask(&mut store, "good", active(), START);
        assert_eq!(known(&store, "good", START), "active");
    }
}

#[test]
fn a_flood_of_made_up_tokens_makes_few_calls_at_a_time() {
    let mut store = store();
    for waiter in 0..250 {
        wait(&mut store, waiter, &format!("t{waiter}"), START);
    }
    let first = asks(&store.tick(START, &Memory::default()));
    assert_eq!(first.len(), OF_ONE);
    assert!(asks(&store.tick(after(2), &Memory::default())).is_empty());
    for (call, _) in &first[..3] {
        store.received(*call, inactive(), after(3), &Memory::default());
    }
    let next = asks(&store.tick(after(4), &Memory::default()));
    let waiters: Vec<_> = next.iter().map(|ask| ask.1).collect();
    assert_eq!(waiters, [32, 33, 34], "in the order of their coming");
    let late = store.tick(after(2 * TIMEOUT), &Memory::default());
    assert_eq!(woken(&late).len(), 247, "no request waits for ever");
}

#[test]
fn the_number_of_requests_that_wait_for_a_token_status_is_bounded() {
    let mut store = store();
    let mut taken = 0;
    for waiter in 0..2000 {
        let fact = Fact::TokenStatusToDecide(THE_PROVIDER, digest(&waiter.to_string()));
        taken += u32::from(store.wait(WaiterId(waiter), &fact, START).is_ok());
    }
    assert_eq!(taken, 256);
    let keys = store.wait(WaiterId(2000), &Fact::KeySet(THE_PROVIDER), START);
    assert_eq!(
        keys,
        Ok(()),
        "requests that wait for keys have slots of their own"
    );
}

#[test]
fn calls_that_fail_together_are_one_failure() {
    let mut store = store();
    for waiter in 0..20 {
        wait(&mut store, waiter, &format!("t{waiter}"), START);
    }
    let calls = asks(&store.tick(START, &Memory::default()));
    let mut still_waiting = 20;
    for (call, _) in &calls {
        let effects = store.received(*call, status(503), after(9), &Memory::default());
        still_waiting -= woken(&effects).len();
    }
    assert_eq!(still_waiting, 0);
    assert_eq!(known(&store, "new", after(9)), "unavailable");
    assert_eq!(known(&store, "new", after(9 + 1000)), "pending");
}

#[test]
fn the_pause_stays_short_and_a_good_response_ends_it() {
    let mut store = store();
    let mut now = START;
    for _ in 0..10 {
        ask(&mut store, "one", status(503), now);
        let long = now.saturating_add(Duration::from_millis(8_001));
        assert_eq!(known(&store, "one", long), "pending");
        now = long;
    }
    ask(&mut store, "one", active(), now);
    ask(&mut store, "two", status(503), now);
    let next = now.saturating_add(Duration::from_millis(1_001));
    assert_eq!(known(&store, "two", next), "pending");
}

#[test]
fn a_response_that_never_comes_is_given_up() {
    let mut store = store();
    wait(&mut store, 1, "one", START);
    let calls = asks(&store.tick(START, &Memory::default()));
    let effects = store.tick(after(TIMEOUT + 2001), &Memory::default());
    assert_eq!(woken(&effects), [(1, false)]);
    assert_eq!(known(&store, "one", after(TIMEOUT + 2001)), "no_response");
    let late = store.received(calls[0].0, active(), after(9000), &Memory::default());
    assert!(late.is_empty(), "it is too late");
    assert_eq!(known(&store, "one", after(9000)), "pending");
}

#[test]
fn a_request_that_hung_up_asks_nothing() {
    let mut store = store();
    wait(&mut store, 1, "one", START);
    store.forget(WaiterId(1));
    assert!(asks(&store.tick(START, &Memory::default())).is_empty());
}

#[test]
fn a_question_holds_the_token_and_shows_neither_it_nor_the_secret() {
    let secret = |text: &str| Secret::new(text.to_owned());
    let introspection = |authorization, form| Protocol::Introspection {
        authorization,
        form,
        accept_untyped: false,
    };
    for (protocol, authorization, form) in [
        (
            introspection(Some(secret("Basic c2VjcmV0")), None),
            Some("Basic c2VjcmV0"),
            Some("token=to%2Bken%3D&token_type_hint=access_token"),
        ),
        (
            introspection(None, Some(secret("&client_id=g&client_secret=s"))),
            None,
            Some("token=to%2Bken%3D&token_type_hint=access_token&client_id=g&client_secret=s"),
        ),
        (Protocol::UserInfo, Some("Bearer to+ken="), None),
        (Protocol::GoogleTokenInfo, Some("Bearer to+ken="), None),
    ] {
        let asked = Introspection {
            protocol,
            ..asked()
        };
        let request = status_request(&asked, &token("to+ken="));
        let sent = request.header("authorization").map(Secret::expose);
        assert_eq!(sent, authorization);
        let sent = request.body.as_ref().map(|body| match body {
            Body::Form(content) => content.expose(),
            Body::Json(_) => panic!("no form"),
        });
        assert_eq!(sent, form);
        let method = form.map_or(Method::Get, |_| Method::Post);
        assert_eq!(request.method, method);
        let shown = format!("{request:?} {asked:?}");
        for hidden in ["to+ken", "2Bken", "c2VjcmV0", "client_secret"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}
