//! The targets.

pub mod configuration;
pub mod delivery;
pub mod discovery;
pub mod event;
pub mod gate;
pub mod head;
pub mod host;
pub mod introspection;
pub mod jwks;
pub mod path;
pub mod proof;
pub mod shared;
pub mod token;

/// A target: its name, which is that of its folder of seeds, and the function.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: [Target; 13] = [
    ("configuration", configuration::run),
    ("delivery", delivery::run),
    ("discovery", discovery::run),
    ("event", event::run),
    ("gate", gate::run),
    ("head", head::run),
    ("host", host::run),
    ("introspection", introspection::run),
    ("jwks", jwks::run),
    ("path", path::run),
    ("proof", proof::run),
    ("shared", shared::run),
    ("token", token::run),
];
