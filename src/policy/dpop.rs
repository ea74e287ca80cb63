//! Proofs that clients have the keys of their tokens.

use std::time::Duration;

/// Whether a token must come with a `DPoP` proof (RFC 9449). One that is bound to a key always must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopUse {
    /// Bearer tokens are accepted, too.
    Accepted,
    /// Bearer tokens are refused.
    Required,
}

/// How proofs are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProofRules {
    /// How far the time of a proof may be from the time of Envoy.
    pub window: Duration,
    /// Whether a proof must have a nonce of the gate.
    pub nonces: bool,
}
