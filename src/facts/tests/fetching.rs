//! When keys are fetched, how long they serve, and which requests wait for them.

use super::*;
use crate::crypto::KeySet;

#[test]
fn the_first_tick_fetches_the_keys_though_no_request_waits() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    assert!(matches!(
        store.at(START).key_set(THE_PROVIDER),
        Availability::Pending
    ));
    let call = fetch(&store.tick(START, &memory));
    assert_eq!(call.request.endpoint, endpoint("/jwks"));
    assert_eq!(call.request.timeout, Duration::from_secs(5));
    let effects = store.received(call.id, ok(key_set("one")), after(20), &memory);
    assert_eq!(effects, [Effect::Report(Event::KeysFetched(THE_PROVIDER))]);
    assert!(knows(&store, "one", after(20)));
}

#[test]
fn discovery_leads_to_the_keys_through_the_same_cluster() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
    let call = fetch(&store.tick(START, &memory));
    let document =
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://169.254.169.254/latest","x":[1]}}"#);
    let next = fetch(&store.received(call.id, ok(document), START, &memory));
    assert_eq!(next.request.endpoint.cluster, "idp");
    assert_eq!(next.request.endpoint.authority, "169.254.169.254");
    assert_ne!(next.id, call.id);
    store.received(next.id, ok(key_set("one")), START, &memory);
    assert!(knows(&store, "one", START));
}

/// What is wrong with a document stands in the log: the operator must not have to fetch it.
#[test]
fn a_discovery_document_that_lies_brings_no_keys_and_the_log_says_what_is_wrong_with_it() {
    let of = |issuer: &str, jwks: &str| format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks}"}}"#);
    let good = "https://idp.example/jwks";
    let mismatch = |found: &str| {
        format!("the discovery document is of another issuer: expected \"{ISSUER}\", found {found}")
    };
    let uri = |found: &str, why: &str| {
        format!("the discovery document's jwks_uri {found} cannot be used: it {why}")
    };
    let malformed = |why: &str| format!("the discovery document is malformed: {why}");
    let long = format!("https://idp.example/{}", "a".repeat(500));
    let (shown, _) = long.split_at(256);
    let cases = [
        (
            of("https://idp.example/realms/b", good),
            "issuer_mismatch",
            mismatch("\"https://idp.example/realms/b\""),
        ),
        (
            of(&format!("{ISSUER}/"), good),
            "issuer_mismatch",
            mismatch("\"https://idp.example/realms/a/\""),
        ),
        (
            of("https://idp.example\\n\\u202e\\u001b[2J", good),
            "issuer_mismatch",
            mismatch("\"https://idp.example\\n\\u{202e}\\u{1b}[2J\""),
        ),
        (
            of(&long, good),
            "issuer_mismatch",
            mismatch(&format!("\"{shown}…\"")),
        ),
        (
            of(ISSUER, "http://idp.example/jwks"),
            "jwks_uri",
            uri(
                "\"http://idp.example/jwks\"",
                "is http, and the issuer is https",
            ),
        ),
        (
            of(ISSUER, "file:///etc/passwd"),
            "jwks_uri",
            uri(
                "\"file:///etc/passwd\"",
                "does not begin with https:// or http://",
            ),
        ),
        (
            format!(r#"{{"issuer":"{ISSUER}"}}"#),
            "document_malformed",
            malformed("it has no `jwks_uri`"),
        ),
        (
            r#"{"jwks_uri":"https://idp.example/jwks"}"#.to_owned(),
            "document_malformed",
            malformed("it has no `issuer`"),
        ),
        (
            format!(r#"{{"issuer":"{ISSUER}","issuer":"x","jwks_uri":"https://a/"}}"#),
            "document_malformed",
            malformed("it is not a JSON object that can be read"),
        ),
        (
            "\n<html>".to_owned(),
            "document_malformed",
            malformed("it is a page (HTML or XML)"),
        ),
        (
            String::new(),
            "document_malformed",
            malformed("it is not a JSON object that can be read"),
        ),
        (
            "[]".to_owned(),
            "document_malformed",
            malformed("it is not a JSON object that can be read"),
        ),
        (
            r#"{"keys":[]}"#.to_owned(),
            "document_malformed",
            malformed("it is a JWK set: its address belongs into `jwks_uri`"),
        ),
    ];
    for (document, code, words) in cases {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
        let call = fetch(&store.tick(START, &memory));
        let effects = store.received(call.id, ok(document.clone()), START, &memory);
        let [Effect::Report(Event::KeysFailed(THE_PROVIDER, fault))] = effects.as_slice() else {
            panic!("{document}: {effects:?}");
        };
        assert_eq!(
            (fault.code().as_str(), fault.to_string()),
            (code, words),
            "{document}"
        );
    }
}

/// RFC 8259 §8.1 lets a reader ignore it.
#[test]
fn a_byte_order_mark_before_a_document_is_not_looked_at() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
    let marked = |response: CallResponse| match response {
        CallResponse::Response { body, .. } => ok([b"\xef\xbb\xbf", body.as_slice()].concat()),
        other => other,
    };
    let call = fetch(&store.tick(START, &memory));
    let next = fetch(&store.received(call.id, marked(document("/jwks")), START, &memory));
    let effects = store.received(next.id, marked(ok(key_set("one"))), START, &memory);
    assert_eq!(effects, [Effect::Report(Event::KeysFetched(THE_PROVIDER))]);
    assert!(knows(&store, "one", START));
}

#[test]
fn a_redirect_says_where_it_leads_to_and_a_compressed_response_how_it_is_encoded() {
    let response = |status: u16, headers: ResponseHeaders, body: &[u8]| CallResponse::Response {
        status,
        headers,
        body: body.to_vec(),
    };
    let coded = |coding: &str| header("content-encoding", coding);
    let to =
        |location: &[u8]| ResponseHeaders::new(vec![("location".to_owned(), location.to_vec())]);
    let encoded =
        |coding: &str| format!("the document is encoded ({coding}), though that was not asked for");
    let plain = key_set("one");
    for (response, message) in [
        (
            response(301, to(b"https://new.example/\x1bkeys\xff"), b""),
            "the provider responded with status 301, to \"https://new.example/\\u{1b}keys\\xff\""
                .to_owned(),
        ),
        (
            response(302, ResponseHeaders::default(), b""),
            "the provider responded with status 302".to_owned(),
        ),
        (
            response(200, coded("gzip"), b"\x1f\x8b\x08"),
            encoded("gzip"),
        ),
        (response(200, coded("br"), &plain), encoded("br")),
        (
            response(200, coded("identity, Deflate"), &plain),
            encoded("identity, Deflate"),
        ),
        (
            response(200, ResponseHeaders::default(), b"\x1f\x8b\x08"),
            encoded("gzip"),
        ),
    ] {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        let call = fetch(&store.tick(START, &memory));
        let effects = store.received(call.id, response, START, &memory);
        let [Effect::Report(Event::KeysFailed(THE_PROVIDER, fault))] = effects.as_slice() else {
            panic!("{effects:?}");
        };
        assert_eq!(fault.to_string(), message);
    }
    for plainly in ["", "identity", " Identity "] {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        refresh(
            &mut store,
            response(200, coded(plainly), &plain),
            START,
            &memory,
        );
        assert!(knows(&store, "one", START), "{plainly:?}");
    }
}

#[test]
fn whatever_is_no_key_set_is_a_fault_of_its_own() {
    let large = vec![b' '; MAX_DOCUMENT + 1];
    let cases = [
        (status(500), "server_error"),
        (status(503), "unavailable"),
        (status(504), "timeout"),
        (status(302), "redirect"),
        (status(404), "not_found"),
        (status(410), "not_found"),
        (status(429), "rate_limited"),
        (status(403), "client_error"),
        (status(204), "status"),
        (CallResponse::NoResponse, "no_response"),
        (CallResponse::NotDispatched, "not_dispatched"),
        (ok(large), "too_large"),
        (ok("<html></html>"), "page"),
        (ok("[]"), "list"),
        (ok("{}"), "keys_missing"),
        (
            ok(r#"{"a1":"-----BEGIN CERTIFICATE-----\nMII"}"#),
            "certificates",
        ),
        (ok(r#"{"kty":"RSA"}"#), "single_key"),
        (ok(r#"{"issuer":"x","jwks_uri":"y"}"#), "discovery_document"),
        (ok(r#"{"keys":{}}"#), "not_a_key_set"),
        (ok(b"\x1f\x8b\x08"), "content_encoding"),
        (ok(r#"{"keys":[]}"#), "empty"),
        (
            ok(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#),
            "no_usable_key",
        ),
        (ok(&key_set("one")[..40]), "not_json"),
        (ok(r#"{"keys":[],"keys":[]}"#), "duplicate_member"),
    ];
    for (response, code) in cases {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        let call = fetch(&store.tick(START, &memory));
        let effects = store.received(call.id, response.clone(), START, &memory);
        let [Effect::Report(Event::KeysFailed(_, fault)), ..] = effects.as_slice() else {
            panic!("{response:?}: {effects:?}");
        };
        assert_eq!(fault.code().as_str(), code);
        // The request that is refused for it says so.
        let facts = store.at(START);
        let Availability::Unavailable(outage) = facts.key_set(THE_PROVIDER) else {
            panic!("{response:?}: keys");
        };
        assert_eq!(outage.fault, Some(code));
    }
}

#[test]
fn requests_wait_for_one_fetch_and_are_woken_by_it() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    for id in 1..=3 {
        let fact = Fact::KeySet(THE_PROVIDER);
        assert_eq!(store.wait(WaiterId(id), fact, START), Ok(()));
    }
    store.forget(WaiterId(2));
    assert!(store.has_waiters());
    let call = fetch(&store.tick(after(2), &memory));
    assert_eq!(store.tick(after(4), &memory), []);
    let effects = store.received(call.id, ok(key_set("one")), after(9), &memory);
    assert_eq!(woken(&effects), [(1, false), (3, false)]);
    assert!(!store.has_waiters());
}

#[test]
fn a_request_does_not_wait_longer_than_a_fetch_may_take() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut fetching = FactStore::new(&policy);
    let mut store = FactStore::new(&policy);
    let fact = Fact::KeySet(THE_PROVIDER);
    // Another worker holds the lease and never delivers.
    assert_eq!(fetches(&fetching.tick(START, &memory)).len(), 1);
    assert_eq!(store.wait(WaiterId(7), fact, START), Ok(()));
    // A document and a key set may take five seconds each.
    for millis in [0, 5_000, 7_001, 9_999] {
        assert_eq!(store.tick(after(millis), &memory), [], "{millis}");
    }
    let effects = store.tick(after(10_000), &memory);
    assert_eq!(woken(&effects), [(7, true)], "this was its last chance");
    assert!(!store.has_waiters());
}

#[test]
fn a_call_without_a_response_is_given_up_and_the_requests_for_it_are_woken() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    assert_eq!(store.wait(WaiterId(7), fact, START), Ok(()));
    assert_eq!(fetches(&store.tick(START, &memory)).len(), 1);
    assert_eq!(store.tick(after(7_000), &memory), []);
    assert_eq!(woken(&store.tick(after(7_001), &memory)), [(7, false)]);
}

#[test]
fn the_number_of_waiting_requests_is_bounded() {
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    let taken = (0..5_000)
        .filter(|id| store.wait(WaiterId(*id), fact, START).is_ok())
        .count();
    assert_eq!(taken, 1024);
}

/// A cold start: no caller was verified before.
#[test]
fn a_flood_that_waits_for_keys_leaves_slots_to_callers_from_other_addresses() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let call = fetch(&store.tick(START, &memory));
    let (mut here, mut taken, mut displaced) = (BTreeSet::new(), 0, 0);
    for id in 0..6_000_u32 {
        // One good caller among a hundred.
        let (origin, is_good) = match id % 100 {
            50 => (from(&format!("10.0.1.{}", id / 100)), true),
            _ => (from("10.0.0.1"), false),
        };
        let origin = Origin {
            key_id: Some(KeyIdDigest::of(&format!("made-up-{id}"))),
            ..origin
        };
        let fact = Fact::KeySet(THE_PROVIDER);
        let waits = store.admit(WaiterId(id), fact, START, origin, START);
        assert!(!is_good || waits.is_ok(), "{id}");
        if waits.is_ok() {
            taken += 1;
            here.insert(id);
        }
        for effect in store.tick(START, &memory) {
            let Effect::Displace(waiter) = effect else {
                panic!("{effect:?}");
            };
            displaced += 1;
            assert!(here.remove(&waiter.0), "named twice");
            assert_ne!(waiter.0 % 100, 50, "a good caller");
        }
        assert!(here.len() <= 1024);
    }
    assert_eq!((taken - displaced, here.len()), (1024, 1024));
    assert!(displaced > 0);
    let effects = store.received(call.id, ok(key_set("one")), START, &memory);
    let good = woken(&effects).into_iter().filter(|(id, _)| id % 100 == 50);
    assert_eq!(good.count(), 60);
}

/// Between two ticks no more are displaced than the next ticks can name soon.
#[test]
fn requests_that_lose_their_slots_are_few_at_a_time() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    fetch(&store.tick(START, &memory));
    let fact = Fact::KeySet(THE_PROVIDER);
    for id in 0..1024 {
        store.wait(WaiterId(id), fact, START).unwrap();
    }
    let come = |store: &mut FactStore, id: u32| {
        let origin = from(&format!("10.0.{}.{}", id / 256, id % 256));
        store.admit(WaiterId(10_000 + id), fact, START, origin, START)
    };
    let taken = (0..300).filter(|id| come(&mut store, *id).is_ok()).count();
    assert_eq!(taken, 64);
    // A request whose client has gone is not named.
    store.forget(WaiterId(1023));
    let mut named = Vec::new();
    for _ in 0..8 {
        let effects = store.tick(START, &memory);
        assert!(effects.len() <= 8, "{}", effects.len());
        named.extend(effects);
    }
    assert_eq!(named.len(), 63);
    assert!(!named.contains(&Effect::Displace(WaiterId(1023))));
    assert_eq!(come(&mut store, 300), Ok(()));
}

#[test]
fn tokens_that_were_verified_before_come_first_where_all_callers_share_an_address() {
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    let origin = |id: u32, was_verified| Origin {
        key_id: Some(KeyIdDigest::of(&id.to_string())),
        was_verified,
        ..from("10.0.0.1")
    };
    for id in 0..1024 {
        store
            .admit(WaiterId(id), fact, START, origin(id, false), START)
            .unwrap();
    }
    let mut come =
        |id, was_verified| store.admit(WaiterId(id), fact, START, origin(id, was_verified), START);
    assert_eq!(come(2_000, false), Err(WaitFault::TooMany));
    assert_eq!(come(2_001, true), Ok(()));
}

#[test]
fn requests_that_wait_for_one_provider_leave_room_for_another() {
    let mut policy = policy(by_jwks(), Some("secret"));
    let mut other = policy.providers[0].clone();
    other.token.issuers = Issuers::one("https://other.example");
    policy.providers.push(other);
    let mut store = FactStore::new(&policy);
    let wait = |store: &mut FactStore, id, provider| {
        store.wait(WaiterId(id), Fact::KeySet(ProviderId(provider)), START)
    };
    let taken = (0..5_000)
        .filter(|id| wait(&mut store, *id, 0).is_ok())
        .count();
    assert_eq!(taken, 512);
    assert_eq!(wait(&mut store, 5_000, 1), Ok(()));
}

#[test]
fn keys_are_fetched_again_when_they_are_old_and_serve_meanwhile() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    assert_eq!(store.tick(before(due(START, 300)), &memory), []);
    let call = fetch(&store.tick(due(START, 300), &memory));
    assert!(knows(&store, "one", after(300_001)));
    store.received(call.id, ok(key_set("two")), after(300_010), &memory);
    assert!(knows(&store, "two", after(300_010)));
    assert!(!knows(&store, "one", after(300_010)), "the key was revoked");
}

#[test]
fn a_key_that_left_the_set_is_kept_for_its_grace_and_no_longer() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(60);
    let mut store = FactStore::new(&policy);
    let mut publish = |kid: &str, now: UnixMillis| {
        let call = fetch(&store.tick(now, &memory));
        store.received(call.id, ok(key_set(kid)), now, &memory);
    };
    publish("one", START);
    publish("two", after(300_000));
    store.tick(after(359_999), &memory);
    assert!(knows(&store, "one", after(359_999)));
    assert!(knows(&store, "two", after(359_999)));
    store.tick(after(360_000), &memory);
    assert!(!knows(&store, "one", after(360_000)));
    assert!(knows(&store, "two", after(360_000)));
}

#[test]
fn a_key_that_comes_back_is_as_good_as_before() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3600);
    let mut store = FactStore::new(&policy);
    for (turn, kid) in (0..).zip(["one", "two", "one"]) {
        let now = after(turn * 300_000);
        let call = fetch(&store.tick(now, &memory));
        store.received(call.id, ok(key_set(kid)), now, &memory);
    }
    let facts = store.at(after(600_000));
    let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
        panic!("no keys");
    };
    let ids: Vec<_> = keys.keys().iter().map(|key| key.key_id()).collect();
    assert_eq!(ids, [Some("one"), Some("two")]);
}

#[test]
fn a_provider_that_is_down_is_asked_again_after_growing_pauses() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut now = after(300_000);
    let end = after(420_000);
    let mut asked = Vec::new();
    while now < end {
        for call in fetches(&store.tick(now, &memory)) {
            asked.push(now.0 - START.0 - 300_000);
            store.received(call.id, status(503), now, &memory);
        }
        now = UnixMillis(now.0 + 500);
    }
    let pauses: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.len() >= 5 && pauses.len() <= 8, "{asked:?}");
    assert!(
        pauses.windows(2).all(|pair| pair[1] > pair[0]),
        "{pauses:?}"
    );
    assert!(knows(&store, "one", end), "old keys serve on");
}

#[test]
fn keys_that_are_too_old_serve_no_longer() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let call = fetch(&store.tick(after(3_500_000), &memory));
    store.received(call.id, CallResponse::NoResponse, after(3_500_000), &memory);
    assert!(knows(&store, "one", after(3_600_000)));
    assert!(!knows(&store, "one", after(3_600_001)));
}

#[test]
fn an_unknown_key_id_causes_a_look_and_soon_after_another_one_may_cause_the_next() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    assert_eq!(newer_keys(&store, "two", after(1_000)), NewerKeys::MayCome);
    assert_eq!(store.wait(WaiterId(1), newer("two"), after(1_000)), Ok(()));
    let call = fetch(&store.tick(after(1_002), &memory));
    // While the fetch is under way another unknown key id may wait for it too.
    assert_eq!(
        newer_keys(&store, "three", after(1_003)),
        NewerKeys::MayCome
    );
    let effects = store.received(call.id, ok(key_set("two")), after(1_010), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    assert!(knows(&store, "two", after(1_010)));
    assert_eq!(
        newer_keys(&store, "four", after(1_011)),
        NewerKeys::NotYet(Duration::from_millis(2_999))
    );
    assert_eq!(newer_keys(&store, "four", after(4_010)), NewerKeys::MayCome);
}

/// A second rotation shortly after the first, or after a refetch for a made-up key id.
#[test]
fn a_key_that_is_published_within_the_cooldown_is_found_within_it_and_never_refused() {
    for first in ["two", "made-up"] {
        let memory = Memory::default();
        let mut store = warm(&memory);
        let (mut fetched, mut found) = (Vec::new(), None);
        for step in 0..600_u64 {
            let now = after(1_000 + step * 50);
            let (kid, published) = match step {
                0 => (first, "two"),
                _ => ("three", "three"),
            };
            if knows(&store, kid, now) {
                found = found.or((kid == "three").then_some(now));
            } else {
                let newer_keys = newer_keys(&store, kid, now);
                assert_ne!(newer_keys, NewerKeys::Unlikely, "{step}");
                if newer_keys == NewerKeys::MayCome {
                    let id = WaiterId(u32::try_from(step).unwrap());
                    store.wait(id, newer(kid), now).unwrap();
                }
            }
            for call in fetches(&store.tick(now, &memory)) {
                fetched.push(now);
                store.received(call.id, ok(key_set(published)), now, &memory);
            }
        }
        assert_eq!(fetched, [after(1_000), after(4_000)], "{first}");
        assert_eq!(found, Some(after(4_050)), "{first}");
    }
}

/// A fetch that began before a request came says nothing about the key that this one names.
#[test]
fn a_key_that_is_published_while_a_fetch_is_under_way_is_not_refused_for_it() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    store.wait(WaiterId(1), newer("two"), after(1_000)).unwrap();
    let call = fetch(&store.tick(after(1_000), &memory));
    store
        .wait(WaiterId(2), newer("three"), after(1_500))
        .unwrap();
    let now = after(2_000);
    let effects = store.received(call.id, ok(key_set("one")), now, &memory);
    assert_eq!(woken(&effects), [(1, false), (2, false)]);
    let of = |kid, since| {
        let facts = store.at(now).of_request(after(since));
        facts.newer_keys(THE_PROVIDER, KeyIdDigest::of(kid))
    };
    assert_eq!(of("two", 1_000), NewerKeys::Unlikely);
    let wait = NewerKeys::NotYet(Duration::from_secs(3));
    assert_eq!(of("three", 1_500), wait);
    assert_eq!(of("three", 1_000), NewerKeys::Unlikely, "nor was it there");
}

#[test]
fn a_fetch_that_takes_longer_than_the_cooldown_is_not_followed_by_the_next() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.cooldown = Duration::from_secs(1);
    let mut store = FactStore::new(&policy);
    let call = fetch(&store.tick(START, &memory));
    store.received(call.id, ok(key_set("one")), START, &memory);
    store.wait(WaiterId(1), newer("two"), after(2_000)).unwrap();
    let call = fetch(&store.tick(after(2_000), &memory));
    store.received(call.id, ok(key_set("one")), after(6_000), &memory);
    assert_eq!(
        newer_keys(&store, "three", after(6_000)),
        NewerKeys::NotYet(Duration::from_secs(1))
    );
}

#[test]
fn a_flood_of_unknown_key_ids_causes_four_fetches_in_a_cooldown_and_three_from_one_address() {
    for (peers, expected) in [(1, 12), (60_000, 16)] {
        assert_eq!(fetches_under_a_flood(peers), expected, "{peers}");
    }
}

/// How many fetches are made in four cooldowns in which callers from so many addresses send ever
/// new key ids.
fn fetches_under_a_flood(peers: u64) -> usize {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut fetched = 0;
    for step in 0..60_000_u64 {
        let now = after(step * 2);
        let made_up = format!("made-up-{step}");
        if newer_keys(&store, &made_up, now) == NewerKeys::MayCome {
            let id = WaiterId(u32::try_from(step).unwrap());
            let number = step % peers;
            let origin = from(&format!("10.{}.{}.9", number / 256, number % 256));
            let waits = store.admit(id, newer(&made_up), now, origin, now);
            assert_ne!(waits, Err(WaitFault::TooMany));
        }
        assert!(knows(&store, "one", now), "good tokens never wait");
        for call in fetches(&store.tick(now, &memory)) {
            fetched += 1;
            store.received(call.id, ok(key_set("one")), now, &memory);
        }
    }
    fetched
}

#[test]
fn one_client_with_an_old_key_id_does_not_cause_a_fetch_in_every_cooldown_for_ever() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let (mut begun, mut misses) = (0, 0);
    // A day, in which it asks every ten seconds.
    for step in 0..8_640_u64 {
        let now = after(step * 10_000);
        if newer_keys(&store, "old", now) == NewerKeys::MayCome {
            misses += 1;
            let id = WaiterId(u32::try_from(step).unwrap());
            store.wait(id, newer("old"), now).unwrap();
        }
        for call in fetches(&store.tick(now, &memory)) {
            begun += 1;
            store.received(call.id, ok(key_set("one")), now, &memory);
        }
    }
    // From three seconds on the time doubles: 15 times make up a day.
    assert_eq!(misses, 15);
    assert!(begun <= 8_640 / 27 + 15, "{begun}");
    // Another key id is not held up by it.
    let now = after(8_640 * 10_000 + 1_800_000);
    assert_eq!(newer_keys(&store, "old", now), NewerKeys::Unlikely);
    assert_eq!(newer_keys(&store, "new", now), NewerKeys::MayCome);
}

#[test]
fn a_key_that_is_published_later_than_it_signs_is_found_within_a_cooldown() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut found = None;
    // All keys are replaced after ten seconds; the first token is there after one.
    for step in 1..60_u64 {
        let now = after(step * 1_000);
        if !knows(&store, "two", now) && newer_keys(&store, "two", now) == NewerKeys::MayCome {
            let id = WaiterId(u32::try_from(step).unwrap());
            assert_ne!(store.wait(id, newer("two"), now), Err(WaitFault::TooMany));
        }
        let published = if step < 10 { "one" } else { "two" };
        for call in fetches(&store.tick(now, &memory)) {
            store.received(call.id, ok(key_set(published)), now, &memory);
        }
        if knows(&store, "two", now) {
            found = found.or(Some(step));
        }
    }
    assert_eq!(found, Some(16));
}

#[test]
fn a_key_id_is_refused_without_a_look_only_where_looks_did_not_bring_it_over_a_cooldown() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut refetches = Vec::new();
    for step in 0..200_u64 {
        let now = after(1_000 + step * 500);
        match newer_keys(&store, "two", now) {
            NewerKeys::MayCome => {
                let origin = from(&format!("10.0.0.{step}"));
                let id = WaiterId(u32::try_from(step).unwrap());
                store.admit(id, newer("two"), now, origin, now).unwrap();
                refresh(&mut store, ok(key_set("one")), now, &memory);
                refetches.push(step / 2);
            }
            NewerKeys::NotYet(_) => assert!(refetches.len() < 5, "{step}"),
            NewerKeys::Unlikely => assert!(refetches.len() >= 5, "{step}"),
            NewerKeys::Unavailable(_) => panic!("{step}"),
        }
    }
    assert_eq!(refetches, [0, 3, 9, 21, 45, 93]);
    // Others are not held up by it.
    assert_eq!(
        newer_keys(&store, "three", after(101_000)),
        NewerKeys::MayCome
    );
}

#[test]
fn a_key_that_left_the_set_is_refused_at_once_between_refetches() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    store.wait(WaiterId(1), newer("two"), after(1_000)).unwrap();
    refresh(&mut store, ok(key_set("two")), after(1_000), &memory);
    assert_eq!(newer_keys(&store, "one", after(1_001)), NewerKeys::Unlikely);
    // It may come back: some documents flap.
    assert_eq!(newer_keys(&store, "one", after(4_000)), NewerKeys::MayCome);
    store.wait(WaiterId(2), newer("one"), after(4_000)).unwrap();
    refresh(&mut store, ok(key_set("one")), after(4_000), &memory);
    assert!(knows(&store, "one", after(4_000)));
}

/// A caller that sends ever new key ids does not use up the refetches of others.
#[test]
fn a_new_key_is_found_soon_under_a_flood_of_made_up_key_ids_from_another_address() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut found = None;
    for step in 0..60_000_u32 {
        let now = after(1_000 + u64::from(step));
        let flood = (format!("made-up-{step}"), from("10.0.0.1"));
        let mut callers = vec![flood];
        // The provider changes its keys after twenty seconds.
        let published = if step < 20_000 { "one" } else { "two" };
        if step % 100 == 0 && published == "two" {
            callers.push(("two".to_owned(), from("10.0.0.2")));
        }
        for (number, (kid, origin)) in (1..).zip(callers) {
            if knows(&store, &kid, now) {
                found = found.or(Some(step));
                continue;
            }
            let newer_keys = newer_keys(&store, &kid, now);
            assert_ne!(newer_keys, NewerKeys::Unlikely, "{kid} at {step}");
            if newer_keys == NewerKeys::MayCome {
                let id = WaiterId(step * 2 + number);
                let waits = store.admit(id, newer(&kid), now, origin, now);
                assert_ne!(waits, Err(WaitFault::TooMany), "{kid}");
            }
        }
        for call in fetches(&store.tick(now, &memory)) {
            store.received(call.id, ok(key_set(published)), now, &memory);
        }
    }
    assert_eq!(found, Some(20_100));
}

#[test]
fn a_revoked_key_never_counts_though_it_is_published() {
    let memory = Memory::default();
    let old = warm(&memory);
    assert!(knows(&old, "one", START));
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].revoked_kids = vec!["one".to_owned()];
    policy.providers[0].freshness.grace = Duration::from_secs(3600);
    let revoked = |store: &FactStore, now| {
        let facts = store.at(now);
        let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
            panic!("no keys");
        };
        keys.keys().iter().all(|key| key.key_id() != Some("one"))
            && keys.candidates(Algorithm::EdDsa, Some("one")) == Candidates::Revoked
    };
    // From another worker's snapshot, from the provider, and as a key under grace.
    let mut store = FactStore::new(&policy);
    assert_eq!(store.tick(after(1), &memory), []);
    assert!(revoked(&store, after(1)));
    refresh(&mut store, ok(key_set("one")), after(300_000), &memory);
    assert!(revoked(&store, after(300_000)));
    refresh(&mut store, ok(key_set("two")), after(600_000), &memory);
    assert!(revoked(&store, after(600_000)));
    assert!(knows(&store, "two", after(600_000)));
}

#[test]
fn the_age_of_keys_goes_on_growing_after_they_were_withdrawn() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let age = |store: &FactStore, now| store.key_set_age(THE_PROVIDER, now);
    refresh(&mut store, ok(r#"{"keys":[]}"#), after(300_000), &memory);
    assert!(!knows(&store, "one", after(300_000)));
    let seconds = Some(Duration::from_secs(400));
    assert_eq!(age(&store, after(400_000)), seconds);
    let mut new = FactStore::new(&policy(by_jwks(), Some("secret")));
    new.tick(after(300_001), &memory);
    let missed_for = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(age(&new, after(300_001)), missed_for(0), "it never had any");
    new.tick(after(310_001), &memory);
    assert_eq!(age(&new, after(310_001)), missed_for(10));
    let keys = KeySet::parse(&key_set("one")).unwrap();
    let mut inline = FactStore::new(&policy(KeySource::Inline(keys), Some("secret")));
    inline.tick(after(310_001), &memory);
    assert_eq!(age(&inline, after(310_001)), None, "nothing is fetched");
}

#[test]
fn a_clock_that_was_ahead_does_not_keep_keys_in_use() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let year = UnixMillis(START.0 + 365 * 86_400_000);
    refresh(&mut store, ok(key_set("one")), year, &memory);
    // The clock is set right.
    store.tick(START, &memory);
    assert!(knows(&store, "one", START));
    let call = fetch(&store.tick(after(300_000), &memory));
    store.received(call.id, status(500), after(300_000), &memory);
    assert!(knows(&store, "one", after(3_600_000)));
    assert!(!knows(&store, "one", after(3_600_001)));
    // A pause that began by the wrong clock is over, too.
    assert_eq!(fetches(&store.tick(after(3_600_001), &memory)).len(), 1);
}

#[test]
fn workers_whose_clock_was_ahead_still_take_over_newer_keys() {
    let memory = Memory::default();
    let year = UnixMillis(START.0 + 365 * 86_400_000);
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let mut other = FactStore::new(&policy(by_jwks(), Some("secret")));
    refresh(&mut store, ok(key_set("one")), year, &memory);
    other.tick(year, &memory);
    // The clock is set right.
    store.tick(START, &memory);
    other.tick(START, &memory);
    assert!(knows(&other, "one", START));
    refresh(&mut store, ok(key_set("two")), after(300_000), &memory);
    other.tick(after(300_001), &memory);
    assert!(knows(&other, "two", after(300_001)));
    assert!(!knows(&other, "one", after(300_001)));
}

#[test]
fn while_the_provider_is_down_it_is_not_known_whether_a_key_is_new() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    store.wait(WaiterId(1), newer("two"), after(1_000)).unwrap();
    let call = fetch(&store.tick(after(1_002), &memory));
    let effects = store.received(call.id, status(500), after(1_010), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    let NewerKeys::Unavailable(outage) = newer_keys(&store, "two", after(1_010)) else {
        panic!("it is known");
    };
    assert_eq!(outage.fault, Some("server_error"));
    assert!(knows(&store, "one", after(1_010)));
}

#[test]
fn a_late_response_to_a_call_that_was_given_up_changes_nothing() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let lost = fetch(&store.tick(START, &memory));
    store.tick(after(8_000), &memory);
    let again = fetch(&store.tick(after(20_000), &memory));
    assert_ne!(lost.id, again.id);
    assert_eq!(
        store.received(lost.id, ok(key_set("old")), after(20_001), &memory),
        []
    );
    assert!(!knows(&store, "old", after(20_001)));
    store.received(again.id, ok(key_set("new")), after(20_002), &memory);
    assert!(knows(&store, "new", after(20_002)));
}

#[test]
fn inline_keys_are_there_at_once_and_never_fetched() {
    let memory = Memory::default();
    let inline = KeySource::Inline(KeySet::parse(&key_set("one")).unwrap());
    let mut store = FactStore::new(&policy(inline, Some("secret")));
    assert_eq!(store.tick(START, &memory), []);
    assert!(knows(&store, "one", after(u64::from(u32::MAX))));
    assert_eq!(newer_keys(&store, "two", START), NewerKeys::Unlikely);
}

#[test]
fn a_clock_that_is_set_back_makes_no_wait_longer_nor_a_lost_call_last() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    store.wait(WaiterId(1), fact, after(3_600_000)).unwrap();
    fetch(&store.tick(after(3_600_000), &memory));
    // An hour earlier. The host never delivers the response.
    assert_eq!(store.tick(START, &memory), []);
    let given_up = store.tick(after(7_001), &memory);
    assert_eq!(woken(&given_up), [(1, false)]);
    store.wait(WaiterId(2), fact, after(3_600_000)).unwrap();
    assert_eq!(woken(&store.tick(after(7_002), &memory)), []);
    assert_eq!(woken(&store.tick(after(17_002), &memory)), [(2, true)]);
}
