//! What the store does for each kind of fact, with the one in `account.rs`.

use super::account::{of_no_use, Account, Accounts};
use super::*;
use crate::facts::demand::Demand;
use crate::facts::source::SourceOf;
use crate::facts::store::{Admission, Store};

type Worker = Store<SourceOf<Accounts>>;

fn worker(sources: Vec<Accounts>) -> Worker {
    let secret = Secret::new("secret".to_owned());
    let sources = sources.into_iter().map(SourceOf::new).collect();
    Store::new(sources, SharedKey::derive([&secret]))
}

fn one(is_shared: bool) -> Worker {
    worker(vec![Accounts::new("n8n", is_shared)])
}

fn wait(
    store: &mut Worker,
    waiter: u32,
    (source, account): (usize, Account),
    now: UnixMillis,
) -> Result<(), WaitFault> {
    admit(store, waiter, source, Demand::Any(account.into()), now)
}

/// Lets a request wait that has no use for this id.
fn wait_for_newer(
    store: &mut Worker,
    waiter: u32,
    (id, account): (&str, Account),
    now: UnixMillis,
) -> Result<(), WaitFault> {
    let demand = Demand::Newer(account.into(), of_no_use(id));
    admit(store, waiter, 0, demand, now)
}

fn admit(
    store: &mut Worker,
    waiter: u32,
    source: usize,
    demand: Demand,
    now: UnixMillis,
) -> Result<(), WaitFault> {
    let admission = Admission {
        source: SourceId(source),
        demand,
        is_proven: false,
        group: u128::from(demand.key().0[0]),
    };
    store.admit_to(WaiterId(waiter), &admission, now, None, now)
}

/// The id of an account, `pending`, or the code of a fault.
fn known(store: &Worker, account: Account, now: UnixMillis) -> &str {
    let (source, schedule) = store.source(SourceId(0)).unwrap();
    match source.kind.availability(schedule, account, now) {
        Availability::Known(id) => id,
        Availability::Pending => "pending",
        Availability::Unavailable(outage) => outage.fault.unwrap_or("unknown"),
    }
}

fn logged_in() -> CallResponse {
    let cookie = |value: &str| ("set-cookie".to_owned(), value.as_bytes().to_vec());
    let headers = vec![
        cookie("n8n-auth=abc; Max-Age=604800; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly"),
        cookie("browser-id=7"),
    ];
    CallResponse::Response {
        status: 200,
        headers: ResponseHeaders::new(headers),
        body: b"{}".to_vec(),
    }
}

/// Lets both calls be made and succeed.
fn fetch_id(store: &mut Worker, account: Account, now: UnixMillis, memory: &Memory) {
    wait(store, 99, (0, account), now).unwrap();
    let login = fetch(&store.tick(now, memory));
    finish(store, login.id, "u-1", now, memory);
}

/// Lets a login and the call after it succeed.
fn finish(
    store: &mut Worker,
    login: CallId,
    id: &str,
    now: UnixMillis,
    memory: &Memory,
) -> Vec<Effect> {
    let question = fetch(&store.received(login, logged_in(), now, memory));
    let response = ok(format!(r#"{{"id":"{id}"}}"#));
    store.received(question.id, response, now, memory)
}

const FIRST: Account = Account(1);
const SECOND: Account = Account(2);

#[test]
fn a_fact_may_take_several_calls_with_json_and_cookies() {
    let (mut store, memory) = (one(false), Memory::default());
    for (waiter, account) in [(1, FIRST), (2, FIRST), (3, SECOND)] {
        wait(&mut store, waiter, (0, account), START).unwrap();
    }
    let logins = fetches(&store.tick(START, &memory));
    let bodies = logins.iter().map(|call| call.request.body.clone().unwrap());
    let bodies: Vec<_> = bodies.map(|body| body.content().clone()).collect();
    let bodies: Vec<_> = bodies.iter().map(Secret::expose).collect();
    assert_eq!(bodies, [r#"{"email":"1@n8n"}"#, r#"{"email":"2@n8n"}"#]);
    let effects = store.received(logins[0].id, logged_in(), after(9), &memory);
    assert_eq!(effects.len(), 1, "no request is woken between two calls");
    let question = fetch(&effects);
    let cookie = question.request.header("cookie").map(Secret::expose);
    assert_eq!(cookie, Some("n8n-auth=abc; browser-id=7"));
    assert_eq!(known(&store, FIRST, after(9)), "pending");
    let effects = store.received(question.id, ok(r#"{"id":"u-1"}"#), after(19), &memory);
    assert_eq!(woken(&effects), [(1, false), (2, false)]);
    assert_eq!(known(&store, FIRST, after(19)), "u-1");
    assert_eq!(known(&store, SECOND, after(19)), "pending");
    assert_eq!(known(&store, FIRST, after(60_018)), "u-1");
    assert_eq!(known(&store, FIRST, after(60_019)), "pending");
    assert!(memory.0.borrow().is_empty());
}

#[test]
fn a_response_that_is_not_awaited_is_read_as_no_step() {
    let (mut store, memory) = (one(false), Memory::default());
    wait(&mut store, 1, (0, FIRST), START).unwrap();
    let login = fetch(&store.tick(START, &memory));
    let question = fetch(&store.received(login.id, logged_in(), START, &memory));
    for late in [login.id, CallId(77)] {
        let effects = store.received(late, ok(r#"{"id":"u-2"}"#), after(1), &memory);
        assert_eq!(effects, []);
    }
    // The second call is lost.
    let effects = store.tick(after(7_001), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    assert_eq!(known(&store, FIRST, after(7_001)), "no_response");
    let late = store.received(question.id, ok(r#"{"id":"u-1"}"#), after(7_002), &memory);
    assert_eq!(late, []);
    assert_eq!(known(&store, FIRST, after(7_002)), "no_response");
}

#[test]
fn a_failure_of_any_step_makes_the_source_pause_and_the_next_fetch_begins_anew() {
    let no_id = ok("{}");
    for (login, question, fault) in [
        (status(503), None, "unavailable"),
        (ok("{}"), None, "client_refused"),
        (logged_in(), Some(no_id), "answer_malformed"),
    ] {
        let (mut store, memory) = (one(false), Memory::default());
        wait(&mut store, 1, (0, FIRST), START).unwrap();
        wait(&mut store, 2, (0, SECOND), START).unwrap();
        let calls = fetches(&store.tick(START, &memory));
        let mut effects = store.received(calls[0].id, login, START, &memory);
        if let Some(question) = question {
            let call = fetch(&effects);
            effects = store.received(call.id, question, START, &memory);
        }
        assert_eq!(woken(&effects), [(1, false)], "the other call is under way");
        assert_eq!(known(&store, FIRST, after(1)), fault);
        wait(&mut store, 3, (0, FIRST), after(2)).unwrap();
        assert_eq!(fetches(&store.tick(after(3), &memory)), []);
        let again = fetch(&store.tick(after(1_001), &memory));
        assert_eq!(again.request.endpoint.path, "/rest/login");
    }
}

#[test]
fn a_worker_takes_over_what_another_one_shared_and_believes_no_other() {
    for is_shared in [true, false] {
        let memory = Memory::default();
        let (mut first, mut second) = (one(is_shared), one(is_shared));
        fetch_id(&mut first, FIRST, START, &memory);
        wait(&mut second, 1, (0, FIRST), after(1)).unwrap();
        let effects = second.tick(after(1), &memory);
        let expected = if is_shared { "u-1" } else { "pending" };
        assert_eq!(known(&second, FIRST, after(1)), expected);
        assert_eq!(woken(&effects).len(), usize::from(is_shared));
        assert_eq!(fetches(&effects).len(), usize::from(!is_shared));
        if is_shared {
            let name = memory.name_of("accounts");
            let mut forged = memory.read(&name).unwrap().0;
            *forged.last_mut().unwrap() ^= 1;
            memory.write(&name, &forged, None);
            let mut third = one(true);
            third.tick(after(2), &memory);
            assert_eq!(known(&third, FIRST, after(2)), "pending");
        }
    }
}

#[test]
fn one_worker_of_several_fetches_and_they_pause_together() {
    let memory = Memory::default();
    let (mut first, mut second) = (one(true), one(true));
    for store in [&mut first, &mut second] {
        wait(store, 1, (0, FIRST), START).unwrap();
    }
    let login = fetch(&first.tick(START, &memory));
    assert_eq!(second.tick(after(1), &memory), []);
    first.received(login.id, status(503), after(2), &memory);
    assert_eq!(woken(&second.tick(after(3), &memory)), [(1, false)]);
    assert_eq!(known(&second, FIRST, after(3)), "unavailable");
}

#[test]
fn a_store_may_have_several_sources_of_a_kind_each_with_slots_of_its_own() {
    let memory = Memory::default();
    let sources = ["one", "two"].map(|server| Accounts::new(server, true));
    let mut store = worker(sources.into());
    let admitted = |store: &mut Worker, source: usize| {
        let waiters = (0..8).map(|number| (u32::try_from(source).unwrap() * 100) + number);
        let waits = |waiter| wait(store, waiter, (source, FIRST), START).is_ok();
        waiters.map(waits).filter(|admitted| *admitted).count()
    };
    assert_eq!(admitted(&mut store, 0), 4);
    assert_eq!(admitted(&mut store, 1), 4);
    let calls = fetches(&store.tick(START, &memory));
    assert_eq!(calls.len(), 2);
    let effects = store.received(calls[1].id, status(500), START, &memory);
    assert_eq!(woken(&effects).len(), 4);
    assert_eq!(
        known(&store, FIRST, START),
        "pending",
        "of the other source"
    );
}

#[test]
fn a_value_is_renewed_before_it_ends_and_the_old_one_serves_meanwhile() {
    let memory = Memory::default();
    let (mut first, mut second) = (one(true), one(true));
    fetch_id(&mut first, FIRST, START, &memory);
    assert_eq!(second.tick(after(1), &memory), []);
    for store in [&mut first, &mut second] {
        assert_eq!(store.tick(after(47_999), &memory), [], "no request waits");
    }
    let failing = fetch(&first.tick(after(48_000), &memory));
    assert_eq!(second.tick(after(48_001), &memory), [], "one renews it");
    let effects = first.received(failing.id, status(503), after(48_100), &memory);
    assert_eq!(effects, [], "no request learns of it");
    assert_eq!(first.tick(after(48_101), &memory), []);
    assert_eq!(known(&first, FIRST, after(48_101)), "u-1");
    let login = fetch(&first.tick(after(49_200), &memory));
    assert_eq!(second.tick(after(49_201), &memory), []);
    finish(&mut first, login.id, "u-2", after(49_300), &memory);
    assert_eq!(second.tick(after(49_800), &memory), []);
    for store in [&first, &second] {
        assert_eq!(known(store, FIRST, after(49_800)), "u-2");
        assert_eq!(known(store, FIRST, after(109_299)), "u-2");
    }
}

#[test]
fn a_value_of_no_use_is_fetched_anew_once_in_a_while_and_alone() {
    let memory = Memory::default();
    let (mut first, mut second) = (one(true), one(true));
    for account in [FIRST, SECOND] {
        fetch_id(&mut first, account, START, &memory);
    }
    let not_yet = Err(WaitFault::NotYet(Duration::from_secs(1)));
    let waits = |store: &mut Worker, id, now| wait_for_newer(store, 1, (id, FIRST), now);
    assert_eq!(waits(&mut first, "u-1", after(9_000)), not_yet);
    assert_eq!(waits(&mut first, "u-1", after(10_000)), Ok(()));
    let login = fetch(&first.tick(after(10_000), &memory));
    assert_eq!(
        known(&first, FIRST, after(10_000)),
        "u-1",
        "it serves others"
    );
    let effects = finish(&mut first, login.id, "u-2", after(10_100), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    second.tick(after(10_101), &memory);
    for store in [&mut first, &mut second] {
        assert_eq!(known(store, FIRST, after(10_101)), "u-2");
        assert_eq!(known(store, SECOND, after(10_101)), "u-1");
        assert_eq!(waits(store, "u-2", after(19_100)), not_yet);
        // What this request could not use is gone: there is nothing to fetch for it.
        assert_eq!(waits(store, "u-1", after(19_100)), Ok(()));
        assert_eq!(store.tick(after(19_100), &memory), []);
        store.forget(WaiterId(1));
    }
}

#[test]
fn a_worker_keeps_the_lease_until_all_of_its_fetches_have_ended() {
    for is_good in [true, false] {
        let memory = Memory::default();
        let (mut first, mut second) = (one(true), one(true));
        for (waiter, account) in [(1, FIRST), (2, SECOND)] {
            wait(&mut first, waiter, (0, account), START).unwrap();
        }
        wait(&mut second, 3, (0, SECOND), START).unwrap();
        let logins = fetches(&first.tick(START, &memory));
        let (one, other) = (logins[0].id, logins[1].id);
        if is_good {
            finish(&mut first, one, "u-1", after(1), &memory);
        } else {
            first.received(one, status(503), after(1), &memory);
        }
        // What the first fetch brought wakes each request, which then waits again.
        second.tick(after(2), &memory);
        wait(&mut second, 4, (0, SECOND), after(2)).unwrap();
        let effects = second.tick(after(3), &memory);
        assert_eq!(fetches(&effects), [], "the other fetch is under way");
        finish(&mut first, other, "u-2", after(4), &memory);
        second.tick(after(4), &memory);
        assert_eq!(known(&second, SECOND, after(4)), "u-2");
        let expected = if is_good { "u-1" } else { "unavailable" };
        assert_eq!(known(&first, FIRST, after(4)), expected);
    }
}
