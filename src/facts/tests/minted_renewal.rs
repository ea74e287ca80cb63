//! API keys of n8n that the gate makes: when they are renewed, refused and deleted.

use serde_json::json;

use super::n8n::{response, N8n};
use super::provisioned::{provisioned, request_of, Found, Gate, TTL};
use super::*;
use crate::facts::MintRequest;

const LIST: &str = "GET /rest/api-keys?ownership=mine&take=250&skip=0";

fn orders() -> MintRequest {
    request_of("orders", &["workflow:list"])
}

fn seconds(seconds: u64) -> UnixMillis {
    after(seconds * 1000)
}

/// The share of its life after which a used key is renewed, in percent.
fn renewed_after(name: &str) -> u64 {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let request = request_of(name, &["workflow:list"]);
    gate.get(&mut n8n, &request, START, &memory).key();
    n8n.calls.clear();
    let percent = (0..100).find(|percent| {
        let now = seconds(TTL.as_secs() * percent / 100);
        gate.run(&mut n8n, now, &memory);
        !n8n.calls.is_empty()
    });
    assert_eq!(
        n8n.calls,
        ["GET /rest/api-keys/scopes", "POST /rest/api-keys"]
    );
    percent.unwrap()
}

#[test]
fn a_used_key_is_renewed_by_two_calls_after_four_fifths_of_its_life_some_a_tenth_earlier() {
    let shares: BTreeSet<_> = (0..12)
        .map(|number| renewed_after(&format!("app-{number}")))
        .collect();
    assert!(
        shares.iter().all(|share| (71..=80).contains(share)),
        "{shares:?}"
    );
    // The ids of keys decide, and these are the same ones.
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    for number in 0..12 {
        let request = request_of(&format!("app-{number}"), &["workflow:list"]);
        gate.get(&mut n8n, &request, START, &memory).key();
    }
    n8n.calls.clear();
    let mut moments = 0;
    for percent in 70..=80 {
        let before = n8n.calls.len();
        gate.run(&mut n8n, seconds(TTL.as_secs() * percent / 100), &memory);
        moments += usize::from(n8n.calls.len() > before);
    }
    let made = n8n
        .calls
        .iter()
        .filter(|call| *call == "POST /rest/api-keys");
    assert_eq!(made.count(), 12);
    assert!(moments >= 4, "{moments}");
}

#[test]
fn requests_go_on_while_their_key_is_renewed_and_then_get_the_new_one() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let first = gate.get(&mut n8n, &orders(), START, &memory).key();
    let now = seconds(2880);
    gate.tick(now, &memory);
    assert_eq!(gate.ask(&orders(), now).key(), first);
    while !gate.under_way.is_empty() {
        assert_eq!(gate.ask(&orders(), now).key(), first);
        gate.respond(&mut n8n, now, &memory);
    }
    let second = gate.ask(&orders(), now).key();
    assert_ne!(second, first);
    // In thirty seconds every worker has it, and the first one is deleted.
    gate.run(&mut n8n, before(seconds(2910)), &memory);
    assert!(n8n.accepts(&first, now));
    n8n.calls.clear();
    gate.run(&mut n8n, seconds(2910), &memory);
    let id = first.strip_prefix("raw-").unwrap();
    assert_eq!(
        n8n.calls,
        [LIST.to_owned(), format!("DELETE /rest/api-keys/{id}")]
    );
    assert!(!n8n.accepts(&first, now) && n8n.accepts(&second, now));
    n8n.calls.clear();
    gate.run(&mut n8n, seconds(2911), &memory);
    assert!(n8n.calls.is_empty(), "{:?}", n8n.calls);
}

#[test]
fn a_key_that_no_request_used_is_not_renewed_and_its_user_makes_one_when_it_comes() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let first = gate.get(&mut n8n, &orders(), START, &memory).key();
    gate.run(&mut n8n, seconds(2880), &memory);
    let made = n8n.keys.len();
    let second = gate.ask(&orders(), seconds(2879)).key();
    assert_ne!(first, second);
    // The second one was not used since it was made.
    let mut gate = Gate::new(&provisioned());
    let memory = Memory::default();
    gate.ask(&orders(), START);
    gate.run(&mut n8n, after(1), &memory);
    n8n.calls.clear();
    for second in 1..3600 {
        gate.run(&mut n8n, seconds(second), &memory);
    }
    assert!(n8n.calls.is_empty(), "{:?}", n8n.calls);
    assert_eq!(n8n.keys.len(), made + 1);
    let third = gate.get(&mut n8n, &orders(), seconds(3601), &memory).key();
    assert!(n8n.accepts(&third, seconds(3601)));
}

#[test]
fn no_key_is_used_when_it_has_expired_though_n8n_is_down() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let key = gate.get(&mut n8n, &orders(), START, &memory).key();
    n8n.broken = Some(503);
    let end = START.saturating_add(TTL);
    for second in 2500..3600 {
        gate.run(&mut n8n, seconds(second), &memory);
        assert_eq!(gate.ask(&orders(), seconds(second)).key(), key);
    }
    assert_eq!(gate.ask(&orders(), before(end)).key(), key);
    assert_eq!(gate.ask(&orders(), end).fault(), "unavailable");
}

#[test]
fn a_refused_key_is_made_anew_at_once() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let first = gate.get(&mut n8n, &orders(), START, &memory).key();
    n8n.keys.clear();
    let now = seconds(60);
    let other = Secret::new("raw-of-before".to_owned());
    gate.store.refuse_minted(&orders(), &other, now);
    assert_eq!(gate.ask(&orders(), now).key(), first);
    let refused = Secret::new(first.clone());
    gate.store.refuse_minted(&orders(), &refused, now);
    let second = gate.get(&mut n8n, &orders(), now, &memory).key();
    assert_ne!(first, second);
    assert!(n8n.accepts(&second, now));
    // What the first one led to comes late.
    gate.store.refuse_minted(&orders(), &refused, now);
    assert_eq!(gate.ask(&orders(), now).key(), second);
}

#[test]
fn a_key_that_is_refused_a_moment_after_it_was_made_is_not_made_again_at_once() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let mut made = 0;
    for half_seconds in 0..240 {
        let now = after(half_seconds * 500);
        if let Found::Key(key) = gate.get(&mut n8n, &orders(), now, &memory) {
            let key = Secret::new(key);
            gate.store.refuse_minted(&orders(), &key, now);
            made += 1;
            assert_eq!(gate.ask(&orders(), now).fault(), "key_refused");
        }
    }
    // Two minutes: the pause grows.
    assert!((2..=9).contains(&made), "{made}");
}

#[test]
fn a_clock_that_was_set_back_makes_no_key_and_no_pause_last() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let ahead = seconds(864_000);
    gate.get(&mut n8n, &orders(), ahead, &memory).key();
    let sales = request_of("sales", &["workflow:list"]);
    n8n.faults.push(("GET /api", response(500, &json!({}))));
    assert_eq!(
        gate.get(&mut n8n, &sales, ahead, &memory).fault(),
        "server_error"
    );
    gate.run(&mut n8n, START, &memory);
    gate.ask(&orders(), START).key();
    gate.run(&mut n8n, seconds(1), &memory);
    gate.get(&mut n8n, &sales, seconds(1), &memory).key();
    let end = START.saturating_add(TTL);
    n8n.broken = Some(503);
    gate.run(&mut n8n, end, &memory);
    let Found::Outage(..) = gate.ask(&orders(), end) else {
        panic!("its end is as far away as a key lives");
    };
}

/// The pause of a worker whose clock was ahead.
#[test]
fn a_shared_pause_is_believed_for_five_minutes_at_most() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut ahead = Gate::new(&provisioned());
    n8n.faults.push(("GET /api", response(500, &json!({}))));
    let hour = seconds(3600);
    let found = ahead.get(&mut n8n, &orders(), hour, &memory);
    assert_eq!(found.fault(), "server_error");
    let mut gate = Gate::new(&provisioned());
    gate.ask(&orders(), START);
    gate.run(&mut n8n, START, &memory);
    gate.run(&mut n8n, after(500), &memory);
    gate.ask(&orders(), after(500)).key();
}

#[test]
fn expired_keys_of_the_gate_are_deleted_and_no_other_key() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    let own = n8n.keys.keys().next().unwrap().clone();
    let key = |label: &str, expires: u64| n8n::Key {
        email: orders().email().to_owned(),
        label: label.to_owned(),
        scopes: Vec::new(),
        expires,
    };
    let over = START.to_seconds().0 + 60;
    n8n.keys.insert("of-a-person".to_owned(), key("mine", over));
    n8n.keys
        .insert("of-a-replica".to_owned(), key("n8n-idp-gate 1-1", over));
    let later = over + 36_000;
    n8n.keys
        .insert("in-use".to_owned(), key("n8n-idp-gate 1-2", later));
    gate.run(&mut n8n, START.saturating_add(TTL), &memory);
    let left: Vec<_> = n8n.keys.keys().map(String::as_str).collect();
    assert_eq!(left, ["in-use", "of-a-person"], "{own}");
}

#[test]
fn no_user_is_made_to_delete_keys() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    n8n.wipe();
    n8n.calls.clear();
    gate.run(&mut n8n, START.saturating_add(TTL), &memory);
    assert_eq!(n8n.calls, [LIST]);
    assert!(n8n.users.is_empty());
}

#[test]
fn one_fetch_deletes_twenty_keys() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    for number in 0..50 {
        let key = n8n::Key {
            email: orders().email().to_owned(),
            label: format!("n8n-idp-gate 1-{number}"),
            scopes: Vec::new(),
            expires: 1,
        };
        n8n.keys.insert(format!("old-{number}"), key);
    }
    n8n.calls.clear();
    gate.run(&mut n8n, START.saturating_add(TTL), &memory);
    assert_eq!(n8n.calls.len(), 21);
    assert_eq!(n8n.keys.len(), 51 - 20);
}

/// Deleting is housekeeping: keys expire by themselves.
#[test]
fn a_key_that_cannot_be_deleted_keeps_no_request_out() {
    for status in [400, 403, 500, 503, 429] {
        let (memory, mut n8n) = (Memory::default(), N8n::default());
        let mut gate = Gate::new(&provisioned());
        gate.get(&mut n8n, &orders(), START, &memory).key();
        gate.run(&mut n8n, seconds(2880), &memory);
        let fault = response(status, &json!({}));
        n8n.faults.push(("DELETE", fault));
        gate.run(&mut n8n, seconds(2910), &memory);
        assert!(n8n.faults.is_empty());
        for request in [
            request_of("orders", &["workflow:create"]),
            request_of("sales", &["workflow:list"]),
        ] {
            gate.get(&mut n8n, &request, seconds(2911), &memory).key();
        }
        // It is not tried for ever.
        n8n.calls.clear();
        for second in 2912..3500 {
            gate.run(&mut n8n, seconds(second), &memory);
        }
        assert!(n8n.calls.len() <= 4, "{status}: {:?}", n8n.calls);
    }
}

/// n8n has 500 for each of its keys after its secret was changed, and for any failure of a workflow.
#[test]
fn a_key_at_which_n8n_fails_is_replaced_if_its_session_is_good_no_more() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let reader = request_of("orders", &["workflow:read"]);
    let first = gate.get(&mut n8n, &orders(), START, &memory).key();
    let second = gate.get(&mut n8n, &reader, START, &memory).key();
    let failed_at = |gate: &mut Gate, key: &str, now| {
        let key = Secret::new(key.to_owned());
        gate.store.doubt_minted(&orders(), &key, now);
    };
    n8n.calls.clear();
    for second in 1..=50 {
        failed_at(&mut gate, &first, seconds(second));
        gate.run(&mut n8n, seconds(second), &memory);
    }
    assert_eq!(n8n.calls, ["GET /rest/api-keys/scopes"], "once a minute");
    assert_eq!(gate.ask(&orders(), seconds(51)).key(), first);
    n8n.change_secret();
    n8n.calls.clear();
    // Another key than the one in use says nothing.
    failed_at(&mut gate, "raw-key-of-before", seconds(70));
    gate.run(&mut n8n, seconds(70), &memory);
    assert_eq!(n8n.calls, Vec::<String>::new());
    failed_at(&mut gate, &first, seconds(70));
    gate.run(&mut n8n, seconds(70), &memory);
    let key = gate.ask(&orders(), seconds(71)).key();
    assert!(key != first && n8n.accepts(&key, seconds(71)));
    // All keys of the user went with the secret.
    let key = gate.get(&mut n8n, &reader, seconds(72), &memory).key();
    assert!(key != second && n8n.accepts(&key, seconds(72)));
    let asked = n8n.calls.iter().filter(|call| call.contains("/api/v1/"));
    assert_eq!(asked.count(), 0, "the provisioning key is not needed");
}
