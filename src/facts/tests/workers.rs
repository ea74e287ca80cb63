//! What workers share, and which values they accept.

use std::cell::Cell;

use super::*;

#[test]
fn an_emptied_set_takes_every_key_away_whatever_the_grace_and_in_every_worker() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3600);
    let mut store = FactStore::new(&policy);
    let mut other = FactStore::new(&policy);
    let call = fetch(&store.tick(START, &memory));
    store.received(call.id, ok(key_set("one")), START, &memory);
    other.tick(after(1), &memory);
    assert!(knows(&other, "one", after(1)));
    let now = after(300_000);
    let call = fetch(&store.tick(now, &memory));
    store.received(call.id, ok(r#"{"keys":[]}"#), now, &memory);
    assert!(!knows(&store, "one", now));
    other.tick(after(300_001), &memory);
    assert!(!knows(&other, "one", after(300_001)));
    let mut new = FactStore::new(&policy);
    new.tick(after(300_002), &memory);
    assert!(!knows(&new, "one", after(300_002)));
}

/// A key that was stolen must not stay in use because of what its provider publishes instead.
#[test]
fn keys_that_left_are_gone_after_their_grace_whatever_is_published_instead() {
    let without_any = [
        r#"{"keys":[{"kty":"oct","kid":"one","k":"AAAA"}]}"#,
        r#"{"keys":[{"kty":"EC","crv":"P-521","kid":"two","x":"AA","y":"AA"}]}"#,
        r#"{"keys":[{"kty":"RSA","kid":"two","n":"AQAB","e":"AQAB"},[],7]}"#,
    ];
    for document in without_any {
        for grace in [0, 60_000] {
            let memory = Memory::default();
            let mut policy = policy(by_jwks(), Some("secret"));
            policy.providers[0].freshness.grace = Duration::from_millis(grace);
            let mut store = FactStore::new(&policy);
            let mut other = FactStore::new(&policy);
            refresh(&mut store, ok(key_set("one")), START, &memory);
            let left = after(300_000);
            let call = fetch(&store.tick(left, &memory));
            let effects = store.received(call.id, ok(document), left, &memory);
            let [Effect::Report(Event::KeysFailed(_, fault)), Effect::Report(Event::KeysSkipped(..))] =
                effects.as_slice()
            else {
                panic!("{effects:?}");
            };
            assert_eq!(fault.code().as_str(), "no_usable_key");
            // A second such response does not begin the grace anew.
            let again = after(330_000);
            refresh(&mut store, ok(document), again, &memory);
            let mut new = FactStore::new(&policy);
            let last = after(300_000 + grace);
            for worker in [&mut store, &mut other, &mut new] {
                if grace > 0 {
                    worker.tick(before(last), &memory);
                    assert!(knows(worker, "one", before(last)), "{document}");
                }
                worker.tick(last, &memory);
                assert!(!knows(worker, "one", last), "{document}");
                let facts = worker.at(last);
                let there = matches!(facts.key_set(THE_PROVIDER), Availability::Known(_));
                assert!(!there, "an empty set is no set");
            }
        }
    }
}

#[test]
fn a_provider_without_a_usable_key_is_asked_again_and_its_next_keys_count() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3600);
    let mut store = FactStore::new(&policy);
    refresh(&mut store, ok(key_set("one")), START, &memory);
    let unusable = r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#;
    refresh(&mut store, ok(unusable), after(300_000), &memory);
    // After a pause, not after an interval.
    refresh(&mut store, ok(key_set("two")), after(301_001), &memory);
    for kid in ["one", "two"] {
        assert!(knows(&store, kid, after(301_001)), "{kid}");
    }
    assert_eq!(
        newer_keys(&store, "three", after(301_002)),
        NewerKeys::MayCome
    );
}

#[test]
fn one_worker_fetches_and_the_others_adopt() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut workers: Vec<FactStore> = (0..4).map(|_| FactStore::new(&policy)).collect();
    let fact = Fact::KeySet(THE_PROVIDER);
    for worker in &mut workers {
        worker.wait(WaiterId(1), &fact, START).unwrap();
    }
    let begun: Vec<_> = workers
        .iter_mut()
        .flat_map(|worker| fetches(&worker.tick(START, &memory)))
        .collect();
    assert_eq!(begun.len(), 1);
    workers[0].received(begun[0].id, ok(key_set("one")), after(30), &memory);
    for worker in &mut workers[1..] {
        let effects = worker.tick(after(32), &memory);
        assert_eq!(woken(&effects), [(1, false)]);
        assert!(knows(worker, "one", after(32)));
    }
}

#[test]
fn of_two_workers_that_find_the_lease_free_at_once_one_fetches() {
    let policy = policy(by_jwks(), Some("secret"));
    let memory = Overtaken {
        memory: Memory::default(),
        other: RefCell::new(Some(FactStore::new(&policy))),
        fetches: Cell::new(0),
    };
    // The host's main thread, before there are workers.
    FactStore::new(&policy).open(&memory.memory);
    let mut store = FactStore::new(&policy);
    store.open(&memory.memory);
    let begun = fetches(&store.tick(START, &memory)).len();
    assert_eq!((begun, memory.fetches.get()), (0, 1));
}

#[test]
fn a_lease_that_is_taken_is_not_laid_out_anew() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut store = FactStore::new(&policy);
    store.open(&memory);
    fetch(&store.tick(START, &memory));
    let mut new = FactStore::new(&policy);
    new.open(&memory);
    assert_eq!(new.tick(after(1), &memory), []);
}

/// Memory in which another worker acts between this one's read of the lease and what it does next.
struct Overtaken {
    memory: Memory,
    other: RefCell<Option<FactStore>>,
    fetches: Cell<usize>,
}

impl SharedMemory for Overtaken {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        let value = self.memory.read(name);
        if name.contains("/lease/") {
            if let Some(mut other) = self.other.take() {
                let begun = fetches(&other.tick(START, &self.memory)).len();
                self.fetches.set(self.fetches.get() + begun);
            }
        }
        value
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        self.memory.write(name, value, version)
    }

    fn create(&self, name: &str, value: &[u8]) -> bool {
        self.memory.create(name, value)
    }
}

#[test]
fn a_worker_that_falls_silent_is_replaced() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut silent = FactStore::new(&policy);
    let mut other = FactStore::new(&policy);
    fetch(&silent.tick(START, &memory));
    assert_eq!(other.tick(after(9_999), &memory), []);
    fetch(&other.tick(after(10_001), &memory));
}

#[test]
fn a_configuration_that_goes_away_does_not_keep_its_lease() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut old = FactStore::new(&policy);
    let mut new = FactStore::new(&policy);
    fetch(&old.tick(START, &memory));
    assert_eq!(new.tick(after(1), &memory), []);
    old.close(&memory);
    let call = fetch(&new.tick(after(2), &memory));
    // What went away cannot take the lease of what is there.
    old.close(&memory);
    let mut third = FactStore::new(&policy);
    assert_eq!(third.tick(after(3), &memory), []);
    new.received(call.id, ok(key_set("one")), after(4), &memory);
    third.tick(after(5), &memory);
    assert!(knows(&third, "one", after(5)));
}

#[test]
fn pauses_grow_though_another_worker_fetches_each_time() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut workers: Vec<FactStore> = (0..4).map(|_| FactStore::new(&policy)).collect();
    let mut asked = Vec::new();
    for step in 0..1_200 {
        let now = after(step * 50);
        // Another one is the first with every tick.
        workers.rotate_left(1);
        for worker in &mut workers {
            for call in fetches(&worker.tick(now, &memory)) {
                asked.push(now.0 - START.0);
                worker.received(call.id, status(500), now, &memory);
            }
        }
    }
    let pauses: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        pauses.windows(2).all(|pair| pair[1] > pair[0]),
        "{pauses:?}"
    );
    assert!((5..=7).contains(&asked.len()), "{asked:?}");
}

#[test]
fn a_failed_fetch_is_not_repeated_by_every_worker() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut first = FactStore::new(&policy);
    let mut second = FactStore::new(&policy);
    let call = fetch(&first.tick(START, &memory));
    first.received(call.id, status(500), START, &memory);
    let fact = Fact::KeySet(THE_PROVIDER);
    second.wait(WaiterId(1), &fact, after(9)).unwrap();
    // The other worker learns that the fetch failed, and lets no request wait for it.
    assert_eq!(woken(&second.tick(after(10), &memory)), [(1, false)]);
    assert!(matches!(
        second.at(after(10)).key_set(THE_PROVIDER),
        Availability::Unavailable(_)
    ));
    fetch(&second.tick(after(1_001), &memory));
}

#[test]
fn shared_keys_are_believed_only_from_workers_with_the_same_secrets() {
    let memory = Memory::default();
    let mut ours = FactStore::new(&policy(by_jwks(), Some("secret")));
    let mut theirs = FactStore::new(&policy(by_jwks(), Some("another secret")));
    let call = fetch(&theirs.tick(START, &memory));
    theirs.received(call.id, ok(key_set("forged")), START, &memory);
    let effects = ours.tick(after(1), &memory);
    assert!(!knows(&ours, "forged", after(1)));
    fetch(&effects);
}

#[test]
fn shared_keys_that_were_tampered_with_are_not_believed() {
    let memory = Memory::default();
    let _ = warm(&memory);
    let name = memory.name_of("keys");
    let sealed = memory.read(&name).unwrap().0;
    for at in 0..sealed.len() {
        let mut forged = sealed.clone();
        forged[at] ^= 1;
        memory.write(&name, &forged, None);
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        store.tick(START, &memory);
        assert!(!knows(&store, "one", START), "byte {at}");
    }
    for length in 0..sealed.len() {
        memory.write(&name, &sealed[..length], None);
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        store.tick(START, &memory);
        assert!(!knows(&store, "one", START), "length {length}");
    }
    memory.write(&name, &sealed, None);
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    store.tick(START, &memory);
    assert!(knows(&store, "one", START));
}

#[test]
fn keys_of_the_future_and_of_the_past_are_not_adopted() {
    let memory = Memory::default();
    let _ = warm(&memory);
    for now in [UnixMillis(START.0 - 1), after(3_600_001)] {
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        store.tick(now, &memory);
        assert!(!knows(&store, "one", now));
    }
}

#[test]
fn without_a_secret_nothing_is_shared() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), None));
    let call = fetch(&store.tick(START, &memory));
    store.received(call.id, ok(key_set("one")), START, &memory);
    assert!(knows(&store, "one", START));
    assert!(memory.0.borrow().is_empty());
}

#[test]
fn shared_memory_holds_no_secret() {
    let memory = Memory::default();
    let _ = warm(&memory);
    for (name, (value, _)) in memory.0.borrow().iter() {
        assert!(name.starts_with("n8n-idp-gate/"), "{name}");
        assert!(!value.windows(6).any(|bytes| bytes == b"secret"));
    }
}

#[test]
fn a_forged_lease_delays_no_fetch() {
    let memory = Memory::default();
    let _ = warm(&memory);
    let lease = memory.name_of("lease");
    let sealed = memory.read(&lease).unwrap().0;
    let mut longer = sealed.clone();
    *longer.last_mut().unwrap() ^= 1;
    let until = START.0 + 301_000;
    let mut plain = vec![0, 0, 0, 8];
    plain.extend(until.to_be_bytes());
    for forged in [longer, plain, sealed[..40].to_vec(), Vec::new()] {
        memory.write(&lease, &forged, None);
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        assert_eq!(fetches(&store.tick(after(300_000), &memory)).len(), 1);
    }
}

/// What is in force is neither over nor further away than ours can be.
#[test]
fn a_lease_ends_at_its_end_and_none_is_believed_that_is_longer_than_a_lease_can_be() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let worker = |now: u64| {
        let mut store = FactStore::new(&policy);
        fetches(&store.tick(after(now), &memory)).len()
    };
    assert_eq!(worker(0), 1);
    assert_eq!((worker(9_999), worker(10_000)), (0, 1));
    // The clock was ahead: a lease of ten seconds, and the longest pause after it.
    let longest = 10_000 + 300_000;
    let ahead = FactStore::new(&policy).tick(after(1_000_000), &memory);
    assert_eq!(fetches(&ahead).len(), 1);
    let end = 1_000_000 + 10_000;
    assert_eq!(worker(end - longest), 0);
    assert_eq!(worker(end - longest - 1), 1);
}

#[test]
fn a_new_virtual_machine_has_keys_under_grace_though_it_never_saw_them_published() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3000);
    let mut first = FactStore::new(&policy);
    let mut missed_it = FactStore::new(&policy);
    for (turn, kid) in (0..).zip(["one", "two", "three"]) {
        refresh(&mut first, ok(key_set(kid)), after(turn * 300_000), &memory);
    }
    let mut new = FactStore::new(&policy);
    for worker in [&mut new, &mut missed_it] {
        assert_eq!(worker.tick(after(600_001), &memory), []);
        for kid in ["one", "two", "three"] {
            assert!(knows(worker, kid, after(600_001)), "{kid}");
        }
    }
    // The grace counts from when a key left the set, in every worker.
    new.tick(after(3_299_999), &memory);
    assert!(knows(&new, "one", after(3_299_999)));
    new.tick(after(3_300_000), &memory);
    assert!(!knows(&new, "one", after(3_300_000)));
    assert!(knows(&new, "two", after(3_300_000)));
}

#[test]
fn a_configuration_with_less_grace_does_not_take_over_more() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3000);
    let mut old = FactStore::new(&policy);
    refresh(&mut old, ok(key_set("one")), START, &memory);
    refresh(&mut old, ok(key_set("two")), after(300_000), &memory);
    assert!(knows(&old, "one", after(300_000)));
    policy.providers[0].freshness.grace = Duration::ZERO;
    let mut new = FactStore::new(&policy);
    new.tick(after(300_001), &memory);
    assert!(!knows(&new, "one", after(300_001)));
    assert!(knows(&new, "two", after(300_001)));
}

#[test]
fn retired_keys_are_bounded_and_so_is_what_is_shared() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(48 * 3600);
    let mut store = FactStore::new(&policy);
    for turn in 0..150 {
        let kid = format!("key-{turn:03}");
        refresh(
            &mut store,
            ok(key_set(&kid)),
            after(turn * 300_000),
            &memory,
        );
    }
    let facts = store.at(after(150 * 300_000));
    let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
        panic!("no keys");
    };
    assert_eq!(keys.keys().len(), 101);
    let ids: Vec<_> = keys.keys().iter().filter_map(|key| key.key_id()).collect();
    assert_eq!(ids[..2], ["key-149", "key-049"]);
    let size = memory.read(&memory.name_of("keys")).unwrap().0.len();
    assert!(size < 20_000, "{size}");
}

#[test]
fn keys_that_stay_are_the_very_same_ones_after_a_refresh() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let key = |store: &FactStore, now| {
        let facts = store.at(now);
        let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
            panic!("no keys");
        };
        Arc::clone(&keys.keys()[0])
    };
    let before = key(&store, START);
    refresh(&mut store, ok(key_set("one")), after(300_000), &memory);
    assert!(Arc::ptr_eq(&before, &key(&store, after(300_000))));
}

#[test]
fn a_worker_learns_why_another_one_could_not_fetch() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut first = FactStore::new(&policy);
    let mut second = FactStore::new(&policy);
    refresh(&mut first, retry_after(429, 200), START, &memory);
    second.tick(after(1), &memory);
    let facts = second.at(after(1));
    let Availability::Unavailable(outage) = facts.key_set(THE_PROVIDER) else {
        panic!("keys");
    };
    assert_eq!(outage.fault, Some("rate_limited"));
    assert_eq!(outage.retry_after, Duration::from_millis(199_999));
}

#[test]
fn workers_without_a_principal_share_by_a_secret_of_their_own() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), None);
    policy.sharing_secret = Some(Secret::new("0123456789abcdef".to_owned()));
    let mut first = FactStore::new(&policy);
    refresh(&mut first, ok(key_set("one")), START, &memory);
    let mut second = FactStore::new(&policy);
    assert_eq!(second.tick(after(1), &memory), []);
    assert!(knows(&second, "one", after(1)));
    policy.sharing_secret = Some(Secret::new("another secret of workers".to_owned()));
    let mut other = FactStore::new(&policy);
    fetch(&other.tick(after(1), &memory));
}
