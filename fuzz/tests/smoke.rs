//! Every target on its seeds and on mutations of them.
//!
//! The sequence of mutations is fixed, so that a failure repeats. `FUZZ_ITERATIONS` multiplies
//! their number. The input that failed is kept in `fuzz/artifacts/<target>/smoke`; as a seed it
//! becomes a regression test.

#![allow(
    clippy::disallowed_methods,
    reason = "this test has no secrets to read, and one number to be told"
)]

use std::panic::{catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use n8n_idp_gate_fuzz::mutate::{mutated, Random};
use n8n_idp_gate_fuzz::targets::{self, Target};

/// The root of this crate.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The seeds of a target in the order of their names.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = root().join("seeds").join(name);
    let entries = std::fs::read_dir(&folder).expect("a folder of seeds");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let seeds: Vec<_> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    seeds
}

fn try_input((name, run): Target, input: &[u8]) {
    if let Err(panic) = catch_unwind(|| run(input)) {
        let folder = root().join("artifacts").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("smoke"), input).unwrap();
        eprintln!("the target {name} fails for: {}", input.escape_ascii());
        resume_unwind(panic);
    }
}

fn smoke(name: &str, iterations: usize) {
    let mut all = targets::ALL.into_iter();
    let target = all.find(|(other, _)| *other == name).expect("a target");
    let seeds = seeds(name);
    for seed in &seeds {
        try_input(target, seed);
    }
    let factor = std::env::var("FUZZ_ITERATIONS").map_or(1, |text| text.parse().expect("a number"));
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    for _ in 0..iterations * factor {
        try_input(target, &mutated(&seeds, &mut random));
    }
}

#[test]
fn every_configuration_is_read_or_refused_and_alike_in_every_form() {
    smoke("configuration", 4_000);
}

#[test]
fn no_delivery_is_good_that_its_sender_did_not_sign() {
    smoke("delivery", 20_000);
}

#[test]
fn no_discovery_document_of_another_issuer_leads_to_keys() {
    smoke("discovery", 20_000);
}

#[test]
fn no_event_is_accepted_that_the_provider_did_not_sign_as_one() {
    smoke("event", 4_000);
}

#[test]
fn the_gate_settles_each_request_once_and_forwards_verified_tokens_only() {
    smoke("gate", 1_500);
}

#[test]
fn no_head_is_forwarded_without_a_verified_token() {
    smoke("head", 8_000);
}

#[test]
fn every_spelling_of_a_host_has_one_name() {
    smoke("host", 40_000);
}

#[test]
fn no_introspection_response_makes_a_token_active_unless_it_says_so() {
    smoke("introspection", 20_000);
}

#[test]
fn a_key_set_has_bounds_and_its_keys_survive_being_shared() {
    smoke("jwks", 4_000);
}

#[test]
fn no_reading_of_a_path_leads_past_the_gate() {
    smoke("path", 20_000);
}

#[test]
fn only_the_client_makes_proofs_that_are_accepted() {
    smoke("proof", 8_000);
}

#[test]
fn what_is_in_shared_memory_is_believed_only_from_workers_of_the_gate() {
    smoke("shared", 3_000);
}

#[test]
fn only_tokens_that_the_provider_signed_are_verified() {
    smoke("token", 8_000);
}

#[test]
fn every_target_has_seeds_and_a_smoke_test() {
    let source = include_str!("smoke.rs");
    for (name, _) in targets::ALL {
        assert!(!seeds(name).is_empty());
        assert!(source.contains(&format!("smoke(\"{name}\"")), "{name}");
    }
}
