//! What the command line says about a request: `n8n-idp-gate explain`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "../support/mint.rs"]
mod mint;

mod desk;
mod inputs;
mod output;
mod shadow;
