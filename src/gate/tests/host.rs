//! What a worker asks the gate, and what it reports.

use std::cell::RefCell;

use super::*;
use crate::policy::ProviderId;

fn reply(step: Step) -> (LocalReply, String) {
    let Step::Settled(settled) = step else {
        panic!("waits");
    };
    let audit = settled.audit();
    match settled.action() {
        Action::Reply(_, reply) => (reply.clone(), audit),
        Action::Continue(_) => panic!("let through: {audit}"),
    }
}

#[test]
fn a_gate_without_waiting_requests_ticks_slowly_after_the_first_tick() {
    let mut gate = gate();
    assert_eq!(gate.tick_period(), BUSY_TICK, "the keys must be fetched");
    gate.tick(START, &NoMemory);
    assert_eq!(gate.tick_period(), QUIET_TICK);
    assert!(!gate.is_waiting(WaiterId(1)));
    assert!(waits(&gate.request(WaiterId(1), request("one"), START)));
    assert!(gate.is_waiting(WaiterId(1)));
    assert!(!gate.is_waiting(WaiterId(2)));
    assert_eq!(gate.tick_period(), BUSY_TICK);
    gate.abandon(WaiterId(1), after(1)).expect("it waited");
    assert!(!gate.is_waiting(WaiterId(1)));
    assert_eq!(gate.tick_period(), QUIET_TICK);
}

#[test]
fn a_request_without_a_slot_to_wait_in_is_refused_for_that() {
    let mut gate = gate();
    for id in 0..1024 {
        assert!(waits(&gate.request(WaiterId(id), request("one"), START)));
    }
    let step = gate.request(WaiterId(1024), request("one"), START);
    let (reply, audit) = reply(step);
    assert_eq!(reply.status, 503);
    assert!(audit.contains("\"reason\":\"too_many_waiting\""), "{audit}");
    assert!(!gate.is_waiting(WaiterId(1024)));
}

#[test]
fn a_request_that_the_host_did_not_change_is_reported_as_refused() {
    let mut gate = gate();
    let first = call(&gate.tick(START, &NoMemory));
    gate.received(first, keys("one"), START, &NoMemory);
    let Step::Settled(mut settled) = gate.request(WaiterId(1), request("one"), START) else {
        panic!("waits");
    };
    assert!(matches!(settled.action(), Action::Continue(_)));
    settled.host_failed();
    let audit = settled.audit();
    assert!(audit.contains("\"decision\":\"reject\""), "{audit}");
    assert!(audit.contains("\"reason\":\"host_failure\""), "{audit}");
}

#[test]
fn a_refusal_repeats_the_id_of_its_request() {
    let pairs = [
        (":method", "GET"),
        (":path", "/api/v1/workflows"),
        (":authority", "n8n.example.com"),
        ("x-request-id", "3f2-77"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let step = gate().request(WaiterId(1), RequestHead::new(pairs.to_vec()), START);
    let (reply, audit) = reply(step);
    assert!(
        reply.body.contains("\"request_id\":\"3f2-77\""),
        "{reply:?}"
    );
    assert!(audit.contains("\"request_id\":\"3f2-77\""), "{audit}");
}

#[test]
fn the_age_and_the_number_of_keys_are_known_with_and_without_keys() {
    let mut gate = gate();
    let ages = |gate: &Gate, now| {
        let ages = gate.key_set_ages(now);
        ages.map(|(name, age)| (name.to_owned(), age))
            .collect::<Vec<_>>()
    };
    let first = call(&gate.tick(START, &NoMemory));
    gate.tick(after(2000), &NoMemory);
    let missed_for = Duration::from_secs(2);
    assert_eq!(ages(&gate, after(2000)), [("idp".to_owned(), missed_for)]);
    let usable = |gate: &Gate, now| {
        let counts = gate.key_counts(now);
        counts
            .map(|(name, count)| (name.to_owned(), count.usable, count.skipped))
            .collect::<Vec<_>>()
    };
    assert_eq!(usable(&gate, after(2000)), [("idp".to_owned(), 0, 0)]);
    gate.received(first, keys("one"), START, &NoMemory);
    let age = Duration::from_secs(9);
    assert_eq!(ages(&gate, after(9000)), [("idp".to_owned(), age)]);
    assert_eq!(usable(&gate, after(9000)), [("idp".to_owned(), 1, 0)]);
    assert_eq!(gate.provider_name(ProviderId(0)), "idp");
    assert_eq!(gate.provider_name(ProviderId(1)), "none");
}

/// Shared memory in which each worker can write.
#[derive(Default)]
pub(super) struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl Memory {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

impl SharedMemory for Memory {
    fn read(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        self.0.borrow().get(name).cloned()
    }

    fn write(&self, name: &str, value: &[u8], version: Option<u32>) -> bool {
        let mut values = self.0.borrow_mut();
        let known = values.get(name).map_or(0, |(_, version)| *version);
        if version.is_some_and(|version| version != known) {
            return false;
        }
        values.insert(name.to_owned(), (value.to_vec(), known.saturating_add(1)));
        true
    }

    fn create(&self, name: &str, value: &[u8]) -> bool {
        self.read(name).is_none() && self.write(name, value, None)
    }
}

/// Another worker does not wait until the fetch of a closed worker would have failed.
#[test]
fn a_gate_that_is_closed_leaves_its_fetch_to_another() {
    let memory = Memory::default();
    let mut first = gate();
    call(&first.tick(START, &memory));
    let mut second = gate();
    assert!(second.tick(after(1), &memory).is_empty(), "it is fetched");
    first.close(&memory);
    call(&second.tick(after(2), &memory));
}
