//! Other modules of the same shared memory, which know the names of what is there.

use super::draws::{on_random_steps, Draws};
use super::*;

/// Does with shared memory whatever a module can.
#[derive(Default)]
struct Neighbour {
    draws: Draws,
    /// Every value that ever was there.
    seen: Vec<Vec<u8>>,
}

impl Neighbour {
    fn below(&mut self, bound: usize) -> usize {
        self.draws.below(bound as u64) as usize
    }

    fn act(&mut self, memory: &Memory) {
        let entries: Vec<_> = memory.0.borrow().clone().into_iter().collect();
        for (_, (value, _)) in &entries {
            if !self.seen.contains(value) {
                self.seen.push(value.clone());
            }
        }
        if entries.is_empty() {
            return;
        }
        let (name, (value, version)) = entries[self.below(entries.len())].clone();
        // Newer values are those that could still be believed.
        let count = self.seen.len();
        let newest = [count, 8][self.below(2)].min(count);
        let index = count - 1 - self.below(newest);
        let old = self.seen[index].clone();
        match self.below(6) {
            // Replays, under this name or another.
            0..=2 => memory.write(&name, &old, None),
            3 => memory.write(&name, &[], None),
            4 => {
                let mut forged = value;
                let at = self.below(forged.len().max(1));
                forged.get_mut(at).into_iter().for_each(|byte| *byte ^= 1);
                memory.write(&name, &forged, Some(version))
            }
            _ => memory.write(&name, &vec![7; self.below(3_000)], None),
        };
    }
}

/// The number of the newest key that a worker knows.
fn newest(store: &FactStore, now: UnixMillis) -> Option<u64> {
    let facts = store.at(now);
    let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
        return None;
    };
    let ids = keys.keys().iter().filter_map(|key| key.key_id());
    ids.map(|id| id.parse::<u64>().expect("a key out of nowhere"))
        .max()
}

/// The provider changes its key every ten minutes. No worker ever goes back to an older one, a new
/// one takes none that left longer ago than an interval, and none is kept from new ones for long.
#[test]
fn a_neighbour_that_overwrites_replays_and_deletes_forges_nothing_and_rolls_no_worker_back() {
    let ran = RefCell::new((0, 0));
    on_random_steps(16, 2_880, |_, steps| {
        let mut ran = ran.borrow_mut();
        ran.0 += steps.len();
        ran.1 += run(steps);
    });
    let (steps, rolled_back) = ran.into_inner();
    assert!(steps >= 17_280, "{steps}");
    assert!(rolled_back > 0, "no new worker found an old key");
}

/// In each step the neighbour acts once, then the workers tick five times in two and a half seconds.
/// Returns how many new workers took a key that had left.
fn run(steps: &[[u32; 12]]) -> usize {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut neighbour = Neighbour::default();
    let mut workers: Vec<_> = (0..3).map(|_| (FactStore::new(&policy), 0)).collect();
    let (mut rolled_back, mut fetched) = (0, 0);
    for (step, draws) in steps.iter().enumerate() {
        neighbour.draws = Draws::of(draws);
        neighbour.act(&memory);
        if neighbour.below(24) == 0 {
            workers[neighbour.below(3)] = (FactStore::new(&policy), 0);
        }
        for tick in step as u64 * 5..step as u64 * 5 + 5 {
            let (now, published) = (after(tick * 500), tick / 1_200);
            for (store, known) in &mut workers {
                let is_new = *known == 0;
                for call in fetches(&store.tick(now, &memory)) {
                    fetched += 1;
                    let set = key_set(&published.to_string());
                    store.received(call.id, ok(set), now, &memory);
                }
                let Some(newest) = newest(store, now) else {
                    continue;
                };
                assert!(newest + 1 >= *known, "{newest} after {known}");
                assert!(newest + 2 > published, "{newest} of {published} at {tick}");
                let left = (newest + 1) * 1_200;
                if is_new && newest < published {
                    rolled_back += 1;
                    assert!(tick - left <= 600, "a new worker took what left long ago");
                }
                *known = newest + 1;
            }
        }
    }
    assert!(rolled_back < 10, "{rolled_back}");
    assert!(fetched < 3 * steps.len() * 5 / 540 + 60, "{fetched}");
    rolled_back
}

/// What is put back is due, so it does not serve before the provider was asked.
#[test]
fn a_new_worker_does_not_serve_with_keys_that_are_due_before_it_asked() {
    let memory = Memory::default();
    let _ = warm(&memory);
    let old = memory.0.borrow().clone();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    refresh(&mut store, ok(key_set("two")), after(300_000), &memory);
    let now = after(600_000);
    for (response, one, two) in [
        (ok(key_set("two")), false, true),
        // No other worker has newer keys: they stay in use during an outage.
        (status(503), true, false),
    ] {
        *memory.0.borrow_mut() = old.clone();
        let mut new = FactStore::new(&policy(by_jwks(), Some("secret")));
        let call = fetch(&new.tick(now, &memory));
        assert!(!knows(&new, "one", now));
        let facts = new.at(now);
        let pending = matches!(facts.key_set(THE_PROVIDER), Availability::Pending);
        assert!(pending, "they wait for the response");
        new.received(call.id, response, now, &memory);
        assert_eq!(
            (knows(&new, "one", now), knows(&new, "two", now)),
            (one, two)
        );
    }
}

/// A worker that comes when keys are due takes over those under grace all the same.
#[test]
fn keys_under_grace_outlive_a_new_worker_that_comes_when_keys_are_due() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3000);
    let mut old = FactStore::new(&policy);
    refresh(&mut old, ok(key_set("one")), START, &memory);
    refresh(&mut old, ok(key_set("two")), after(300_000), &memory);
    let mut new = FactStore::new(&policy);
    let now = after(700_000);
    refresh(&mut new, ok(key_set("three")), now, &memory);
    for kid in ["one", "two", "three"] {
        assert!(knows(&new, kid, now), "{kid}");
    }
}

#[test]
fn a_value_that_is_too_large_is_looked_at_once_a_minute() {
    struct Counting(Memory, RefCell<u32>);
    impl SharedMemory for Counting {
        fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
            *self.1.borrow_mut() += 1;
            self.0.read(name)
        }
        fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
            self.0.write(name, value, version)
        }
        fn create(&self, name: &str, value: &[u8]) -> bool {
            self.0.create(name, value)
        }
    }
    let memory = Memory::default();
    let mut store = warm(&memory);
    let name = memory.name_of("keys");
    memory.write(&name, &vec![0; 1024 * 1024 + 1], None);
    let memory = Counting(memory, RefCell::default());
    for millis in 0..60_000 {
        assert_eq!(store.tick(after(1_000 + millis), &memory), []);
    }
    assert_eq!(*memory.1.borrow(), 1);
    // It goes on to fetch, with others or by itself.
    assert_eq!(fetches(&store.tick(due(START, 300), &memory)).len(), 1);
    assert!(knows(&store, "one", due(START, 300)));
}
