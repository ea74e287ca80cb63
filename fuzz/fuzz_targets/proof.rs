#![no_main]
//! libFuzzer drives the target `proof`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| n8n_idp_gate_fuzz::targets::proof::run(data));
