//! An HTTP filter for Envoy that lets callers use their identity provider's tokens on n8n.
//!
//! The decision is a pure function of the request, the policy, the facts known so far and the
//! time. What has to be fetched lives in one store of facts. A thin shell reads bytes from the
//! host and performs effects; it decides nothing.
//!
//! ```text
//! config ─▶ policy ─┐
//! request head ─────┤
//! facts ────────────┼─▶ decide ─▶ forward | pass | reject | respond | await(fact)
//! time ─────────────┘                                                  │
//!                          facts::FactStore ◀──────────────────────────┘
//!                                ▲  ▼ effects
//!                              shell (proxy-wasm)
//! ```

pub mod config;
pub mod crypto;
pub mod decide;
pub mod facts;
pub mod formats;
pub mod gate;
pub mod http;
pub mod identity;
pub mod n8n;
pub mod observe;
pub mod policy;
pub mod reply;
pub mod secret;
pub mod time;
pub mod token;

#[cfg(any(target_arch = "wasm32", feature = "lint-shell"))]
mod shell;

#[cfg(test)]
#[path = "../tests/support/mint.rs"]
mod mint;
