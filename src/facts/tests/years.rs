//! Years of a provider and of workers that do anything at all.

use super::draws::{on_random_steps, Draws};
use super::*;
use crate::crypto::KeySetFault;

/// A year in a few seconds: whatever happens, every request that waits is woken within the time
/// that a fetch may take, no key is used that was not published lately or is revoked, tokens of
/// known keys never wait, attackers cause four fetches in a cooldown, and no key id is refused that was
/// never looked for.
#[test]
fn random_years_keep_the_promises() {
    let seen = RefCell::new(Seen::default());
    on_random_steps(48, 12_000, |start, steps| {
        Year::new(start).run(steps, &mut seen.borrow_mut());
    });
    let seen = seen.into_inner();
    // The model is worth something only when all of it happens.
    for (what, count) in [
        ("fetches", seen.fetches),
        ("misses", seen.misses),
        ("emptied sets", seen.emptied),
        ("sets without a usable key", seen.unusable),
        ("keys under grace", seen.under_grace),
        ("refused documents", seen.refused_documents),
        ("new machines with keys", seen.warm_starts),
    ] {
        assert!(count > 100, "{what}: {count}");
    }
}

/// What happened at all.
#[derive(Default)]
struct Seen {
    fetches: u64,
    misses: u64,
    emptied: u64,
    unusable: u64,
    under_grace: u64,
    refused_documents: u64,
    warm_starts: u64,
}

struct Year {
    draws: Draws,
    memory: Memory,
    policy: Policy,
    grace: Duration,
    workers: Vec<Worker>,
    now: UnixMillis,
    /// When any worker last saw each key, since the last emptied set.
    last_published: BTreeMap<String, UnixMillis>,
    last_emptied: UnixMillis,
    /// When a set without a usable key was last published.
    last_unusable: UnixMillis,
    last_response: UnixMillis,
    /// When the fetches for unknown keys ended.
    refetches: Vec<UnixMillis>,
}

struct Worker {
    store: FactStore,
    under_way: Vec<Call>,
    waiting: BTreeMap<u32, UnixMillis>,
    waiters: u32,
    fetches_for_miss: bool,
    had_keys: bool,
}

const KIDS: [&str; 5] = ["a", "b", "c", "d", "revoked"];

impl Year {
    fn new(seed: u32) -> Self {
        let source = if seed.is_multiple_of(2) {
            by_jwks()
        } else {
            by_discovery()
        };
        let mut policy = policy(source, Some("secret"));
        let grace = Duration::from_secs([0, 60, 86_400][(seed % 3) as usize]);
        policy.providers[0].freshness.grace = grace;
        policy.providers[0].revoked_kids = vec!["revoked".to_owned()];
        let mut year = Self {
            draws: Draws::default(),
            memory: Memory::default(),
            policy,
            grace,
            workers: Vec::new(),
            now: START,
            last_published: BTreeMap::new(),
            last_emptied: UnixMillis(0),
            last_unusable: UnixMillis(0),
            last_response: UnixMillis(0),
            refetches: Vec::new(),
        };
        year.workers = (0..3).map(|_| year.worker()).collect();
        year
    }

    fn worker(&self) -> Worker {
        Worker {
            store: FactStore::new(&self.policy),
            under_way: Vec::new(),
            waiting: BTreeMap::new(),
            waiters: 0,
            fetches_for_miss: false,
            had_keys: false,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.draws.below(bound)
    }

    fn run(mut self, steps: &[[u32; 12]], seen: &mut Seen) {
        for step in steps {
            self.draws = Draws::of(step);
            let step = [1, 2, 500, 3_000, 60_000, 3_000_000][self.below(6) as usize];
            self.now = UnixMillis(self.now.0 + step);
            let index = self.below(3) as usize;
            match self.below(16) {
                0..=4 => self.response(index, seen),
                5..=7 => self.request(index, seen),
                8 if self.below(8) == 0 => self.replace(index, seen),
                _ => self.tick(index, seen),
            }
        }
    }

    fn tick(&mut self, index: usize, seen: &mut Seen) {
        let now = self.now;
        let worker = &mut self.workers[index];
        let effects = worker.store.tick(now, &self.memory);
        self.perform(index, &effects, seen);
        let patience = Duration::from_secs(10);
        let mut waiting = self.workers[index].waiting.values();
        assert!(
            waiting.all(|since| now.since(*since) <= patience),
            "a request waits for ever"
        );
        self.check(index, seen);
    }

    fn perform(&mut self, index: usize, effects: &[Effect], seen: &mut Seen) {
        let now = self.now;
        self.note_end(index, effects);
        let worker = &mut self.workers[index];
        for (id, _) in woken(effects) {
            assert!(worker.waiting.remove(&id).is_some(), "woken twice");
        }
        for call in fetches(effects) {
            seen.fetches += 1;
            worker.under_way.push(call);
            let age = worker.store.key_set_age(THE_PROVIDER, now);
            let known = matches!(
                worker.store.at(now).key_set(THE_PROVIDER),
                Availability::Known(_)
            );
            let retried = self.last_unusable > self.last_response;
            // No regular fetch comes so early, but for one that replaces keys of no use.
            if known && !retried && age.is_some_and(|age| age < Duration::from_secs(54)) {
                seen.misses += 1;
                worker.fetches_for_miss = true;
                let cooldown = freshness().cooldown;
                self.refetches
                    .retain(|refetch| now.since(*refetch) < cooldown);
                assert!(self.refetches.len() < 4, "too many: {:?}", self.refetches);
                let pause = self.refetches.last().map(|last| now.since(*last));
                assert!(
                    pause.is_none_or(|pause| pause >= cooldown / 10),
                    "a fetch for an unknown key {pause:?} after the last one"
                );
            }
        }
    }

    fn note_end(&mut self, index: usize, effects: &[Effect]) {
        let ended = |effect: &Effect| {
            matches!(
                effect,
                Effect::Report(Event::KeysFetched(_) | Event::KeysFailed(..))
            )
        };
        let now = self.now;
        let worker = &mut self.workers[index];
        let keys = worker.store.at(now);
        let keys = keys.key_set(THE_PROVIDER);
        worker.had_keys |= matches!(keys, Availability::Known(_));
        let for_miss = &mut worker.fetches_for_miss;
        if effects.iter().any(ended) && std::mem::take(for_miss) {
            self.refetches.push(self.now);
        }
    }

    /// The provider responds to one of a worker's calls, late ones included.
    fn response(&mut self, index: usize, seen: &mut Seen) {
        let count = self.workers[index].under_way.len() as u64;
        if count == 0 {
            return;
        }
        let chosen = self.below(count) as usize;
        let call = self.workers[index].under_way.remove(chosen);
        let is_document = call.request.endpoint.path.contains("well-known");
        let mut published = Vec::new();
        let response = match self.below(12) {
            0 => status([302, 404, 500, 503][self.below(4) as usize]),
            1 => CallResponse::NoResponse,
            2 => ok("<html>"),
            3 => retry_after(429, self.below(1_000)),
            4 if is_document => {
                ok(r#"{"issuer":"https://evil.example","jwks_uri":"https://idp.example/evil"}"#)
            }
            _ if is_document => document(["/jwks", "/moved"][self.below(2) as usize]),
            4 => ok(r#"{"keys":[]}"#),
            5 => ok(r#"{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}"#),
            _ => {
                published = KIDS.into_iter().filter(|_| self.below(2) == 0).collect();
                let keys: Vec<_> = published.iter().map(|kid| one_key(kid)).collect();
                let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
                fresh_for(self.below(2_000), body)
            }
        };
        assert_ne!(call.request.endpoint.path, "/evil");
        let now = self.now;
        let worker = &mut self.workers[index];
        let effects = worker.store.received(call.id, response, now, &self.memory);
        if effects.contains(&Effect::Report(Event::KeysFetched(THE_PROVIDER))) {
            self.last_response = now;
            for kid in published {
                self.last_published.insert(kid.to_owned(), now);
            }
        }
        if effects.contains(&Effect::Report(Event::KeysFailed(
            THE_PROVIDER,
            KeySetFault::Empty.into(),
        ))) {
            seen.emptied += 1;
            self.last_emptied = now;
            self.last_published.clear();
        }
        let is_unusable = |effect: &Effect| {
            matches!(
                effect,
                Effect::Report(Event::KeysFailed(
                    _,
                    KeysFault::Keys(KeySetFault::NoUsableKey(_))
                ))
            )
        };
        if effects.iter().any(is_unusable) {
            seen.unusable += 1;
            self.last_unusable = now;
        }
        let is_mismatch = |effect: &Effect| {
            matches!(
                effect,
                Effect::Report(Event::KeysFailed(_, KeysFault::IssuerMismatch { .. }))
            )
        };
        if effects.iter().any(is_mismatch) {
            seen.refused_documents += 1;
        }
        self.note_end(index, &effects);
        // The second call of a fetch is not one more fetch.
        let mut continued = fetches(&effects);
        self.workers[index].under_way.append(&mut continued);
        for (id, _) in woken(&effects) {
            let waited = self.workers[index].waiting.remove(&id);
            assert!(waited.is_some(), "woken twice");
        }
        // A response to a call that was given up changes nothing.
        if !effects.is_empty() {
            self.check(index, seen);
        }
    }

    /// A request comes whose token names a known or an unknown key.
    fn request(&mut self, index: usize, seen: &mut Seen) {
        // A worker ticks at least twice a second.
        self.tick(index, seen);
        let made_up = format!("made-up-{}", self.below(1_000_000));
        let kid = ["a", "d", "old", &made_up][self.below(4) as usize].to_owned();
        let origin = from(&format!("10.0.0.{}", self.below(2)));
        let now = self.now;
        let worker = &mut self.workers[index];
        assert_ne!(
            newer_keys(&worker.store, &format!("never-seen-{made_up}"), now),
            NewerKeys::Unlikely
        );
        let fact = match worker.store.at(now).key_set(THE_PROVIDER) {
            Availability::Pending => Fact::KeySet(THE_PROVIDER),
            Availability::Known(_)
                if !knows(&worker.store, &kid, now)
                    && newer_keys(&worker.store, &kid, now) == NewerKeys::MayCome =>
            {
                newer(&kid)
            }
            _ => return,
        };
        worker.waiters += 1;
        let id = worker.waiters;
        match worker.store.admit(WaiterId(id), &fact, now, origin, now) {
            Ok(()) => _ = worker.waiting.insert(id, now),
            Err(WaitFault::NotYet(wait)) => assert!(wait <= freshness().cooldown, "{wait:?}"),
            Err(WaitFault::TooMany) => panic!("too many"),
        }
    }

    /// A virtual machine goes away, and a new one comes.
    fn replace(&mut self, index: usize, seen: &mut Seen) {
        let new = self.worker();
        let old = std::mem::replace(&mut self.workers[index], new);
        old.store.close(&self.memory);
        let alive = self.last_response > self.last_emptied.max(self.last_unusable)
            && self.now.since(self.last_response) <= freshness().max_stale;
        self.tick(index, seen);
        if alive {
            seen.warm_starts += 1;
            let store = &self.workers[index].store;
            let facts = store.at(self.now);
            let keys = facts.key_set(THE_PROVIDER);
            // Keys that are due serve again once they were asked for.
            let is_due = self.now >= due(self.last_response, 54);
            let is_known = matches!(keys, Availability::Known(_));
            assert!(is_known || is_due, "a cold start");
        }
    }

    /// What must hold for a worker after a tick or a response.
    fn check(&self, index: usize, seen: &mut Seen) {
        let now = self.now;
        let store = &self.workers[index].store;
        let facts = store.at(now);
        let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
            let age = store.key_set_age(THE_PROVIDER, now);
            let fresh = age.is_some_and(|age| age <= freshness().max_stale);
            let withdrawn = self.last_emptied.max(self.last_unusable) >= self.last_response;
            // A worker without keys that finds some which are due asks before it serves with them.
            let is_new = !self.workers[index].had_keys && now >= due(self.last_response, 54);
            assert!(!fresh || withdrawn || is_new, "a good token would wait");
            return;
        };
        for kid in keys.keys().iter().filter_map(|key| key.key_id()) {
            assert_ne!(kid, "revoked");
            let published = self.last_published.get(kid);
            let published = published.expect("a key out of nowhere, or one that was withdrawn");
            let age = now.since(*published);
            assert!(age <= freshness().max_stale + self.grace, "{kid}: {age:?}");
            if *published < self.last_response.max(self.last_unusable) {
                seen.under_grace += 1;
                // Out of the published set: by grace alone.
                assert!(!self.grace.is_zero(), "{kid} left the set");
            }
        }
    }
}

fn one_key(kid: &str) -> String {
    let set = String::from_utf8(key_set(kid)).unwrap();
    set[9..set.len() - 2].to_owned()
}
