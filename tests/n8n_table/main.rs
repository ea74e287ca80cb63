//! What this filter knows of n8n, held against what was asked of the real one.
//!
//! `tests/real/routing.json` says which handler of n8n 2.41.1 answers a path. The script beside it
//! proves that column with a running n8n, `routing` the other one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may stop at once when something is not as it needs it"
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
