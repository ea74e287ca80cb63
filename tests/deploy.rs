//! Tests that the manifests and the documentation are true of the code.
//!
//! The tests read every YAML and JSON file of the repository, and every block of YAML in its
//! documentation. The filter's own parser reads each plugin configuration in them, in an
//! environment with exactly the variables that the manifest passes on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails at the first unexpected value"
)]

#[cfg(feature = "e2e")]
#[path = "deploy/charts.rs"]
mod charts;
#[path = "deploy/claims.rs"]
mod claims;
#[cfg(feature = "e2e")]
#[path = "deploy/crds.rs"]
mod crds;
#[path = "deploy/documentation.rs"]
mod documentation;
#[path = "support/environment.rs"]
mod environment;
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
#[path = "deploy/oci.rs"]
mod oci;
#[path = "deploy/plugin.rs"]
mod plugin;
#[path = "deploy/preflight.rs"]
mod preflight;
#[cfg(feature = "e2e")]
#[path = "deploy/relabelling.rs"]
mod relabelling;
#[cfg(feature = "e2e")]
#[path = "deploy/rendered.rs"]
mod rendered;
#[path = "deploy/repository.rs"]
mod repository;
#[cfg(feature = "e2e")]
#[path = "deploy/routes.rs"]
mod routes;
#[path = "deploy/words.rs"]
mod words;
