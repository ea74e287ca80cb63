//! Many requests that wait for one fetch: each gets a response, and the worker keeps running.
//!
//! The host runs the calls of the module nested in each other. If one call settled the whole crowd,
//! the stack of the virtual machine would overflow.

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

/// The settings of one run.
struct Run {
    protocol: Protocol,
    workers: usize,
    /// How many requests of the crowd may wait at a time. Further ones are refused at once.
    slots: usize,
}

/// Both protocols and both numbers of workers.
fn runs(slots: usize) -> [Run; 2] {
    [
        run(Protocol::Http1, 2, slots),
        run(Protocol::Http2, 1, slots),
    ]
}

const fn run(protocol: Protocol, workers: usize, slots: usize) -> Run {
    Run {
        protocol,
        workers,
        slots: slots.saturating_mul(workers),
    }
}

/// Starts a gate whose provider responds at `path` once the flag is set.
fn gate(run: &Run, policy: Value, path: &str, response: Reply) -> (Gate, Arc<AtomicBool>) {
    let may_reply = Arc::new(AtomicBool::new(false));
    let provider = provider();
    let later = Script::Later(Arc::clone(&may_reply), Box::new(Script::Reply(response)));
    provider.script(path, later);
    let gate = Gate::at(provider, policy, |setup| {
        setup.workers(run.workers).secret("SECRET", "s3cret")
    });
    (gate, may_reply)
}

/// How many responses of each status the crowd gets. It waits, and then the flag lets the provider
/// respond.
fn responses(
    run: &Run,
    gate: &Gate,
    may_reply: &AtomicBool,
    crowd: &[Parts],
) -> BTreeMap<u16, usize> {
    let port = gate.envoy.port();
    thread::scope(|scope| {
        let sent = scope.spawn(|| crowd::send(port, run.protocol, crowd).unwrap());
        wait_for_waiters(gate, run.slots.min(crowd.len()));
        may_reply.store(true, Ordering::SeqCst);
        let mut statuses = BTreeMap::new();
        for response in sent.join().unwrap() {
            *statuses.entry(response.unwrap()).or_default() += 1;
        }
        statuses
    })
}

/// Waits until Envoy holds this number of requests. Most of them wait.
fn wait_for_waiters(gate: &Gate, most: usize) {
    let mut active = 0;
    for _ in 0..150 {
        let stats = gate
            .envoy
            .admin_page("/stats?filter=http.gate.downstream_rq_active");
        let text = stats.unwrap_or_default();
        let count = text.trim().rsplit(' ').next().unwrap_or_default().parse();
        let now = count.unwrap_or(0);
        // The kernel distributes connections to workers unevenly.
        if now > 0 && (now >= most || now == active) {
            return;
        }
        active = now;
        thread::sleep(Duration::from_millis(400));
    }
    panic!("no crowd of {most} came together: {active}");
}

/// Asserts that a good caller is served and that no virtual machine has failed.
fn assert_well(gate: &Gate) {
    let good = Request::get(PATH).bearer(&token("app-a", &[READER]));
    for _ in 0..8 {
        let response = good.send(gate.envoy.port()).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
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
        let (gate, may_reply) = gate(&run, patient(), JWKS, keys());
        let crowd = list(&token("app-a", &[READER]));
        let statuses = responses(&run, &gate, &may_reply, &crowd);
        let let_in = statuses.get(&200).copied().unwrap_or_default();
        assert!(let_in >= 512, "{:?}: {statuses:?}", run.protocol);
        assert_well(&gate);
    }
}

#[test]
fn a_crowd_with_made_up_tokens_that_waits_for_keys_is_refused_when_they_come() {
    let others = [run(Protocol::Http1, 1, 1024), run(Protocol::Http2, 2, 1024)];
    for run in runs(1024).into_iter().chain(others) {
        let (gate, may_reply) = gate(&run, patient(), JWKS, keys());
        let statuses = responses(&run, &gate, &may_reply, &list(&unknown_key()));
        assert_eq!(statuses.get(&200), None, "{statuses:?}");
        assert_eq!(statuses.values().sum::<usize>(), CROWD);
        assert_well(&gate);
    }
}

#[test]
fn a_crowd_that_waits_for_keys_gets_503_when_the_fetch_fails() {
    for run in runs(1024) {
        let (gate, may_reply) = gate(&run, patient(), JWKS, Reply::status(500));
        let statuses = responses(&run, &gate, &may_reply, &list(&token("app-a", &[READER])));
        assert_eq!(statuses, BTreeMap::from([(503, CROWD)]));
        gate.provider.publish(&[key().jwk(KEY_ID)]);
        let good = Request::get(PATH).bearer(&token("app-a", &[READER]));
        // The first pause after a failure is a second, and several workers may have failed one
        // after the other.
        for _ in 0..50 {
            if good.send(gate.envoy.port()).unwrap().status == 200 {
                break;
            }
            thread::sleep(Duration::from_millis(200));
        }
        assert_well(&gate);
    }
}

/// The highest number of requests that can wait for introspection by one provider.
#[test]
fn a_crowd_that_waits_for_the_status_of_one_token_is_settled() {
    let mut asking = policy();
    asking["providers"][0]["introspection"] = json!({
        "uri": format!("{ISSUER}{INTROSPECTION}"), "client_id": "gate",
        "client_secret": {"env": "SECRET"}, "timeout": "10s",
    });
    let mut introspected = claims("app-a", &[READER], &json!({}));
    introspected["active"] = json!(true);
    introspected["token_type"] = json!("Bearer");
    for (response, status) in [
        (Reply::json(&introspected), 200),
        (Reply::json(&json!({"active": false})), 401),
        (Reply::status(503), 503),
    ] {
        for run in runs(256) {
            let (gate, may_reply) = gate(&run, asking.clone(), INTROSPECTION, response.clone());
            let statuses = responses(&run, &gate, &may_reply, &list("one-opaque-token"));
            let answered = statuses.get(&status).copied().unwrap_or_default();
            assert!(answered >= 128, "{:?}: {statuses:?}", run.protocol);
            assert_eq!(statuses.values().sum::<usize>(), CROWD);
            assert_well(&gate);
        }
    }
}

/// Clients that hang up while their requests are being settled do no harm.
#[test]
fn a_crowd_of_which_many_have_gone_is_settled() {
    for run in runs(1024) {
        let (gate, may_reply) = gate(&run, patient(), JWKS, keys());
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
            // Two things happen at about the same time: the response arrives, and half of the
            // clients hang up.
            assert!(leaving.join().unwrap().is_ok());
            may_reply.store(true, Ordering::SeqCst);
            for response in staying.join().unwrap() {
                assert_eq!(response.unwrap(), 200);
            }
        });
        assert_well(&gate);
    }
}

/// A crowd that is smaller, with each protocol and each number of workers: keys come, keys do not
/// come, and the status of a token comes.
#[test]
fn crowds_are_settled_over_each_protocol_with_each_number_of_workers() {
    const SMALL: usize = 500;
    let mut asking = patient();
    asking["providers"][0]["introspection"] = json!({
        "uri": format!("{ISSUER}{INTROSPECTION}"), "client_id": "gate",
        "client_secret": {"env": "SECRET"}, "timeout": "10s",
    });
    let mut active = claims("app-a", &[READER], &json!({}));
    active["active"] = json!(true);
    active["token_type"] = json!("Bearer");
    let jwt = token("app-a", &[READER]);
    for (path, policy, response, bearer, slots, status) in [
        (JWKS, patient(), keys(), jwt.as_str(), 1024, 200),
        (JWKS, patient(), Reply::status(500), &jwt, 1024, 503),
        (
            INTROSPECTION,
            asking,
            Reply::json(&active),
            "an-opaque-token",
            256,
            200,
        ),
    ] {
        for (protocol, workers) in [
            (Protocol::Http1, 1),
            (Protocol::Http1, 2),
            (Protocol::Http2, 1),
            (Protocol::Http2, 2),
        ] {
            let run = run(protocol, workers, slots);
            let (gate, may_reply) = gate(&run, policy.clone(), path, response.clone());
            let crowd = vec![Parts::new("GET", PATH).bearer(bearer); SMALL];
            let mut statuses = responses(&run, &gate, &may_reply, &crowd);
            let what = format!("{path} over {protocol:?} with {workers}: {statuses:?}");
            let settled = statuses.remove(&status).unwrap_or_default();
            let refused = statuses.remove(&503).unwrap_or_default();
            assert_eq!((settled + refused, statuses.len()), (SMALL, 0), "{what}");
            // Requests for which there is no slot get 503 at once.
            let least = if path == JWKS { SMALL } else { 128 };
            assert!(settled >= least, "{what}");
            gate.provider.publish(&[key().jwk(KEY_ID)]);
            let good = Request::get(PATH).bearer(&jwt);
            for _ in 0..50 {
                if good.send(gate.envoy.port()).unwrap().status == 200 {
                    break;
                }
                thread::sleep(Duration::from_millis(200));
            }
            assert_well(&gate);
        }
    }
}
