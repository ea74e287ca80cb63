//! The fact store driven by events, with time and shared memory in the test's hands.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::format_push_string,
    clippy::string_slice,
    clippy::panic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where its own numbers are wrong"
)]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::crypto::{Algorithm, Candidates};
use crate::identity::Condition;
use crate::n8n::ScopeSet;
use crate::policy::{
    Access, ApiKeys, Dialect, Endpoint, Freshness, KeySource, Policy, Principal, Provider,
    PublicApi, TokenRules, TypRule,
};
use crate::secret::Secret;
use crate::time::UnixMillis;

const ISSUER: &str = "https://idp.example/realms/a";
const START: UnixMillis = UnixMillis(1_800_000_000_000);
const THE_PROVIDER: ProviderId = ProviderId(0);

/// A host's shared memory: versions grow, `None` overwrites, nothing is ever removed.
#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl SharedMemory for Memory {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        self.0.borrow().get(name).cloned()
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        let mut entries = self.0.borrow_mut();
        let current = entries.get(name).map(|(_, version)| *version);
        if version.is_some() && current.is_some() && version != current {
            return false;
        }
        entries.insert(name.to_owned(), (value.to_vec(), current.unwrap_or(0) + 1));
        true
    }
}

fn freshness() -> Freshness {
    Freshness {
        ttl: Duration::from_secs(300),
        max_stale: Duration::from_secs(3600),
        timeout: Duration::from_secs(5),
        cooldown: Duration::from_secs(30),
        grace: Duration::ZERO,
    }
}

fn policy(keys: KeySource, secret: Option<&str>) -> Policy {
    let provider = Provider {
        name: "idp".to_owned(),
        dialect: Dialect::Oidc,
        issuers: vec![ISSUER.to_owned()],
        token: TokenRules {
            audiences: BTreeSet::from(["api".to_owned()]),
            algorithms: BTreeSet::from(Algorithm::ALL),
            clock_skew: Duration::from_secs(30),
            typ: TypRule::NotAnotherKind,
        },
        clients: None,
        trust_email: false,
        keys,
        freshness: freshness(),
    };
    let principal = |secret: &str| Principal {
        name: "app".to_owned(),
        matches: Condition::default(),
        grant: ScopeSet::default(),
        allow: None,
        api_key: Secret::new(secret.to_owned()),
    };
    Policy {
        providers: vec![provider],
        issuers: BTreeMap::from([(ISSUER.to_owned(), THE_PROVIDER)]),
        grants: BTreeMap::new(),
        principals: secret.map(principal).into_iter().collect(),
        public_api: PublicApi {
            api_keys: ApiKeys::Pass,
            resource: None,
        },
        webhooks: crate::n8n::WebhookRules::default(),
        endpoints: crate::n8n::Endpoints::default(),
        metrics: Access::Pass,
    }
}

fn endpoint(path: &str) -> Endpoint {
    Endpoint {
        cluster: "idp".to_owned(),
        scheme: "https".to_owned(),
        authority: "idp.example".to_owned(),
        path: path.to_owned(),
    }
}

fn by_jwks() -> KeySource {
    KeySource::Jwks(endpoint("/jwks"))
}

fn by_discovery() -> KeySource {
    KeySource::Discovery {
        document: endpoint("/realms/a/.well-known/openid-configuration"),
        jwks_cluster: None,
    }
}

fn key_set(kid: &str) -> Vec<u8> {
    // The public key of RFC 8037 §A.2.
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
    )
    .into_bytes()
}

fn ok(body: impl Into<Vec<u8>>) -> FetchAnswer {
    FetchAnswer::Response {
        status: 200,
        body: body.into(),
    }
}

fn status(status: u16) -> FetchAnswer {
    FetchAnswer::Response {
        status,
        body: key_set("never-read"),
    }
}

fn after(millis: u64) -> UnixMillis {
    UnixMillis(START.0 + millis)
}

/// The one fetch among the effects.
fn fetch(effects: &[Effect]) -> FetchRequest {
    let fetches: Vec<_> = fetches(effects);
    assert_eq!(fetches.len(), 1, "{effects:?}");
    fetches[0].clone()
}

fn fetches(effects: &[Effect]) -> Vec<FetchRequest> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Fetch(request) => Some(request.clone()),
            _ => None,
        })
        .collect()
}

fn woken(effects: &[Effect]) -> Vec<(u32, bool)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Wake {
                waiter,
                last_chance,
            } => Some((waiter.0, *last_chance)),
            _ => None,
        })
        .collect()
}

fn knows(store: &FactStore, kid: &str, now: UnixMillis) -> bool {
    match store.at(now).key_set(THE_PROVIDER) {
        Availability::Known(set) => matches!(
            set.candidates(Algorithm::EdDsa, Some(kid)),
            Candidates::Keys(_)
        ),
        _ => false,
    }
}

/// A store whose key set was fetched at [`START`].
fn warm(memory: &Memory) -> FactStore {
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let request = fetch(&store.tick(START, memory));
    store.answered(request.call, ok(key_set("one")), START, memory);
    assert!(knows(&store, "one", START));
    store
}

#[test]
fn the_first_tick_fetches_the_keys_though_nobody_waits() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    assert!(matches!(
        store.at(START).key_set(THE_PROVIDER),
        Availability::Pending
    ));
    let request = fetch(&store.tick(START, &memory));
    assert_eq!(request.endpoint, endpoint("/jwks"));
    assert_eq!(request.timeout, Duration::from_secs(5));
    let effects = store.answered(request.call, ok(key_set("one")), after(20), &memory);
    assert_eq!(effects, [Effect::Refreshed(THE_PROVIDER)]);
    assert!(knows(&store, "one", after(20)));
}

#[test]
fn discovery_leads_to_the_keys_through_the_same_cluster() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
    let request = fetch(&store.tick(START, &memory));
    let document =
        format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://169.254.169.254/latest","x":[1]}}"#);
    let next = fetch(&store.answered(request.call, ok(document), START, &memory));
    assert_eq!(next.endpoint.cluster, "idp");
    assert_eq!(next.endpoint.authority, "169.254.169.254");
    assert_ne!(next.call, request.call);
    store.answered(next.call, ok(key_set("one")), START, &memory);
    assert!(knows(&store, "one", START));
}

#[test]
fn a_discovery_document_that_lies_brings_no_keys() {
    let cases = [
        (
            r#"{"issuer":"https://idp.example/realms/b","jwks_uri":"https://idp.example/jwks"}"#,
            FetchFault::IssuerMismatch,
        ),
        (
            r#"{"issuer":"https://idp.example/realms/a/","jwks_uri":"https://idp.example/jwks"}"#,
            FetchFault::IssuerMismatch,
        ),
        (
            r#"{"issuer":"https://idp.example/realms/a","jwks_uri":"http://idp.example/jwks"}"#,
            FetchFault::JwksUri,
        ),
        (
            r#"{"issuer":"https://idp.example/realms/a","jwks_uri":"file:///etc/passwd"}"#,
            FetchFault::JwksUri,
        ),
        (
            r#"{"issuer":"https://idp.example/realms/a"}"#,
            FetchFault::DocumentMalformed,
        ),
        (
            r#"{"issuer":"https://idp.example/realms/a","issuer":"x","jwks_uri":"https://a/"}"#,
            FetchFault::DocumentMalformed,
        ),
        ("<html>", FetchFault::DocumentMalformed),
        ("", FetchFault::DocumentMalformed),
    ];
    for (document, fault) in cases {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_discovery(), Some("secret")));
        let request = fetch(&store.tick(START, &memory));
        let effects = store.answered(request.call, ok(document), START, &memory);
        assert_eq!(effects, [Effect::Failed(THE_PROVIDER, fault)], "{document}");
    }
}

#[test]
fn whatever_is_no_key_set_is_a_fault_of_its_own() {
    let large = vec![b' '; MAX_DOCUMENT + 1];
    let cases = [
        (status(500), "status"),
        (status(302), "status"),
        (status(204), "status"),
        (FetchAnswer::NoResponse, "no_response"),
        (FetchAnswer::NotDispatched, "not_dispatched"),
        (ok(large), "too_large"),
        (ok("<html></html>"), "key_set"),
        (ok(r#"{"keys":[]}"#), "key_set"),
        (ok(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#), "key_set"),
        (ok(&key_set("one")[..40]), "key_set"),
    ];
    for (answer, code) in cases {
        let memory = Memory::default();
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        let request = fetch(&store.tick(START, &memory));
        let effects = store.answered(request.call, answer.clone(), START, &memory);
        let [Effect::Failed(_, fault)] = effects.as_slice() else {
            panic!("{answer:?}: {effects:?}");
        };
        assert_eq!(fault.as_str(), code);
        assert!(matches!(
            store.at(START).key_set(THE_PROVIDER),
            Availability::Unavailable { .. }
        ));
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
    let request = fetch(&store.tick(after(2), &memory));
    assert_eq!(store.tick(after(4), &memory), []);
    let effects = store.answered(request.call, ok(key_set("one")), after(9), &memory);
    assert_eq!(woken(&effects), [(1, false), (3, false)]);
    assert!(!store.has_waiters());
}

#[test]
fn a_request_does_not_wait_longer_than_a_fetch_may_take() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let fact = Fact::KeySet(THE_PROVIDER);
    assert_eq!(store.wait(WaiterId(7), fact, START), Ok(()));
    // Another worker holds the lease and never delivers.
    let effects = store.tick(START, &memory);
    assert_eq!(fetches(&effects).len(), 1);
    assert_eq!(woken(&store.tick(after(6_999), &memory)), []);
    // The host never answers: the call is given up, and the request is told.
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

#[test]
fn keys_are_fetched_again_when_they_are_old_and_serve_meanwhile() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    assert_eq!(store.tick(after(299_999), &memory), []);
    let request = fetch(&store.tick(after(300_000), &memory));
    assert!(knows(&store, "one", after(300_001)));
    store.answered(request.call, ok(key_set("two")), after(300_010), &memory);
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
        let request = fetch(&store.tick(now, &memory));
        store.answered(request.call, ok(key_set(kid)), now, &memory);
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
        let request = fetch(&store.tick(now, &memory));
        store.answered(request.call, ok(key_set(kid)), now, &memory);
    }
    let facts = store.at(after(600_000));
    let Availability::Known(keys) = facts.key_set(THE_PROVIDER) else {
        panic!("no keys");
    };
    let ids: Vec<_> = keys
        .keys()
        .iter()
        .map(crate::crypto::PublicKey::key_id)
        .collect();
    assert_eq!(ids, [Some("one"), Some("two")]);
}

#[test]
fn an_emptied_set_takes_every_key_away_whatever_the_grace_and_in_every_worker() {
    let memory = Memory::default();
    let mut policy = policy(by_jwks(), Some("secret"));
    policy.providers[0].freshness.grace = Duration::from_secs(3600);
    let mut store = FactStore::new(&policy);
    let mut other = FactStore::new(&policy);
    let request = fetch(&store.tick(START, &memory));
    store.answered(request.call, ok(key_set("one")), START, &memory);
    other.tick(after(1), &memory);
    assert!(knows(&other, "one", after(1)));
    let now = after(300_000);
    let request = fetch(&store.tick(now, &memory));
    store.answered(request.call, ok(r#"{"keys":[]}"#), now, &memory);
    assert!(!knows(&store, "one", now));
    other.tick(after(300_001), &memory);
    assert!(!knows(&other, "one", after(300_001)));
    let mut new = FactStore::new(&policy);
    new.tick(after(300_002), &memory);
    assert!(!knows(&new, "one", after(300_002)));
}

#[test]
fn a_provider_that_is_down_is_asked_again_after_growing_pauses() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut now = after(300_000);
    let end = after(420_000);
    let mut asked = Vec::new();
    while now < end {
        for request in fetches(&store.tick(now, &memory)) {
            asked.push(now.0 - START.0 - 300_000);
            store.answered(request.call, status(503), now, &memory);
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
    let request = fetch(&store.tick(after(3_500_000), &memory));
    store.answered(
        request.call,
        FetchAnswer::NoResponse,
        after(3_500_000),
        &memory,
    );
    assert!(knows(&store, "one", after(3_600_000)));
    assert!(!knows(&store, "one", after(3_600_001)));
}

#[test]
fn an_unknown_key_id_causes_one_fetch_in_a_cooldown() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    assert_eq!(
        store.at(after(1_000)).newer_keys(THE_PROVIDER),
        NewerKeys::MayCome
    );
    let fact = Fact::NewerKeySet(THE_PROVIDER);
    assert_eq!(store.wait(WaiterId(1), fact, after(1_000)), Ok(()));
    let request = fetch(&store.tick(after(1_002), &memory));
    // While the fetch is under way another unknown key id may wait for it too.
    assert_eq!(
        store.at(after(1_003)).newer_keys(THE_PROVIDER),
        NewerKeys::MayCome
    );
    let effects = store.answered(request.call, ok(key_set("two")), after(1_010), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    assert!(knows(&store, "two", after(1_010)));
    assert_eq!(
        store.at(after(31_001)).newer_keys(THE_PROVIDER),
        NewerKeys::Unlikely
    );
    assert_eq!(
        store.at(after(31_002)).newer_keys(THE_PROVIDER),
        NewerKeys::MayCome
    );
}

#[test]
fn a_flood_of_unknown_key_ids_causes_one_fetch_in_a_cooldown() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let mut fetched = 0;
    for step in 0..60_000_u64 {
        let now = after(step * 2);
        if store.at(now).newer_keys(THE_PROVIDER) == NewerKeys::MayCome {
            let id = WaiterId(u32::try_from(step).unwrap());
            store
                .wait(id, Fact::NewerKeySet(THE_PROVIDER), now)
                .unwrap();
        }
        for request in fetches(&store.tick(now, &memory)) {
            fetched += 1;
            store.answered(request.call, ok(key_set("one")), now, &memory);
        }
    }
    assert_eq!(fetched, 4, "two minutes have four cooldowns");
}

#[test]
fn while_the_provider_is_down_nobody_knows_whether_a_key_is_new() {
    let memory = Memory::default();
    let mut store = warm(&memory);
    let fact = Fact::NewerKeySet(THE_PROVIDER);
    store.wait(WaiterId(1), fact, after(1_000)).unwrap();
    let request = fetch(&store.tick(after(1_002), &memory));
    let effects = store.answered(request.call, status(500), after(1_010), &memory);
    assert_eq!(woken(&effects), [(1, false)]);
    assert!(matches!(
        store.at(after(1_010)).newer_keys(THE_PROVIDER),
        NewerKeys::Unavailable { .. }
    ));
    assert!(knows(&store, "one", after(1_010)));
}

#[test]
fn a_late_answer_to_a_call_that_was_given_up_changes_nothing() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let lost = fetch(&store.tick(START, &memory));
    store.tick(after(8_000), &memory);
    let again = fetch(&store.tick(after(20_000), &memory));
    assert_ne!(lost.call, again.call);
    assert_eq!(
        store.answered(lost.call, ok(key_set("old")), after(20_001), &memory),
        []
    );
    assert!(!knows(&store, "old", after(20_001)));
    store.answered(again.call, ok(key_set("new")), after(20_002), &memory);
    assert!(knows(&store, "new", after(20_002)));
}

#[test]
fn inline_keys_are_there_at_once_and_never_fetched() {
    let memory = Memory::default();
    let inline = KeySource::Inline(KeySet::parse(&key_set("one")).unwrap());
    let mut store = FactStore::new(&policy(inline, Some("secret")));
    assert_eq!(store.tick(START, &memory), []);
    assert!(knows(&store, "one", after(u64::from(u32::MAX))));
    assert_eq!(
        store.at(START).newer_keys(THE_PROVIDER),
        NewerKeys::Unlikely
    );
}

#[test]
fn one_worker_fetches_and_the_others_adopt() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut workers: Vec<FactStore> = (0..4).map(|_| FactStore::new(&policy)).collect();
    let fact = Fact::KeySet(THE_PROVIDER);
    for worker in &mut workers {
        worker.wait(WaiterId(1), fact, START).unwrap();
    }
    let begun: Vec<_> = workers
        .iter_mut()
        .flat_map(|worker| fetches(&worker.tick(START, &memory)))
        .collect();
    assert_eq!(begun.len(), 1);
    workers[0].answered(begun[0].call, ok(key_set("one")), after(30), &memory);
    for worker in &mut workers[1..] {
        let effects = worker.tick(after(32), &memory);
        assert_eq!(woken(&effects), [(1, false)]);
        assert!(knows(worker, "one", after(32)));
    }
}

#[test]
fn a_worker_that_falls_silent_is_replaced() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut silent = FactStore::new(&policy);
    let mut other = FactStore::new(&policy);
    fetch(&silent.tick(START, &memory));
    assert_eq!(other.tick(after(9_999), &memory), []);
    fetch(&other.tick(after(10_001), &memory));
}

#[test]
fn a_failed_fetch_is_not_repeated_by_every_worker() {
    let memory = Memory::default();
    let policy = policy(by_jwks(), Some("secret"));
    let mut first = FactStore::new(&policy);
    let mut second = FactStore::new(&policy);
    let request = fetch(&first.tick(START, &memory));
    first.answered(request.call, status(500), START, &memory);
    assert_eq!(second.tick(after(10), &memory), []);
    fetch(&second.tick(after(1_001), &memory));
}

#[test]
fn shared_keys_are_believed_only_from_workers_with_the_same_secrets() {
    let memory = Memory::default();
    let mut ours = FactStore::new(&policy(by_jwks(), Some("secret")));
    let mut theirs = FactStore::new(&policy(by_jwks(), Some("another secret")));
    let request = fetch(&theirs.tick(START, &memory));
    theirs.answered(request.call, ok(key_set("forged")), START, &memory);
    let effects = ours.tick(after(1), &memory);
    assert!(!knows(&ours, "forged", after(1)));
    fetch(&effects);
}

#[test]
fn shared_keys_that_were_tampered_with_are_not_believed() {
    let memory = Memory::default();
    let _ = warm(&memory);
    let name = memory
        .0
        .borrow()
        .keys()
        .find(|name| name.contains("/keys/"))
        .cloned()
        .unwrap();
    let sealed = memory.read(&name).unwrap().0;
    for at in 0..sealed.len() {
        let mut forged = sealed.clone();
        forged[at] ^= 1;
        memory.write(&name, &forged, None);
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        store.tick(START, &memory);
        assert!(!knows(&store, "one", START), "byte {at}");
    }
    for length in 0..sealed.len() {
        memory.write(&name, &sealed[..length], None);
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        store.tick(START, &memory);
        assert!(!knows(&store, "one", START), "length {length}");
    }
    memory.write(&name, &sealed, None);
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    store.tick(START, &memory);
    assert!(knows(&store, "one", START));
}

#[test]
fn keys_of_the_future_and_of_the_past_are_not_adopted() {
    let memory = Memory::default();
    let _ = warm(&memory);
    for now in [UnixMillis(START.0 - 1), after(3_600_001)] {
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        store.tick(now, &memory);
        assert!(!knows(&store, "one", now));
    }
}

#[test]
fn without_a_secret_nothing_is_shared() {
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), None));
    let request = fetch(&store.tick(START, &memory));
    store.answered(request.call, ok(key_set("one")), START, &memory);
    assert!(knows(&store, "one", START));
    assert!(memory.0.borrow().is_empty());
}

#[test]
fn shared_memory_holds_no_secret() {
    let memory = Memory::default();
    let _ = warm(&memory);
    for (name, (value, _)) in memory.0.borrow().iter() {
        assert!(name.starts_with("n8n-idp-gate/"), "{name}");
        assert!(!value.windows(6).any(|bytes| bytes == b"secret"));
    }
}

#[test]
fn a_forged_lease_delays_a_fetch_by_little_more_than_a_minute() {
    let memory = Memory::default();
    let _ = warm(&memory);
    let lease = memory
        .0
        .borrow()
        .keys()
        .find(|name| name.contains("/lease/"))
        .cloned()
        .unwrap();
    for forged in [u64::MAX, START.0 + 300_000 + 71_000, 0] {
        memory.write(&lease, &forged.to_be_bytes(), None);
        let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
        assert_eq!(
            fetches(&store.tick(after(300_000), &memory)).len(),
            1,
            "{forged}"
        );
    }
    memory.write(&lease, b"odd", None);
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    assert_eq!(fetches(&store.tick(after(300_000), &memory)).len(), 1);
}

/// A year of a provider that does anything at all, in a few seconds: whatever happens, every
/// request that waits is woken within the time that a fetch may take, fetches are bounded, and
/// keys older than `max_stale` are never used.
#[test]
fn random_years_keep_the_promises() {
    for seed in 1..=20_u64 {
        random_year(seed);
    }
}

fn random_year(seed: u64) {
    let mut random = seed;
    let mut next = move |below: u64| {
        // Numbers of Knuth's linear congruential generator, for the tests to be repeatable.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let memory = Memory::default();
    let mut store = FactStore::new(&policy(by_jwks(), Some("secret")));
    let mut now = START;
    let mut under_way: Vec<CallId> = Vec::new();
    let mut waiting: BTreeMap<u32, UnixMillis> = BTreeMap::new();
    let mut last_good: Option<UnixMillis> = None;
    let mut fetched = 0_u64;
    let mut waiters = 0_u32;
    let mut misses = 0_u64;
    let begin = now;
    for _ in 0..20_000 {
        now = UnixMillis(now.0 + [1, 2, 500, 3_000, 60_000, 3_000_000][next(6) as usize]);
        let effects = match next(4) {
            0 if !under_way.is_empty() => {
                let call = under_way.remove(next(under_way.len() as u64) as usize);
                let answer = match next(4) {
                    0 => status(500),
                    1 => FetchAnswer::NoResponse,
                    2 => ok("<html>"),
                    _ => ok(key_set("one")),
                };
                let effects = store.answered(call, answer, now, &memory);
                if effects.contains(&Effect::Refreshed(THE_PROVIDER)) {
                    last_good = Some(now);
                }
                effects
            }
            1 => {
                waiters += 1;
                let facts = store.at(now);
                let fact = match facts.key_set(THE_PROVIDER) {
                    Availability::Pending => Some(Fact::KeySet(THE_PROVIDER)),
                    Availability::Known(_)
                        if facts.newer_keys(THE_PROVIDER) == NewerKeys::MayCome =>
                    {
                        misses += 1;
                        Some(Fact::NewerKeySet(THE_PROVIDER))
                    }
                    _ => None,
                };
                if let Some(fact) = fact {
                    store.wait(WaiterId(waiters), fact, now).unwrap();
                    waiting.insert(waiters, now);
                }
                Vec::new()
            }
            _ => {
                let effects = store.tick(now, &memory);
                let waited = |since: &UnixMillis| now.since(*since) <= Duration::from_secs(10);
                for (id, _) in woken(&effects) {
                    assert!(waiting.remove(&id).is_some(), "woken twice");
                }
                assert!(waiting.values().all(waited), "somebody waits for ever");
                effects
            }
        };
        for (id, _) in woken(&effects) {
            waiting.remove(&id);
        }
        for request in fetches(&effects) {
            fetched += 1;
            under_way.push(request.call);
        }
        if let Availability::Known(_) = store.at(now).key_set(THE_PROVIDER) {
            let good = last_good.expect("keys out of nowhere");
            assert!(now.since(good) <= freshness().max_stale, "stale keys");
        }
    }
    assert!(fetched > 100 && misses > 100, "the model exercises little");
    let seconds = now.since(begin).as_secs();
    assert!(fetched <= seconds + 1, "more than one fetch a second");
}
