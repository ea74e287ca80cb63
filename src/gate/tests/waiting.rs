//! How long a request waits.

use serde_json::json;

use super::*;

/// The longest wait: for one fetch, or for a slot and the introspection response.
const LONGEST: u64 = 10_000;

/// A gate with so many providers that introspect opaque tokens, one after the other.
fn gate_with_providers(providers: usize) -> Gate {
    let provider = |number: usize| {
        let issuer = format!("https://idp-{number}.example");
        json!({"name": format!("idp-{number}"), "issuer": issuer, "audiences": ["api"],
            "introspection": {"uri": format!("{issuer}/introspect"), "cluster": "idp",
                "client_id": "gate", "client_secret": {"env": "SECRET"}}})
    };
    let configuration = json!({
        "providers": (0..providers).map(provider).collect::<Vec<_>>(),
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &OneSecret).unwrap();
    Gate::new(loaded.policy, Box::new(GuestCrypto))
}

/// When the request is settled if each provider takes `millis` to say that the token is inactive,
/// whether it goes on, and how many providers were called.
fn settled_after(providers: usize, millis: u64) -> (u64, bool, usize) {
    let mut gate = gate_with_providers(providers);
    assert!(waits(&gate.request(WaiterId(1), opaque("token"), START)));
    let mut asked = Vec::new();
    let mut under_way = None;
    for now in (0..=60_000).step_by(100) {
        let mut work = gate.tick(after(now), &NoMemory);
        if let Some((call, _)) = under_way.filter(|(_, begun)| now.saturating_sub(*begun) >= millis)
        {
            under_way = None;
            gate.received(call, token_status(false), after(now), &NoMemory);
        }
        if let [(1, went_on)] = settled(&mut gate, after(now))[..] {
            return (now, went_on, asked.len());
        }
        work.extend(gate.tick(after(now), &NoMemory));
        for item in &work {
            if let Work::Call(call) = item {
                asked.push(call.id);
                under_way = Some((call.id, now));
            }
        }
    }
    panic!("it waits for ever");
}

/// Each inactive token status wakes the request, which then waits for the next provider. The
/// connection of a caller must not be held for the sum of them.
#[test]
fn a_request_waits_no_longer_than_one_call_may_take_however_often_it_is_woken() {
    assert_eq!(settled_after(2, 4000), (8000, false, 2), "both are called");
    assert_eq!(settled_after(8, 4000), (LONGEST, false, 3));
    assert_eq!(settled_after(8, 1500), (LONGEST, false, 7));
}

/// The token is asked about wherever a client may send it.
#[test]
fn a_provider_is_asked_about_a_token_in_the_header_of_api_keys() {
    let mut configuration = json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
            "token_prefix": "opaque_",
            "introspection": {"uri": "https://idp.example/introspect", "cluster": "idp",
                "client_id": "gate", "client_secret": {"env": "SECRET"}}}],
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
    });
    configuration["webhooks"] = json!([{"path": "/webhook/**", "auth": "bearer",
        "token_from": {"cookie": "token"}}]);
    for (path, name, value) in [
        ("/api/v1/workflows", "x-n8n-api-key", "opaque_token"),
        ("/webhook/a", "cookie", "token=opaque_token"),
        ("/webhook/a", "authorization", "Bearer opaque_token"),
    ] {
        let loaded = config::load(configuration.to_string().as_bytes(), &OneSecret).unwrap();
        let mut gate = Gate::new(loaded.policy, Box::new(GuestCrypto));
        let pairs = [
            (":method", "GET"),
            (":path", path),
            (":authority", "n8n.example.com"),
            ("sec-fetch-site", "same-origin"),
            (name, value),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let request = RequestHead::new(pairs.to_vec());
        assert!(waits(&gate.request(WaiterId(1), request, START)), "{name}");
        let work = gate.tick(after(1), &NoMemory);
        let mut calls = work.iter().filter_map(|item| match item {
            Work::Call(call) => call.request.body.as_ref(),
            Work::Report(_) => None,
        });
        let form = calls.next().unwrap().content().expose();
        assert!(form.contains("token=opaque_token"), "{name}");
    }
}
