//! The process that is counted: a worker that decides about requests of one case.

use n8n_idp_gate::http::header_map;
use n8n_idp_gate::worker::{load, Flow, Request, Worker};

use crate::cases::{policy, Case, Outcome};
use crate::host::Idle;
use crate::Failure;

/// Makes so many requests, and decides about the first of them. Allocations are counted by the
/// difference of two processes, so both must make equally many.
pub(crate) fn run(case: &Case, made: usize, counted: usize) -> Result<(), Failure> {
    let host = Idle::new(case);
    let policy = load(&host, policy().to_string().as_bytes()).ok_or("the policy was refused")?;
    let worker = Worker::new(host.clone(), 1, policy);
    host.has_started();
    for number in 0..case.before {
        host.receives(head(case, number));
        decide(&worker, &host);
    }

    let (asked, keys) = (host.asked(), host.keys());
    let mut gone_on: usize = 0;
    for number in 0..made {
        host.receives(head(case, case.before.wrapping_add(number)));
        if number < counted && counted_request(&worker, &host) {
            gone_on = gone_on.wrapping_add(1);
        }
    }
    let asked = host.asked().wrapping_sub(asked);
    let keys = host.keys().wrapping_sub(keys);
    let found = match host.status() {
        Some(status) if gone_on == 0 => Outcome::Refused(status),
        None if gone_on == counted && keys == counted => Outcome::Swapped,
        None if gone_on == counted && keys == 0 => Outcome::Passed,
        _ => return Err(format!("{gone_on} of {counted} went on, {keys} with a key").into()),
    };
    if found != case.outcome {
        return Err(format!("{}: {found:?}, not {:?}", case.name, case.outcome).into());
    }
    // A token that is new costs one question, and one that is known costs none.
    let is_new = (case.head)(0) != (case.head)(1);
    let expected = if is_new { counted } else { 0 };
    if asked != expected {
        return Err(format!("{}: {asked} signatures, not {expected}", case.name).into());
    }
    Ok(())
}

/// The header map of a request.
fn head(case: &Case, number: usize) -> Vec<u8> {
    let head = (case.head)(number);
    let pairs = head.iter();
    let pairs: Vec<_> = pairs.map(|(name, value)| (&**name, &**value)).collect();
    header_map::encode(&pairs)
}

/// What is counted: valgrind knows this function by its name.
#[inline(never)]
fn counted_request(worker: &Worker<Idle>, host: &Idle) -> bool {
    decide(worker, host)
}

/// Decides about the request that the host has received, as the adapter does in the host's callbacks.
/// Says whether it goes on.
fn decide(worker: &Worker<Idle>, host: &Idle) -> bool {
    const CONTEXT: u32 = 2;
    let mut request = Request::new(host.clone(), CONTEXT, Some(worker.clone()));
    request.head(true) == Flow::Continue && request.response_head() == Flow::Continue
}
