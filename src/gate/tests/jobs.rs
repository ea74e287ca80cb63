//! Operations that the gate carries out itself.

use super::*;
use crate::gate::jobs::{MAX_JOBS, MAX_JOBS_OF_USER};

const SESSION: &str = "n8n-auth=the-session";

/// A gate whose callers act as a user for each client, and may run workflows.
fn gate() -> Gate {
    let configuration = json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
            "cluster": "idp", "jwks_uri": "https://idp.example/jwks"}],
        "n8n": {"cluster": "n8n", "api_key": {"env": "KEY"}, "seed": {"env": "SEED"}},
        "principals": [{"name": "app", "match": {"any": true}, "grant": ["workflow:execute"],
            "user": {"per": "client"}}],
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &Seeded).unwrap();
    Gate::new(loaded.policy, Box::new(GuestCrypto))
}

pub(super) struct Seeded;

impl config::Environment for Seeded {
    fn secret(&self, name: &str) -> Option<Secret> {
        Some(Secret::new(format!("a-secret-of-16-and-more-{name}")))
    }
}

fn json_response(status: u16, body: &serde_json::Value, cookie: Option<&str>) -> CallResponse {
    let headers = cookie.map(|cookie| ("set-cookie".to_owned(), cookie.as_bytes().to_vec()));
    CallResponse::Response {
        status,
        headers: crate::facts::ResponseHeaders::new(headers.into_iter().collect()),
        body: body.to_string().into_bytes(),
    }
}

/// An n8n in which every user exists.
pub(super) fn n8n(path: &str) -> CallResponse {
    if path.starts_with("/api/v1/users/") {
        return json_response(200, &json!({"email": "a@b", "isPending": false}), None);
    }
    match path {
        "/jwks" => keys("one"),
        "/rest/login" => {
            let user = json!({"email": "a@b", "firstName": "Ada", "lastName": "Lovelace"});
            json_response(200, &json!({"data": user}), Some(SESSION))
        }
        "/rest/workflows/w/run" => {
            json_response(200, &json!({"data": {"executionId": "41"}}), None)
        }
        "/rest/workflows/w" => {
            let nodes = json!([{"name": "Hook", "type": "n8n-nodes-base.webhook"}]);
            json_response(200, &json!({"data": {"nodes": nodes}}), None)
        }
        "/rest/workflows/ended" => json_response(401, &json!({}), None),
        "/api/v1/executions/41" => json_response(200, &json!({"status": "running"}), None),
        _ => json_response(404, &json!({}), None),
    }
}

/// A host that holds this body for every request.
struct OneBody(Vec<u8>);

impl HeldBodies for OneBody {
    fn read(&self, _: WaiterId, length: usize) -> Option<Vec<u8>> {
        self.0.get(..length).map(<[u8]>::to_vec)
    }
}

struct Stage {
    gate: Gate,
    now: UnixMillis,
    calls: Vec<String>,
}

impl Stage {
    fn new() -> Self {
        Self {
            gate: gate(),
            now: START,
            calls: Vec::new(),
        }
    }

    fn send(&mut self, id: u32, target: &str, client: &str) -> Option<(u16, String)> {
        let head = Self::head(target, client);
        self.decide(id, (head, RequestBody::None), b"")
    }

    fn head(target: &str, client: &str) -> RequestHead {
        let seconds = START.to_seconds().0;
        let claims = json!({"iss": "https://idp.example", "aud": "api", "sub": client,
            "azp": client, "exp": seconds.saturating_add(9000), "jti": "t"});
        let token = mint(KeyKind::Ed25519).sign(&json!({"alg": "EdDSA", "kid": "one"}), &claims);
        let pairs = bearing(target, &token);
        RequestHead::new(pairs.headers().map(|(name, value)| match name {
            ":method" => (name, &b"POST"[..]),
            _ => (name, value),
        }))
    }

    /// The same with a body.
    fn send_body(
        &mut self,
        id: u32,
        target: &str,
        client: &str,
        body: &str,
    ) -> Option<(u16, String)> {
        let head = Self::head(target, client);
        let size = RequestBody::Whole(body.len());
        self.decide(id, (head, size), body.as_bytes())
    }

    fn decide(
        &mut self,
        id: u32,
        request: (RequestHead, RequestBody),
        body: &[u8],
    ) -> Option<(u16, String)> {
        let body = OneBody(body.to_vec());
        let host = HostView {
            bodies: &body,
            ..host_view(self.now)
        };
        match self
            .gate
            .request_from(WaiterId(id), request, &host, || None)
        {
            Step::Settled(settled) => Some(reply_of(&settled)),
            Step::Waits { .. } => None,
        }
    }

    /// Lets time pass, and n8n respond at once.
    fn pass(&mut self, millis: u64) -> Vec<(u32, u16, String)> {
        let end = self.now.saturating_add(Duration::from_millis(millis));
        let mut done = Vec::new();
        while self.now < end {
            self.now = self.now.saturating_add(Duration::from_millis(10));
            respond(&mut self.gate, (self.now, &NoMemory), |path| {
                self.calls.push(path.to_owned());
                n8n(path)
            });
            for (id, settled) in self.gate.settle_woken(&host_view(self.now)) {
                let (status, body) = reply_of(&settled);
                done.push((id.0, status, body));
            }
        }
        done
    }
}

fn reply_of(settled: &Settled) -> (u16, String) {
    match settled.action() {
        Action::Reply(_, reply) => (reply.status, reply.body.clone()),
        Action::Continue(_) => panic!("goes on: {settled:?}"),
    }
}

#[test]
fn a_job_is_done_after_its_facts_were_fetched_and_ends_with_a_local_reply() {
    let mut stage = Stage::new();
    assert_eq!(stage.send(1, "/api/v1/workflows/w/run", "app"), None);
    assert!(stage.gate.is_waiting(WaiterId(1)));
    let done = stage.pass(200);
    assert_eq!(done, [(1, 202, r#"{"executionId":"41"}"#.to_owned())]);
    assert!(!stage.gate.is_waiting(WaiterId(1)));
    assert_eq!(stage.gate.tick_period(), QUIET_TICK);
    // The next run has all facts.
    assert_eq!(stage.send(2, "/api/v1/workflows/w/run", "app"), None);
    stage.calls.clear();
    assert_eq!(stage.pass(50).len(), 1);
    assert_eq!(stage.calls, ["/rest/workflows/w", "/rest/workflows/w/run"]);
}

#[test]
fn a_session_that_n8n_refused_is_not_used_again() {
    let mut stage = Stage::new();
    stage.send(1, "/api/v1/workflows/w/run", "app");
    stage.pass(200);
    stage.send(2, "/api/v1/workflows/ended/run", "app");
    let done = stage.pass(50);
    assert_eq!(done[0].1, 502);
    assert!(done[0].2.contains("upstream_session_refused"), "{done:?}");
    stage.send(3, "/api/v1/workflows/w/run", "app");
    stage.calls.clear();
    stage.pass(500);
    assert_ne!(
        stage.calls.first().unwrap(),
        "/rest/workflows/w",
        "{:?}",
        stage.calls
    );
}

#[test]
fn a_client_that_leaves_is_reported_with_the_execution_and_its_calls_are_forgotten() {
    let mut stage = Stage::new();
    stage.send(1, "/api/v1/workflows/w/run?wait=60", "app");
    assert!(stage.pass(2_000).is_empty());
    assert_eq!(stage.gate.tick_period(), JOB_TICK);
    let left = stage.gate.abandon(WaiterId(1), stage.now).unwrap();
    let audit = left.audit();
    assert!(audit.contains(r#""decision":"abandoned""#), "{audit}");
    assert!(audit.contains(r#""execution":"41""#), "{audit}");
    assert!(!stage.gate.is_waiting(WaiterId(1)));
    stage.calls.clear();
    assert!(stage.pass(2_000).is_empty());
    assert!(stage.calls.is_empty(), "{:?}", stage.calls);
}

/// The memory of the module never shrinks.
#[test]
fn the_bytes_of_jobs_are_bounded() {
    let mut stage = Stage::new();
    stage.send(0, "/api/v1/workflows/w/run", "app");
    stage.pass(500);
    let input = format!("{{\"a\":\"{}\"}}", "x".repeat(900_000));
    let clients: Vec<_> = (0..8).map(|number| format!("client-{number}")).collect();
    for client in &clients {
        stage.send(100, "/api/v1/workflows/w/run", client);
        stage.pass(500);
    }
    let mut begun = 0;
    for (number, client) in (1000..).step_by(10).zip(&clients) {
        for id in number..number + 3 {
            let step = stage.send_body(id, "/api/v1/workflows/w/run", client, &input);
            begun += usize::from(step.is_none());
        }
    }
    assert_eq!(begun, 9, "8 MiB, and at most two of each user");
    assert_eq!(stage.gate.jobs.len(), 9);
    stage.pass(500);
    assert_eq!(stage.gate.jobs.len(), 0);
}

#[test]
fn the_jobs_of_one_user_and_of_all_are_bounded() {
    let mut stage = Stage::new();
    let target = "/api/v1/workflows/w/run?wait=60";
    stage.send(0, target, "warm");
    stage.pass(500);
    let mut id = 0;
    let mut send = |stage: &mut Stage, client: &str| {
        id += 1;
        let step = stage.send(id, target, client);
        stage.pass(20);
        step.map(|(status, body)| {
            assert!(body.contains("too_many_runs"), "{body}");
            status
        })
    };
    let of_user =
        |stage: &mut Stage, send: &mut dyn FnMut(&mut Stage, &str) -> Option<u16>, client| {
            (0..=MAX_JOBS_OF_USER)
                .filter_map(|_| send(stage, client))
                .count()
        };
    // One of them waits since before.
    assert_eq!(of_user(&mut stage, &mut send, "warm"), 2);
    for client in ["b", "c", "d"] {
        send(&mut stage, client);
        stage.pass(500);
        of_user(&mut stage, &mut send, client);
    }
    assert_eq!(stage.gate.jobs.len(), MAX_JOBS);
    let refused = stage.send(9_999, target, "warm").unwrap();
    assert_eq!(refused.0, 503);
}

const DESCRIPTION: &str = include_str!("../../../tests/support/description.yml");

/// A gate that shows bearer tokens in the description of the API, to every client.
fn describing() -> Gate {
    let configuration = json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
            "cluster": "idp", "jwks_uri": "https://idp.example/jwks"}],
        "principals": [{"name": "app", "match": {"any": true}, "grant": ["workflow:read"],
            "api_key": {"env": "KEY"}}],
        "public_api": {"public_description": true, "bearer_in_description": {"cluster": "n8n"}},
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &Seeded).unwrap();
    Gate::new(loaded.policy, Box::new(GuestCrypto))
}

fn get_description() -> RequestHead {
    let pairs = [
        (":method", "GET"),
        (":path", "/api/v1/openapi.yml"),
        (":authority", "n8n"),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    RequestHead::new(pairs.to_vec())
}

/// Answers the calls of jobs with this, and gives what happens to the requests that wait.
fn answer(gate: &mut Gate, now: UnixMillis, body: &str) -> (usize, Vec<Settled>) {
    let mut calls = 0_usize;
    respond(gate, (now, &NoMemory), |path| {
        if path != "/api/v1/openapi.yml" {
            return n8n(path);
        }
        calls = calls.saturating_add(1);
        CallResponse::Response {
            status: 200,
            headers: crate::facts::ResponseHeaders::default(),
            body: body.as_bytes().to_vec(),
        }
    });
    let settled = gate.settle_woken(&host_view(now));
    (
        calls,
        settled.into_iter().map(|(_, settled)| *settled).collect(),
    )
}

/// A client without a credential must not make the gate read and edit it again and again.
#[test]
fn a_description_is_kept_for_a_while() {
    let mut gate = describing();
    let mut now = START;
    assert!(matches!(
        gate.request(WaiterId(1), get_description(), now),
        Step::Waits { .. }
    ));
    let (calls, settled) = answer(&mut gate, now, DESCRIPTION);
    assert_eq!((calls, settled.len()), (1, 1));
    let (status, body) = reply_of(&settled[0]);
    assert!(status == 200 && body.contains("- BearerAuth: []"), "{body}");
    now = now.saturating_add(Duration::from_secs(299));
    let Step::Settled(again) = gate.request(WaiterId(2), get_description(), now) else {
        panic!("it is read again");
    };
    assert_eq!(reply_of(&again), (200, body));
    now = now.saturating_add(Duration::from_secs(1));
    assert!(matches!(
        gate.request(WaiterId(3), get_description(), now),
        Step::Waits { .. }
    ));
}

#[test]
fn a_description_of_another_form_goes_through_and_is_not_read_again_at_once() {
    let mut gate = describing();
    let mut now = START;
    let goes_on = |settled: &Settled| matches!(settled.action(), Action::Continue(_));
    gate.request(WaiterId(1), get_description(), now);
    let (calls, settled) = answer(&mut gate, now, "swagger: '2.0'");
    assert_eq!((calls, settled.len()), (1, 1));
    assert!(goes_on(&settled[0]), "{:?}", settled[0]);
    assert!(settled[0].decision.not_shown.is_some());
    now = now.saturating_add(Duration::from_secs(9));
    let Step::Settled(again) = gate.request(WaiterId(2), get_description(), now) else {
        panic!("it is read again");
    };
    assert!(goes_on(&again) && again.decision.not_shown.is_none());
    now = now.saturating_add(Duration::from_secs(1));
    assert!(matches!(
        gate.request(WaiterId(3), get_description(), now),
        Step::Waits { .. }
    ));
}

/// A crowd is no reason to refuse what n8n itself would send.
#[test]
fn a_crowd_that_asks_for_the_description_gets_that_of_n8n() {
    let mut gate = describing();
    for id in 0..MAX_JOBS_OF_USER {
        let id = WaiterId(u32::try_from(id).unwrap());
        assert!(matches!(
            gate.request(id, get_description(), START),
            Step::Waits { .. }
        ));
    }
    let Step::Settled(next) = gate.request(WaiterId(999), get_description(), START) else {
        panic!("it waits");
    };
    assert!(matches!(next.action(), Action::Continue(_)), "{next:?}");
}
