//! Runs the gate of two workers through a sequence of events.
//!
//! Two bytes are one event: its kind and an argument. What happens is a request, a response, time
//! that passes, a client that is gone, and a call that gets one more response.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use n8n_idp_gate::crypto::GuestCrypto;
use n8n_idp_gate::decide::ConnectionAttribute;
use n8n_idp_gate::facts::{
    CallId, CallRequest, CallResponse, ResponseHeaders, WaiterId, MAX_CALLS,
};
use n8n_idp_gate::gate::{
    Action, Connections, Gate, HeldBodies, HostView, RequestBody, Settled, Source, Step, Work,
};
use n8n_idp_gate::http::RequestHead;
use n8n_idp_gate::policy::Policy;
use n8n_idp_gate::time::UnixMillis;
use serde_json::json;

use crate::memory::Memory;
use crate::mint::{mint, KeyKind, Mint};
use crate::world::{attacker, claims, policy, Keys, AUDIENCE, NOW};

const START: UnixMillis = UnixMillis(NOW * 1_000);

/// The most events of one input: each may cost a signature check.
const MOST_EVENTS: usize = 150;

/// The cooldown of the policy, which is the default.
const COOLDOWN: Duration = Duration::from_secs(30);

/// The most fetches of a key set in a cooldown, by all workers together: four for unknown key ids
/// and three for changed keys, six attempts after failures (after 1, 2, 4, 8 and 16 seconds), and
/// one that is due.
const MOST_FETCHES: usize = 4 + 3 + 6 + 1;

/// Longer than any request may wait: the timeout of two calls in a row, and what the host may lose.
const PATIENCE: Duration = Duration::from_secs(120);

/// How far the signed tokens with a short life reach.
const SHORT_LIFE: u64 = 100;

thread_local! {
    static POLICY: Policy = policy(&Keys::Fetched);
}

/// The target.
pub fn run(input: &[u8]) {
    let mut world = World::new();
    for event in input.chunks_exact(2).take(MOST_EVENTS) {
        world.event(event[0], usize::from(event[1]));
    }
    world.end();
}

/// What a client shows.
struct Token {
    text: String,
    kind: Kind,
}

/// What makes it good.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The provider's key of this name signed it.
    Signed(&'static str, u64),
    /// A provider says so.
    Opaque,
    /// Nothing.
    Never,
}

fn tokens() -> &'static [Token] {
    static TOKENS: OnceLock<Vec<Token>> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let sign = |key: &Mint, name: &str, id: &str, life: u64| {
            let mut claims = claims("app", id);
            claims["exp"] = json!(NOW + life);
            key.sign(&json!({"alg": key.algorithm(), "kid": name}), &claims)
        };
        let (one, two) = (mint(KeyKind::Ed25519), mint(KeyKind::P256));
        let signed = |text, name, life| Token {
            text,
            kind: Kind::Signed(name, NOW + life),
        };
        let never = |text| Token {
            text,
            kind: Kind::Never,
        };
        let opaque = |text: &str| Token {
            text: text.to_owned(),
            kind: Kind::Opaque,
        };
        vec![
            signed(sign(one, "one", "1", 900_000), "one", 900_000),
            signed(sign(one, "one", "2", SHORT_LIFE), "one", SHORT_LIFE),
            signed(sign(two, "two", "3", 900_000), "two", 900_000),
            opaque("opq_first"),
            opaque("opq_second"),
            never(sign(attacker(), "one", "4", 900_000)),
            never(sign(attacker(), "three", "5", 900_000)),
            never("opaque-to-all".to_owned()),
        ]
    })
}

/// A request that waits.
struct Waits {
    token: usize,
    since: UnixMillis,
}

/// A call that was made.
struct SentCall {
    worker: usize,
    id: CallId,
    request: CallRequest,
    begun: UnixMillis,
}

struct Worker {
    gate: Gate,
    waiting: BTreeMap<u32, Waits>,
    requests: u32,
}

/// A host that holds no body.
struct NoBodies;

impl Connections for NoBodies {
    fn attribute(&self, _: WaiterId, _: ConnectionAttribute) -> Option<String> {
        None
    }
}

impl HeldBodies for NoBodies {
    fn read(&self, _: WaiterId, _: usize) -> Option<Vec<u8>> {
        None
    }
}

struct World {
    workers: Vec<Worker>,
    memory: Memory,
    now: UnixMillis,
    calls: Vec<SentCall>,
    completed: Vec<(usize, CallId)>,
    known_calls: BTreeSet<(usize, u64)>,
    /// When fetches of the key set began.
    fetches: Vec<UnixMillis>,
    /// The names of the keys that the provider ever sent in a response to a call.
    published: BTreeSet<&'static str>,
    /// The opaque tokens that were ever active at the provider.
    active: BTreeSet<String>,
}

impl World {
    fn new() -> Self {
        let worker = |_| Worker {
            gate: POLICY.with(|policy| Gate::new(policy.clone(), Box::new(GuestCrypto))),
            waiting: BTreeMap::new(),
            requests: 0,
        };
        let world = Self {
            workers: (0..2).map(worker).collect(),
            memory: Memory::default(),
            now: START,
            calls: Vec::new(),
            completed: Vec::new(),
            known_calls: BTreeSet::new(),
            fetches: Vec::new(),
            published: BTreeSet::new(),
            active: BTreeSet::new(),
        };
        for worker in &world.workers {
            worker.gate.open(&world.memory);
        }
        world
    }

    fn event(&mut self, kind: u8, argument: usize) {
        let worker = argument % 2;
        let argument = argument / 2;
        match kind % 6 {
            0 => self.pass(argument),
            1 => self.request(worker, argument),
            2 | 3 => self.respond(argument),
            4 => self.leave(worker, argument),
            _ => self.respond_again(argument),
        }
        self.settle();
    }

    fn pass(&mut self, argument: usize) {
        const STEPS: [u64; 10] = [0, 2, 2, 10, 500, 1_000, 3_000, 10_000, 30_000, 300_000];
        // The host's ticks come often where a request waits.
        let waits = self.workers.iter().any(|worker| !worker.waiting.is_empty());
        let longest = if waits { 10_000 } else { u64::MAX };
        let step = STEPS[argument % STEPS.len()].min(longest);
        self.now = self.now.saturating_add(Duration::from_millis(step));
        self.tick();
    }

    fn tick(&mut self) {
        for worker in 0..self.workers.len() {
            let work = self.workers[worker].gate.tick(self.now, &self.memory);
            self.begin(worker, work);
        }
    }

    /// Notes the calls that a worker makes, and checks their number.
    fn begin(&mut self, worker: usize, work: Vec<Work>) {
        for work in work {
            let Work::Call(call) = work else {
                continue;
            };
            assert!(
                self.known_calls.insert((worker, call.id.0)),
                "a call id is used again"
            );
            let under_way = self.calls.iter().filter(|other| {
                other.request.endpoint == call.request.endpoint
                    && self.now.since(other.begun) < other.request.timeout
            });
            if call.request.body.is_none() {
                assert_eq!(under_way.count(), 0, "two fetches of one key set at a time");
                self.fetches.push(self.now);
                let recent = self
                    .fetches
                    .iter()
                    .filter(|at| self.now.since(**at) < COOLDOWN);
                let recent = recent.count();
                assert!(recent <= MOST_FETCHES, "{recent} fetches in a cooldown");
            } else {
                let own = under_way.filter(|call| call.worker == worker);
                assert!(own.count() < 2 * MAX_CALLS, "too many calls about tokens");
            }
            self.calls.push(SentCall {
                worker,
                id: call.id,
                request: call.request,
                begun: self.now,
            });
        }
    }

    fn request(&mut self, worker: usize, argument: usize) {
        let token = argument % tokens().len();
        let (now, address) = (self.now, format!("10.0.0.{}:1", argument % 5));
        let own = &mut self.workers[worker];
        own.requests += 1;
        let id = own.requests;
        let head = head(&tokens()[token].text);
        let step = own.gate.request_from(
            WaiterId(id),
            (head, RequestBody::None),
            &HostView {
                now,
                memory: &self.memory,
                bodies: &NoBodies,
                connections: &NoBodies,
            },
            || Some(Source::new(&address)),
        );
        match step {
            Step::Waits { .. } => {
                let since = now;
                own.waiting.insert(id, Waits { token, since });
                assert!(own.gate.is_waiting(WaiterId(id)));
            }
            Step::Settled(settled) => {
                assert!(!own.gate.is_waiting(WaiterId(id)));
                self.check(token, &settled);
            }
        }
    }

    /// The provider responds to a call that is under way.
    fn respond(&mut self, argument: usize) {
        if self.calls.is_empty() {
            return;
        }
        let call = self.calls.remove(argument % self.calls.len());
        let lives = self.now.since(call.begun) < call.request.timeout;
        let response = match &call.request.body {
            None => self.key_set(argument),
            Some(body) => self.introspection(body.content().expose(), argument),
        };
        // The host gives a call up after its timeout.
        let response = if lives {
            response
        } else {
            CallResponse::NoResponse
        };
        self.complete(call.worker, call.id, response);
    }

    fn complete(&mut self, worker: usize, call: CallId, response: CallResponse) {
        self.completed.push((worker, call));
        let gate = &mut self.workers[worker].gate;
        let work = gate.received(call, response, self.now, &self.memory);
        self.begin(worker, work);
    }

    /// A response comes for a call that has ended: it must not count.
    fn respond_again(&mut self, argument: usize) {
        if self.completed.is_empty() {
            return;
        }
        let (worker, call) = self.completed[argument % self.completed.len()];
        let keys = [attacker().jwk("one"), attacker().jwk("three")];
        let body = json!({"keys": keys, "active": true, "aud": AUDIENCE, "client_id": "app",
            "sub": "app", "token_type": "access_token"});
        self.complete(worker, call, response(200, body.to_string()));
    }

    fn key_set(&mut self, argument: usize) -> CallResponse {
        let (one, two) = (
            mint(KeyKind::Ed25519).jwk("one"),
            mint(KeyKind::P256).jwk("two"),
        );
        let (names, body): (&[_], _) = match argument / 4 % 8 {
            0 | 1 => (&["one"], json!({ "keys": [one] })),
            2 => (&["two"], json!({ "keys": [two] })),
            3 => (&["one", "two"], json!({ "keys": [one, two] })),
            4 => (&[], json!({ "keys": [] })),
            5 => (&[], json!("no key set")),
            6 => return response(503, String::new()),
            _ => return CallResponse::NotDispatched,
        };
        self.published.extend(names);
        response(200, body.to_string())
    }

    fn introspection(&mut self, form: &str, argument: usize) -> CallResponse {
        let mut status = json!({"active": true, "aud": AUDIENCE, "client_id": "app", "sub": "app",
            "token_type": "access_token"});
        match argument / 4 % 4 {
            0 | 1 => {
                let token = form.strip_prefix("token=").expect("a token");
                let token = token.split('&').next().unwrap_or_default();
                self.active.insert(token.to_owned());
            }
            2 => status = json!({"active": false}),
            _ => return response(500, String::new()),
        }
        response(200, status.to_string())
    }

    fn leave(&mut self, worker: usize, argument: usize) {
        let own = &mut self.workers[worker];
        let ids: Vec<u32> = own.waiting.keys().copied().collect();
        let Some(id) = ids.get(argument % ids.len().max(1)) else {
            return;
        };
        own.waiting.remove(id);
        let settled = own.gate.abandon(WaiterId(*id), self.now);
        assert!(settled.is_some(), "a request that waited is not reported");
        let again = own.gate.abandon(WaiterId(*id), self.now);
        assert!(again.is_none(), "it is reported twice");
        let is_refused = matches!(
            settled.as_ref().map(|settled| settled.action()),
            Some(Action::Reply(..))
        );
        assert!(is_refused, "a request that left goes on");
    }

    fn settle(&mut self) {
        for worker in 0..self.workers.len() {
            for (id, settled) in self.workers[worker].gate.settle_woken(&HostView {
                now: self.now,
                memory: &self.memory,
                bodies: &NoBodies,
                connections: &NoBodies,
            }) {
                let waits = self.workers[worker].waiting.remove(&id.0);
                let waits = waits.expect("a request that does not wait is settled");
                assert!(!self.workers[worker].gate.is_waiting(id));
                let waited = self.now.since(waits.since);
                assert!(waited <= PATIENCE, "it waited {waited:?}");
                self.check(waits.token, &settled);
            }
        }
    }

    /// A request goes on only with a token that the provider vouches for.
    fn check(&self, token: usize, settled: &Settled) {
        let token = &tokens()[token];
        assert!(
            !settled.audit().contains(&token.text),
            "the audit record shows a token"
        );
        let Action::Continue(edits) = settled.action() else {
            return;
        };
        assert!(!edits.is_empty(), "it goes on as it came");
        let is_good = match token.kind {
            Kind::Never => false,
            Kind::Signed(key, end) => {
                self.published.contains(key) && self.now.to_seconds().0 <= end + 60
            }
            Kind::Opaque => self.active.contains(&token.text),
        };
        assert!(is_good, "forwarded with the token {}", token.text);
    }

    /// No call gets a response any more, and every request is settled.
    fn end(&mut self) {
        for _ in 0..PATIENCE.as_secs() {
            self.now = self.now.saturating_add(Duration::from_secs(1));
            self.tick();
            self.settle();
        }
        for worker in &self.workers {
            let waiting = worker.waiting.len();
            assert_eq!(waiting, 0, "requests that wait for ever");
        }
    }
}

fn head(token: &str) -> RequestHead {
    let pairs = [
        (":method", "GET"),
        (":path", "/api/v1/workflows"),
        (":authority", "n8n.example.com"),
        ("authorization", &format!("Bearer {token}")),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    RequestHead::new(pairs.to_vec())
}

fn response(status: u16, body: String) -> CallResponse {
    let content_type = ("content-type".to_owned(), b"application/json".to_vec());
    CallResponse::Response {
        status,
        headers: ResponseHeaders::new(vec![content_type]),
        body: body.into_bytes(),
    }
}
