#![no_main]
//! libFuzzer drives the target `event`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| n8n_idp_gate_fuzz::targets::event::run(data));
