//! How the deliveries of one sender are checked.

use std::sync::Arc;

use crate::secret::Secret;
use crate::webhook_signature::Verifier;

/// How the deliveries of one sender are checked.
#[derive(Clone, Debug)]
pub struct SignatureRule {
    /// The caller's name for the workflow.
    pub name: Arc<str>,
    /// The sender, as the configuration names it.
    pub sender: &'static str,
    /// What checks a delivery.
    pub verifier: Verifier,
    /// The secrets among what it is checked with.
    pub secrets: Vec<Secret>,
    /// The longest body, in bytes.
    pub max_body: usize,
    /// What happens to a delivery that was forwarded before.
    pub replay: Replay,
}

/// What happens to a delivery that was forwarded before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It is refused for as long as it would be good.
    Refuse,
    /// It passes.
    Pass,
}
