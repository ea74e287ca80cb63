//! The gate in a real Envoy, between a provider that a test scripts and an upstream that records
//! requests.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails at the first unexpected value"
)]

#[path = "../conformance/vectors.rs"]
mod vectors;

#[path = "../support/mint.rs"]
mod mint;
#[path = "../support/mod.rs"]
mod support;

mod access_log;
mod alerts;
mod audit;
mod bound;
mod browsers;
mod callers;
mod chat_and_agents;
mod compose;
mod configuration;
mod crowd;
mod crypto;
mod escapes;
mod examples;
mod fairness;
mod faults;
mod gate;
mod heads;
mod held;
mod host_calls;
mod host_crypto;
mod hygiene;
mod instances;
mod internal_api;
mod introspection;
mod keys;
mod later_filters;
mod limits;
mod metadata;
mod minted;
mod names;
mod neighbours;
mod observation;
mod oci;
mod path_prefix;
mod public_api;
mod pushed;
mod replay;
mod scenario;
mod shadow;
mod shipped;
mod shipped_gate;
mod signed;
mod streams;
mod upstream_keys;
mod useless_sets;
mod vendors;
mod webhooks;
mod yaml;
