//! Shared code of the end-to-end tests and of the demo: a real Envoy, scripted and real servers.
//!
//! Every server listens on a free loopback port. It ends when its value is dropped.
#![allow(dead_code, reason = "each test target and the demo use a part of this")]
#![allow(
    clippy::disallowed_methods,
    reason = "the servers are real, and so are the clock and the environment"
)]

use std::error::Error;

pub(crate) mod browser;
pub(crate) mod certificates;
pub(crate) mod crowd;
pub(crate) mod environment;
pub(crate) mod envoy;
pub(crate) mod envoy_file;
pub(crate) mod http;
pub(crate) mod hydra;
pub(crate) mod installed;
pub(crate) mod keycloak;
pub(crate) mod lemonldap;
pub(crate) mod n8n;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod provider;
pub(crate) mod recorder;
pub(crate) mod scripted_provider;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod spring;
pub(crate) mod stage;
pub(crate) mod trap;

/// An error with a message for the operator.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The result of functions that use the network, files or processes.
pub(crate) type Outcome<T> = Result<T, Failure>;
