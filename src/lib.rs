//! An HTTP filter for Envoy that lets callers use their identity provider's tokens on n8n.
//!
//! The decision is a pure function of the request, the policy, the facts that are known so far, and
//! the time. What must be fetched is in one store of facts. A worker decides what its host does, and
//! an adapter connects it to proxy-wasm. The adapter decides nothing.
//!
//! The modules stand on floors: each imports from lower floors only, and a test checks it. From below:
//! `time` and `secret`; `http` and `formats`; `n8n`; `crypto`; `token` and `webhook_signature`;
//! `identity`; `policy`; `config` and `facts`; `reply`; `decide`; `observe`; `gate`; `worker`; the
//! adapter in `shell`.
//!
//! ```text
//! config ─▶ policy ─┐
//! request head ─────┤
//! facts ────────────┼─▶ decide ─▶ forward | pass | reject | respond | await(fact)
//! time ─────────────┘                                                  │
//!                          facts::FactStore ◀──────────────────────────┘
//!                                ▲  ▼ effects
//!                              worker ─▶ adapter (proxy-wasm)
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
pub mod webhook_signature;
pub mod worker;

#[cfg(target_arch = "wasm32")]
mod shell;

#[cfg(test)]
#[path = "../tests/support/mint.rs"]
mod mint;

#[cfg(test)]
#[path = "../tests/support/no_memory.rs"]
mod no_memory;
