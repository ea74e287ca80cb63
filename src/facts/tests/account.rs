//! A third kind of fact, made for these tests: the id of an account. It takes two calls, a login with
//! JSON that sets cookies, and a question with these cookies. Several accounts have one source.
//!
//! The store knows nothing of it. So whatever holds here holds for each kind.

use serde_json::Value;

use super::*;
use crate::facts::call::{Body, CallRequest};
use crate::facts::demand::{Demand, FactKey};
use crate::facts::schedule::{Failure, Schedule};
use crate::facts::shared::codec::{moment, put, take, text};
use crate::facts::source::{
    Adopted, CallEnd, Ended, Kind, NewCalls, Profile, Progress, Room, SourceOf,
};
use crate::facts::store::{Admission, Store};
use crate::facts::waiting::Waiter;

const TTL: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(5);

/// An account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Account(u8);

impl From<Account> for FactKey {
    fn from(account: Account) -> Self {
        Self([account.0; 32])
    }
}

/// Why an id could not be fetched.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Call(CallFault),
    NoCookie,
    NoId,
}

impl Fault {
    const fn code(&self) -> FaultCode {
        match self {
            Self::Call(fault) => fault.code(),
            Self::NoCookie => FaultCode::ClientRefused,
            Self::NoId => FaultCode::ResponseMalformed,
        }
    }
}

#[derive(Debug)]
enum Step {
    Login,
    Question,
}

/// The ids of the accounts at one server.
struct Accounts {
    server: &'static str,
    is_shared: bool,
    ids: Vec<(FactKey, String, UnixMillis)>,
}

impl Accounts {
    fn new(server: &'static str, is_shared: bool) -> Self {
        Self {
            server,
            is_shared,
            ids: Vec::new(),
        }
    }

    fn login(&self, key: &FactKey) -> CallRequest {
        let body = format!(r#"{{"email":"{}@{}"}}"#, key.0[0], self.server);
        let body = Body::Json(Secret::new(body));
        CallRequest::post(endpoint("/rest/login"), body, TIMEOUT)
    }

    fn availability(
        &self,
        schedule: &Schedule,
        account: Account,
        now: UnixMillis,
    ) -> Availability<&str> {
        let Schedule { calls, pauses } = schedule;
        let key = FactKey::from(account);
        match self.ids.iter().find(|(known, ..)| *known == key) {
            Some((_, id, until)) if now < *until => Availability::Known(id),
            _ if pauses.is_over(now) || calls.is_about(&key) => Availability::Pending,
            _ => Availability::Unavailable(pauses.outage(pauses.until(), now)),
        }
    }

    fn is_wanted(&self, schedule: &Schedule, key: &FactKey) -> bool {
        !schedule.calls.is_about(key) && !self.ids.iter().any(|(known, ..)| known == key)
    }
}

/// The value of `Cookie` for all that a response sets.
fn cookies(response: &CallResponse) -> Option<String> {
    let CallResponse::Response { headers, .. } = response else {
        return None;
    };
    let pairs = headers.all("set-cookie").filter_map(|cookie| {
        let pair = std::str::from_utf8(cookie).ok()?.split(';').next()?;
        Some(pair.trim().to_owned())
    });
    let pairs: Vec<_> = pairs.collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

impl Kind for Accounts {
    type Fault = Fault;
    type Step = Step;

    fn profile(&self) -> Profile {
        let parts = vec![self.server.to_owned()];
        Profile {
            name: "accounts",
            room: Room {
                slots: 8,
                proven_apart: false,
                longest: TIMEOUT * 2,
            },
            timeout: TIMEOUT,
            most_failures: 8,
            shared_as: self.is_shared.then_some(parts),
        }
    }

    fn expire(&mut self, now: UnixMillis) {
        self.ids.retain_mut(|(_, _, until)| {
            *until = (*until).min(now.saturating_add(TTL));
            now < *until
        });
    }

    fn is_due(
        &self,
        schedule: &Schedule,
        waiters: &mut dyn Iterator<Item = &Waiter>,
        now: UnixMillis,
    ) -> bool {
        let mut keys = waiters.map(|waiter| waiter.demand.key());
        schedule.pauses.is_over(now) && keys.any(|key| self.is_wanted(schedule, key))
    }

    fn begin(
        &mut self,
        calls: &mut NewCalls<'_, Step>,
        waiters: &mut dyn Iterator<Item = &Waiter>,
    ) {
        for waiter in waiters {
            let key = *waiter.demand.key();
            if self.is_wanted(calls.schedule, &key) {
                calls.begin(key, Step::Login, self.login(&key));
            }
        }
    }

    fn read(
        &mut self,
        end: &mut CallEnd<'_, Step>,
        response: CallResponse,
    ) -> Result<Progress<Step>, Fault> {
        let cookies = cookies(&response);
        let body = response.document().map_err(Fault::Call)?;
        match end.step {
            Step::Login => {
                let cookies = Secret::new(cookies.ok_or(Fault::NoCookie)?);
                let request = CallRequest::get(endpoint("/rest/me"), TIMEOUT);
                let request = request.with("cookie", cookies);
                Ok(Progress::Next(Step::Question, request))
            }
            Step::Question => {
                let body: Value = serde_json::from_slice(&body).map_err(|_| Fault::NoId)?;
                let id = body["id"].as_str().ok_or(Fault::NoId)?.to_owned();
                end.schedule.pauses.succeeded(end.now);
                let until = end.now.saturating_add(TTL);
                self.ids.push((end.call.key, id, until));
                let mut share = Vec::new();
                for (key, id, until) in &self.ids {
                    put(&mut share, &key.0);
                    put(&mut share, id.as_bytes());
                    put(&mut share, &until.0.to_be_bytes());
                }
                Ok(Progress::Ended(Ended {
                    events: Vec::new(),
                    share: Some(share),
                    pauses: false,
                }))
            }
        }
    }

    fn failed(&mut self, end: &mut CallEnd<'_, Step>, fault: Fault) -> Ended {
        let pauses = &mut end.schedule.pauses;
        let failure = Failure {
            fault: fault.code(),
            asked_for: end.asked_for,
            is_new: end.call.begun > pauses.last_failure(),
            is_of_all: true,
            seed: end.call.id.0,
        };
        pauses.failed(failure, end.now);
        Ended {
            events: Vec::new(),
            share: None,
            pauses: true,
        }
    }

    fn adopt(&mut self, schedule: &mut Schedule, mut payload: &[u8], now: UnixMillis) -> Adopted {
        let rest = &mut payload;
        let mut ids = Vec::new();
        let mut next = || {
            let key = FactKey(take(rest)?.try_into().ok()?);
            Some((key, text(rest)?.to_owned(), moment(rest)?))
        };
        while let Some(id) = next() {
            ids.push(id);
        }
        ids.retain(|(key, _, until)| now < *until && self.is_wanted(schedule, key));
        let is_news = !ids.is_empty();
        self.ids.append(&mut ids);
        Adopted {
            is_news,
            is_of_future: false,
        }
    }
}

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
    let admission = Admission {
        source: SourceId(source),
        demand: Demand::Any(account.into()),
        is_proven: false,
        group: u128::from(account.0),
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
    let question = fetch(&store.received(login.id, logged_in(), now, memory));
    store.received(question.id, ok(r#"{"id":"u-1"}"#), now, memory);
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
