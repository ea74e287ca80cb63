//! Sessions of users of n8n, as requests need them.

use super::n8n::{response, N8n};
use super::provisioned::{activate, provisioned, request_of, Found, Gate};
use super::*;
use crate::facts::MintRequest;

const FIND: &str = "GET /api/v1/users/orders%40gate.invalid";
const INVITE: &str = "POST /api/v1/users";
const ACCEPT: &str = "POST /rest/invitations/accept";
const LOG_IN: &str = "POST /rest/login";
/// The first call with a session, which shows whether n8n accepts it.
const TRY: &str = "GET /rest/api-keys/scopes";
const MAKE: &str = "POST /rest/api-keys";

const HOUR: u64 = 3600;

fn orders() -> MintRequest {
    request_of("orders", &["workflow:list"])
}

fn seconds(seconds: u64) -> UnixMillis {
    after(seconds * 1000)
}

/// A gate that has the session of a user who was there.
fn with_session() -> (Memory, N8n, Gate, String) {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    activate(&mut n8n, &orders());
    let mut gate = Gate::new(&provisioned());
    let cookie = gate.get_session(&mut n8n, &orders(), START, &memory);
    n8n.calls.clear();
    gate.events.clear();
    gate.woken.clear();
    (memory, n8n, gate, cookie.session())
}

#[test]
fn a_new_user_is_made_and_its_session_is_tried_before_a_request_gets_it() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    assert_eq!(gate.ask_for_session(&orders(), START), Found::Waits(1));
    gate.run(&mut n8n, START, &memory);
    assert_eq!(n8n.calls, [FIND, INVITE, ACCEPT, TRY]);
    assert_eq!(gate.woken, [1]);
    assert_eq!(gate.events, [Event::LoggedIn(InstanceId(0))]);
    let cookie = gate.ask_for_session(&orders(), START).session();
    assert_eq!(n8n.user_in(&cookie), Some("orders@gate.invalid"));
    assert!(n8n.keys.is_empty(), "no key is made for it");
    // Another request takes no call, whatever scopes its caller has.
    let other = request_of("orders", &["workflow:read"]);
    gate.run(&mut n8n, after(1), &memory);
    assert_eq!(gate.ask_for_session(&other, after(1)).session(), cookie);
    assert_eq!(n8n.calls.len(), 4);
}

#[test]
fn a_user_that_is_there_takes_two_calls() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    activate(&mut n8n, &orders());
    let mut gate = Gate::new(&provisioned());
    let found = gate.get_session(&mut n8n, &orders(), START, &memory);
    found.session();
    assert_eq!(n8n.calls, [FIND, LOG_IN]);
}

#[test]
fn keys_and_requests_have_one_session() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.get(&mut n8n, &orders(), START, &memory).key();
    n8n.calls.clear();
    gate.ask_for_session(&orders(), START).session();
    assert!(n8n.calls.is_empty());

    let (memory, mut n8n, mut gate, _) = with_session();
    gate.get(&mut n8n, &orders(), after(1), &memory).key();
    assert_eq!(n8n.calls, [TRY, MAKE]);
}

#[test]
fn users_have_sessions_of_their_own() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    for name in ["orders", "sales"] {
        let request = request_of(name, &["workflow:list"]);
        let cookie = gate
            .get_session(&mut n8n, &request, START, &memory)
            .session();
        assert_eq!(n8n.user_in(&cookie), Some(request.email()));
    }
}

/// A log-out, another password, another secret of n8n.
#[test]
fn a_session_that_n8n_forgot_is_replaced_for_the_next_request() {
    let (memory, mut n8n, mut gate, first) = with_session();
    n8n.end_sessions();
    let now = seconds(60);
    gate.store
        .doubt_session(&orders(), &Secret::new(first.clone()));
    let second = gate
        .get_session(&mut n8n, &orders(), now, &memory)
        .session();
    assert_ne!(second, first);
    assert_eq!(n8n.calls, [TRY, LOG_IN]);
    assert_eq!(gate.events, [Event::LoggedIn(InstanceId(0))]);
    // A late refusal of the first one says nothing about the second one.
    gate.store.doubt_session(&orders(), &Secret::new(first));
    assert_eq!(gate.ask_for_session(&orders(), now).session(), second);
}

/// n8n may say 401 for another reason: the gate asks before it logs in, because n8n takes few log-ins.
#[test]
fn a_session_that_is_good_stays_after_one_call() {
    let (memory, mut n8n, mut gate, cookie) = with_session();
    gate.store
        .doubt_session(&orders(), &Secret::new(cookie.clone()));
    let found = gate.get_session(&mut n8n, &orders(), after(1), &memory);
    assert_eq!(found.session(), cookie);
    assert_eq!(n8n.calls, [TRY]);
    assert_eq!(gate.events, []);
}

/// Copies of n8n with different secrets: each log-in leads to the next one, until n8n takes no more of
/// them. Its secret was changed, so that the gate must not need the provisioning key for any of them.
#[test]
fn sessions_that_n8n_refuses_one_after_the_other_are_bounded_by_its_limit_on_log_ins() {
    let (memory, mut n8n, mut gate, mut cookie) = with_session();
    n8n.change_secret();
    for second in 1..5 {
        n8n.end_sessions();
        gate.store.doubt_session(&orders(), &Secret::new(cookie));
        let found = gate.get_session(&mut n8n, &orders(), seconds(second), &memory);
        cookie = found.session();
    }
    n8n.end_sessions();
    gate.store.doubt_session(&orders(), &Secret::new(cookie));
    let found = gate.get_session(&mut n8n, &orders(), seconds(5), &memory);
    assert_eq!(
        found,
        Found::Outage("rate_limited", Duration::from_secs(60))
    );
    let log_ins = n8n.calls.iter().filter(|call| *call == LOG_IN);
    assert_eq!(log_ins.count(), 5, "one was before, and n8n refused one");
    let found = gate.get_session(&mut n8n, &orders(), seconds(65), &memory);
    found.session();
}

#[test]
fn the_user_of_a_lost_database_is_made_again() {
    let (memory, mut n8n, mut gate, cookie) = with_session();
    n8n.wipe();
    gate.store.doubt_session(&orders(), &Secret::new(cookie));
    let found = gate.get_session(&mut n8n, &orders(), seconds(60), &memory);
    found.session();
    let expected = [TRY, LOG_IN, FIND, INVITE, ACCEPT, TRY];
    assert_eq!(n8n.calls, expected);
}

#[test]
fn a_used_session_is_renewed_by_one_call_before_its_end_and_requests_go_on() {
    let (memory, mut n8n, mut gate, first) = with_session();
    gate.ask_for_session(&orders(), START).session();
    let mut now = START;
    while n8n.calls.is_empty() {
        now = now.saturating_add(Duration::from_secs(60));
        gate.tick(now, &memory);
        assert_eq!(gate.ask_for_session(&orders(), now).session(), first);
        if !gate.under_way.is_empty() {
            gate.respond(&mut n8n, now, &memory);
        }
    }
    assert_eq!(n8n.calls, [LOG_IN]);
    let age = now.since(START);
    let hours = |hours: f64| Duration::from_secs_f64(hours * 3600.0);
    assert!(age >= hours(8.5) && age <= hours(9.7), "{age:?}");
    assert_ne!(gate.ask_for_session(&orders(), now).session(), first);
}

#[test]
fn no_session_is_used_when_it_has_ended_though_n8n_is_down() {
    let (memory, mut n8n, mut gate, cookie) = with_session();
    gate.ask_for_session(&orders(), START).session();
    n8n.broken = Some(503);
    let end = seconds(12 * HOUR);
    for minute in 500..720 {
        gate.run(&mut n8n, seconds(minute * 60), &memory);
        let found = gate.ask_for_session(&orders(), seconds(minute * 60));
        assert_eq!(found.session(), cookie);
    }
    assert_eq!(
        gate.ask_for_session(&orders(), before(end)).session(),
        cookie
    );
    let found = gate.get_session(&mut n8n, &orders(), end, &memory);
    assert_eq!(found.fault(), "unavailable");
}

#[test]
fn a_session_that_no_request_has_is_not_renewed() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    gate.ask_for_session(&orders(), START);
    gate.run(&mut n8n, START, &memory);
    n8n.calls.clear();
    for minute in 0..720 {
        gate.run(&mut n8n, seconds(minute * 60), &memory);
    }
    assert!(n8n.calls.is_empty(), "{:?}", n8n.calls);
}

#[test]
fn a_clock_that_was_set_back_does_not_make_a_session_last() {
    let (memory, mut n8n, mut gate, cookie) = with_session();
    let back = UnixMillis(START.0 - 5_000_000);
    gate.run(&mut n8n, back, &memory);
    let end = back.saturating_add(Duration::from_secs(12 * HOUR));
    assert_eq!(
        gate.ask_for_session(&orders(), before(end)).session(),
        cookie
    );
    assert!(matches!(
        gate.ask_for_session(&orders(), end),
        Found::Waits(_)
    ));
}

#[test]
fn a_limit_on_log_ins_pauses_its_user_alone_for_as_long_as_n8n_says() {
    let (memory, mut n8n, mut gate, cookie) = with_session();
    for _ in 0..4 {
        gate.store
            .doubt_session(&orders(), &Secret::new(cookie.clone()));
    }
    n8n.end_sessions();
    n8n.faults.push((LOG_IN, retry_after(429, 60)));
    let now = seconds(61);
    let found = gate.get_session(&mut n8n, &orders(), now, &memory);
    assert_eq!(
        found,
        Found::Outage("rate_limited", Duration::from_secs(60))
    );
    let sales = request_of("sales", &["workflow:list"]);
    gate.get_session(&mut n8n, &sales, now, &memory).session();
}

#[test]
fn a_user_without_a_scope_has_a_session_all_the_same() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let none = request_of("orders", &[]);
    gate.get_session(&mut n8n, &none, START, &memory).session();
}

#[test]
fn one_worker_logs_in_and_the_others_adopt_the_session() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    activate(&mut n8n, &orders());
    FactStore::new(&provisioned()).open(&memory);
    let mut all: [Gate; 4] = std::array::from_fn(|_| Gate::new(&provisioned()));
    for worker in &mut all {
        assert_eq!(worker.ask_for_session(&orders(), START), Found::Waits(1));
    }
    for worker in &mut all {
        worker.tick(START, &memory);
    }
    all[0].run(&mut n8n, after(20), &memory);
    let cookie = all[0].ask_for_session(&orders(), after(20)).session();
    for worker in &mut all[1..] {
        worker.run(&mut n8n, after(40), &memory);
        assert_eq!(worker.woken, [1]);
        assert_eq!(
            worker.ask_for_session(&orders(), after(40)).session(),
            cookie
        );
    }
    assert_eq!(n8n.calls, [FIND, LOG_IN]);
    // One of them replaces it, and the next one that n8n refuses finds the new one.
    n8n.end_sessions();
    n8n.calls.clear();
    let refused = Secret::new(cookie);
    let now = seconds(61);
    let mut found = Vec::new();
    for worker in &mut all {
        worker.store.doubt_session(&orders(), &refused);
        let cookie = worker.get_session(&mut n8n, &orders(), now, &memory);
        found.push(cookie.session());
    }
    assert_eq!(n8n.calls, [TRY, LOG_IN]);
    assert!(found.iter().all(|cookie| *cookie == found[0]), "{found:?}");
}

/// A worker that did not hear of it yet shares the account again.
#[test]
fn a_session_in_doubt_does_not_come_back_from_another_worker() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    activate(&mut n8n, &orders());
    FactStore::new(&provisioned()).open(&memory);
    let [mut one, mut other]: [Gate; 2] = std::array::from_fn(|_| Gate::new(&provisioned()));
    let cookie = one
        .get_session(&mut n8n, &orders(), START, &memory)
        .session();
    other.ask_for_session(&orders(), START);
    other.run(&mut n8n, after(20), &memory);
    one.store.doubt_session(&orders(), &Secret::new(cookie));
    other.get(&mut n8n, &orders(), after(40), &memory).key();
    assert_eq!(one.ask_for_session(&orders(), after(60)), Found::Waits(2));
    n8n.calls.clear();
    one.run(&mut n8n, after(60), &memory);
    assert_eq!(n8n.calls, [TRY]);
}

#[test]
fn a_refused_provisioning_key_does_not_matter_to_a_user_with_a_session() {
    let (memory, mut n8n, mut gate, cookie) = with_session();
    n8n.change_secret();
    gate.store.doubt_session(&orders(), &Secret::new(cookie));
    let found = gate.get_session(&mut n8n, &orders(), seconds(60), &memory);
    found.session();
    assert_eq!(n8n.calls, [TRY, LOG_IN]);
    let sales = request_of("sales", &["workflow:list"]);
    let found = gate.get_session(&mut n8n, &sales, seconds(60), &memory);
    assert_eq!(found.fault(), "client_refused");
}

/// The session is good because it was made after n8n's secret was changed. The key is of before.
#[test]
fn a_key_in_doubt_that_is_older_than_the_session_is_made_anew() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    let mut gate = Gate::new(&provisioned());
    let key = gate.get(&mut n8n, &orders(), START, &memory).key();
    let cookie = gate.ask_for_session(&orders(), START).session();
    n8n.change_secret();
    gate.store.doubt_session(&orders(), &Secret::new(cookie));
    gate.get_session(&mut n8n, &orders(), seconds(60), &memory)
        .session();
    n8n.calls.clear();
    let doubted = Secret::new(key.clone());
    gate.store.doubt_minted(&orders(), &doubted, seconds(61));
    gate.run(&mut n8n, seconds(61), &memory);
    assert_eq!(n8n.calls, [TRY, MAKE]);
    let next = gate.ask(&orders(), seconds(61)).key();
    assert!(next != key && n8n.accepts(&next, seconds(61)));
    // The session is older than this one: if it is good, so is the key.
    let doubted = Secret::new(next.clone());
    gate.store.doubt_minted(&orders(), &doubted, seconds(200));
    n8n.calls.clear();
    gate.run(&mut n8n, seconds(200), &memory);
    assert_eq!(n8n.calls[..1], [TRY]);
    assert_eq!(gate.ask(&orders(), seconds(200)).key(), next);
}

#[test]
fn a_log_in_without_a_session_in_its_response_is_a_fault() {
    let (memory, mut n8n) = (Memory::default(), N8n::default());
    activate(&mut n8n, &orders());
    n8n.late_faults
        .push((LOG_IN, response(200, &serde_json::json!({}))));
    let mut gate = Gate::new(&provisioned());
    let found = gate.get_session(&mut n8n, &orders(), START, &memory);
    assert_eq!(found.fault(), "answer_malformed");
}
