//! The identity of a caller: its claims in one normal form, with any provider.

mod claim;
mod claim_path;
mod claim_source;
mod claims_at;
mod dialect;
mod dialects;
mod email;
mod fault;
#[allow(
    clippy::module_inception,
    reason = "the file of the type that the room is named after"
)]
mod identity;
mod kind;
mod kind_rules;
mod read;
mod rules;
#[cfg(not(target_arch = "wasm32"))]
mod sources;
#[cfg(test)]
mod tests;
mod values;

pub use claim::{whole, ClaimRule, ClaimTest};
pub use claim_path::ClaimPath;
pub use claims_at::{ClaimsAt, IdentityPart};
pub use dialect::Dialect;
pub use email::{domain_of, is_unambiguous, parts};
pub use fault::IdentityFault;
pub use identity::Identity;
pub use kind::Kind;
pub use kind_rules::KindRules;
pub use rules::IdentityRules;
