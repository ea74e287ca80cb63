//! Where the keys are: read seldom, followed when it changes, and never accepted from another issuer.

use super::*;

/// A store that read its discovery document and its keys at [`START`].
fn discovered(memory: &Memory) -> FactStore {
    let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
    let call = fetch(&store.tick(START, memory));
    assert!(call
        .request
        .endpoint
        .path
        .ends_with("/openid-configuration"));
    let next = fetch(&store.received(call.id, document("/jwks"), START, memory));
    assert_eq!(next.request.endpoint.path, "/jwks");
    store.received(next.id, ok(key_set("one")), START, memory);
    assert!(knows(&store, "one", START));
    store
}

fn reads_document(call: &Call) -> bool {
    call.request
        .endpoint
        .path
        .ends_with("/openid-configuration")
}

#[test]
fn the_document_is_read_once_an_hour_and_the_keys_more_often() {
    let memory = Memory::default();
    let mut store = discovered(&memory);
    let mut documents = Vec::new();
    let mut keys = 0;
    for second in 1..=10_800_u64 {
        let now = after(second * 1_000);
        for call in fetches(&store.tick(now, &memory)) {
            let next = if reads_document(&call) {
                documents.push(second);
                let effects = store.received(call.id, document("/jwks"), now, &memory);
                fetch(&effects)
            } else {
                call
            };
            keys += 1;
            store.received(next.id, ok(key_set("one")), now, &memory);
        }
    }
    assert!((36..=40).contains(&keys), "{keys}");
    assert_eq!(documents.len(), 2, "{documents:?}");
    assert!(
        documents[0] >= 3_600 && documents[0] <= 3_900,
        "{documents:?}"
    );
}

#[test]
fn a_worker_that_takes_keys_over_knows_where_they_are() {
    let memory = Memory::default();
    let _ = discovered(&memory);
    let mut new = FactStore::new(&policy(by_discovery(), Some("secret")));
    assert_eq!(new.tick(after(1), &memory), []);
    let call = fetch(&new.tick(after(300_000), &memory));
    assert_eq!(call.request.endpoint, endpoint("/jwks"));
}

#[test]
fn keys_that_are_not_where_they_were_are_looked_for_at_the_next_attempt_by_every_worker() {
    for (response, anew) in [
        (status(404), true),
        (status(410), true),
        (CallResponse::NoResponse, true),
        (ok("<html></html>"), true),
        (status(503), true),
        (retry_after(429, 1), false),
    ] {
        let memory = Memory::default();
        let mut store = discovered(&memory);
        let mut other = FactStore::new(&policy(by_discovery(), Some("secret")));
        other.tick(after(1), &memory);
        refresh(&mut store, response.clone(), after(300_000), &memory);
        other.tick(after(300_001), &memory);
        let call = fetch(&other.tick(after(302_000), &memory));
        assert_eq!(reads_document(&call), anew, "{response:?}");
        let call = if anew {
            fetch(&other.received(call.id, document("/moved"), after(302_000), &memory))
        } else {
            call
        };
        let path = if anew { "/moved" } else { "/jwks" };
        assert_eq!(call.request.endpoint.path, path);
        other.received(call.id, ok(key_set("two")), after(302_000), &memory);
        store.tick(after(302_001), &memory);
        assert!(knows(&store, "two", after(302_001)));
        let next = fetch(&store.tick(after(602_000), &memory));
        assert_eq!(next.request.endpoint.path, path);
    }
}

#[test]
fn an_unknown_key_is_looked_for_where_the_document_says_now() {
    let memory = Memory::default();
    let mut store = discovered(&memory);
    store
        .wait(WaiterId(1), &newer("two"), after(1_000))
        .unwrap();
    let call = fetch(&store.tick(after(1_000), &memory));
    assert!(reads_document(&call));
    let next = fetch(&store.received(call.id, document("/new"), after(1_000), &memory));
    assert_eq!(next.request.endpoint.path, "/new");
    store.received(next.id, ok(key_set("two")), after(1_000), &memory);
    assert!(knows(&store, "two", after(1_000)));
}

#[test]
fn a_document_that_became_another_issuers_is_refused_and_old_keys_serve_on() {
    let memory = Memory::default();
    let mut store = discovered(&memory);
    let lie = r#"{"issuer":"https://evil.example","jwks_uri":"https://idp.example/evil"}"#;
    store
        .wait(WaiterId(1), &newer("two"), after(1_000))
        .unwrap();
    let mut now = after(1_000);
    let mut lies = 0;
    while now < after(3_700_000) {
        for call in fetches(&store.tick(now, &memory)) {
            assert!(reads_document(&call), "{}", call.request.endpoint.path);
            lies += 1;
            let effects = store.received(call.id, ok(lie), now, &memory);
            let is_mismatch = |fault: &KeysFault| fault.code().as_str() == "issuer_mismatch";
            assert!(
                matches!(&effects[0], Effect::Report(Event::KeysFailed(_, fault)) if is_mismatch(fault))
            );
        }
        assert_eq!(knows(&store, "one", now), now <= after(3_600_000));
        now = now.saturating_add(Duration::from_secs(10));
    }
    assert!(lies > 10, "{lies}");
}

#[test]
fn a_document_that_cannot_be_read_does_not_hide_where_the_keys_were() {
    let memory = Memory::default();
    let mut store = discovered(&memory);
    store
        .wait(WaiterId(1), &newer("two"), after(1_000))
        .unwrap();
    refresh(&mut store, status(500), after(1_000), &memory);
    // No request has the unknown key again; the regular fetch goes on.
    let call = fetch(&store.tick(after(300_000), &memory));
    assert_eq!(call.request.endpoint.path, "/jwks");
}
