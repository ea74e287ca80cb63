//! When keys are fetched, and how long they serve.

use super::*;
use crate::crypto::KeySet;

#[test]
fn the_first_tick_fetches_the_keys_though_no_request_waits() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    assert!(matches!(
        store.at(START).key_set(THE_PROVIDER),
        Availability::Pending
    ));
    let call = fetch(&store.tick(START, &memory));
    assert_eq!(call.request.endpoint, endpoint("/jwks"));
    assert_eq!(call.request.timeout, Duration::from_secs(5));
    let effects = store.received(call.id, ok(key_set("one")), after(20), &memory);
    assert_eq!(effects, [Effect::Report(Event::KeysFetched(THE_PROVIDER))]);
    assert!(knows(&store, "one", after(20)));
}

#[test]
fn keys_are_fetched_again_when_they_are_old_and_serve_meanwhile() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    assert_eq!(store.tick(before(due(START, 300)), &memory), []);
    let call = fetch(&store.tick(due(START, 300), &memory));
    assert!(knows(&store, "one", after(300_001)));
    store.received(call.id, ok(key_set("two")), after(300_010), &memory);
    assert!(knows(&store, "two", after(300_010)));
    assert!(!knows(&store, "one", after(300_010)), "the key was revoked");
}

#[test]
fn a_key_that_left_the_set_is_kept_for_its_grace_and_no_longer() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(60);
    let mut store = FactStore::new(&policy);
    let mut publish = |kid: &str, now: UnixMillis| {
        let call = fetch(&store.tick(now, &memory));
        store.received(call.id, ok(key_set(kid)), now, &memory);
    };
    publish("one", START);
    publish("two", after(300_000));
    store.tick(after(359_999), &memory);
    assert!(knows(&store, "one", after(359_999)));
    assert!(knows(&store, "two", after(359_999)));
    store.tick(after(360_000), &memory);
    assert!(!knows(&store, "one", after(360_000)));
    assert!(knows(&store, "two", after(360_000)));
}

#[test]
fn a_key_that_comes_back_is_as_good_as_before() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3600);
    let mut store = FactStore::new(&policy);
    for (turn, kid) in (0..).zip(["one", "two", "one"]) {
        let now = after(turn * 300_000);
        let call = fetch(&store.tick(now, &memory));
        store.received(call.id, ok(key_set(kid)), now, &memory);
    }
    let facts = store.at(after(600_000));
    let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
        panic!("no keys");
    };
    let ids: Vec<_> = keys.keys().iter().map(|key| key.key_id()).collect();
    assert_eq!(ids, [Some("one"), Some("two")]);
}

#[test]
fn a_provider_that_is_down_is_asked_again_after_growing_pauses() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut now = after(300_000);
    let end = after(420_000);
    let mut asked = Vec::new();
    while now < end {
        for call in fetches(&store.tick(now, &memory)) {
            asked.push(now.0 - START.0 - 300_000);
            store.received(call.id, status(503), now, &memory);
        }
        now = UnixMillis(now.0 + 500);
    }
    let pauses: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() >= 5 && pauses.len() <= 8, "{asked:?}");
    assert!(
        pauses.windows(2).all(|pair| pair[1] > pair[0]),
        "{pauses:?}"
    );
    assert!(knows(&store, "one", end), "old keys serve on");
}

#[test]
fn keys_that_are_too_old_serve_no_longer() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let call = fetch(&store.tick(after(3_500_000), &memory));
    store.received(call.id, CallResponse::NoResponse, after(3_500_000), &memory);
    assert!(knows(&store, "one", after(3_600_000)));
    assert!(!knows(&store, "one", after(3_600_001)));
}

#[test]
fn a_revoked_key_never_counts_though_it_is_published() {
    let memory = Memory::default();
    let old = warm(&memory);
    assert!(knows(&old, "one", START));
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].revoked_kids = vec!["one".to_owned()];
    policy.providers[0].freshness.grace = Duration::from_secs(3600);
    let revoked = |store: &FactStore, now| {
        let facts = store.at(now);
        let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
            panic!("no keys");
        };
        keys.keys().iter().all(|key| key.key_id() != Some("one"))
            && keys.candidates(Algorithm::EdDsa, Some("one")) == Candidates::Revoked
    };
    // From another worker's snapshot, from the provider, and as a key under grace.
    let mut store = FactStore::new(&policy);
    assert_eq!(store.tick(after(1), &memory), []);
    assert!(revoked(&store, after(1)));
    refresh(&mut store, ok(key_set("one")), after(300_000), &memory);
    assert!(revoked(&store, after(300_000)));
    refresh(&mut store, ok(key_set("two")), after(600_000), &memory);
    assert!(revoked(&store, after(600_000)));
    assert!(knows(&store, "two", after(600_000)));
}

#[test]
fn the_age_of_keys_goes_on_growing_after_they_were_withdrawn() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let age = |store: &FactStore, now| store.key_set_age(THE_PROVIDER, now);
    refresh(&mut store, ok(r#"{"keys":[]}"#), after(300_000), &memory);
    assert!(!knows(&store, "one", after(300_000)));
    let seconds = Some(Duration::from_secs(400));
    assert_eq!(age(&store, after(400_000)), seconds);
    let mut new = FactStore::new(&policy(by_jwks(), Some("secret")));
    new.tick(after(300_001), &memory);
    let missed_for = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(age(&new, after(300_001)), missed_for(0), "it never had any");
    new.tick(after(310_001), &memory);
    assert_eq!(age(&new, after(310_001)), missed_for(10));
    let keys = KeySet::parse(&key_set("one")).unwrap();
    let mut inline = FactStore::new(&policy(KeySource::Inline(keys), Some("secret")));
    inline.tick(after(310_001), &memory);
    assert_eq!(age(&inline, after(310_001)), None, "nothing is fetched");
}

#[test]
fn a_clock_that_was_ahead_does_not_keep_keys_in_use() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let year = UnixMillis(START.0 + 365 * 86_400_000);
    refresh(&mut store, ok(key_set("one")), year, &memory);
    // The clock is set right.
    store.tick(START, &memory);
    assert!(knows(&store, "one", START));
    let call = fetch(&store.tick(after(300_000), &memory));
    store.received(call.id, status(500), after(300_000), &memory);
    assert!(knows(&store, "one", after(3_600_000)));
    assert!(!knows(&store, "one", after(3_600_001)));
    // A pause that began by the wrong clock is over, too.
    assert_eq!(fetches(&store.tick(after(3_600_001), &memory)).len(), 1);
}

#[test]
fn workers_whose_clock_was_ahead_still_take_over_newer_keys() {
    let memory = Memory::default();
    let year = UnixMillis(START.0 + 365 * 86_400_000);
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let mut other = FactStore::new(&policy(by_jwks(), Some("secret")));
    refresh(&mut store, ok(key_set("one")), year, &memory);
    other.tick(year, &memory);
    // The clock is set right.
    store.tick(START, &memory);
    other.tick(START, &memory);
    assert!(knows(&other, "one", START));
    refresh(&mut store, ok(key_set("two")), after(300_000), &memory);
    other.tick(after(300_001), &memory);
    assert!(knows(&other, "two", after(300_001)));
    assert!(!knows(&other, "one", after(300_001)));
}

#[test]
fn a_late_response_to_a_call_that_was_given_up_changes_nothing() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let lost = fetch(&store.tick(START, &memory));
    store.tick(after(8_000), &memory);
    let again = fetch(&store.tick(after(20_000), &memory));
    assert_ne!(lost.id, again.id);
    assert_eq!(
        store.received(lost.id, ok(key_set("old")), after(20_001), &memory),
        []
    );
    assert!(!knows(&store, "old", after(20_001)));
    store.received(again.id, ok(key_set("new")), after(20_002), &memory);
    assert!(knows(&store, "new", after(20_002)));
}

#[test]
fn inline_keys_are_there_at_once_and_never_fetched() {
    let memory = Memory::default();
    let inline = KeySource::Inline(KeySet::parse(&key_set("one")).unwrap());
    let mut store = FactStore::new(&policy(inline, Some("secret")));
    assert_eq!(store.tick(START, &memory), []);
    assert!(knows(&store, "one", after(u64::from(u32::MAX))));
    assert_eq!(newer_keys(&store, "two", START), NewerKeys::Unlikely);
}
