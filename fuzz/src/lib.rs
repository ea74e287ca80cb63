//! Fuzz targets: for every input an invariant holds, or the target panics.
//!
//! A target is a function of bytes. Two engines drive it: libFuzzer, guided by coverage
//! (`fuzz_targets/`, `make fuzz`), and the smoke test, which replays the seeds and mutates them
//! with a fixed sequence of random numbers (`tests/smoke.rs`, part of `make test`).

mod at_hand;
mod memory;
pub mod mutate;
mod oracle;
mod signed;
pub mod targets;
mod world;

#[path = "../../tests/support/mint.rs"]
mod mint;
