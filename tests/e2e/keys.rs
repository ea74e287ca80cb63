//! Keys that come late and keys that change, and the number of fetches.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::gate::{claims, key, policy, provider, token, Gate, KEY_ID, ORDERS, READER};
use crate::mint::{KeyKind, Mint};
use crate::support::envoy::Setup;
use crate::support::http::{exchange_within, Request, Response};
use crate::support::scripted_provider::{DISCOVERY, JWKS};
use crate::support::server::{Reply, Script};

fn list(gate: &Gate, token: &str) -> Response {
    Request::get("/api/v1/workflows")
        .bearer(token)
        .send(gate.envoy.port())
        .unwrap()
}

fn good(gate: &Gate) -> Response {
    list(gate, &token("app-a", &[READER]))
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
    // An unknown key id causes at most one refetch in a `cooldown`.
    thread::sleep(Duration::from_millis(1100));
    let header = json!({"alg": "ES256", "kid": "next"});
    let of_next = next.sign(&header, &claims("app-a", &[READER], &json!({})));
    assert_eq!(list(&gate, &of_next).status, 200);
    let of_old = good(&gate);
    assert_eq!(of_old.status, 401, "{}", of_old.text());
    assert_eq!(of_old.json()["reason"], json!("unknown_key_id"));
}

#[test]
fn tokens_with_made_up_key_ids_cause_few_fetches() {
    let gate = Gate::start();
    assert_eq!(good(&gate).status, 200);
    for number in 0..50 {
        let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
        let token = key().sign(&header, &claims("app-a", &[READER], &json!({})));
        let refused = list(&gate, &token);
        // Between two refetches the gate does not know whether the key exists, so the status is
        // 503.
        if refused.status != 401 {
            assert_eq!(refused.status, 503);
            assert_eq!(refused.json()["reason"], json!("keys_not_current"));
            assert_eq!(refused.header("retry-after").as_deref(), Some("1"));
        }
    }
    let asked = gate.provider.requests(JWKS);
    assert!(asked < 10, "the provider got {asked} requests");
}

#[test]
fn known_keys_stay_usable_during_an_outage_of_the_provider() {
    let gate = Gate::start();
    assert_eq!(good(&gate).status, 200);
    gate.provider.script(DISCOVERY, Script::Close);
    gate.provider.script(JWKS, Script::Close);
    let header = json!({"alg": "RS256", "kid": "unknown"});
    let unknown = key().sign(&header, &claims("app-a", &[READER], &json!({})));
    // The provider may have that key by now, so the status is 503.
    let refused = list(&gate, &unknown);
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["reason"], json!("keys_unavailable"));
    // A new token, so that it is not in the cache.
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
        // A worker that waited for the fetch of another worker would exceed this time.
        let patience = Duration::from_secs(10);
        let response = exchange_within(gate.envoy.port(), &request.bytes(), patience).unwrap();
        assert_eq!(response.json()["reason"], json!("keys_unavailable"));
    }
}

#[test]
fn a_client_that_hangs_up_while_keys_are_fetched_leaves_an_audit_record() {
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
        metrics.is_ok_and(|response| response.status == 403)
    });
    // The fetch of the old configuration takes 30 s, and its lease would last a minute.
    let request = Request::get("/api/v1/workflows").bearer(&token("app-a", &[READER]));
    let patience = Duration::from_secs(10);
    let response = exchange_within(gate.envoy.port(), &request.bytes(), patience).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
}

#[test]
fn four_workers_fetch_once_in_an_interval_and_read_the_document_once() {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "ttl": "2s", "max_stale": "1m" });
    let gate = Gate::with(policy, |setup| setup.workers(4));
    until(|| gate.provider.requests(JWKS) == 1);
    for _ in 0..90 {
        assert_eq!(good(&gate).status, 200);
        thread::sleep(Duration::from_millis(100));
    }
    // The test took a little more than nine seconds. An interval is at least 1.8 s. Four workers
    // that fetched for themselves would make four times as many calls.
    let fetches = gate.provider.requests(JWKS);
    assert!((3..=12).contains(&fetches), "{fetches}");
    assert_eq!(gate.provider.requests(DISCOVERY), 1);
}

#[test]
fn all_workers_see_a_new_key_set_within_a_second() {
    let gate = Gate::with(policy(), |setup| setup.workers(4));
    for _ in 0..32 {
        assert_eq!(good(&gate).status, 200);
    }
    let next = Mint::generate(KeyKind::P256);
    gate.provider.publish(&[next.jwk("next")]);
    let header = json!({"alg": "ES256", "kid": "next"});
    let of_next = next.sign(&header, &claims("app-a", &[READER], &json!({})));
    until(|| list(&gate, &of_next).status == 200);
    thread::sleep(Duration::from_secs(1));
    for _ in 0..48 {
        let of_old = good(&gate);
        assert_eq!(of_old.status, 401, "{}", of_old.text());
        assert_eq!(list(&gate, &of_next).status, 200);
    }
}

#[test]
fn the_provider_says_how_long_its_keys_are_fresh() {
    for (max_age, ttl, fetches) in [("max-age=1", "1h", 3..9), ("max-age=600", "1s", 1..2)] {
        let provider = provider();
        let keys = Reply::json(&json!({"keys": [key().jwk(KEY_ID)]}));
        let keys = keys.header("cache-control", max_age);
        provider.script(JWKS, Script::Reply(keys));
        let mut policy = policy();
        policy["providers"][0]["keys"] =
            json!({ "ttl": ttl, "min_ttl": "1s", "max_ttl": "1h", "max_stale": "1h" });
        let gate = Gate::at(provider, policy, |setup| setup.workers(4));
        assert_eq!(good(&gate).status, 200);
        thread::sleep(Duration::from_secs(5));
        let asked = gate.provider.requests(JWKS);
        assert!(fetches.contains(&asked), "{max_age}: {asked}");
        assert_eq!(gate.provider.requests(DISCOVERY), 1);
    }
}

#[test]
fn the_retry_after_of_a_provider_delays_the_next_fetch() {
    let provider = provider();
    let busy = Reply::status(429).header("retry-after", "120");
    provider.script(JWKS, Script::Reply(busy));
    let gate = Gate::at(provider, policy(), |setup| setup.workers(4));
    until(|| gate.provider.requests(JWKS) == 1);
    // Without `Retry-After`, the second attempt would come after a second.
    thread::sleep(Duration::from_secs(4));
    let refused = good(&gate);
    assert_eq!(refused.status, 503);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((60..=116).contains(&seconds), "{seconds}");
    assert_eq!(gate.provider.requests(JWKS), 1);
}

#[test]
fn a_revoked_key_is_gone_though_the_provider_publishes_it() {
    let mut policy = policy();
    policy["providers"][0]["revoked_kids"] = json!([KEY_ID]);
    let gate = Gate::with(policy, |setup| setup);
    until(|| gate.provider.requests(JWKS) == 1);
    for _ in 0..5 {
        let refused = good(&gate);
        assert_eq!(refused.status, 401, "{}", refused.text());
        assert_eq!(refused.json()["reason"], json!("revoked_key"));
    }
    assert_eq!(gate.provider.requests(JWKS), 1);
}

#[test]
fn a_new_configuration_starts_with_the_keys_that_are_there() {
    let gate = Gate::with(policy(), |setup| setup.discovered().workers(4));
    until(|| good(&gate).status == 200);
    let mut policy = policy();
    policy["metrics"] = json!("deny");
    policy["providers"][0]["revoked_kids"] = json!(["another"]);
    gate.envoy.update(&policy).unwrap();
    let is_new = || {
        let metrics = Request::get("/metrics").send(gate.envoy.port());
        metrics.is_ok_and(|response| response.status == 403)
    };
    // All workers have the new configuration when 16 requests in a row find it.
    until(|| (0..16).all(|_| is_new()));
    gate.provider.script(JWKS, Script::Close);
    for _ in 0..32 {
        assert_eq!(good(&gate).status, 200);
    }
    assert_eq!(gate.provider.requests(JWKS), 1);
    assert_eq!(gate.provider.requests(DISCOVERY), 1);
}

#[test]
fn workers_of_a_configuration_without_principals_share_with_sharing_secret() {
    let mut policy = policy();
    let members = policy.as_object_mut().unwrap();
    members.remove("principals");
    members.insert("sharing_secret".to_owned(), json!({ "env": "SHARING" }));
    let gate = Gate::with(policy, |setup| {
        setup
            .workers(4)
            .secret("SHARING", "0123456789abcdef0123456789abcdef")
    });
    let orders = Request::post("/webhook/orders/new", &json!({}));
    let orders = orders.bearer(&token("app-a", &[ORDERS]));
    for _ in 0..32 {
        assert_eq!(orders.send(gate.envoy.port()).unwrap().status, 200);
    }
    assert_eq!(gate.provider.requests(JWKS), 1);
}

/// The provider made a new key with the id of the old one.
#[test]
fn a_key_that_changed_under_its_id_counts_for_the_first_token_and_in_all_workers() {
    let gate = Gate::with(policy(), |setup| setup.workers(4));
    for _ in 0..16 {
        assert_eq!(good(&gate).status, 200);
    }
    let next = Mint::generate(KeyKind::Rsa2048);
    gate.provider.publish(&[next.jwk(KEY_ID)]);
    thread::sleep(Duration::from_millis(1100));
    let of_next = |number: usize| {
        let header = json!({"alg": "RS256", "kid": KEY_ID});
        next.sign(
            &header,
            &claims("app-a", &[READER], &json!({"jti": number.to_string()})),
        )
    };
    let first = list(&gate, &of_next(0));
    assert_eq!(first.status, 200, "{}", first.text());
    thread::sleep(Duration::from_secs(1));
    for number in 1..32 {
        assert_eq!(list(&gate, &of_next(number)).status, 200);
        let of_old = good(&gate);
        assert_eq!(of_old.status, 401, "{}", of_old.text());
        assert_eq!(of_old.json()["reason"], json!("bad_signature"));
    }
}

#[test]
fn forged_signatures_under_a_known_key_id_cause_few_fetches() {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "1s", "cooldown": "30s" });
    let gate = Gate::with(policy, |setup| setup.workers(2));
    for _ in 0..8 {
        assert_eq!(good(&gate).status, 200);
    }
    let forger = Mint::generate(KeyKind::Rsa2048);
    for number in 0..60 {
        let header = json!({"alg": "RS256", "kid": KEY_ID});
        let claims = claims("app-a", &[READER], &json!({"jti": number.to_string()}));
        let refused = list(&gate, &forger.sign(&header, &claims));
        assert_eq!(refused.status, 401, "{}", refused.text());
        assert_eq!(refused.json()["reason"], json!("bad_signature"));
    }
    let asked = gate.provider.requests(JWKS);
    assert!(
        (2..=3).contains(&asked),
        "the provider got {asked} requests"
    );
    // The gate still finds a key that is really new, and good tokens never waited.
    let next = Mint::generate(KeyKind::P256);
    gate.provider
        .publish(&[key().jwk(KEY_ID), next.jwk("next")]);
    let header = json!({"alg": "ES256", "kid": "next"});
    let of_next = next.sign(&header, &claims("app-a", &[READER], &json!({})));
    assert_eq!(list(&gate, &of_next).status, 200);
    assert_eq!(good(&gate).status, 200);
}

/// A key whose first coordinate begins with a zero octet that its provider left out.
fn short() -> (Mint, serde_json::Value) {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use base64::Engine as _;
    loop {
        let key = Mint::generate(KeyKind::P256);
        let mut jwk = key.jwk("short");
        let x = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
        if let [0, rest @ ..] = x.as_slice() {
            jwk["x"] = json!(URL_SAFE_NO_PAD.encode(rest));
            return (key, jwk);
        }
    }
}

/// The keys have unusual forms, but only one meaning each.
#[test]
fn keys_in_the_unusual_forms_of_real_providers_work() {
    let provider = provider();
    let (short, short_jwk) = short();
    let ed = Mint::generate(KeyKind::Ed25519);
    let mut ed_jwk = ed.jwk("ed");
    ed_jwk["alg"] = json!("Ed25519");
    let rsa = Mint::generate(KeyKind::Rsa2048);
    let mut rsa_jwk = rsa.jwk("rsa");
    rsa_jwk["use"] = json!("SIG");
    for name in ["d", "p", "q", "alg", "x5c", "key_ops"] {
        rsa_jwk[name] = json!(null);
    }
    let set = json!({"keys": [key().jwk(KEY_ID), short_jwk, ed_jwk, rsa_jwk]}).to_string();
    let marked = [b"\xef\xbb\xbf", set.as_bytes()].concat();
    let keys = Reply::new(200, "application/json", marked);
    provider.script(JWKS, Script::Reply(keys));
    let document = provider.document().to_string();
    let marked = [b"\xef\xbb\xbf", document.as_bytes()].concat();
    let document = Reply::new(200, "application/json", marked);
    provider.script(DISCOVERY, Script::Reply(document));
    let mut policy = policy();
    policy["providers"][0]["algorithms"] = json!(["RS256", "ES256", "Ed25519"]);
    let gate = Gate::at(provider, policy, |setup| setup);
    for (signer, kid, algorithm) in [
        (key(), KEY_ID, "RS256"),
        (&short, "short", "ES256"),
        (&ed, "ed", "EdDSA"),
        (&ed, "ed", "Ed25519"),
        (&rsa, "rsa", "RS256"),
    ] {
        let header = json!({"alg": algorithm, "kid": kid});
        let token = signer.sign(&header, &claims("app-a", &[READER], &json!({})));
        let response = list(&gate, &token);
        assert_eq!(
            response.status,
            200,
            "{kid} {algorithm}: {}",
            response.text()
        );
    }
    let asked = gate.provider.last(JWKS).unwrap();
    let asks_for = ("accept-encoding".to_owned(), b"identity".to_vec());
    assert!(asked.headers.contains(&asks_for), "{asked:?}");
    assert!(!gate.envoy.log_text().contains("are skipped"));
}

/// A skipped key is in the log once, in a metric, and in the audit of every worker.
#[test]
fn a_skipped_key_is_in_the_log_the_metrics_and_the_audit() {
    let provider = provider();
    let mut weak = key().jwk("weak\u{202e}\n");
    weak["n"] = json!("AQAB");
    let mut encrypts = key().jwk("enc");
    encrypts["use"] = json!("enc");
    provider.publish(&[key().jwk(KEY_ID), weak, encrypts]);
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "ttl": "1s", "max_stale": "1m", "cooldown": "1s" });
    let gate = Gate::at(provider, policy, |setup| setup.workers(4));
    until(|| gate.provider.requests(JWKS) > 2);
    let log = gate.envoy.log_text();
    let line =
        "provider idp: keys of the key set are skipped: keys[1] (kid \"weak\\u{202e}\\n\"): \
                an RSA key of less than 2048 bits; keys[2] (kid \"enc\"): not for signatures";
    assert_eq!(log.matches(line).count(), 1, "{log}");
    let gauges = |name: &str, value: u32| {
        let line = format!("n8n_idp_gate_{name}_provider_idp{{}} {value}");
        let stats = gate.envoy.stats().unwrap();
        assert!(stats.contains(&line), "{line}: {stats}");
    };
    gauges("keys", 1);
    gauges("skipped_keys", 2);
    let header = json!({"alg": "RS256", "kid": "enc"});
    for number in 0..24 {
        let claims = claims("app-a", &[READER], &json!({"jti": number.to_string()}));
        list(&gate, &key().sign(&header, &claims));
        thread::sleep(Duration::from_millis(50));
    }
    let audit = gate.envoy.audit();
    let refused = audit
        .iter()
        .filter(|record| record["reason"] == json!("unknown_key_id"));
    let refused: Vec<_> = refused.collect();
    assert!(!refused.is_empty(), "{audit:?}");
    for record in refused {
        assert_eq!(record["fault"], json!("skipped: use"));
    }
    // The provider withdraws its keys, and the gauges show it.
    gate.provider.publish(&[]);
    until(|| {
        gate.envoy
            .stats()
            .is_ok_and(|stats| stats.contains("n8n_idp_gate_keys_provider_idp{} 0"))
    });
    gauges("skipped_keys", 0);
}

/// Waits until a condition holds.
fn until(there: impl Fn() -> bool) {
    for _ in 0..100 {
        if there() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("the condition does not hold");
}
