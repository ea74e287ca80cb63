//! Callers whose tokens are good, among many whose are made up.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::gate::{claims, key, now, policy, provider, token, Gate, ISSUER, KEY_ID, READER};
use crate::mint::{KeyKind, Mint};
use crate::support::envoy::Setup;
use crate::support::http::{Answer, Request};
use crate::support::scripted_provider::JWKS;
use crate::support::server::{Reply, Script};

/// The address that the flood comes from.
const FLOOD: &str = "192.0.2.1";

/// How many good callers come, each from an address of its own.
const GOOD: usize = 20;

fn list(token: &str, address: &str) -> Request {
    Request::get("/api/v1/workflows")
        .bearer(token)
        .header("X-Forwarded-For", address)
}

/// A token of the provider's issuer whose signature is of nobody.
fn made_up(key_id: &str) -> String {
    let header = json!({"alg": "ES256", "kid": key_id});
    stranger().sign(&header, &claims("app-a", &[READER], &json!({})))
}

fn stranger() -> &'static Mint {
    crate::mint::mint(KeyKind::P256)
}

/// Sends a request and does not wait for the answer. It is there as long as the connection is kept.
fn leave(gate: &Gate, request: &Request) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gate.envoy.port())).unwrap();
    stream.write_all(&request.bytes()).unwrap();
    stream
}

/// The statuses that good callers get who come at once. None is told that its token is bad, and
/// each that must come again is told when.
fn good_callers(gate: &Gate, token_of: impl Fn(usize) -> String + Sync) -> Vec<u16> {
    let come = |number: usize| {
        let request = list(&token_of(number), &format!("198.51.100.{number}"));
        let answer = request.send(gate.envoy.port()).unwrap();
        assert_unsettled_or(200, &answer);
        answer.status
    };
    let come = &come;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..GOOD).map(|n| scope.spawn(move || come(n))).collect();
        callers.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn assert_unsettled_or(status: u16, answer: &Answer) {
    if answer.status != status {
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("retry-after").is_some(), "{}", answer.text());
    }
}

/// A policy in which eight providers share the places: 128 for each.
fn eight_providers() -> Value {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "10s" });
    for number in 1..8 {
        let provider = json!({
            "name": format!("idle-{number}"),
            "issuer": format!("https://idle-{number}.example.test"),
            "audiences": ["api://n8n-api"],
            "jwks": { "keys": [key().jwk(KEY_ID)] },
        });
        policy["providers"].as_array_mut().unwrap().push(provider);
    }
    policy
}

/// A start without keys: nobody is known.
#[test]
fn a_flood_of_made_up_tokens_at_a_cold_start_leaves_places_to_others() {
    let provider = provider();
    let keys = Reply::json(&json!({"keys": [key().jwk(KEY_ID)]}));
    provider.script(
        JWKS,
        Script::Drip {
            reply: keys,
            bytes: 128,
            pause: Duration::from_millis(700),
        },
    );
    let gate = Gate::at(provider, eight_providers(), Setup::proxied);
    let _flood: Vec<_> = (0..250)
        .map(|number| leave(&gate, &list(&made_up(&format!("made-up-{number}")), FLOOD)))
        .collect();
    let statuses = good_callers(&gate, |number| {
        token("app-a", &[READER, &number.to_string()])
    });
    assert_eq!(statuses, [200; GOOD]);
    // Those from the same address were told to come again.
    let refused = gate
        .envoy
        .counted("n8n_idp_gate_decisions", "too_many_waiting", 100);
    assert!(refused.unwrap() >= 100);
}

/// The same, where all callers share the address of a proxy and the key id is what tells them
/// apart.
#[test]
fn behind_one_address_a_flood_with_one_key_id_leaves_places_to_others() {
    let provider = provider();
    let keys = Reply::json(&json!({"keys": [key().jwk(KEY_ID)]}));
    provider.script(
        JWKS,
        Script::Drip {
            reply: keys,
            bytes: 128,
            pause: Duration::from_millis(700),
        },
    );
    let gate = Gate::at(provider, eight_providers(), |setup| setup);
    let _flood: Vec<_> = (0..250)
        .map(|_| leave(&gate, &list(&made_up("made-up"), FLOOD)))
        .collect();
    let statuses = good_callers(&gate, |number| {
        token("app-a", &[READER, &number.to_string()])
    });
    assert_eq!(statuses, [200; GOOD]);
}

#[test]
fn made_up_opaque_tokens_do_not_keep_new_ones_from_other_addresses_from_being_asked_about() {
    let provider = provider();
    let mut said = claims("app-a", &[READER], &json!({}));
    said["active"] = json!(true);
    said["token_type"] = json!("Bearer");
    let slow = Script::Drip {
        reply: Reply::json(&said),
        bytes: 300,
        pause: Duration::from_millis(300),
    };
    provider.script("/introspect", slow);
    let mut policy = policy();
    policy["providers"][0]["introspection"] = json!({
        "uri": format!("{ISSUER}/introspect"),
        "client_id": "gate",
        "client_secret": { "env": "INTROSPECTION_SECRET" },
        "timeout": "2s",
    });
    let gate = Gate::at(provider, policy, |setup| {
        setup.proxied().secret("INTROSPECTION_SECRET", "s")
    });
    let _flood: Vec<_> = (0..250)
        .map(|number| leave(&gate, &list(&format!("made-up-{number}"), FLOOD)))
        .collect();
    let statuses = good_callers(&gate, |number| format!("good-{number}"));
    assert_eq!(statuses, [200; GOOD]);
}

/// The provider's second change of keys comes a moment after a made-up key id, or after the first.
#[test]
fn a_token_of_a_new_key_is_never_refused_within_the_cooldown_of_another_key_id() {
    for of_a_key in [false, true] {
        let mut policy = policy();
        policy["providers"][0]["keys"] = json!({ "timeout": "1s", "cooldown": "20s" });
        let gate = Gate::with(policy, |setup| setup);
        let first = token("app-a", &[READER]);
        let get = |token: &str| list(token, FLOOD).send(gate.envoy.port()).unwrap();
        assert_eq!(get(&first).status, 200);
        let mints = ["second", "third"].map(|_| Mint::generate(KeyKind::P256));
        let of = |number: usize, name: &str| {
            let header = json!({"alg": "ES256", "kid": name});
            let claims = claims("app-a", &[READER], &json!({ "iat": now() - 1 }));
            mints[number].sign(&header, &claims)
        };
        if of_a_key {
            gate.provider.publish(&[mints[0].jwk("second")]);
            assert_eq!(get(&of(0, "second")).status, 200);
        } else {
            let refused = get(&made_up("made-up"));
            assert_eq!(refused.status, 401, "{}", refused.text());
        }
        gate.provider.publish(&[mints[1].jwk("third")]);
        let third = of(1, "third");
        let mut told_to_wait = 0;
        loop {
            let answer = get(&third);
            assert_unsettled_or(200, &answer);
            if answer.status == 200 {
                break;
            }
            assert_eq!(answer.json()["reason"], json!("keys_not_current"));
            told_to_wait += 1;
            assert!(told_to_wait < 100, "for half a cooldown");
            thread::sleep(Duration::from_millis(100));
        }
        assert!(told_to_wait > 0, "it was fetched for each key id");
        assert_eq!(gate.provider.requests(JWKS), 3);
    }
}

/// Callers who send ever new key ids use up their own looks, and not those of others.
#[test]
fn a_new_key_is_found_under_a_flood_of_made_up_key_ids_from_another_address() {
    let mut policy = policy();
    policy["providers"][0]["keys"] = json!({ "timeout": "1s", "cooldown": "20s" });
    let gate = Gate::with(policy, Setup::proxied);
    let get = |token: &str, address: &str| list(token, address).send(gate.envoy.port()).unwrap();
    assert_eq!(get(&token("app-a", &[READER]), "198.51.100.1").status, 200);
    let next = Mint::generate(KeyKind::P256);
    let header = json!({"alg": "ES256", "kid": "next"});
    let of_next = next.sign(&header, &claims("app-a", &[READER], &json!({})));
    let mut statuses = Vec::new();
    for number in 0..200 {
        let refused = get(&made_up(&format!("made-up-{number}")), FLOOD);
        assert_unsettled_or(401, &refused);
        if number == 100 {
            gate.provider.publish(&[next.jwk("next")]);
        }
        if number > 100 && number % 10 == 0 {
            let answer = get(&of_next, "198.51.100.1");
            assert_unsettled_or(200, &answer);
            statuses.push(answer.status);
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(statuses.last(), Some(&200));
    // One for the start, at most two of the flood, one of the good caller.
    let asked = gate.provider.requests(JWKS);
    assert!((2..=5).contains(&asked), "{asked}");
}
