#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::cell::Cell;
use std::collections::BTreeMap;

use super::*;
use crate::secret::Secret;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

/// Shared memory in which all modules write.
#[derive(Default)]
struct Memory {
    values: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    last: Cell<u32>,
    reads: Cell<u32>,
    refuses: Cell<bool>,
}

impl Memory {
    fn put(&self, name: &str, value: &[u8]) {
        self.last.set(self.last.get().saturating_add(1));
        let value = (value.to_vec(), self.last.get());
        self.values.borrow_mut().insert(name.to_owned(), value);
    }

    /// What a module with the same VM id sees.
    fn copy(&self) -> BTreeMap<String, (Vec<u8>, u32)> {
        self.values.borrow().clone()
    }

    fn name_of(&self, worker: &PushedRevocations, part: &str) -> String {
        let name = if part == "list" {
            &worker.list
        } else {
            &worker.turn
        };
        assert!(self.values.borrow().contains_key(name));
        name.clone()
    }
}

impl SharedMemory for Memory {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        self.reads.set(self.reads.get().saturating_add(1));
        self.values.borrow().get(name).cloned()
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        let values = self.copy();
        let known = values.get(name).map(|(_, version)| *version);
        let may = !self.refuses.get() && (version.is_none() || version == known);
        if may {
            self.put(name, value);
        }
        may
    }

    fn create(&self, name: &str, value: &[u8]) -> bool {
        let may = !self.refuses.get() && !self.copy().contains_key(name);
        if may {
            self.put(name, value);
        }
        may
    }
}

fn worker() -> PushedRevocations {
    let secret = Secret::new("a secret".to_owned());
    PushedRevocations::new(SharedKey::derive([&secret]).unwrap(), DAY)
}

fn id(number: u32) -> IdDigest {
    IdDigest::of(&[&number.to_be_bytes()])
}

fn provider() -> IdDigest {
    IdDigest::of(&[b"idp"])
}

fn revocation(number: u32, at: UnixSeconds) -> Revocation {
    Revocation {
        provider: provider(),
        ids: vec![id(number)],
        at,
    }
}

fn issued(number: u32, at: UnixSeconds) -> Revocable {
    Revocable {
        provider: provider(),
        ids: vec![(id(number), false)],
        issued: Some(at),
        clock_skew: Duration::ZERO,
    }
}

fn is_revoked(worker: &PushedRevocations, memory: &Memory, token: &Revocable, now: u64) -> bool {
    let now = UnixSeconds(NOW.0 + now);
    let pushed = worker;
    RevocationsAt {
        pushed,
        memory,
        now,
    }
    .is_revoked(token)
}

#[test]
fn a_revocation_is_known_to_every_worker_at_once_and_for_its_time() {
    let memory = Memory::default();
    let [one, two] = [(); 2].map(|()| worker());
    assert!(!is_revoked(&two, &memory, &issued(1, NOW), 0));
    assert!(one.add(&revocation(1, NOW), &memory, NOW));
    for worker in [&one, &two, &worker()] {
        assert!(is_revoked(worker, &memory, &issued(1, NOW), 0));
        assert!(!is_revoked(worker, &memory, &issued(2, NOW), 0));
        let later = UnixSeconds(NOW.0 + 1);
        assert!(!is_revoked(worker, &memory, &issued(1, later), 1));
    }
    // The next one removes what is too old.
    let tomorrow = UnixSeconds(NOW.0 + DAY.as_secs() + 1);
    assert!(one.add(&revocation(2, tomorrow), &memory, tomorrow));
    let known = one.known.borrow();
    assert_eq!(known.entries, [(key(provider(), id(2)), tomorrow)]);
}

/// A client that recorded an event could send it without end.
#[test]
fn an_event_that_comes_again_is_not_written_again() {
    let memory = Memory::default();
    let [one, two] = [(); 2].map(|()| worker());
    assert!(one.add(&revocation(1, NOW), &memory, NOW));
    let before = memory.copy();
    for worker in [&one, &two, &one] {
        assert!(worker.add(&revocation(1, NOW), &memory, NOW));
    }
    assert_eq!(memory.copy(), before);
}

#[test]
fn of_two_events_about_one_subject_the_later_one_counts() {
    let memory = Memory::default();
    let one = worker();
    let later = UnixSeconds(NOW.0 + 60);
    for at in [later, NOW] {
        assert!(one.add(&revocation(1, at), &memory, later));
    }
    assert!(is_revoked(&one, &memory, &issued(1, later), 60));
}

#[test]
fn a_request_costs_one_short_read() {
    let memory = Memory::default();
    let [one, two] = [(); 2].map(|()| worker());
    one.add(&revocation(1, NOW), &memory, NOW);
    is_revoked(&two, &memory, &issued(1, NOW), 0);
    let before = memory.reads.get();
    for _ in 0..10 {
        is_revoked(&two, &memory, &issued(2, NOW), 0);
    }
    assert_eq!(memory.reads.get() - before, 10);
    let turn = memory.copy().get(&two.turn).map(|(turn, _)| turn.len());
    assert_eq!(turn, Some(40));
}

/// A module that damages the list, or puts an older one in its place, must not bring a token back.
#[test]
fn what_another_module_does_to_the_list_revokes_no_less() {
    for attack in ["garbage", "empty", "old list", "old list and turn"] {
        let memory = Memory::default();
        let [one, two] = [(); 2].map(|()| worker());
        one.add(&revocation(1, NOW), &memory, NOW);
        let before = memory.copy();
        one.add(&revocation(2, NOW), &memory, NOW);
        assert!(is_revoked(&two, &memory, &issued(2, NOW), 0));
        let list = memory.name_of(&one, "list");
        let turn = memory.name_of(&one, "turn");
        match attack {
            "garbage" => memory.put(&list, &[7; 200]),
            "empty" => memory.put(&list, b""),
            "old list" => memory.put(&list, &before[&list].0),
            _ => {
                memory.put(&list, &before[&list].0);
                memory.put(&turn, &before[&turn].0);
            }
        }
        // A worker that knows the list goes on, and writes it back as soon as it looks again.
        assert!(is_revoked(&two, &memory, &issued(2, NOW), 0), "{attack}");
        assert!(one.add(&revocation(3, NOW), &memory, NOW));
        for number in [1, 2, 3] {
            let fresh = worker();
            assert!(
                is_revoked(&fresh, &memory, &issued(number, NOW), 0),
                "{attack}"
            );
            assert!(!is_revoked(&fresh, &memory, &issued(4, NOW), 0), "{attack}");
        }
    }
}

/// It cannot know what was in it.
#[test]
fn a_new_worker_that_finds_a_damaged_list_refuses_all_tokens_of_the_time_before() {
    for attack in ["garbage", "old list", "no list"] {
        let memory = Memory::default();
        let one = worker();
        one.add(&revocation(1, NOW), &memory, NOW);
        let before = memory.copy();
        one.add(&revocation(2, NOW), &memory, NOW);
        let list = memory.name_of(&one, "list");
        match attack {
            "garbage" => memory.put(&list, &[7; 200]),
            "old list" => memory.put(&list, &before[&list].0),
            _ => {
                memory.values.borrow_mut().remove(&list);
            }
        }
        let fresh = worker();
        assert!(is_revoked(&fresh, &memory, &issued(9, NOW), 0), "{attack}");
        let later = UnixSeconds(NOW.0 + 1);
        assert!(
            !is_revoked(&fresh, &memory, &issued(9, later), 1),
            "{attack}"
        );
    }
}

#[test]
fn an_entry_that_another_module_writes_or_copies_does_not_count() {
    let memory = Memory::default();
    let one = worker();
    one.add(&revocation(1, NOW), &memory, NOW);
    let secret = Secret::new("another secret".to_owned());
    let other = PushedRevocations::new(SharedKey::derive([&secret]).unwrap(), DAY);
    let mut known = Known::default();
    known.insert(key(provider(), id(2)), NOW);
    let sealed = other.key.seal(&one.list, &known.encode());
    memory.put(&one.list, &sealed);
    memory.put(&one.turn, b"x");
    assert!(!is_revoked(&one, &memory, &issued(2, NOW), 0));
    assert!(is_revoked(&one, &memory, &issued(1, NOW), 0));
}

/// A flood of log-outs must neither fill memory nor push a revocation out.
#[test]
fn a_full_list_joins_its_oldest_entries_to_one_for_all_tokens_of_that_time() {
    let memory = Memory::default();
    let [one, two] = [(); 2].map(|()| worker());
    let count = u32::try_from(MAX_ENTRIES).unwrap() + 10;
    let at = |number: u32| UnixSeconds(NOW.0 + u64::from(number));
    let end = at(count);
    {
        let mut known = one.known.borrow_mut();
        for number in 0..count {
            known.insert(key(provider(), id(number)), at(number));
        }
    }
    assert!(one.add(&revocation(count, end), &memory, end));
    assert!(one.known.borrow().entries.len() <= MAX_ENTRIES);
    for worker in [&one, &two] {
        for number in 0..=count {
            let token = issued(number, at(number));
            assert!(
                is_revoked(worker, &memory, &token, u64::from(count)),
                "{number}"
            );
        }
        // A token that is new is not touched by it; an old one of another caller is.
        assert!(!is_revoked(
            worker,
            &memory,
            &issued(count + 1, end),
            u64::from(count)
        ));
        assert!(is_revoked(
            worker,
            &memory,
            &issued(count + 1, NOW),
            u64::from(count)
        ));
        let of_another = Revocable {
            provider: IdDigest::of(&[b"another"]),
            ..issued(1, NOW)
        };
        assert!(!is_revoked(worker, &memory, &of_another, u64::from(count)));
    }
    let before = memory.copy();
    for worker in [&two, &one, &two] {
        is_revoked(worker, &memory, &issued(1, NOW), u64::from(count));
    }
    assert_eq!(
        memory.copy(),
        before,
        "no worker writes again what all know"
    );
}

#[test]
fn a_list_of_one_second_is_joined_whole() {
    let memory = Memory::default();
    let one = worker();
    {
        let mut known = one.known.borrow_mut();
        for number in 0..=u32::try_from(MAX_ENTRIES).unwrap() {
            known.insert(key(provider(), id(number)), NOW);
        }
    }
    assert!(one.add(&revocation(1, NOW), &memory, NOW));
    assert_eq!(one.known.borrow().entries, [(key(provider(), ALL), NOW)]);
}

#[test]
fn a_revocation_that_the_host_does_not_store_is_known_to_its_worker() {
    let memory = Memory::default();
    let [one, two] = [(); 2].map(|()| worker());
    memory.refuses.set(true);
    assert!(!one.add(&revocation(1, NOW), &memory, NOW));
    assert!(is_revoked(&one, &memory, &issued(1, NOW), 0));
    assert!(!is_revoked(&two, &memory, &issued(1, NOW), 0));
    memory.refuses.set(false);
    assert!(one.add(&revocation(1, NOW), &memory, NOW));
    assert!(is_revoked(&two, &memory, &issued(1, NOW), 0));
}
