//! Which requests wait for a fetch, in which slots, and for how long.

use super::*;

#[test]
fn requests_wait_for_one_fetch_and_are_woken_by_it() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    for id in 1..=3 {
        let fact = Fact::KeySet(THE_PROVIDER);
        assert_eq!(store.wait(WaiterId(id), &fact, START), Ok(()));
    }
    store.forget(WaiterId(2));
    assert!(store.has_waiters());
    let call = fetch(&store.tick(after(2), &memory));
    assert_eq!(store.tick(after(4), &memory), []);
    let effects = store.received(call.id, ok(key_set("one")), after(9), &memory);
    assert_eq!(woken(&effects), [(1, false), (3, false)]);
    assert!(!store.has_waiters());
}

#[test]
fn a_request_does_not_wait_longer_than_a_fetch_may_take() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut fetching = FactStore::new(&policy);
    let mut store = FactStore::new(&policy);
    let fact = Fact::KeySet(THE_PROVIDER);
    // Another worker holds the lease and never delivers.
    assert_eq!(fetches(&fetching.tick(START, &memory)).len(), 1);
    assert_eq!(store.wait(WaiterId(7), &fact, START), Ok(()));
    // A document and a key set may take five seconds each.
    for millis in [0, 5_000, 7_001, 9_999] {
        assert_eq!(store.tick(after(millis), &memory), [], "{millis}");
    }
    let effects = store.tick(after(10_000), &memory);
    assert_eq!(woken(&effects), [(7, true)], "this was its last chance");
    assert!(!store.has_waiters());
}

#[test]
fn a_call_without_a_response_is_given_up_and_the_requests_for_it_are_woken() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    assert_eq!(store.wait(WaiterId(7), &fact, START), Ok(()));
    assert_eq!(fetches(&store.tick(START, &memory)).len(), 1);
    assert_eq!(store.tick(after(7_000), &memory), []);
    assert_eq!(woken(&store.tick(after(7_001), &memory)), [(7, false)]);
}

#[test]
fn the_number_of_waiting_requests_is_bounded() {
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    let taken = (0..5_000)
        .filter(|id| store.wait(WaiterId(*id), &fact, START).is_ok())
        .count();
    assert_eq!(taken, 1024);
}

/// A cold start: no caller was verified before.
#[test]
fn a_flood_that_waits_for_keys_leaves_slots_to_callers_from_other_addresses() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let call = fetch(&store.tick(START, &memory));
    let (mut here, mut taken, mut displaced) = (BTreeSet::new(), 0, 0);
    for id in 0..6_000_u32 {
        // One good caller among a hundred.
        let (origin, is_good) = match id % 100 {
            50 => (from(&format!("10.0.1.{}", id / 100)), true),
            _ => (from("10.0.0.1"), false),
        };
        let origin = Origin {
            key_id: Some(KeyIdDigest::of(&format!("made-up-{id}"))),
            ..origin
        };
        let fact = Fact::KeySet(THE_PROVIDER);
        let waits = store.admit(WaiterId(id), &fact, START, origin, START);
        assert!(!is_good || waits.is_ok(), "{id}");
        if waits.is_ok() {
            taken += 1;
            here.insert(id);
        }
        for effect in store.tick(START, &memory) {
            let Effect::Displace(waiter) = effect else {
                panic!("{effect:?}");
            };
            displaced += 1;
            assert!(here.remove(&waiter.0), "named twice");
            assert_ne!(waiter.0 % 100, 50, "a good caller");
        }
        assert!(here.len() <= 1024);
    }
    assert_eq!((taken - displaced, here.len()), (1024, 1024));
    assert!(displaced > 0);
    let effects = store.received(call.id, ok(key_set("one")), START, &memory);
    let good = woken(&effects).into_iter().filter(|(id, _)| id % 100 == 50);
    assert_eq!(good.count(), 60);
}

/// Between two ticks no more are displaced than the next ticks can name soon.
#[test]
fn requests_that_lose_their_slots_are_few_at_a_time() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    fetch(&store.tick(START, &memory));
    let fact = Fact::KeySet(THE_PROVIDER);
    for id in 0..1024 {
        store.wait(WaiterId(id), &fact, START).unwrap();
    }
    let come = |store: &mut FactStore, id: u32| {
        let origin = from(&format!("10.0.{}.{}", id / 256, id % 256));
        store.admit(WaiterId(10_000 + id), &fact, START, origin, START)
    };
    let taken = (0..300).filter(|id| come(&mut store, *id).is_ok()).count();
    assert_eq!(taken, 64);
    // A request whose client has gone is not named.
    store.forget(WaiterId(1023));
    let mut named = Vec::new();
    for _ in 0..8 {
        let effects = store.tick(START, &memory);
        assert!(effects.len() <= 8, "{}", effects.len());
        named.extend(effects);
    }
    assert_eq!(named.len(), 63);
    assert!(!named.contains(&Effect::Displace(WaiterId(1023))));
    assert_eq!(come(&mut store, 300), Ok(()));
}

#[test]
fn tokens_that_were_verified_before_come_first_where_all_callers_share_an_address() {
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    let origin = |id: u32, was_verified| Origin {
        key_id: Some(KeyIdDigest::of(&id.to_string())),
        was_verified,
        ..from("10.0.0.1")
    };
    for id in 0..1024 {
        store
            .admit(WaiterId(id), &fact, START, origin(id, false), START)
            .unwrap();
    }
    let mut come =
        |id, was_verified| store.admit(WaiterId(id), &fact, START, origin(id, was_verified), START);
    assert_eq!(come(2_000, false), Err(WaitFault::TooMany));
    assert_eq!(come(2_001, true), Ok(()));
}

#[test]
fn requests_that_wait_for_one_provider_leave_room_for_another() {
    let mut policy = policy(by_jwks(), Some("secret"));
    let mut other = policy.providers[0].clone();
    other.token.issuers = Issuers::one("https://other.example");
    policy.providers.push(other);
    let mut store = FactStore::new(&policy);
    let wait = |store: &mut FactStore, id, provider| {
        store.wait(WaiterId(id), &Fact::KeySet(ProviderId(provider)), START)
    };
    let taken = (0..5_000)
        .filter(|id| wait(&mut store, *id, 0).is_ok())
        .count();
    assert_eq!(taken, 512);
    assert_eq!(wait(&mut store, 5_000, 1), Ok(()));
}

#[test]
fn a_clock_that_is_set_back_makes_no_wait_longer_nor_a_lost_call_last() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    store.wait(WaiterId(1), &fact, after(3_600_000)).unwrap();
    fetch(&store.tick(after(3_600_000), &memory));
    // An hour earlier. The host never delivers the response.
    assert_eq!(store.tick(START, &memory), []);
    let given_up = store.tick(after(7_001), &memory);
    assert_eq!(woken(&given_up), [(1, false)]);
    store.wait(WaiterId(2), &fact, after(3_600_000)).unwrap();
    assert_eq!(woken(&store.tick(after(7_002), &memory)), []);
    assert_eq!(woken(&store.tick(after(17_002), &memory)), [(2, true)]);
}
