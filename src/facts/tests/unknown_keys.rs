//! Tokens that name an unknown key: which of them cause a fetch.

use super::*;

#[test]
fn an_unknown_key_id_causes_a_look_and_soon_after_another_one_may_cause_the_next() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    assert_eq!(newer_keys(&store, "two", after(1_000)), NewerKeys::MayCome);
    assert_eq!(store.wait(WaiterId(1), &newer("two"), after(1_000)), Ok(()));
    let call = fetch(&store.tick(after(1_002), &memory));
    // While the fetch is under way another unknown key id may wait for it too.
    assert_eq!(
        newer_keys(&store, "three", after(1_003)),
        NewerKeys::MayCome
    );
    let effects = store.received(call.id, ok(key_set("two")), after(1_010), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    assert!(knows(&store, "two", after(1_010)));
    assert_eq!(
        newer_keys(&store, "four", after(1_011)),
        NewerKeys::NotYet(Duration::from_millis(2_999))
    );
    assert_eq!(newer_keys(&store, "four", after(4_010)), NewerKeys::MayCome);
}

/// A second rotation shortly after the first, or after a refetch for a made-up key id.
#[test]
fn a_key_that_is_published_within_the_cooldown_is_found_within_it_and_never_refused() {
    for first in ["two", "made-up"] {
        let memory = Memory::default();
        let mut store = warm(&memory);
        let (mut fetched, mut found) = (Vec::new(), None);
        for step in 0..600_u64 {
            let now = after(1_000 + step * 50);
            let (kid, published) = match step {
                0 => (first, "two"),
                _ => ("three", "three"),
            };
            if knows(&store, kid, now) {
                found = found.or((kid == "three").then_some(now));
            } else {
                let newer_keys = newer_keys(&store, kid, now);
                assert_ne!(newer_keys, NewerKeys::Unlikely, "{step}");
                if newer_keys == NewerKeys::MayCome {
                    let id = WaiterId(u32::try_from(step).unwrap());
                    store.wait(id, &newer(kid), now).unwrap();
                }
            }
            for call in fetches(&store.tick(now, &memory)) {
                fetched.push(now);
                store.received(call.id, ok(key_set(published)), now, &memory);
            }
        }
        assert_eq!(fetched, [after(1_000), after(4_000)], "{first}");
        assert_eq!(found, Some(after(4_050)), "{first}");
    }
}

/// A fetch that began before a request came says nothing about the key that this one names.
#[test]
fn a_key_that_is_published_while_a_fetch_is_under_way_is_not_refused_for_it() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    store
        .wait(WaiterId(1), &newer("two"), after(1_000))
        .unwrap();
    let call = fetch(&store.tick(after(1_000), &memory));
    store
        .wait(WaiterId(2), &newer("three"), after(1_500))
        .unwrap();
    let now = after(2_000);
    let effects = store.received(call.id, ok(key_set("one")), now, &memory);
    assert_eq!(woken(&effects), [(1, false), (2, false)]);
    let of = |kid, since| {
        let facts = store.at(now).of_request(after(since));
        facts.newer_keys(THE_PROVIDER, KeyIdDigest::of(kid))
    };
    assert_eq!(of("two", 1_000), NewerKeys::Unlikely);
    let wait = NewerKeys::NotYet(Duration::from_secs(3));
    assert_eq!(of("three", 1_500), wait);
    assert_eq!(of("three", 1_000), NewerKeys::Unlikely, "nor was it there");
}

#[test]
fn a_fetch_that_takes_longer_than_the_cooldown_is_not_followed_by_the_next() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.cooldown = Duration::from_secs(1);
    let mut store = FactStore::new(&policy);
    let call = fetch(&store.tick(START, &memory));
    store.received(call.id, ok(key_set("one")), START, &memory);
    store
        .wait(WaiterId(1), &newer("two"), after(2_000))
        .unwrap();
    let call = fetch(&store.tick(after(2_000), &memory));
    store.received(call.id, ok(key_set("one")), after(6_000), &memory);
    assert_eq!(
        newer_keys(&store, "three", after(6_000)),
        NewerKeys::NotYet(Duration::from_secs(1))
    );
}

#[test]
fn a_flood_of_unknown_key_ids_causes_four_fetches_in_a_cooldown_and_three_from_one_address() {
    for (peers, expected) in [(1, 12), (60_000, 16)] {
        assert_eq!(fetches_under_a_flood(peers), expected, "{peers}");
    }
}

/// How many fetches are made in four cooldowns in which callers from so many addresses send ever
/// new key ids.
fn fetches_under_a_flood(peers: u64) -> usize {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut fetched = 0;
    for step in 0..60_000_u64 {
        let now = after(step * 2);
        let made_up = format!("made-up-{step}");
        if newer_keys(&store, &made_up, now) == NewerKeys::MayCome {
            let id = WaiterId(u32::try_from(step).unwrap());
            let number = step % peers;
            let origin = from(&format!("10.{}.{}.9", number / 256, number % 256));
            let waits = store.admit(id, &newer(&made_up), now, origin, now);
            assert_ne!(waits, Err(WaitFault::TooMany));
        }
        assert!(knows(&store, "one", now), "good tokens never wait");
        for call in fetches(&store.tick(now, &memory)) {
            fetched += 1;
            store.received(call.id, ok(key_set("one")), now, &memory);
        }
    }
    fetched
}

#[test]
fn one_client_with_an_old_key_id_does_not_cause_a_fetch_in_every_cooldown_for_ever() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let (mut begun, mut misses) = (0, 0);
    // A day, in which it asks every ten seconds.
    for step in 0..8_640_u64 {
        let now = after(step * 10_000);
        if newer_keys(&store, "old", now) == NewerKeys::MayCome {
            misses += 1;
            let id = WaiterId(u32::try_from(step).unwrap());
            store.wait(id, &newer("old"), now).unwrap();
        }
        for call in fetches(&store.tick(now, &memory)) {
            begun += 1;
            store.received(call.id, ok(key_set("one")), now, &memory);
        }
    }
    // From three seconds on the time doubles: 15 times make up a day.
    assert_eq!(misses, 15);
    assert!(begun <= 8_640 / 27 + 15, "{begun}");
    // Another key id is not held up by it.
    let now = after(8_640 * 10_000 + 1_800_000);
    assert_eq!(newer_keys(&store, "old", now), NewerKeys::Unlikely);
    assert_eq!(newer_keys(&store, "new", now), NewerKeys::MayCome);
}

#[test]
fn a_key_that_is_published_later_than_it_signs_is_found_within_a_cooldown() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut found = None;
    // All keys are replaced after ten seconds; the first token is there after one.
    for step in 1..60_u64 {
        let now = after(step * 1_000);
        if !knows(&store, "two", now) && newer_keys(&store, "two", now) == NewerKeys::MayCome {
            let id = WaiterId(u32::try_from(step).unwrap());
            assert_ne!(store.wait(id, &newer("two"), now), Err(WaitFault::TooMany));
        }
        let published = if step < 10 { "one" } else { "two" };
        for call in fetches(&store.tick(now, &memory)) {
            store.received(call.id, ok(key_set(published)), now, &memory);
        }
        if knows(&store, "two", now) {
            found = found.or(Some(step));
        }
    }
    assert_eq!(found, Some(16));
}

#[test]
fn a_key_id_is_refused_without_a_look_only_where_looks_did_not_bring_it_over_a_cooldown() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut refetches = Vec::new();
    for step in 0..200_u64 {
        let now = after(1_000 + step * 500);
        match newer_keys(&store, "two", now) {
            NewerKeys::MayCome => {
                let origin = from(&format!("10.0.0.{step}"));
                let id = WaiterId(u32::try_from(step).unwrap());
                store.admit(id, &newer("two"), now, origin, now).unwrap();
                refresh(&mut store, ok(key_set("one")), now, &memory);
                refetches.push(step / 2);
            }
            NewerKeys::NotYet(_) => assert!(refetches.len() < 5, "{step}"),
            NewerKeys::Unlikely => assert!(refetches.len() >= 5, "{step}"),
            NewerKeys::Unavailable(_) => panic!("{step}"),
        }
    }
    assert_eq!(refetches, [0, 3, 9, 21, 45, 93]);
    // Others are not held up by it.
    assert_eq!(
        newer_keys(&store, "three", after(101_000)),
        NewerKeys::MayCome
    );
}

#[test]
fn a_key_that_left_the_set_is_refused_at_once_between_refetches() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    store
        .wait(WaiterId(1), &newer("two"), after(1_000))
        .unwrap();
    refresh(&mut store, ok(key_set("two")), after(1_000), &memory);
    assert_eq!(newer_keys(&store, "one", after(1_001)), NewerKeys::Unlikely);
    // It may come back: some documents flap.
    assert_eq!(newer_keys(&store, "one", after(4_000)), NewerKeys::MayCome);
    store
        .wait(WaiterId(2), &newer("one"), after(4_000))
        .unwrap();
    refresh(&mut store, ok(key_set("one")), after(4_000), &memory);
    assert!(knows(&store, "one", after(4_000)));
}

/// A caller that sends ever new key ids does not use up the refetches of others.
#[test]
fn a_new_key_is_found_soon_under_a_flood_of_made_up_key_ids_from_another_address() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut found = None;
    for step in 0..60_000_u32 {
        let now = after(1_000 + u64::from(step));
        let flood = (format!("made-up-{step}"), from("10.0.0.1"));
        let mut callers = vec![flood];
        // The provider changes its keys after twenty seconds.
        let published = if step < 20_000 { "one" } else { "two" };
        if step % 100 == 0 && published == "two" {
            callers.push(("two".to_owned(), from("10.0.0.2")));
        }
        for (number, (kid, origin)) in (1..).zip(callers) {
            if knows(&store, &kid, now) {
                found = found.or(Some(step));
                continue;
            }
            let newer_keys = newer_keys(&store, &kid, now);
            assert_ne!(newer_keys, NewerKeys::Unlikely, "{kid} at {step}");
            if newer_keys == NewerKeys::MayCome {
                let id = WaiterId(step * 2 + number);
                let waits = store.admit(id, &newer(&kid), now, origin, now);
                assert_ne!(waits, Err(WaitFault::TooMany), "{kid}");
            }
        }
        for call in fetches(&store.tick(now, &memory)) {
            store.received(call.id, ok(key_set(published)), now, &memory);
        }
    }
    assert_eq!(found, Some(20_100));
}

#[test]
fn while_the_provider_is_down_it_is_not_known_whether_a_key_is_new() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    store
        .wait(WaiterId(1), &newer("two"), after(1_000))
        .unwrap();
    let call = fetch(&store.tick(after(1_002), &memory));
    let effects = store.received(call.id, status(500), after(1_010), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    let NewerKeys::Unavailable(outage) = newer_keys(&store, "two", after(1_010)) else {
        panic!("it is known");
    };
    assert_eq!(outage.fault, Some("server_error"));
    assert!(knows(&store, "one", after(1_010)));
}
