//! Keys that change though their id stays, and signatures that are none under a known key id.

use super::*;
use crate::crypto::{SkipReason, SkippedKey};

/// Another key than that of [`key_set`]: the public key of RFC 8032 §7.1, test 2.
fn other_key_set(kid: &str) -> Vec<u8> {
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}}]}}"#
    )
    .into_bytes()
}

fn token(name: &str) -> KeyIdDigest {
    KeyIdDigest::of(name)
}

/// What a request waits for whose signature is good under no known key.
fn changed(name: &str) -> Fact {
    Fact::ChangedKeySet(THE_PROVIDER, token(name), TokenFault::BadSignature)
}

fn may_have_changed(store: &FactStore, name: &str, now: UnixMillis) -> bool {
    store
        .at(now)
        .may_have_changed(THE_PROVIDER, &|| token(name))
}

/// The x of the key that is known under a key id.
fn known(store: &FactStore, now: UnixMillis) -> String {
    let facts = store.at(now);
    let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
        panic!("no keys");
    };
    let jwk: serde_json::Value = serde_json::from_str(keys.keys()[0].as_jwk()).unwrap();
    jwk["x"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_that_changed_under_its_id_is_fetched_for_the_first_token_that_it_signed() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    assert!(may_have_changed(&store, "good", after(1_000)));
    store
        .wait(WaiterId(1), &changed("good"), after(1_000))
        .unwrap();
    let call = fetch(&store.tick(after(1_002), &memory));
    // Others wait for the same fetch.
    assert!(may_have_changed(&store, "also-good", after(1_003)));
    store
        .wait(WaiterId(2), &changed("also-good"), after(1_003))
        .unwrap();
    let effects = store.received(call.id, ok(other_key_set("one")), after(1_010), &memory);
    assert_eq!(woken(&effects), [(1, false), (2, false)]);
    assert!(known(&store, after(1_010)).starts_with("PUAX"));
    // A token that the newer keys did not sign either is not waited for again.
    let facts = store.at(after(1_010)).of_request(after(1_000));
    assert!(!facts.may_have_changed(THE_PROVIDER, &|| token("good")));
}

/// However often the provider replaces its key while the old ones are kept.
#[test]
fn a_key_that_changes_again_and_again_within_the_grace_is_still_tried() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(86_400);
    let mut store = FactStore::new(&policy);
    for round in 0..8_u64 {
        let key = crate::mint::Mint::generate(crate::mint::KeyKind::Ed25519).jwk("one");
        let now = after(round * 300_000);
        refresh(
            &mut store,
            ok(crate::mint::jwk_set(std::slice::from_ref(&key))),
            now,
            &memory,
        );
        let facts = store.at(now);
        let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
            panic!("no keys");
        };
        let Candidates::Keys(candidates) = keys.candidates(Algorithm::EdDsa, Some("one")) else {
            panic!("none in round {round}");
        };
        let has = |x: &str| candidates.iter().any(|key| key.as_jwk().contains(x));
        assert!(has(key["x"].as_str().unwrap()), "{round}");
        assert_eq!(candidates.len(), usize::try_from(round + 1).unwrap().min(4));
    }
}

/// From one address, from many, and with a token that is sent again and again.
#[test]
fn forged_signatures_cause_few_fetches_and_take_none_from_key_ids_that_are_new() {
    for callers in [1_u32, 200] {
        let memory = Memory::default();
        let mut store = warm(&memory);
        let (mut begun, mut waited) = (0, 0);
        // Five minutes, in which ten of them come every second.
        for step in 1..3_000_u64 {
            let now = after(step * 100);
            let name = format!("forged-{step}");
            let caller = u32::try_from(step).unwrap() % callers;
            let origin = from(&format!("10.0.0.{caller}"));
            if may_have_changed(&store, &name, now) {
                let id = WaiterId(u32::try_from(step).unwrap());
                waited += u32::from(store.admit(id, &changed(&name), now, origin, now).is_ok());
            }
            for call in fetches(&store.tick(now, &memory)) {
                begun += 1;
                store.received(call.id, ok(key_set("one")), now, &memory);
            }
            assert!(knows(&store, "one", now), "good tokens never wait");
        }
        let most = if callers == 1 { 2 } else { 3 };
        assert!(begun <= most * 10 + 2, "{callers}: {begun}");
        assert_eq!(waited, begun, "the others are refused at once");
        // A key id that is new has all its refetches.
        let now = after(300_000);
        for (looked, rest) in [(0, 0), (3_000, 3_000)] {
            let now = now.saturating_add(Duration::from_millis(looked));
            let new = format!("new-{rest}");
            assert_eq!(newer_keys(&store, &new, now), NewerKeys::MayCome);
            let origin = from("10.0.0.1");
            assert_eq!(
                store.admit(WaiterId(9), &newer(&new), now, origin, now),
                Ok(())
            );
            let call = fetch(&store.tick(now, &memory));
            store.received(call.id, ok(key_set("one")), now, &memory);
        }
    }
}

/// A caller that used up its refetches leaves one to the others.
#[test]
fn a_flood_of_forged_tokens_from_one_address_keeps_no_changed_key_out() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    for (step, millis) in [1_000, 4_000].into_iter().enumerate() {
        let (now, name) = (after(millis), format!("forged-{step}"));
        assert!(may_have_changed(&store, &name, now));
        store
            .admit(WaiterId(1), &changed(&name), now, from("10.0.0.1"), now)
            .unwrap();
        refresh(&mut store, ok(key_set("one")), now, &memory);
    }
    let now = after(7_000);
    assert!(may_have_changed(&store, "forged", now));
    let again = store.admit(WaiterId(2), &changed("forged"), now, from("10.0.0.1"), now);
    assert_eq!(again, Err(WaitFault::NotYet(Duration::from_secs(24))));
    store
        .admit(WaiterId(3), &changed("good"), now, from("10.0.0.2"), now)
        .unwrap();
    refresh(&mut store, ok(other_key_set("one")), now, &memory);
    assert!(known(&store, now).starts_with("PUAX"));
}

/// A client that holds on to a token of a key that is gone.
#[test]
fn one_token_that_is_sent_again_and_again_causes_ever_fewer_fetches() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut waited = 0;
    for step in 1..8_640_u64 {
        let now = after(step * 10_000);
        if may_have_changed(&store, "old", now) {
            let id = WaiterId(u32::try_from(step).unwrap());
            waited += u32::from(store.wait(id, &changed("old"), now).is_ok());
        }
        for call in fetches(&store.tick(now, &memory)) {
            store.received(call.id, ok(key_set("one")), now, &memory);
        }
    }
    assert!(waited <= 15, "{waited}");
}

#[test]
fn a_provider_that_is_down_or_slow_is_not_asked_for_forged_tokens() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    store
        .wait(WaiterId(1), &changed("one"), after(1_000))
        .unwrap();
    refresh(&mut store, status(503), after(1_000), &memory);
    assert!(!may_have_changed(&store, "two", after(1_500)));
    // A refetch for an unknown key id took ten seconds: the provider rests as long.
    let mut store = warm(&Memory::default());
    let memory = Memory::default();
    store
        .wait(WaiterId(1), &newer("two"), after(1_000))
        .unwrap();
    let call = fetch(&store.tick(after(1_000), &memory));
    store.received(call.id, ok(key_set("one")), after(7_000), &memory);
    assert!(!may_have_changed(&store, "two", after(12_999)));
    assert!(may_have_changed(&store, "two", after(13_000)));
}

#[test]
fn looks_for_changed_keys_count_in_every_worker() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut other = FactStore::new(&policy(by_jwks(), Some("secret")));
    other.tick(after(500), &memory);
    for (name, millis) in [("a", 1_000), ("b", 4_000), ("c", 7_000)] {
        let (now, origin) = (
            after(millis),
            from(&format!("10.0.0.{millis}").replace("000", "")),
        );
        store
            .admit(WaiterId(1), &changed(name), now, origin, now)
            .unwrap();
        refresh(&mut store, ok(key_set("one")), now, &memory);
    }
    other.tick(after(10_500), &memory);
    assert!(!may_have_changed(&other, "d", after(10_500)));
    assert_eq!(newer_keys(&other, "new", after(10_500)), NewerKeys::MayCome);
    assert!(may_have_changed(&other, "d", after(31_000)));
}

fn with_skipped(kid: &str) -> Vec<u8> {
    let good = String::from_utf8(key_set("one")).unwrap();
    good.replace(
        "]}",
        &format!(r#",{{"kty":"EC","crv":"P-521","kid":"{kid}"}}]}}"#),
    )
    .into_bytes()
}

/// In every worker: also in those that took the keys over.
#[test]
fn keys_that_are_left_out_are_told_once_for_each_change_and_known_to_all_workers() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let mut other = FactStore::new(&policy(by_jwks(), Some("secret")));
    let skipped = |kid: &str| {
        vec![SkippedKey {
            index: 1,
            key_id: Some(kid.to_owned()),
            reason: SkipReason::Curve,
        }]
    };
    let reported = |store: &mut FactStore, document: Vec<u8>, now: UnixMillis| {
        let call = fetch(&store.tick(now, &memory));
        let effects = store.received(call.id, ok(document), now, &memory);
        let mut reported = effects.into_iter().filter_map(|effect| match effect {
            Effect::Report(Event::KeysSkipped(_, keys)) => Some(keys),
            _ => None,
        });
        reported.next()
    };
    let reason = |store: &FactStore, kid: &str, now| match store.at(now).key_set(THE_PROVIDER) {
        Availability::Known(keys) => keys.skip_reason(kid),
        _ => panic!("no keys"),
    };
    assert_eq!(
        reported(&mut store, with_skipped("x"), START),
        Some(skipped("x"))
    );
    other.tick(after(1), &memory);
    for store in [&store, &other] {
        assert_eq!(reason(store, "x", after(1)), Some(SkipReason::Curve));
        assert_eq!(reason(store, "y", after(1)), None);
        let count = store.key_count(THE_PROVIDER, after(1));
        assert_eq!(
            count,
            Some(KeyCount {
                usable: 1,
                skipped: 1
            })
        );
    }
    // Whichever worker fetches next.
    assert_eq!(
        reported(&mut other, with_skipped("x"), after(300_000)),
        None
    );
    store.tick(after(300_001), &memory);
    assert_eq!(
        reported(&mut store, with_skipped("y"), after(600_001)),
        Some(skipped("y"))
    );
    other.tick(after(600_002), &memory);
    assert_eq!(
        reported(&mut other, key_set("one"), after(900_002)),
        Some(Vec::new())
    );
    assert_eq!(reason(&other, "y", after(900_002)), None);
    // A set that cannot be read says nothing about them.
    other.tick(after(900_003), &memory);
    assert_eq!(
        reported(&mut other, b"<html>".to_vec(), after(1_200_003)),
        None
    );
}
