//! An HTTP filter for Envoy that lets callers use their identity provider's tokens on n8n.
//!
//! The decision is a pure function of the request, the policy, the facts known so far and the
//! time. What has to be fetched lives in one store of facts. A thin shell reads bytes from the
//! host and performs effects; it decides nothing.

pub mod config;
pub mod crypto;
pub mod identity;
pub mod json;
pub mod n8n;
pub mod policy;
pub mod request;
pub mod secret;
pub mod time;
pub mod token;

#[cfg(test)]
#[path = "../tests/support/mint.rs"]
mod mint;
