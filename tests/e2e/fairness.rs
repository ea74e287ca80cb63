//! Callers with good tokens, during a flood of made-up tokens.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::{json, Value};

use crate::gate::{claims, key, now, policy, provider, token, Gate, ISSUER, KEY_ID, READER};
use crate::mint::{KeyKind, Mint};
use crate::support::envoy::Setup;
use crate::support::http::{Request, Response};
use crate::support::scripted_provider::JWKS;
use crate::support::server::{Reply, Script};

/// The address of the flood.
const FLOOD: &str = "192.0.2.1";

/// The number of good callers. Each has its own address.
const GOOD: usize = 20;

fn list(token: &str, address: &str) -> Request {
    Request::get("/api/v1/workflows")
        .bearer(token)
        .header("X-Forwarded-For", address)
}

/// A token with the provider's issuer that an attacker's key signed.
fn made_up(key_id: &str) -> String {
    let header = json!({"alg": "ES256", "kid": key_id});
    attacker().sign(&header, &claims("app-a", &[READER], &json!({})))
}

fn attacker() -> &'static Mint {
    crate::mint::mint(KeyKind::P256)
}

/// Sends a request and does not wait for the response. The request waits as long as the connection
/// is kept.
fn leave(gate: &Gate, request: &Request) -> TcpStream {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gate.envoy.port())).unwrap();
    stream.write_all(&request.bytes()).unwrap();
    stream
}

/// The statuses of good callers that all call at once. None gets a 401, and each 503 has a
/// `Retry-After`.
fn good_callers(gate: &Gate, token_of: impl Fn(usize) -> String + Sync) -> Vec<u16> {
    let come = |number: usize| {
        let request = list(&token_of(number), &format!("198.51.100.{number}"));
        let response = request.send(gate.envoy.port()).unwrap();
        assert_unsettled_or(200, &response);
        response.status
    };
    let come = &come;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..GOOD).map(|n| scope.spawn(move || come(n))).collect();
        callers.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

fn assert_unsettled_or(status: u16, response: &Response) {
    if response.status != status {
        assert_eq!(response.status, 503, "{}", response.text());
        assert!(
            response.header("retry-after").is_some(),
            "{}",
            response.text()
        );
    }
}

/// A policy in which eight providers share the slots: 128 for each.
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

/// The gate starts without keys, so no caller is known.
#[test]
fn a_flood_of_made_up_tokens_at_a_cold_start_leaves_slots_to_others() {
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
    // Clients of the same address got a 503 with `Retry-After`.
    let refused = gate
        .envoy
        .counted("n8n_idp_gate_decisions", "too_many_waiting", 100);
    assert!(refused.unwrap() >= 100);
}

/// The same for callers that share the address of a proxy. Only the key id differs.
#[test]
fn behind_one_address_a_flood_with_one_key_id_leaves_slots_to_others() {
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
fn a_flood_of_made_up_opaque_tokens_leaves_calls_to_other_addresses() {
    let provider = provider();
    let mut introspected = claims("app-a", &[READER], &json!({}));
    introspected["active"] = json!(true);
    introspected["token_type"] = json!("Bearer");
    let slow = Script::Drip {
        reply: Reply::json(&introspected),
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

/// The provider changes its keys again a moment after a made-up key id, or after its first change.
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
        let mut refusals = 0;
        loop {
            let response = get(&third);
            assert_unsettled_or(200, &response);
            if response.status == 200 {
                break;
            }
            assert_eq!(response.json()["reason"], json!("keys_not_current"));
            refusals += 1;
            assert!(refusals < 100, "for half a cooldown");
            thread::sleep(Duration::from_millis(100));
        }
        assert!(refusals > 0, "the gate fetched for each key id");
        assert_eq!(gate.provider.requests(JWKS), 3);
    }
}

/// Clients that send new key ids all the time use up their own refetches, and not those of others.
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
            let response = get(&of_next, "198.51.100.1");
            assert_unsettled_or(200, &response);
            statuses.push(response.status);
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(statuses.last(), Some(&200));
    // One fetch at the start, at most two for the flood, one for the good caller.
    let asked = gate.provider.requests(JWKS);
    assert!((2..=5).contains(&asked), "{asked}");
}
