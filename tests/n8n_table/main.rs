//! Compares the filter's tables of n8n with the behaviour of a real n8n.
//!
//! `tests/real/routing.json` names the handler of n8n 2.41.1 for each path. The script beside it
//! checks that column with a running n8n; `routing` checks the other one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails at the first unexpected value"
)]

mod hops;
mod operations;
mod routing;

use n8n_idp_gate::n8n::Surface;

const fn is_guarded(surface: Surface) -> bool {
    matches!(
        surface,
        Surface::PublicApi
            | Surface::Webhook
            | Surface::WebhookTest
            | Surface::WebhookWaiting
            | Surface::Form
            | Surface::Chat
            | Surface::Agent
            | Surface::Mcp
            | Surface::Metrics
    )
}
