#![no_main]
//! libFuzzer drives the target `introspection`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| n8n_idp_gate_fuzz::targets::introspection::run(data));
