//! The cost of the requests of `make counts`, in instructions of the module. It is pinned: a change that
//! moves one must update the file.

use crate::cases::{policy, Case, Outcome, CASES, NOW};
use crate::host::{Gate, Script};
use crate::pinned::{settle, Counted};
use crate::wasm;

/// How many requests are counted.
const REQUESTS: usize = 10;

#[test]
fn a_request_costs_what_is_pinned() {
    let wasm = wasm();
    let cases = CASES.map(|case| (case.name, vec![("steps", steps(&wasm, &case))]));
    let counted = Counted {
        what: "module",
        made_with: compiler(&wasm),
        is_all: true,
        cases: cases.to_vec(),
    };
    for (case, steps) in &counted.cases {
        println!("{case:<24}{steps:?}");
    }
    match settle(&counted) {
        Ok(why) => println!("{}", why.unwrap_or_default()),
        Err(changes) => panic!("{changes}"),
    }
}

/// The instructions of the module for one request of this case.
fn steps(wasm: &[u8], case: &Case) -> u64 {
    let script = Script {
        now: Some(NOW),
        signatures: Some(case.is_signature_good),
        is_quiet: !case.has_audit,
    };
    let mut gate = Gate::start_with(wasm, &policy().to_string(), script);
    let mut total = 0;
    for number in 0..case.before + REQUESTS {
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

/// What compiled the module: its name in the paths of the standard library.
fn compiler(wasm: &[u8]) -> String {
    let text = String::from_utf8_lossy(wasm);
    let hash = text.split("/rustc/").nth(1);
    let hash = hash.and_then(|path| path.get(..9)).unwrap_or("unknown");
    format!("rustc {hash}")
}
