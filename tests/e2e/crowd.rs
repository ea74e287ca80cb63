//! Crowds that wait for one fetch: each request of them is answered, and the worker lives on.
//!
//! The host performs what the module asks for inside one another, so that a crowd which is settled
//! in one call uses up the stack of the virtual machine.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::gate::{claims, key, policy, provider, token, token_of, Gate, ISSUER, KEY_ID, READER};
use crate::support::crowd::{self, Parts, Protocol};
use crate::support::http::Request;
use crate::support::scripted_provider::JWKS;
use crate::support::server::{Reply, Script};

const CROWD: usize = 2000;
const PATH: &str = "/api/v1/workflows";
const INTROSPECTION: &str = "/introspect";

/// What one run is about.
struct Run {
    protocol: Protocol,
    workers: usize,
    /// How many of the crowd may be waiting at a time: those beyond are refused at once.
    places: usize,
}

/// Each protocol and each number of workers once.
fn runs(places: usize) -> [Run; 2] {
    [
        run(Protocol::Http1, 2, places),
        run(Protocol::Http2, 1, places),
    ]
}

const fn run(protocol: Protocol, workers: usize, places: usize) -> Run {
    Run {
        protocol,
        workers,
        places: places.saturating_mul(workers),
    }
}

/// Starts a gate whose provider answers at `path` once it is told to.
fn gate(run: &Run, policy: Value, path: &str, answer: Reply) -> (Gate, Arc<AtomicBool>) {
    let told = Arc::new(AtomicBool::new(false));
    let provider = provider();
    let later = Script::Later(Arc::clone(&told), Box::new(Script::Reply(answer)));
    provider.script(path, later);
    let gate = Gate::at(provider, policy, |setup| {
        setup.workers(run.workers).secret("SECRET", "s3cret")
    });
    (gate, told)
}

/// How many answers of each status a crowd gets that waits until the provider is told to answer.
fn answers(run: &Run, gate: &Gate, told: &AtomicBool, crowd: &[Parts]) -> BTreeMap<u16, usize> {
    let port = gate.envoy.port();
    thread::scope(|scope| {
        let sent = scope.spawn(|| crowd::send(port, run.protocol, crowd).unwrap());
        wait_for_waiters(gate, run.places.min(crowd.len()));
        told.store(true, Ordering::SeqCst);
        let mut statuses = BTreeMap::new();
        for answer in sent.join().unwrap() {
            *statuses.entry(answer.unwrap()).or_default() += 1;
        }
        statuses
    })
}

/// Waits until Envoy holds so many requests, most of which wait.
fn wait_for_waiters(gate: &Gate, most: usize) {
    let mut active = 0;
    for _ in 0..150 {
        let stats = gate
            .envoy
            .admin_page("/stats?filter=http.gate.downstream_rq_active");
        let text = stats.unwrap_or_default();
        let count = text.trim().rsplit(' ').next().unwrap_or_default().parse();
        let now = count.unwrap_or(0);
        // The kernel shares connections out to workers unevenly.
        if now > 0 && (now >= most || now == active) {
            return;
        }
        active = now;
        thread::sleep(Duration::from_millis(400));
    }
    panic!("no crowd of {most} came together: {active}");
}

/// The worker is what it was: a good caller comes in, and no virtual machine has failed.
fn assert_well(gate: &Gate) {
    let good = Request::get(PATH).bearer(&token("app-a", &[READER]));
    for _ in 0..8 {
        let answer = good.send(gate.envoy.port()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let log = gate.envoy.log_text();
    for failure in ["call stack", "Function: proxy_", "has crashed", "Uncaught"] {
        assert!(!log.contains(failure), "{failure} in {log}");
    }
}

fn unknown_key() -> String {
    let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": "made-up"});
    key().sign(&header, &claims("app-a", &[READER], &json!({})))
}

fn list(token: &str) -> Vec<Parts> {
    vec![Parts::new("GET", PATH).bearer(token); CROWD]
}

fn patient() -> Value {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({"timeout": "10s", "cooldown": "1s"});
    policy
}

fn keys() -> Reply {
    Reply::json(&json!({"keys": [key().jwk(KEY_ID)]}))
}

#[test]
fn a_crowd_that_waits_for_keys_is_let_in_when_they_come() {
    for run in runs(1024) {
        let (gate, told) = gate(&run, patient(), JWKS, keys());
        let crowd = list(&token("app-a", &[READER]));
        let statuses = answers(&run, &gate, &told, &crowd);
        let let_in = statuses.get(&200).copied().unwrap_or_default();
        assert!(let_in >= 512, "{:?}: {statuses:?}", run.protocol);
        assert_well(&gate);
    }
}

#[test]
fn a_crowd_with_made_up_tokens_that_waits_for_keys_is_refused_when_they_come() {
    let others = [run(Protocol::Http1, 1, 1024), run(Protocol::Http2, 2, 1024)];
    for run in runs(1024).into_iter().chain(others) {
        let (gate, told) = gate(&run, patient(), JWKS, keys());
        let statuses = answers(&run, &gate, &told, &list(&unknown_key()));
        assert_eq!(statuses.get(&200), None, "{statuses:?}");
        assert_eq!(statuses.values().sum::<usize>(), CROWD);
        assert_well(&gate);
    }
}

#[test]
fn a_crowd_that_waits_in_vain_is_told_so() {
    for run in runs(1024) {
        let (gate, told) = gate(&run, patient(), JWKS, Reply::status(500));
        let statuses = answers(&run, &gate, &told, &list(&token("app-a", &[READER])));
        assert_eq!(statuses, BTreeMap::from([(503, CROWD)]));
        gate.provider.publish(&[key().jwk(KEY_ID)]);
        let good = Request::get(PATH).bearer(&token("app-a", &[READER]));
        // The pause after a failure is a second at first, and workers may have failed in turn.
        for _ in 0..50 {
            if good.send(gate.envoy.port()).unwrap().status == 200 {
                break;
            }
            thread::sleep(Duration::from_millis(200));
        }
        assert_well(&gate);
    }
}

/// As many waiting requests as can be had for one provider's word on tokens.
#[test]
fn a_crowd_that_waits_for_the_word_on_one_token_is_answered() {
    let mut asking = policy();
    asking["providers"][0]["introspection"] = json!({
        "uri": format!("{ISSUER}{INTROSPECTION}"), "client_id": "gate",
        "client_secret": {"env": "SECRET"}, "timeout": "10s",
    });
    let mut said = claims("app-a", &[READER], &json!({}));
    said["active"] = json!(true);
    said["token_type"] = json!("Bearer");
    for (answer, status) in [
        (Reply::json(&said), 200),
        (Reply::json(&json!({"active": false})), 401),
        (Reply::status(503), 503),
    ] {
        for run in runs(256) {
            let (gate, told) = gate(&run, asking.clone(), INTROSPECTION, answer.clone());
            let statuses = answers(&run, &gate, &told, &list("one-opaque-token"));
            let answered = statuses.get(&status).copied().unwrap_or_default();
            assert!(answered >= 128, "{:?}: {statuses:?}", run.protocol);
            assert_eq!(statuses.values().sum::<usize>(), CROWD);
            assert_well(&gate);
        }
    }
}

/// Requests that hang up while they are in the queue of those that are settled do no harm.
#[test]
fn a_crowd_of_which_many_have_gone_is_settled() {
    for run in runs(1024) {
        let (gate, told) = gate(&run, patient(), JWKS, keys());
        let port = gate.envoy.port();
        let crowd = list(&token_of(&claims("app-a", &[READER], &json!({}))));
        let impatient = list(&unknown_key());
        thread::scope(|scope| {
            let staying = scope.spawn(|| crowd::send(port, run.protocol, &crowd[..300]).unwrap());
            let leaving = scope.spawn(|| {
                crowd::send_within(
                    port,
                    run.protocol,
                    &impatient[..300],
                    Duration::from_secs(3),
                )
            });
            wait_for_waiters(&gate, 600);
            // Both happen at about the same time: the answer comes, and half of the crowd goes.
            assert!(leaving.join().unwrap().is_ok());
            told.store(true, Ordering::SeqCst);
            for answer in staying.join().unwrap() {
                assert_eq!(answer.unwrap(), 200);
            }
        });
        assert_well(&gate);
    }
}
