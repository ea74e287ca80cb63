//! How much memory the module takes, and that requests do not make it grow. A WebAssembly memory
//! never shrinks, so what each request leaves behind adds up until Envoy is killed.
//!
//! The token cache, which fills up to a bound of its own, is left out: one token is used. Its bound
//! is measured by the benchmark, with distinct tokens.

use serde_json::json;

use crate::host::Gate;
use crate::requests::{self, kinds, Kind};
use crate::{bound, policy, token, wasm, LONGEST, SIZES};

/// The most pages of 64 KiB at the start: 16 of them are the stack (1 MiB, the linker's default),
/// the rest is the tables of the module and its configuration.
const AT_START: u64 = 20;

/// The most pages that requests add once: copies of the longest head (60 KiB) as the host hands it
/// over, as pairs, and as the paths that are read in several ways.
const FOR_REQUESTS: u64 = 16;

/// How often all requests are sent again.
const ROUNDS: usize = 20;

#[test]
fn requests_leave_the_memory_of_the_module_as_it_is() {
    let token = token();
    let webhooks = json!([{ "path": "/webhook/**", "auth": "bearer" }]);
    let mut gate = Gate::start(&wasm(), &policy(&webhooks, &json!({})));
    let at_start = gate.pages();
    assert!(at_start <= AT_START, "{at_start} pages at the start");

    // A sample of all kinds: the interpreter is slow.
    let kinds: Vec<Kind> = kinds(true, &token).into_iter().step_by(9).collect();
    let api = requests::api(&token);
    assert_eq!(gate.send(&api, u64::from(u32::MAX)).status, None);
    let send = |gate: &mut Gate, size| {
        for kind in &kinds {
            let head = (kind.head)(size);
            gate.send(&head, 4 * bound(&head));
        }
        gate.send(&api, 4 * bound(&api));
    };
    send(&mut gate, LONGEST);
    let before = gate.pages();
    assert!(
        before <= at_start + FOR_REQUESTS,
        "{at_start} pages at the start, {before} after the longest requests"
    );
    for _ in 0..ROUNDS {
        send(&mut gate, SIZES[0]);
    }
    send(&mut gate, LONGEST);
    let (after, count) = (gate.pages(), kinds.len() * (ROUNDS + 2));
    assert_eq!(after, before, "pages before and after {count} requests");
}
