//! Keys that cannot be had, that lie, that change, and how often the provider is asked.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::gate::{claims, key, policy, provider, token, Gate, KEY_ID, READER};
use crate::mint::{KeyKind, Mint};
use crate::support::envoy::Setup;
use crate::support::http::{exchange_within, Answer, Request};
use crate::support::scripted_provider::{DISCOVERY, JWKS};
use crate::support::server::{Reply, Script};

fn list(gate: &Gate, token: &str) -> Answer {
    Request::get("/api/v1/workflows")
        .bearer(token)
        .send(gate.envoy.port())
        .unwrap()
}

fn good(gate: &Gate) -> Answer {
    list(gate, &token("app-a", &[READER]))
}

#[test]
fn without_keys_tokens_wait_for_better_times_and_api_keys_pass() {
    let html = Reply::new(200, "text/html", "<html>log in</html>");
    let document = provider().document();
    let mut lie = document.clone();
    lie["issuer"] = json!("https://evil.example.test");
    let keys = Reply::json(&json!({"keys": [key().jwk(KEY_ID)]}));
    let huge = format!("{}{}", " ".repeat(8 << 20), json!({"keys": []}));
    let cases = [
        (
            "the provider closes the connection",
            DISCOVERY,
            Script::Close,
        ),
        ("the provider never answers", JWKS, Script::Hang),
        (
            "the discovery document is of another issuer",
            DISCOVERY,
            Script::Reply(Reply::json(&lie)),
        ),
        (
            "the provider fails",
            DISCOVERY,
            Script::Reply(Reply::status(500)),
        ),
        (
            "the provider sends elsewhere",
            JWKS,
            Script::Reply(Reply::status(302).header("location", "/elsewhere")),
        ),
        (
            "a log-in page in place of the keys",
            JWKS,
            Script::Reply(html),
        ),
        ("half of the keys", JWKS, Script::CutOff(keys)),
        (
            "no keys at all",
            JWKS,
            Script::Reply(Reply::json(&json!({"keys": []}))),
        ),
        (
            "a document without end",
            JWKS,
            Script::Reply(Reply::new(200, "application/json", huge)),
        ),
    ];
    for (name, path, script) in cases {
        let provider = provider();
        provider.script(path, script);
        let gate = Gate::at(provider, policy(), |setup| setup);
        let answer = good(&gate);
        assert_eq!(answer.status, 503, "{name}: {}", answer.text());
        assert_eq!(answer.json()["reason"], json!("keys_unavailable"), "{name}");
        let retry_after = answer.header("retry-after").unwrap_or_default();
        assert!(
            retry_after.parse::<u64>().is_ok(),
            "{name}: {retry_after:?}"
        );
        let with_key = Request::get("/api/v1/workflows").header("X-N8N-API-KEY", "old-key");
        assert_eq!(
            with_key.send(gate.envoy.port()).unwrap().status,
            200,
            "{name}"
        );
    }
}

#[test]
fn requests_that_wait_for_the_first_keys_share_one_fetch() {
    let provider = provider();
    let keys = Reply::json(&json!({"keys": [key().jwk(KEY_ID)]}));
    let drip = Script::Drip {
        reply: keys,
        bytes: 64,
        pause: Duration::from_millis(40),
    };
    provider.script(JWKS, drip);
    let gate = Gate::at(provider, policy(), |setup| setup);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(|| good(&gate).status)).collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect()
    });
    assert_eq!(statuses, [200; 8]);
    assert_eq!(gate.provider.requests(JWKS), 1);
}

#[test]
fn workers_share_the_keys_that_one_of_them_fetched() {
    let gate = Gate::with(policy(), |setup| setup.workers(4));
    for _ in 0..32 {
        assert_eq!(good(&gate).status, 200);
    }
    assert_eq!(
        (
            gate.provider.requests(DISCOVERY),
            gate.provider.requests(JWKS)
        ),
        (1, 1)
    );
}

#[test]
fn a_new_key_counts_at_once_and_an_old_one_no_longer() {
    let gate = Gate::start();
    assert_eq!(good(&gate).status, 200);
    let next = Mint::generate(KeyKind::P256);
    gate.provider.publish(&[next.jwk("next")]);
    // An unknown key id causes at most one fetch in `cooldown`.
    thread::sleep(Duration::from_millis(1100));
    let header = json!({"alg": "ES256", "kid": "next"});
    let of_next = next.sign(&header, &claims("app-a", &[READER], &json!({})));
    assert_eq!(list(&gate, &of_next).status, 200);
    let of_old = good(&gate);
    assert_eq!(of_old.status, 401, "{}", of_old.text());
    assert_eq!(of_old.json()["reason"], json!("unknown_key_id"));
}

#[test]
fn tokens_with_made_up_key_ids_do_not_make_the_gate_storm_the_provider() {
    let gate = Gate::start();
    assert_eq!(good(&gate).status, 200);
    for number in 0..50 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
        let token = key().sign(&header, &claims("app-a", &[READER], &json!({})));
        assert_eq!(list(&gate, &token).status, 401);
    }
    let asked = gate.provider.requests(JWKS);
    assert!(asked < 10, "the provider was asked {asked} times");
}

#[test]
fn known_keys_outlive_an_outage_of_the_provider() {
    let gate = Gate::start();
    assert_eq!(good(&gate).status, 200);
    gate.provider.script(DISCOVERY, Script::Close);
    gate.provider.script(JWKS, Script::Close);
    let header = json!({"alg": "RS256", "kid": "unknown"});
    let unknown = key().sign(&header, &claims("app-a", &[READER], &json!({})));
    // Nobody knows whether the provider has that key by now.
    let refused = list(&gate, &unknown);
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["reason"], json!("keys_unavailable"));
    // Another token than before, so that it is not merely remembered.
    let other = token("app-a", &[READER, "another-role"]);
    assert_eq!(list(&gate, &other).status, 200);
}

#[test]
fn no_worker_lets_requests_wait_for_a_fetch_that_failed() {
    let provider = provider();
    provider.script(DISCOVERY, Script::Reply(Reply::status(500)));
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "30s" });
    let gate = Gate::at(provider, policy, |setup| setup.workers(4));
    let request = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    for _ in 0..12 {
        // A worker that waited for another one's fetch would take as long as that may.
        let patience = Duration::from_secs(10);
        let answer = exchange_within(gate.envoy.port(), &request.bytes(), patience).unwrap();
        assert_eq!(answer.json()["reason"], json!("keys_unavailable"));
    }
}

#[test]
fn a_caller_who_hangs_up_while_keys_are_fetched_is_on_record() {
    let provider = provider();
    provider.script(JWKS, Script::Hang);
    let gate = Gate::at(provider, policy(), |setup| setup);
    let request = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    let patience = Duration::from_millis(200);
    assert!(exchange_within(gate.envoy.port(), &request.bytes(), patience).is_err());
    for _ in 0..50 {
        if let Some(record) = gate.envoy.audit().first() {
            assert_eq!(record["decision"], json!("abandoned"));
            assert_eq!(record["claimed"]["client"], json!("app-a"));
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("no audit record");
}

#[test]
fn a_new_configuration_does_not_wait_for_the_fetch_of_the_old_one() {
    let provider = provider();
    let document = Script::Reply(Reply::json(&provider.document()));
    provider.script(DISCOVERY, Script::Hang);
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "30s" });
    let gate = Gate::at(provider, policy.clone(), Setup::discovered);
    until(|| gate.provider.requests(DISCOVERY) == 1);
    gate.provider.script(DISCOVERY, document);
    policy["metrics"] = json!("deny");
    gate.envoy.update(&policy).unwrap();
    until(|| {
        let metrics = Request::get("/metrics").send(gate.envoy.port());
        metrics.is_ok_and(|answer| answer.status == 403)
    });
    // The old configuration's fetch hangs on for 30 s, and its lease would for a minute.
    let request = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    let patience = Duration::from_secs(10);
    let answer = exchange_within(gate.envoy.port(), &request.bytes(), patience).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Waits for something that comes soon.
fn until(there: impl Fn() -> bool) {
    for _ in 0..100 {
        if there() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("it does not come");
}
