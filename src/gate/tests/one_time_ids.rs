//! Requests with an id that may be used once.

use super::*;
use crate::decide::{IdDigest, UseOnce};

/// A check that stands for one of a signed delivery: the path names the id, and `/refused` is refused for
/// something else.
fn decided(request: Request<'_>) -> Decision {
    let path = request.head.path();
    let outcome = match request.head.query() {
        b"refused" => Outcome::Reject(Reason::WebhookRequirement),
        b"waits" => Outcome::Await(Need::Body { max_bytes: 16 }),
        _ => Outcome::Pass(Vec::new()),
    };
    Decision {
        outcome,
        record: Box::default(),
        remember: None,
        asked_about: None,
        revocation: None,
        embed: None,
        otherwise: None,
        not_shown: None,
        use_once: Some(Box::new(UseOnce {
            digest: IdDigest::of(&[path]),
            until: START.to_seconds().saturating_add(Duration::from_secs(60)),
            replayed: Reason::WebhookDenied,
            free_after_failure: false,
        })),
    }
}

fn result(gate: &mut Gate, target: &str, now: UnixMillis, memory: &dyn SharedMemory) -> String {
    let host = HostView {
        now,
        memory,
        bodies: &NoBodies,
        connections: &NoBodies,
    };
    let request = (bearing(target, ""), RequestBody::None);
    let Step::Settled(settled) = gate.request_from(WaiterId(1), request, &host, || None) else {
        panic!("waits");
    };
    match &settled.decision.outcome {
        Outcome::Pass(_) => "pass".to_owned(),
        Outcome::Reject(reason) => reason.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_second_request_with_an_id_is_refused_in_every_worker() {
    let memory = host::Memory::default();
    let mut gates = [(); 2].map(|()| {
        let mut gate = gate();
        gate.decide = Some(decided);
        gate
    });
    let [one, two] = &mut gates;
    assert_eq!(result(one, "/a", START, &memory), "pass");
    assert_eq!(result(one, "/a", START, &memory), "webhook_denied");
    assert_eq!(result(two, "/a", after(60_000), &memory), "webhook_denied");
    assert_eq!(result(two, "/b", START, &memory), "pass");
    assert_eq!(result(two, "/a", after(61_000), &memory), "pass");
}

#[test]
fn a_request_that_is_refused_uses_no_id() {
    let memory = host::Memory::default();
    let mut gate = gate();
    gate.decide = Some(decided);
    let refused = result(&mut gate, "/a?refused", START, &memory);
    assert_eq!(refused, "webhook_requirement");
    assert_eq!(result(&mut gate, "/a", START, &memory), "pass");
}

/// A log-in, for example, is a call of n8n.
#[test]
fn nothing_is_fetched_for_a_replay() {
    let memory = host::Memory::default();
    let mut gates = [(); 2].map(|()| {
        let mut gate = gate();
        gate.decide = Some(decided);
        gate
    });
    let [one, two] = &mut gates;
    let waits = result(two, "/a?waits", START, &memory);
    assert_eq!(waits, "body_unavailable", "it would wait");
    assert_eq!(result(one, "/a", START, &memory), "pass");
    assert_eq!(result(two, "/a?waits", START, &memory), "webhook_denied");
}

/// A replay could pass in another worker.
#[test]
fn without_shared_memory_an_id_cannot_be_used() {
    let mut gate = gate();
    gate.decide = Some(decided);
    let refused = result(&mut gate, "/a", START, &NoMemory);
    assert_eq!(refused, "too_many_used_ids");
}
