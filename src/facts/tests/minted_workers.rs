//! API keys of n8n that the gate makes, and several workers.

use serde_json::json;

use super::n8n::{response, N8n};
use super::provisioned::{activate, provisioned, request_of, Found, Gate, TIMEOUT, TTL};
use super::*;
use crate::facts::MintRequest;

fn orders() -> MintRequest {
    request_of("orders", &["workflow:list"])
}

fn seconds(seconds: u64) -> UnixMillis {
    after(seconds * 1000)
}

/// Workers of one process, whose leases are laid out.
fn workers<const COUNT: usize>(memory: &Memory) -> [Gate; COUNT] {
    FactStore::new(&provisioned()).open(memory);
    std::array::from_fn(|_| Gate::new(&provisioned()))
}

#[test]
fn one_worker_makes_a_key_and_the_others_adopt_it() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut all = workers::<4>(&memory);
    for worker in &mut all {
        assert_eq!(worker.ask(&orders(), START), Found::Waits(1));
    }
    for worker in &mut all {
        worker.tick(START, &memory);
    }
    let calls: Vec<_> = all.iter().map(|worker| worker.under_way.len()).collect();
    assert_eq!(calls, [1, 0, 0, 0]);
    all[0].run(&mut n8n, after(20), &memory);
    let key = all[0].ask(&orders(), after(20)).key();
    for worker in &mut all[1..] {
        worker.run(&mut n8n, after(40), &memory);
        assert_eq!(worker.woken, [1]);
        assert_eq!(worker.ask(&orders(), after(40)).key(), key);
    }
    assert_eq!((n8n.calls.len(), n8n.keys.len()), (5, 1));
}

/// Its leases hold for a while. Users beside them must not wait for that.
#[test]
fn the_leases_of_a_worker_that_has_stopped_keep_no_other_users_waiting() {
    let memory = Memory::default();
    let [mut stopped, mut other] = workers(&memory);
    let users: Vec<_> = (0..12).map(|number| format!("user-{number}")).collect();
    for user in &users {
        let request = request_of(user, &["workflow:list"]);
        stopped.ask(&request, START);
        other.ask(&request, START);
    }
    stopped.tick(START, &memory);
    assert_eq!(stopped.under_way.len(), 4);
    for millis in (2..=200).step_by(2) {
        other.tick(after(millis), &memory);
    }
    assert_eq!(other.under_way.len(), 4);
}

#[test]
fn a_session_is_one_of_all_workers() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one, mut other] = workers(&memory);
    one.get(&mut n8n, &orders(), START, &memory).key();
    n8n.calls.clear();
    let create = request_of("orders", &["workflow:create"]);
    other.ask(&create, after(1));
    // It learns of the session, and then of no other news.
    other.run(&mut n8n, after(1), &memory);
    other.run(&mut n8n, after(2), &memory);
    other.get(&mut n8n, &create, after(3), &memory).key();
    assert_eq!(
        n8n.calls,
        ["GET /rest/api-keys/scopes", "POST /rest/api-keys"]
    );
}

#[test]
fn a_new_worker_makes_nothing_that_is_there() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut old] = workers(&memory);
    let key = old.get(&mut n8n, &orders(), START, &memory).key();
    old.store.close(&memory);
    let mut new = Gate::new(&provisioned());
    new.store.open(&memory);
    assert_eq!(new.get(&mut n8n, &orders(), after(1), &memory).key(), key);
    assert_eq!(n8n.calls.len(), 5);
}

#[test]
fn nothing_of_what_is_shared_can_be_read() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one] = workers(&memory);
    let key = one.get(&mut n8n, &orders(), START, &memory).key();
    let create = request_of("orders", &["workflow:create"]);
    one.get(&mut n8n, &create, after(1), &memory).key();
    let entries = memory.0.borrow();
    assert!(entries.keys().any(|name| name.contains("/minted_key/")));
    let secrets = [
        &*key,
        "raw-",
        "key-",
        "session-",
        "n8n-auth",
        "orders",
        "gate.invalid",
        "workflow",
        "provisioning",
    ];
    for (name, (value, _)) in entries.iter() {
        for secret in secrets {
            assert!(!name.contains(secret), "{name}");
            let mut parts = value.windows(secret.len());
            assert!(!parts.any(|part| part == secret.as_bytes()), "{secret}");
        }
    }
}

#[test]
fn a_value_under_the_name_of_another_user_does_not_open() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one, mut other] = workers(&memory);
    one.get(&mut n8n, &orders(), START, &memory).key();
    let name = memory.name_of("minted_key");
    let sales = request_of("sales", &["workflow:list"]);
    one.get(&mut n8n, &sales, START, &memory).key();
    let entries = memory.0.borrow().clone();
    let names: Vec<_> = entries
        .keys()
        .filter(|name| name.contains("/minted_key/"))
        .collect();
    assert_eq!(names.len(), 2);
    let another = names.into_iter().find(|other| **other != name).unwrap();
    let [first, second] = [&name, another].map(|name| entries[name].0.clone());
    memory.write(&name, &second, None);
    memory.write(another, &first, None);
    for request in [orders(), sales] {
        let key = other.get(&mut n8n, &request, after(1), &memory).key();
        assert_eq!(n8n.owner(&key), Some(request.email()));
    }
    assert_eq!(n8n.keys.len(), 4, "each was made anew");
}

#[test]
fn gates_with_another_secret_read_nothing_and_overwrite_nothing() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one] = workers(&memory);
    one.get(&mut n8n, &orders(), START, &memory).key();
    let before = memory.0.borrow().clone();
    let mut policy = provisioned();
    policy.sharing_secret = Some(Secret::new("of another tenant".to_owned()));
    let mut other = Gate::new(&policy);
    other.get(&mut n8n, &orders(), after(1), &memory).key();
    assert_eq!(n8n.keys.len(), 2);
    for (name, value) in &before {
        assert_eq!(memory.0.borrow().get(name), Some(value), "{name}");
    }
}

#[test]
fn two_users_are_served_at_a_time_unless_they_have_one_lease() {
    let memory = Memory::default();
    let [mut one, mut other] = workers(&memory);
    let requests: Vec<_> = (0..400)
        .map(|number| request_of(&format!("app-{number}"), &["workflow:list"]))
        .collect();
    let lease = |request: &MintRequest| request.user_digest()[0] % 64;
    let first = &requests[0];
    let same = requests[1..]
        .iter()
        .find(|other| lease(other) == lease(first));
    let apart = requests.iter().find(|other| lease(other) != lease(first));
    one.ask(first, START);
    one.tick(START, &memory);
    assert_eq!(one.under_way.len(), 1);
    other.ask(same.unwrap(), START);
    other.tick(START, &memory);
    assert_eq!(other.under_way.len(), 0);
    other.ask(apart.unwrap(), START);
    other.tick(START, &memory);
    assert_eq!(other.under_way.len(), 1);
    // A worker that goes away gives its leases back.
    one.store.close(&memory);
    other.tick(after(1), &memory);
    assert_eq!(other.under_way.len(), 2);
}

#[test]
fn the_lease_of_a_worker_that_died_runs_out() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut dead, mut other] = workers(&memory);
    dead.ask(&orders(), START);
    dead.tick(START, &memory);
    drop(dead);
    let end = START.saturating_add(TIMEOUT * 4);
    let found = other.ask(&orders(), after(1));
    other.tick(before(end), &memory);
    assert!(other.under_way.is_empty() && other.woken.is_empty());
    other.run(&mut n8n, end, &memory);
    assert_eq!(found, Found::Waits(1));
    assert_eq!(other.woken, [1]);
    other.ask(&orders(), end).key();
}

#[test]
fn a_pause_of_one_user_is_that_of_all_workers() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one, mut other] = workers(&memory);
    n8n.faults.push(("GET /api", response(500, &json!({}))));
    let fault = one.get(&mut n8n, &orders(), START, &memory).fault();
    assert_eq!(fault, "server_error");
    other.ask(&orders(), after(1));
    other.run(&mut n8n, after(1), &memory);
    assert_eq!(other.woken, [1]);
    assert_eq!(other.ask(&orders(), after(1)).fault(), "server_error");
    assert_eq!(n8n.calls.len(), 1);
    let later = seconds(2);
    other.get(&mut n8n, &orders(), later, &memory).key();
}

/// Another worker may have replaced it, and then it is deleted.
#[test]
fn a_worker_does_not_use_a_key_that_it_did_not_use_and_that_should_have_been_renewed() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut busy, mut idle] = workers(&memory);
    let first = busy.get(&mut n8n, &orders(), START, &memory).key();
    idle.ask(&orders(), after(1));
    idle.run(&mut n8n, after(1), &memory);
    for second in 1..=3000 {
        for worker in [&mut busy, &mut idle] {
            worker.run(&mut n8n, seconds(second), &memory);
        }
    }
    assert!(!n8n.accepts(&first, seconds(3000)));
    let now = seconds(3000);
    let found = idle.get(&mut n8n, &orders(), now, &memory);
    let second = busy.ask(&orders(), now).key();
    assert_eq!(found, Found::Key(second.clone()));
    // Two requests at once.
    let mut late = Gate::new(&provisioned());
    late.get(&mut n8n, &orders(), now, &memory).key();
    for request in 0..3 {
        assert!(
            n8n.accepts(&late.ask(&orders(), now).key(), now),
            "{request}"
        );
    }
    // If none replaced it, it is renewed.
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one] = workers(&memory);
    one.ask(&orders(), START);
    one.run(&mut n8n, after(1), &memory);
    one.run(&mut n8n, now, &memory);
    assert_eq!(n8n.keys.len(), 1);
    assert_eq!(one.ask(&orders(), now), Found::Waits(2));
    assert_eq!(one.ask(&orders(), now), Found::Waits(3));
    one.run(&mut n8n, now, &memory);
    assert_eq!(one.woken, [1, 2, 3]);
    assert_eq!(n8n.keys.len(), 2);
}

/// Better a key that may be gone than none.
#[test]
fn a_key_that_could_not_be_renewed_serves_until_its_end() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one] = workers(&memory);
    one.ask(&orders(), START);
    one.run(&mut n8n, after(1), &memory);
    n8n.broken = Some(503);
    let now = seconds(3000);
    let found = one.get(&mut n8n, &orders(), now, &memory);
    assert!(matches!(found, Found::Key(_)), "{found:?}");
    let end = after(1).saturating_add(TTL);
    let found = one.get(&mut n8n, &orders(), end, &memory);
    assert!(matches!(found, Found::Outage(..)), "{found:?}");
}

#[test]
fn what_another_module_writes_is_ignored() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one] = workers(&memory);
    let key = one.get(&mut n8n, &orders(), START, &memory).key();
    let names: Vec<_> = memory.0.borrow().keys().cloned().collect();
    for garbage in [&b""[..], &[0; 24], &[7; 40], &[1; 3000], b"<html>"] {
        for name in &names {
            memory.write(name, garbage, None);
        }
        assert_eq!(one.get(&mut n8n, &orders(), after(1), &memory).key(), key);
        let mut new = Gate::new(&provisioned());
        let own = new.get(&mut n8n, &orders(), after(1), &memory).key();
        assert!(n8n.accepts(&own, after(1)));
    }
}

/// Replicas of a gate that start together number their calls alike.
#[test]
fn keys_that_two_replicas_make_at_once_have_labels_of_their_own() {
    let mut n8n = N8n::default();
    activate(&mut n8n, &orders());
    let memories = [Memory::default(), Memory::default()];
    let mut replicas = memories.each_ref().map(|memory| {
        let mut replica = Gate::new(&provisioned());
        replica.ask(&orders(), START);
        replica.tick(START, memory);
        replica
    });
    for _ in 0..8 {
        for (replica, memory) in replicas.iter_mut().zip(&memories) {
            if !replica.under_way.is_empty() {
                replica.respond(&mut n8n, START, memory);
            }
        }
    }
    for replica in &mut replicas {
        replica.ask(&orders(), START).key();
    }
    assert_eq!(n8n.keys.len(), 2);
}

/// A worker whose calls fail must not go on with a key that another one has replaced and deleted.
#[test]
fn a_worker_that_pauses_takes_over_what_others_make() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let [mut one, mut pausing] = workers(&memory);
    one.get(&mut n8n, &orders(), START, &memory).key();
    pausing.get(&mut n8n, &orders(), START, &memory).key();
    let now = seconds(2500);
    let asked = retry_after(503, 300);
    n8n.faults.push(("GET /api", asked));
    let sales = request_of("sales", &["workflow:list"]);
    assert_eq!(
        pausing.get(&mut n8n, &sales, now, &memory).fault(),
        "unavailable"
    );
    for second in 2500..2950 {
        let now = seconds(second);
        one.run(&mut n8n, now, &memory);
        one.ask(&orders(), now).key();
        pausing.run(&mut n8n, now, &memory);
        let key = pausing.ask(&orders(), now).key();
        assert!(n8n.accepts(&key, now), "{second}");
    }
    assert_eq!(n8n.keys.len(), 1, "one made one, and deleted the first");
}
