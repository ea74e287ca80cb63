//! The cost of the requests of `make counts`, in instructions of the module. It is pinned: a change that
//! moves one must update the file.

use crate::cases::CASES;
use crate::exchanges::run;
use crate::pinned::{settle, Counted};
use crate::wasm;

#[test]
fn a_request_costs_what_is_pinned() {
    let wasm = wasm();
    let cases = CASES.map(|case| (case.name, vec![("steps", run(&wasm, &case, |_, _| {}))]));
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

/// What compiled the module: its name in the paths of the standard library.
fn compiler(wasm: &[u8]) -> String {
    let text = String::from_utf8_lossy(wasm);
    let hash = text.split("/rustc/").nth(1);
    let hash = hash.and_then(|path| path.get(..9)).unwrap_or("unknown");
    format!("rustc {hash}")
}
