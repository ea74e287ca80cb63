//! When the next fetch is due: by `max-age`, by `Retry-After`, or by the configuration.

use super::*;

#[test]
fn the_provider_says_how_long_its_keys_are_fresh_within_bounds() {
    for (max_age, seconds) in [(600, 600), (61, 61), (5, 60), (0, 60), (86_400, 900)] {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        refresh(
            &mut store,
            fresh_for(max_age, key_set("one")),
            START,
            &memory,
        );
        let due = due(START, seconds);
        assert_eq!(store.tick(before(due), &memory), [], "{max_age}");
        assert_eq!(fetches(&store.tick(due, &memory)).len(), 1, "{max_age}");
    }
}

#[test]
fn what_the_provider_said_counts_for_every_worker_and_for_new_ones() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut workers: Vec<FactStore> = (0..3).map(|_| FactStore::new(&policy)).collect();
    refresh(
        &mut workers[0],
        fresh_for(800, key_set("one")),
        START,
        &memory,
    );
    workers.push(FactStore::new(&policy));
    for worker in &mut workers {
        assert_eq!(worker.tick(before(due(START, 800)), &memory), []);
    }
    let begun = workers.iter_mut().map(|worker| {
        let effects = worker.tick(due(START, 800), &memory);
        fetches(&effects).len()
    });
    assert_eq!(begun.sum::<usize>(), 1);
}

#[test]
fn a_configuration_with_tighter_bounds_does_not_wait_for_those_of_the_old_one() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    let mut old = FactStore::new(&policy);
    refresh(&mut old, fresh_for(800, key_set("one")), START, &memory);
    policy.providers[0].freshness.max_ttl = Duration::from_secs(300);
    let mut new = FactStore::new(&policy);
    assert_eq!(new.tick(before(due(START, 300)), &memory), []);
    fetch(&new.tick(due(START, 300), &memory));
}

#[test]
fn what_a_failed_response_says_of_its_freshness_does_not_count() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let CallResponse::Response { headers, .. } = fresh_for(900, "") else {
        panic!("a response");
    };
    let failed = CallResponse::Response {
        status: 500,
        headers,
        body: key_set("one"),
    };
    refresh(&mut store, failed, after(300_000), &memory);
    assert_eq!(fetches(&store.tick(after(301_000), &memory)).len(), 1);
}

#[test]
fn a_provider_that_wants_to_be_left_alone_is_for_five_minutes_at_most() {
    for (response, pause) in [
        (retry_after(429, 100), 100_000),
        (retry_after(503, 100), 100_000),
        (retry_after(429, 100_000), 300_000),
        // No shorter pause than its own, and none for other faults.
        (retry_after(429, 0), 1_000),
        (retry_after(500, 100), 1_000),
        (retry_after(404, 100), 1_000),
    ] {
        let memory = Memory::default();
        let policy = policy(by_jwks(), Some("secret"));
        let mut store = FactStore::new(&policy);
        let mut other = FactStore::new(&policy);
        refresh(&mut store, response.clone(), START, &memory);
        let least = pause - if pause == 1_000 { 250 } else { 0 };
        for worker in [&mut store, &mut other] {
            assert_eq!(fetches(&worker.tick(after(least - 1), &memory)), []);
        }
        let call = fetch(&store.tick(after(pause), &memory));
        store.received(call.id, ok(key_set("one")), after(pause), &memory);
        assert!(knows(&store, "one", after(pause)), "{response:?}");
    }
}
