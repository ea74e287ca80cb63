//! `n8n-idp-gate provision` against a scripted n8n.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "provision/desk.rs"]
mod desk;
#[path = "provision/keeping.rs"]
mod keeping;
#[path = "provision/listing.rs"]
mod listing;
#[path = "provision/log_in.rs"]
mod log_in;
#[path = "provision/making.rs"]
mod making;
#[path = "provision/rotation.rs"]
mod rotation;
#[path = "support/scripted_n8n.rs"]
mod scripted_n8n;
