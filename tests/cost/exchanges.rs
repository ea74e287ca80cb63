//! Requests of `make counts`, sent through the compiled module.

use crate::cases::{policy, Case, Outcome, NOW};
use crate::host::{Gate, Script};

/// How many requests are counted.
const REQUESTS: usize = 10;

/// Sends the requests of this case, and returns the instructions of the module for one of them. An instrumented
/// module says of each of its branches whether it is taken.
pub(crate) fn run(wasm: &[u8], case: &Case, on_branch: fn(usize, bool)) -> u64 {
    let script = Script {
        now: Some(NOW),
        signatures: Some(case.is_signature_good),
        is_quiet: !case.has_audit,
    };
    let mut gate = Gate::start_with(wasm, &policy().to_string(), script);
    let mut total = 0;
    for number in 0..case.before + REQUESTS {
        if number == case.before {
            gate.watch_branches(on_branch);
        }
        let keys = gate.keys();
        let head = (case.head)(number).into_iter();
        let head = head.map(|(name, value)| (name, value.into_bytes()));
        let sent = gate.exchange(&head.collect());
        let outcome = match (sent.status, gate.keys() - keys) {
            (None, 0) => Outcome::Passed,
            (None, _) => Outcome::Swapped,
            (Some(status), _) => Outcome::Refused(u16::try_from(status).unwrap()),
        };
        assert_eq!(outcome, case.outcome, "{}: {}", case.name, gate.logged());
        if number >= case.before {
            total += sent.steps;
        }
    }
    total / REQUESTS as u64
}
