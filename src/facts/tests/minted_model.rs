//! Months of workers that make API keys in an n8n where anything can happen.

use serde_json::json;

use super::draws::{on_random_steps, Draws};
use super::n8n::{response, Key, N8n};
use super::provisioned::{provisioned, request_of, Found, Gate};
use super::*;
use crate::facts::MintRequest;

/// How long a request waits at most, and how long a lease lasts.
const LONGEST: Duration = Duration::from_secs(20);

/// Whatever happens, no request gets a key of another user, one that has expired, or one with a scope
/// that it did not ask for, and each one that waits is woken in time. If nothing goes wrong, each key that
/// a request gets is good, one worker at a time is about a user, and nothing fails.
#[test]
fn random_months_of_minted_keys_keep_the_promises() {
    let seen = RefCell::new(Seen::default());
    on_random_steps(128, 900, |start, steps| {
        Months::new(start % 2 == 0).run(steps, &mut seen.borrow_mut());
    });
    let seen = seen.into_inner();
    // The model is worth something only when all of it happens.
    for (what, count) in [
        ("keys in good conditions", seen.good_keys),
        ("keys in bad conditions", seen.bad_keys),
        ("sessions in good conditions", seen.good_sessions),
        ("sessions in bad conditions", seen.bad_sessions),
        ("refused sessions", seen.refused_sessions),
        ("other sessions of one user", seen.renewed_sessions),
        ("keys that were made", seen.made),
        ("keys that were deleted", seen.deleted),
        ("refused keys", seen.refused),
        ("outages", seen.outages),
        ("woken requests", seen.woken),
        ("overdue requests", seen.overdue),
        ("new workers", seen.replaced),
    ] {
        assert!(count > 100, "{what}: {count}");
    }
}

/// What happened at all.
#[derive(Default)]
struct Seen {
    good_keys: u64,
    bad_keys: u64,
    good_sessions: u64,
    bad_sessions: u64,
    refused_sessions: u64,
    renewed_sessions: u64,
    made: u64,
    deleted: u64,
    refused: u64,
    outages: u64,
    woken: u64,
    overdue: u64,
    replaced: u64,
}

struct Worker {
    gate: Gate,
    waiting: BTreeMap<u32, (Wanted, UnixMillis)>,
}

/// What a request needs.
#[derive(Clone)]
struct Wanted {
    request: MintRequest,
    is_session: bool,
}

struct Months {
    draws: Draws,
    /// Nothing goes wrong.
    is_good: bool,
    memory: Memory,
    n8n: N8n,
    policy: Policy,
    workers: Vec<Worker>,
    now: UnixMillis,
    /// n8n's clock is never set back.
    clock_of_n8n: UnixMillis,
    /// Every key that ever was.
    keys: BTreeMap<String, Key>,
    /// When a session was first handed out, and its user.
    sessions: BTreeMap<String, (UnixMillis, String)>,
    /// When calls were made, by n8n's clock.
    calls: Vec<UnixMillis>,
    /// When no call was under way.
    idle: UnixMillis,
}

impl Months {
    fn new(is_good: bool) -> Self {
        let policy = provisioned();
        let memory = Memory::default();
        FactStore::new(&policy).open(&memory);
        let mut months = Self {
            draws: Draws::default(),
            is_good,
            memory,
            n8n: N8n::default(),
            policy,
            workers: Vec::new(),
            now: START,
            clock_of_n8n: START,
            keys: BTreeMap::new(),
            sessions: BTreeMap::new(),
            calls: Vec::new(),
            idle: START,
        };
        months.workers = (0..3).map(|_| months.worker()).collect();
        months
    }

    fn worker(&self) -> Worker {
        Worker {
            gate: Gate::new(&self.policy),
            waiting: BTreeMap::new(),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.draws.below(bound)
    }

    fn run(mut self, steps: &[[u32; 12]], seen: &mut Seen) {
        for step in steps {
            self.draws = Draws::of(step);
            self.pass_time(seen);
            let index = self.below(3) as usize;
            match self.below(16) {
                0..=4 => self.request(index, seen),
                5..=10 => {
                    for _ in 0..self.below(8) {
                        self.respond(index, seen);
                    }
                }
                11 if self.below(8) == 0 => self.replace(index, seen),
                12 if !self.is_good => self.harm(seen),
                _ => self.tick(index, seen),
            }
        }
        seen.made += self.keys.len() as u64;
        let deletions = self.n8n.calls.iter();
        let deletions = deletions.filter(|call| call.starts_with("DELETE"));
        seen.deleted += deletions.count() as u64;
    }

    fn pass_time(&mut self, seen: &mut Seen) {
        let step = match self.below(12) {
            0 => {
                // An operator has looked after n8n.
                self.n8n.broken = None;
                self.n8n.refuses_provisioning_key = false;
                if !self.is_good && self.below(2) == 0 {
                    self.n8n.wipe();
                }
                900_000
            }
            1 => 30_000,
            number => [1, 20, 300, 500][number as usize % 4],
        };
        let is_slow = self.clock_of_n8n.since(self.idle) > Duration::from_secs(2);
        if self.is_good && (step > 500 || is_slow) {
            self.idle = self.clock_of_n8n;
            self.respond_to_all(seen);
        }
        self.now = UnixMillis(self.now.0 + step);
        self.clock_of_n8n = UnixMillis(self.clock_of_n8n.0 + step);
        // A worker ticks at least twice a second.
        if step > 500 {
            for index in 0..3 {
                self.tick(index, seen);
            }
        }
    }

    /// n8n responds to all calls, until no request waits.
    fn respond_to_all(&mut self, seen: &mut Seen) {
        for _ in 0..100 {
            for index in 0..3 {
                self.tick(index, seen);
                while !self.workers[index].gate.under_way.is_empty() {
                    self.respond(index, seen);
                }
            }
            if self.workers.iter().all(|worker| worker.waiting.is_empty()) {
                return;
            }
        }
        panic!("a request waits though n8n responds");
    }

    fn tick(&mut self, index: usize, seen: &mut Seen) {
        let now = self.now;
        let calls = self.workers[index].gate.under_way.len();
        let waited: Vec<u32> = self.workers[index].waiting.keys().copied().collect();
        self.workers[index].gate.tick(now, &self.memory);
        let begun = self.workers[index].gate.under_way.len();
        self.count_calls(begun.saturating_sub(calls));
        self.settle(index, seen);
        let waiting = &self.workers[index].waiting;
        let left = waited.iter().filter_map(|id| waiting.get(id));
        for (_, since) in left {
            assert!(now.since(*since) < LONGEST, "a request waits for ever");
        }
    }

    fn count_calls(&mut self, count: usize) {
        let now = self.clock_of_n8n;
        self.calls
            .retain(|call| now.since(*call) < Duration::from_secs(60));
        self.calls.extend(vec![now; count]);
        // Three users in three workers.
        let most = if self.is_good { 40 } else { 60 };
        assert!(self.calls.len() <= most, "too many calls in a minute");
    }

    /// Decides the requests that were woken.
    fn settle(&mut self, index: usize, seen: &mut Seen) {
        let worker = &mut self.workers[index];
        let overdue = std::mem::take(&mut worker.gate.overdue);
        let woken = std::mem::take(&mut worker.gate.woken);
        let events = std::mem::take(&mut worker.gate.events);
        let failed = |event: &&Event| matches!(event, Event::KeyFailed(..));
        if self.is_good {
            assert_eq!(events.iter().find(failed), None);
            assert!(overdue.is_empty());
            self.one_worker_is_about_each_user();
        }
        for id in woken {
            seen.woken += 1;
            let waiter = self.workers[index].waiting.remove(&id);
            let (wanted, since) = waiter.expect("woken twice");
            if overdue.contains(&id) {
                seen.overdue += 1;
            } else {
                self.decide(index, wanted, since, seen);
            }
        }
    }

    fn request(&mut self, index: usize, seen: &mut Seen) {
        self.tick(index, seen);
        let name = ["orders", "sales", "ops"][self.below(3) as usize];
        let none: &[&str] = if self.is_good {
            &["workflow:read"]
        } else {
            &["tag:read"]
        };
        let all = [
            &["workflow:list", "tag:list"],
            &["workflow:list", "workflow:create"],
            none,
        ][self.below(3) as usize];
        let wanted = Wanted {
            request: request_of(name, all),
            is_session: self.below(4) == 0,
        };
        self.decide(index, wanted, self.now, seen);
    }

    fn decide(&mut self, index: usize, wanted: Wanted, since: UnixMillis, seen: &mut Seen) {
        let now = self.now;
        let gate = &mut self.workers[index].gate;
        let found = if wanted.is_session {
            gate.ask_for_session_again(&wanted.request, since, now)
        } else {
            gate.ask_again(&wanted.request, since, now)
        };
        match found {
            Found::Waits(id) => {
                let worker = &mut self.workers[index];
                worker.waiting.insert(id, (wanted, since));
            }
            Found::Outage(fault, wait) => {
                seen.outages += 1;
                assert!(!self.is_good, "{fault}");
                assert!(wait <= Duration::from_secs(300), "{wait:?}");
            }
            Found::TooMany => panic!("there are few users"),
            Found::Key(key) => self.check(index, &wanted.request, &key, seen),
            Found::Session(cookie) => self.check_session(index, &wanted.request, &cookie, seen),
        }
    }

    fn check_session(
        &mut self,
        index: usize,
        request: &MintRequest,
        cookie: &str,
        seen: &mut Seen,
    ) {
        let email = request.email();
        let now = self.now;
        let known = self.sessions.iter();
        let is_other = known
            .clone()
            .any(|(other, (_, of))| of == email && other != cookie);
        let first = self.sessions.entry(cookie.to_owned());
        let (since, owner) = first.or_insert((now, email.to_owned()));
        assert_eq!(owner, email);
        assert!(now.since(*since) < Duration::from_secs(12 * 3600));
        seen.renewed_sessions += u64::from(is_other);
        let user = self.n8n.user_in(cookie);
        assert!(
            user.is_none_or(|user| user == email),
            "a session of {user:?}"
        );
        if self.is_good {
            seen.good_sessions += 1;
            assert!(user.is_some(), "n8n refuses a session");
        } else {
            seen.bad_sessions += 1;
        }
        if user.is_none() {
            seen.refused_sessions += 1;
            let cookie = Secret::new(cookie.to_owned());
            let store = &mut self.workers[index].gate.store;
            store.doubt_session(request, &cookie);
            let left = store.at(now);
            assert!(!matches!(left.session(request), Availability::Known(_)));
        }
    }

    fn check(&mut self, index: usize, request: &MintRequest, secret: &str, seen: &mut Seen) {
        let id = secret.strip_prefix("raw-").unwrap();
        let key = self.keys.get(id).expect("a key out of nowhere");
        assert_eq!(key.email, request.email());
        assert!(self.now.0 < key.expires * 1000, "it has expired");
        let asked_for = request.scopes();
        assert!(key.scopes.iter().all(|scope| asked_for.contains(scope)));
        let accepted = self.n8n.accepts(secret, self.clock_of_n8n);
        if self.is_good {
            seen.good_keys += 1;
            assert!(accepted, "n8n refuses a key");
        } else {
            seen.bad_keys += 1;
        }
        if !accepted {
            seen.refused += 1;
            let secret = Secret::new(secret.to_owned());
            let store = &mut self.workers[index].gate.store;
            store.refuse_minted(request, &secret, self.now);
            let left = store.at(self.now);
            assert!(!matches!(left.minted_key(request), Availability::Known(_)));
        }
    }

    /// n8n responds to one of a worker's calls, or fails to.
    fn respond(&mut self, index: usize, seen: &mut Seen) {
        let count = self.workers[index].gate.under_way.len() as u64;
        if count == 0 {
            return;
        }
        self.now = UnixMillis(self.now.0 + 1);
        self.clock_of_n8n = UnixMillis(self.clock_of_n8n.0 + 1);
        let (now, of_n8n) = (self.now, self.clock_of_n8n);
        let chosen = self.below(count) as usize;
        let call = self.workers[index].gate.under_way.remove(chosen);
        let what = if self.is_good { 99 } else { self.below(80) };
        // Whether what is called has its effect.
        let fault = match what {
            0 => status(500),
            1 => status(503),
            2 => retry_after(429, 30),
            3 => ok("<!doctype html>"),
            4 | 5 => CallResponse::NoResponse,
            6 => response(401, &json!({})),
            7 => response(400, &json!({})),
            _ => self.n8n.respond(&call.request, of_n8n),
        };
        if what == 5 || what == 3 {
            // The response alone was lost.
            self.n8n.respond(&call.request, of_n8n);
        }
        self.keys.extend(self.n8n.keys.clone());
        if what == 8 {
            // The host loses it. A tick gives it up.
            return;
        }
        let calls = self.workers[index].gate.under_way.len();
        let gate = &mut self.workers[index].gate;
        gate.received(&call, fault, now, &self.memory);
        let begun = gate.under_way.len().saturating_sub(calls);
        self.count_calls(begun);
        self.settle(index, seen);
    }

    fn one_worker_is_about_each_user(&self) {
        let gates = self.workers.iter().map(|worker| &worker.gate);
        let calls = gates.flat_map(|gate| &gate.under_way);
        let users = calls.map(|call| self.n8n.user_of(&call.request).unwrap());
        let users: Vec<_> = users.collect();
        let distinct: BTreeSet<_> = users.iter().collect();
        assert_eq!(users.len(), distinct.len(), "{users:?}");
    }

    /// A virtual machine goes away, and a new one comes.
    fn replace(&mut self, index: usize, seen: &mut Seen) {
        seen.replaced += 1;
        let new = self.worker();
        let old = std::mem::replace(&mut self.workers[index], new);
        if self.is_good || self.below(2) == 0 {
            old.gate.store.close(&self.memory);
        }
    }

    /// Something happens to n8n or to the clock.
    fn harm(&mut self, seen: &mut Seen) {
        match self.below(10) {
            0 => self.n8n.wipe(),
            1 => self.n8n.change_secret(),
            2 => self.n8n.keys.clear(),
            6 => self.n8n.end_sessions(),
            3 => {
                let mut users = self.n8n.users.values_mut();
                if let Some(user) = users.next() {
                    user.password = Some("Another1".to_owned());
                }
            }
            4 => {
                let back = [10, 1_000, 60_000, 5_000_000][self.below(4) as usize];
                self.now = UnixMillis(self.now.0 - back);
                for worker in &mut self.workers {
                    for (_, since) in worker.waiting.values_mut() {
                        *since = (*since).min(self.now);
                    }
                }
                for index in 0..3 {
                    self.tick(index, seen);
                }
            }
            5 => self.n8n.broken = Some(503),
            _ => {
                self.n8n.broken = None;
                self.n8n.refuses_provisioning_key = false;
            }
        }
    }
}
