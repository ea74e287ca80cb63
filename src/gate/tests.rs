//! Requests that wait, are woken, are abandoned or wait without result.

mod bodies;
mod host;
mod jobs;
mod made_up;
mod one_time_ids;
mod pushed;
mod revoked;
mod waiting;

use serde_json::json;

use super::*;
use crate::config;
use crate::crypto::GuestCrypto;
use crate::decide::{ConnectionAttribute, HeaderEdit, Need, Outcome};
use crate::facts::Fact;
use crate::mint::{mint, KeyKind};
use crate::no_memory::without_memory;
use crate::reply::{LocalReply, Reason};
use crate::secret::Secret;

const START: UnixMillis = UnixMillis(1_800_000_000_000);

struct NoMemory;

without_memory!(NoMemory);

struct OneSecret;

impl config::Environment for OneSecret {
    fn secret(&self, _: &str) -> Option<Secret> {
        Some(Secret::new("the-secret-key".to_owned()))
    }
}

/// A host that holds no body.
struct NoBodies;

impl Connections for NoBodies {
    fn attribute(&self, _: WaiterId, _: ConnectionAttribute) -> Option<String> {
        None
    }
}

impl HeldBodies for NoBodies {
    fn read(&self, _: WaiterId, _: usize) -> Option<Vec<u8>> {
        None
    }
}

pub(super) const fn host_view(now: UnixMillis) -> HostView<'static> {
    HostView {
        now,
        memory: &NoMemory,
        bodies: &NoBodies,
        connections: &NoBodies,
    }
}

/// A gate without shared memory: the host refuses each write.
fn gate() -> Gate {
    let configuration = json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
            "cluster": "idp", "jwks_uri": "https://idp.example/jwks"}],
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
        "webhooks": [{"path": "/webhook/**", "auth": "bearer"}],
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &OneSecret).unwrap();
    Gate::new(loaded.policy, Box::new(GuestCrypto))
}

fn request(key_id: &str) -> RequestHead {
    let seconds = START.to_seconds().0;
    let claims = json!({"iss": "https://idp.example", "aud": "api", "sub": "app", "azp": "app",
        "exp": seconds.saturating_add(9000), "jti": "t"});
    let header = json!({"alg": "EdDSA", "kid": key_id});
    let token = mint(KeyKind::Ed25519).sign(&header, &claims);
    bearing("/api/v1/workflows?secret=query", &token)
}

fn bearing(path: &str, token: &str) -> RequestHead {
    let pairs = [
        (":method", "GET"),
        (":path", path),
        (":authority", "n8n.example.com"),
        ("authorization", &format!("Bearer {token}")),
    ];
    RequestHead::new(
        pairs
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .to_vec(),
    )
}

fn after(millis: u64) -> UnixMillis {
    START.saturating_add(Duration::from_millis(millis))
}

fn before(moment: UnixMillis) -> UnixMillis {
    UnixMillis(moment.0.saturating_sub(1))
}

fn keys(key_id: &str) -> CallResponse {
    let body = json!({"keys": [mint(KeyKind::Ed25519).jwk(key_id)]});
    CallResponse::Response {
        status: 200,
        headers: crate::facts::ResponseHeaders::default(),
        body: body.to_string().into_bytes(),
    }
}

fn waits(step: &Step) -> bool {
    matches!(step, Step::Waits { .. })
}

fn call(work: &[Work]) -> CallId {
    match work {
        [Work::Call(call)] => call.id,
        other => panic!("not one fetch: {other:?}"),
    }
}

/// Makes the calls of a gate, and those that follow from their responses.
fn respond(
    gate: &mut Gate,
    (now, memory): (UnixMillis, &dyn SharedMemory),
    mut response: impl FnMut(&str) -> CallResponse,
) {
    let mut work = gate.tick(now, memory);
    while let Some(item) = work.pop() {
        if let Work::Call(call) = item {
            let response = response(&call.request.endpoint.path);
            work.extend(gate.received(call.id, response, now, memory));
        }
    }
}

/// Which requests are settled now, and whether each goes on.
fn settled(gate: &mut Gate, now: UnixMillis) -> Vec<(u32, bool)> {
    let settled = gate.settle_woken(&host_view(now)).into_iter();
    settled
        .map(|(waiter, settled)| (waiter.0, matches!(settled.action(), Action::Continue(_))))
        .collect()
}

/// The address of the metadata in the challenge to a call of `path` without a token.
fn named_metadata(path: &str, host: &str) -> Option<String> {
    let pairs = [(":method", "GET"), (":path", path), (":authority", host)]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let Step::Settled(refused) =
        gate().request(WaiterId(1), RequestHead::new(pairs.to_vec()), START)
    else {
        panic!("waits");
    };
    let Action::Reply(_, reply) = refused.action() else {
        panic!("let through");
    };
    let mut headers = reply.headers.iter();
    let (_, challenge) = headers
        .find(|(name, _)| *name == "www-authenticate")
        .expect("a challenge");
    let (_, named) = challenge.split_once("resource_metadata=\"")?;
    named.strip_suffix('"').map(str::to_owned)
}

#[test]
fn a_challenge_names_the_metadata_of_its_own_resource() {
    let named = |path| named_metadata(path, "n8n.example.com:8080");
    let metadata = |path: &str| {
        Some(format!(
            "http://n8n.example.com:8080/.well-known/oauth-protected-resource{path}"
        ))
    };
    assert_eq!(named("/api/v1/workflows?x=1"), metadata("/api/v1"));
    assert_eq!(named("/webhook/orders?x=1"), metadata("/webhook/orders"));
    assert_eq!(named("/webhook-test/a/b/"), metadata("/webhook-test/a/b/"));
}

#[test]
fn what_a_client_sent_and_could_end_a_header_is_not_in_the_challenge() {
    for path in ["/webhook/a%22b", "/webhook/a\"b", "/webhook/a,b=c"] {
        assert_eq!(named_metadata(path, "n8n.example.com"), None, "{path}");
    }
    let long = format!("/webhook/{}", "a".repeat(512));
    assert_eq!(named_metadata(&long, "n8n.example.com"), None);
    for host in ["a\"b", "a@b", "a, b", ""] {
        assert_eq!(named_metadata("/webhook/orders", host), None, "{host}");
        assert_eq!(named_metadata("/api/v1/workflows", host), None, "{host}");
    }
}

/// An access log may show the head of a request that is refused or abandoned.
#[test]
fn made_up_identity_headers_are_removed_at_once_whatever_the_outcome() {
    let mut gate = gate();
    let made_up = |head: RequestHead| {
        let pairs = head
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_vec()));
        let made_up = [("x-auth-client", "app"), ("X_Auth_Subject", "root")];
        let made_up = made_up.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        RequestHead::new(pairs.chain(made_up))
    };
    let removals =
        ["x-auth-client", "X_Auth_Subject"].map(|name| HeaderEdit::Remove(name.to_owned()));
    let step = gate.request(WaiterId(1), made_up(request("one")), START);
    let Step::Waits { edits, .. } = step else {
        panic!("{step:?}");
    };
    assert_eq!(edits, removals);
    let step = gate.request(WaiterId(2), made_up(bearing("/webhook//x", "t")), START);
    let Step::Settled(refused) = step else {
        panic!("{step:?}");
    };
    let Action::Reply(edits, reply) = refused.action() else {
        panic!("let through");
    };
    assert_eq!((edits, reply.status), (&removals[..], 400));
}

/// For each settled request the host reports further events from within.
#[test]
fn a_crowd_is_settled_a_few_at_a_time_in_its_order() {
    let mut gate = gate();
    for id in 0..50 {
        assert!(waits(&gate.request(WaiterId(id), request("one"), START)));
    }
    let call = call(&gate.tick(after(2), &NoMemory));
    gate.received(call, keys("one"), after(9), &NoMemory);
    gate.abandon(WaiterId(3), after(9));
    let mut order = Vec::new();
    let mut calls = 0;
    while gate.tick_period() == BUSY_TICK {
        let now = settled(&mut gate, after(10 + calls));
        assert!(now.len() <= MAX_SETTLED, "{now:?}");
        assert!(now.iter().all(|(_, goes_on)| *goes_on));
        order.extend(now.into_iter().map(|(id, _)| id));
        calls += 1;
        assert!(calls < 10, "{order:?}");
    }
    let expected: Vec<u32> = (0..50).filter(|id| *id != 3).collect();
    assert_eq!(order, expected);
}

#[test]
fn requests_that_wait_are_decided_when_the_keys_come() {
    let mut gate = gate();
    for id in [1, 2, 3] {
        assert!(waits(&gate.request(WaiterId(id), request("one"), START)));
    }
    let abandoned = gate.abandon(WaiterId(2), after(1)).expect("it waited");
    assert!(abandoned.audit().contains("\"decision\":\"abandoned\""));
    assert!(gate.abandon(WaiterId(2), after(1)).is_none());
    assert_eq!(gate.tick_period(), BUSY_TICK);
    let call = call(&gate.tick(after(2), &NoMemory));
    gate.received(call, keys("one"), after(9), &NoMemory);
    assert_eq!(settled(&mut gate, after(9)), [(1, true), (3, true)]);
    assert_eq!(gate.tick_period(), QUIET_TICK);
    assert!(matches!(
        gate.request(WaiterId(4), request("one"), after(10)),
        Step::Settled(_)
    ));
}

#[test]
fn requests_whose_fetch_fails_are_refused_for_that() {
    let mut gate = gate();
    assert!(waits(&gate.request(WaiterId(1), request("one"), START)));
    let call = call(&gate.tick(after(2), &NoMemory));
    gate.received(call, CallResponse::NoResponse, after(9), &NoMemory);
    assert_eq!(settled(&mut gate, after(9)), [(1, false)]);
    let Step::Settled(refused) = gate.request(WaiterId(2), request("one"), after(10)) else {
        panic!("waits for a provider that is not asked");
    };
    let Action::Reply(_, reply) = refused.action() else {
        panic!("let through without keys");
    };
    assert_eq!(reply.status, 503);
    assert!(refused.audit().contains("\"reason\":\"keys_unavailable\""));
}

#[test]
fn a_key_that_the_provider_adds_is_learned_by_the_first_token_that_names_it() {
    let mut gate = gate();
    let first = call(&gate.tick(START, &NoMemory));
    gate.received(first, keys("one"), START, &NoMemory);
    let step = gate.request(WaiterId(1), request("two"), after(1));
    assert!(matches!(
        step,
        Step::Waits {
            need: Some(Need::Fact(Fact::NewerKeySet(..))),
            ..
        }
    ));
    let second = call(&gate.tick(after(3), &NoMemory));
    gate.received(second, keys("two"), after(9), &NoMemory);
    assert_eq!(settled(&mut gate, after(9)), [(1, true)]);
    let Step::Settled(refused) = gate.request(WaiterId(2), request("three"), after(10)) else {
        panic!("a second fetch at once");
    };
    assert!(refused.audit().contains("\"reason\":\"keys_not_current\""));
    let Action::Reply(_, reply) = refused.action() else {
        panic!("let through");
    };
    assert_eq!(reply.status, 503);
    assert!(reply.headers.contains(&("retry-after", "3".into())));
}

/// The token is good: the provider changed its key and kept the key id.
#[test]
fn a_key_that_changed_under_its_id_is_learned_by_the_first_token_that_it_signed() {
    let mut gate = gate();
    let first = call(&gate.tick(START, &NoMemory));
    let other = crate::mint::Mint::generate(KeyKind::Ed25519);
    let before = crate::mint::jwk_set(&[other.jwk("one")]);
    let response = CallResponse::Response {
        status: 200,
        headers: crate::facts::ResponseHeaders::default(),
        body: before,
    };
    gate.received(first, response, START, &NoMemory);
    assert!(waits(&gate.request(WaiterId(1), request("one"), after(1))));
    let second = call(&gate.tick(after(3), &NoMemory));
    gate.received(second, keys("one"), after(9), &NoMemory);
    assert_eq!(settled(&mut gate, after(9)), [(1, true)]);
    // A forged token waits once at most, and is refused for its signature.
    let forged = other.sign(
        &json!({"alg": "EdDSA", "kid": "one"}),
        &json!({"iss": "https://idp.example", "aud": "api", "exp": START.to_seconds().0 + 9000}),
    );
    let forged = || bearing("/api/v1/workflows", &forged);
    let refused = |step| {
        let Step::Settled(refused) = step else {
            panic!("it waits");
        };
        let audit = refused.audit();
        assert!(audit.contains("\"reason\":\"bad_signature\""), "{audit}");
    };
    refused(gate.request(WaiterId(2), forged(), after(10)));
    assert!(waits(&gate.request(WaiterId(3), forged(), after(4_000))));
    let third = call(&gate.tick(after(4_002), &NoMemory));
    gate.received(third, CallResponse::NoResponse, after(9_000), &NoMemory);
    let [(WaiterId(3), ended)] = &gate.settle_woken(&host_view(after(9_000)))[..] else {
        panic!("it waits on");
    };
    let audit = ended.audit();
    assert!(audit.contains("\"reason\":\"bad_signature\""), "{audit}");
    refused(gate.request(WaiterId(4), forged(), after(9_001)));
}

#[test]
fn a_key_set_without_the_key_of_a_token_is_fetched_once_more_only() {
    let mut gate = gate();
    let first = call(&gate.tick(before(START), &NoMemory));
    assert!(waits(&gate.request(WaiterId(1), request("unknown"), START)));
    let mut now = after(2);
    let mut fetches = 1;
    let mut ended = None;
    let mut under_way = Some((first, START));
    while ended.is_none() && now < after(60_000) {
        let work = match under_way {
            // Each fetch takes four seconds and brings the same keys.
            Some((call, begun)) if now.since(begun) >= Duration::from_secs(4) => {
                under_way = None;
                gate.received(call, keys("one"), now, &NoMemory)
            }
            _ => gate.tick(now, &NoMemory),
        };
        for item in &work {
            if let Work::Call(fetch) = item {
                fetches += 1;
                under_way = Some((fetch.id, now));
            }
        }
        let settled = settled(&mut gate, now);
        ended = settled.first().map(|(_, went_on)| (now, *went_on));
        now = now.saturating_add(Duration::from_millis(50));
    }
    let (at, went_on) = ended.expect("it waits for ever");
    assert!(!went_on);
    assert!(at <= after(10_100), "{at:?}");
    assert_eq!(fetches, 2, "one for the keys, one for the unknown key");
}

/// The fetch began after the request, so the provider does not publish its key.
#[test]
fn a_request_that_waits_for_the_first_keys_is_refused_if_its_key_is_not_there() {
    let mut gate = gate();
    assert!(waits(&gate.request(WaiterId(1), request("unknown"), START)));
    let call = call(&gate.tick(START, &NoMemory));
    gate.received(call, keys("one"), after(4_000), &NoMemory);
    let settled = gate.settle_woken(&host_view(after(4_000)));
    assert!(settled[0]
        .1
        .audit()
        .contains("\"reason\":\"unknown_key_id\""));
}

#[test]
fn the_audit_record_names_the_caller_and_holds_no_secret() {
    let mut gate = gate();
    let first = call(&gate.tick(START, &NoMemory));
    gate.received(first, keys("one"), START, &NoMemory);
    let Step::Settled(done) = gate.request(WaiterId(1), request("one"), START) else {
        panic!("waits");
    };
    let record: serde_json::Value = serde_json::from_str(&done.audit()).unwrap();
    assert_eq!(
        record,
        json!({
            "v": 1, "time": "2027-01-15T08:00:00.000Z", "decision": "forward", "surface": "public_api",
            "operation": "workflow:list", "provider": "idp", "iss": "https://idp.example",
            "sub": "app", "client": "app", "kind": "app", "jti": "t", "principal": "app",
            "credential": "bearer", "host": "n8n.example.com",
            "cache": "miss", "crypto": "guest", "method": "GET", "path": "/api/v1/workflows",
        })
    );
    let Step::Settled(again) = gate.request(WaiterId(2), request("one"), after(1)) else {
        panic!("waits");
    };
    let mut hit = record;
    hit["time"] = json!("2027-01-15T08:00:00.001Z");
    hit["cache"] = json!("hit");
    hit.as_object_mut().unwrap().remove("crypto");
    let record: serde_json::Value = serde_json::from_str(&again.audit()).unwrap();
    assert_eq!(record, hit);
    for text in [done.audit(), format!("{:?}", done.decision)] {
        assert!(
            !text.contains("the-secret-key") && !text.contains("secret=query"),
            "{text}"
        );
        assert!(!text.contains("eyJ"), "a token: {text}");
    }
}

#[test]
fn the_audit_record_has_the_claims_of_a_refused_token_as_unverified() {
    let mut gate = gate();
    let first = call(&gate.tick(START, &NoMemory));
    gate.received(first, keys("one"), START, &NoMemory);
    let late = after(100_000_000);
    let again = call(&gate.tick(late, &NoMemory));
    gate.received(again, keys("one"), late, &NoMemory);
    let Step::Settled(refused) = gate.request(WaiterId(1), request("one"), late) else {
        panic!("waits");
    };
    let record: serde_json::Value = serde_json::from_str(&refused.audit()).unwrap();
    assert_eq!(record["reason"], "expired");
    assert_eq!(
        record["claimed"],
        json!({"iss": "https://idp.example", "aud": "api", "sub": "app", "client": "app",
            "kid": "one"})
    );
    for name in ["iss", "sub", "client", "principal"] {
        assert_eq!(record[name], json!(null), "{name} is not known");
    }
}

/// A gate with a provider that introspects opaque tokens, and has no keys.
fn introspecting_gate() -> Gate {
    let configuration = json!({
        "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
            "introspection": {"uri": "https://idp.example/introspect", "cluster": "idp",
                "client_id": "gate", "client_secret": {"env": "SECRET"}}}],
        "principals": [{"name": "app", "match": {"client": "app"}, "grant": ["*"],
            "api_key": {"env": "KEY"}}],
    });
    let loaded = config::load(configuration.to_string().as_bytes(), &OneSecret).unwrap();
    Gate::new(loaded.policy, Box::new(GuestCrypto))
}

fn opaque(token: &str) -> RequestHead {
    bearing("/api/v1/workflows", token)
}

fn token_status(active: bool) -> CallResponse {
    let body = json!({"active": active, "aud": "api", "client_id": "app",
        "token_type": "Bearer"});
    CallResponse::Response {
        status: 200,
        headers: crate::facts::ResponseHeaders::new(vec![(
            "content-type".to_owned(),
            b"application/json".to_vec(),
        )]),
        body: body.to_string().into_bytes(),
    }
}

#[test]
fn the_token_of_the_waiting_request_is_introspected() {
    let mut gate = introspecting_gate();
    for (id, token) in [(1, "first"), (2, "second"), (3, "first")] {
        assert!(waits(&gate.request(WaiterId(id), opaque(token), START)));
    }
    // The third request needs a call for its own token now.
    gate.abandon(WaiterId(1), after(1));
    let work = gate.tick(after(2), &NoMemory);
    let asked: Vec<_> = work
        .iter()
        .map(|item| match item {
            Work::Call(call) => {
                let form = call
                    .request
                    .body
                    .as_ref()
                    .map(|body| body.content().expose());
                (call.id, form.unwrap_or_default().to_owned())
            }
            Work::Report(event) => panic!("no call: {event:?}"),
        })
        .collect();
    let form = |token| format!("token={token}&token_type_hint=access_token");
    assert_eq!(asked[0].1, form("second"));
    assert_eq!(asked[1].1, form("first"));
    gate.received(asked[0].0, token_status(false), after(3), &NoMemory);
    assert_eq!(settled(&mut gate, after(3)), [(2, false)]);
    gate.received(asked[1].0, token_status(true), after(4), &NoMemory);
    assert_eq!(settled(&mut gate, after(4)), [(3, true)]);
    for (millis, passes) in [(5, true), (59_000, true)] {
        let Step::Settled(settled) = gate.request(WaiterId(4), opaque("first"), after(millis))
        else {
            panic!("asked again after {millis} ms");
        };
        assert_eq!(matches!(settled.action(), Action::Continue(_)), passes);
    }
    assert!(waits(&gate.request(
        WaiterId(5),
        opaque("first"),
        after(60_004)
    )));
}

#[test]
fn a_request_whose_introspection_fails_is_refused_for_that() {
    let mut gate = introspecting_gate();
    assert!(waits(&gate.request(WaiterId(1), opaque("first"), START)));
    let call = call(&gate.tick(after(2), &NoMemory));
    gate.received(call, CallResponse::NoResponse, after(3), &NoMemory);
    let settled = gate.settle_woken(&host_view(after(3)));
    let [(WaiterId(1), settled)] = settled.as_slice() else {
        panic!("{settled:?}");
    };
    let audit = settled.audit();
    assert!(
        audit.contains("\"reason\":\"introspection_unavailable\""),
        "{audit}"
    );
    assert!(audit.contains("\"fault\":\"no_response\""), "{audit}");
    assert!(!audit.contains("first"), "{audit}");
}
