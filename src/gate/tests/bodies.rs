//! Requests that are held for their bodies.

use std::cell::RefCell;

use super::*;
use crate::gate::held_bodies::LONGEST_UNREPORTED;

const MAX_BYTES: usize = 16;

/// A check that stands for one of a signature over the body: only one body passes.
fn decided_by_body(request: Request<'_>) -> Decision {
    let outcome = match request.body(MAX_BYTES) {
        Ok(b"signed") => Outcome::Pass(Vec::new()),
        Ok(_) => Outcome::Reject(Reason::WebhookRequirement),
        Err(need) => Outcome::Await(need),
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
        use_once: None,
    }
}

/// The bodies that a host holds.
#[derive(Default)]
struct Bodies(RefCell<BTreeMap<WaiterId, Vec<u8>>>);

impl HeldBodies for Bodies {
    fn read(&self, request: WaiterId, length: usize) -> Option<Vec<u8>> {
        let bodies = self.0.borrow();
        let body = bodies.get(&request)?;
        body.get(..length.min(body.len())).map(<[u8]>::to_vec)
    }
}

struct Stage {
    gate: Gate,
    bodies: Bodies,
}

impl Stage {
    fn new() -> Self {
        let mut gate = gate();
        gate.decide = Some(decided_by_body);
        Self {
            gate,
            bodies: Bodies::default(),
        }
    }

    fn head(&mut self, id: u32, length: Option<usize>, body: RequestBody, address: &str) -> Step {
        let mut pairs = vec![
            (":method".to_owned(), b"POST".to_vec()),
            (":path".to_owned(), b"/webhook/orders".to_vec()),
            (":authority".to_owned(), b"n8n.example.com".to_vec()),
        ];
        let length = length.map(|length| length.to_string().into_bytes());
        pairs.extend(length.map(|length| ("content-length".to_owned(), length)));
        let host = HostView {
            now: START,
            memory: &NoMemory,
            bodies: &self.bodies,
            connections: &NoBodies,
        };
        let head = (RequestHead::new(pairs), body);
        let source = || Some(Source::new(address));
        self.gate.request_from(WaiterId(id), head, &host, source)
    }

    /// A request of unknown length begins.
    fn begins(&mut self, id: u32) {
        let step = self.head(id, None, RequestBody::Coming(0), "10.0.0.1");
        assert!(waits(&step), "{step:?}");
    }

    fn part(&mut self, id: u32, part: &[u8], is_end: bool) -> Option<Step> {
        let size = {
            let mut bodies = self.bodies.0.borrow_mut();
            let body = bodies.entry(WaiterId(id)).or_default();
            body.extend_from_slice(part);
            body.len()
        };
        let host = HostView {
            now: after(1),
            memory: &NoMemory,
            bodies: &self.bodies,
            connections: &NoBodies,
        };
        self.gate.body_part(WaiterId(id), Some(size), is_end, &host)
    }

    fn ends(&mut self, id: u32) -> Option<Step> {
        let host = HostView {
            now: after(1),
            memory: &NoMemory,
            bodies: &self.bodies,
            connections: &NoBodies,
        };
        self.gate.body_part(WaiterId(id), None, true, &host)
    }

    /// What is settled at this time, after a tick.
    fn later(&mut self, now: UnixMillis) -> Vec<(u32, String)> {
        self.gate.tick(now, &NoMemory);
        let settled = self.gate.settle_woken(&host_view(now));
        let settled = settled.into_iter();
        settled
            .map(|(id, settled)| (id.0, result(&settled)))
            .collect()
    }
}

fn result(settled: &Settled) -> String {
    match &settled.decision.outcome {
        Outcome::Pass(_) => "pass".to_owned(),
        Outcome::Reject(reason) => reason.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn settled_as(step: Option<Step>) -> String {
    match step {
        Some(Step::Settled(settled)) => result(&settled),
        other => panic!("not settled: {other:?}"),
    }
}

#[test]
fn a_request_goes_on_only_with_its_whole_body() {
    let mut stage = Stage::new();
    stage.begins(1);
    assert!(stage.part(1, b"sig", false).is_none());
    assert!(stage.gate.is_waiting(WaiterId(1)));
    assert!(stage.part(1, b"ned", false).is_none(), "more may come");
    assert_eq!(settled_as(stage.part(1, b"", true)), "pass");
    assert!(!stage.gate.is_waiting(WaiterId(1)));
    assert!(stage.part(1, b"", true).is_none(), "it is settled");
    assert!(stage.gate.bodies.is_empty());
}

#[test]
fn trailers_end_a_body_and_a_head_may_end_it_too() {
    let mut stage = Stage::new();
    stage.begins(1);
    stage.part(1, b"signed", false);
    assert_eq!(settled_as(stage.ends(1)), "pass");
    stage.begins(2);
    assert_eq!(settled_as(stage.part(2, b"", true)), "webhook_requirement");
    let step = stage.head(3, Some(0), RequestBody::None, "10.0.0.1");
    assert_eq!(settled_as(Some(step)), "webhook_requirement");
    // Envoy has no buffer for an empty body.
    stage.begins(4);
    assert_eq!(settled_as(stage.ends(4)), "webhook_requirement");
}

#[test]
fn a_body_that_is_too_long_is_refused_as_soon_as_that_is_known() {
    let mut stage = Stage::new();
    let announced = stage.head(1, Some(17), RequestBody::Coming(0), "10.0.0.1");
    assert_eq!(settled_as(Some(announced)), "body_too_large");
    let fits = stage.head(2, Some(16), RequestBody::Coming(0), "10.0.0.1");
    assert!(waits(&fits));
    assert!(stage.part(2, &[b'x'; 16], false).is_none());
    assert_eq!(settled_as(stage.part(2, b"", true)), "webhook_requirement");
    stage.begins(3);
    assert!(stage.part(3, &[b'x'; 16], false).is_none());
    assert_eq!(settled_as(stage.part(3, b"x", false)), "body_too_large");
    assert!(stage.part(3, b"x", true).is_none());
}

/// The host holds less than it has reported.
#[test]
fn a_body_that_the_host_does_not_give_decides_nothing() {
    let mut stage = Stage::new();
    stage.begins(1);
    stage.part(1, b"signed", false);
    stage.bodies.0.borrow_mut().clear();
    assert_eq!(settled_as(stage.ends(1)), "body_unavailable");
}

#[test]
fn a_slow_body_is_refused_in_the_end() {
    let mut stage = Stage::new();
    stage.begins(1);
    stage.part(1, b"sig", false);
    let end = START.saturating_add(LONGEST_BODY);
    assert!(stage.later(before(end)).is_empty());
    assert_eq!(stage.later(end), [(1, "body_timeout".to_owned())]);
    assert!(stage.part(1, b"ned", true).is_none());
}

/// A host that is not told to reports no body while the head is held. The client has sent its body.
#[test]
fn a_body_that_the_host_never_reports_is_not_the_fault_of_the_client() {
    let soon = START.saturating_add(LONGEST_UNREPORTED);
    let end = START.saturating_add(LONGEST_BODY);
    let mut stage = Stage::new();
    stage.head(1, Some(6), RequestBody::Coming(0), "10.0.0.1");
    assert!(stage.later(before(soon)).is_empty());
    assert_eq!(stage.later(soon), [(1, "body_unavailable".to_owned())]);
    // A client that announces none may still be about to send it.
    stage.begins(2);
    stage.head(3, Some(6), RequestBody::Coming(0), "10.0.0.1");
    stage.part(3, b"s", false);
    // The host reports bodies, so this client has sent none.
    stage.head(4, Some(6), RequestBody::Coming(0), "10.0.0.1");
    assert!(stage.later(before(end)).is_empty());
    let timeouts = [2, 3, 4].map(|id| (id, "body_timeout".to_owned()));
    assert_eq!(stage.later(end), timeouts);
}

#[test]
fn a_crowd_of_bodies_from_one_address_keeps_no_other_out() {
    let mut stage = Stage::new();
    let most = u32::try_from(MAX_HELD_BODIES).unwrap();
    for id in 0..most {
        stage.begins(id);
    }
    let own = stage.head(most, None, RequestBody::Coming(0), "10.0.0.1");
    assert_eq!(settled_as(Some(own)), "too_many_bodies");
    let other = stage.head(most + 1, None, RequestBody::Coming(0), "10.0.0.2");
    assert!(waits(&other));
    let displaced = [(most - 1, "too_many_bodies".to_owned())];
    assert_eq!(stage.later(after(2)), displaced);
    assert_eq!(settled_as(stage.part(most + 1, b"signed", true)), "pass");
}

#[test]
fn a_client_that_leaves_is_reported_and_forgotten() {
    let mut stage = Stage::new();
    stage.begins(1);
    let left = stage.gate.abandon(WaiterId(1), after(1)).unwrap();
    assert!(matches!(left.action(), Action::Reply(..)));
    assert!(stage.gate.bodies.is_empty());
    let end = START.saturating_add(LONGEST_BODY);
    assert!(stage.later(end).is_empty());
}
