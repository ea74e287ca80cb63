//! The manifests and the documentation: what they say must be true of the code.
//!
//! Every YAML and JSON file of the repository is read, and so is every block of YAML in its
//! documentation. Each plugin configuration in them goes through the very parser of the filter,
//! in an environment that holds the variables which its manifest hands over, and no other.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may stop at once when something is not as it needs it"
)]

#[path = "deploy/claims.rs"]
mod claims;
#[path = "deploy/documentation.rs"]
mod documentation;
#[cfg(feature = "e2e")]
#[path = "deploy/envoy.rs"]
mod envoy;
#[path = "deploy/floors.rs"]
mod floors;
#[path = "deploy/imports.rs"]
mod imports;
#[path = "deploy/limits.rs"]
mod limits;
#[path = "deploy/manifests.rs"]
mod manifests;
#[path = "deploy/plugin.rs"]
mod plugin;
#[path = "deploy/repository.rs"]
mod repository;
#[path = "deploy/words.rs"]
mod words;
