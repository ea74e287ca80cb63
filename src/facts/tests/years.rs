//! Years of a provider that does anything at all.

use super::*;

/// A year of a provider that does anything at all, in a few seconds: whatever happens, every
/// request that waits is woken within the time that a fetch may take, fetches are bounded, and
/// keys older than `max_stale` are never used.
#[test]
fn random_years_keep_the_promises() {
    for seed in 1..=20_u64 {
        random_year(seed);
    }
}

fn random_year(seed: u64) {
    let mut random = seed;
    let mut next = move |below: u64| {
        // Numbers of Knuth's linear congruential generator, for the tests to be repeatable.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let mut now = START;
    let mut under_way: Vec<CallId> = Vec::new();
    let mut waiting: BTreeMap<u32, UnixMillis> = BTreeMap::new();
    let mut last_good: Option<UnixMillis> = None;
    let mut fetched = 0_u64;
    let mut waiters = 0_u32;
    let mut misses = 0_u64;
    let begin = now;
    for _ in 0..20_000 {
        now = UnixMillis(now.0 + [1, 2, 500, 3_000, 60_000, 3_000_000][next(6) as usize]);
        let effects = match next(4) {
            0 if !under_way.is_empty() => {
                let call = under_way.remove(next(under_way.len() as u64) as usize);
                let answer = match next(4) {
                    0 => status(500),
                    1 => FetchAnswer::NoResponse,
                    2 => ok("<html>"),
                    _ => ok(key_set("one")),
                };
                let effects = store.answered(call, answer, now, &memory);
                if effects.contains(&Effect::Refreshed(THE_PROVIDER)) {
                    last_good = Some(now);
                }
                effects
            }
            1 => {
                waiters += 1;
                let facts = store.at(now);
                let fact = match facts.key_set(THE_PROVIDER) {
                    Availability::Pending => Some(Fact::KeySet(THE_PROVIDER)),
                    Availability::Known(_)
                        if facts.newer_keys(THE_PROVIDER) == NewerKeys::MayCome =>
                    {
                        misses += 1;
                        Some(Fact::NewerKeySet(THE_PROVIDER))
                    }
                    _ => None,
                };
                if let Some(fact) = fact {
                    store.wait(WaiterId(waiters), fact, now).unwrap();
                    waiting.insert(waiters, now);
                }
                Vec::new()
            }
            _ => {
                let effects = store.tick(now, &memory);
                let waited = |since: &UnixMillis| now.since(*since) <= Duration::from_secs(10);
                for (id, _) in woken(&effects) {
                    assert!(waiting.remove(&id).is_some(), "woken twice");
                }
                assert!(waiting.values().all(waited), "somebody waits for ever");
                effects
            }
        };
        for (id, _) in woken(&effects) {
            waiting.remove(&id);
        }
        for request in fetches(&effects) {
            fetched += 1;
            under_way.push(request.call);
        }
        if let Availability::Known(_) = store.at(now).key_set(THE_PROVIDER) {
            let good = last_good.expect("keys out of nowhere");
            assert!(now.since(good) <= freshness().max_stale, "stale keys");
        }
    }
    assert!(fetched > 100 && misses > 100, "the model exercises little");
    let seconds = now.since(begin).as_secs();
    assert!(fetched <= seconds + 1, "more than one fetch a second");
}
