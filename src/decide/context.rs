//! What a decision depends on beside the request.

use super::{Caller, Revocations, TokenCache};
use crate::crypto::SignatureVerifier;
use crate::facts::Facts;
use crate::policy::Policy;
use crate::time::UnixSeconds;
use crate::token::NonceKey;

/// Everything that a decision depends on beside the request. A decision changes nothing in it.
#[derive(Clone, Copy)]
pub struct DecisionContext<'g> {
    /// The operator's policy.
    pub policy: &'g Policy,
    /// The facts that are known so far.
    pub facts: &'g dyn Facts,
    /// The callers of tokens that were verified before.
    pub token_cache: &'g TokenCache<Caller>,
    /// What providers revoked.
    pub revocations: &'g dyn Revocations,
    /// What checks signatures.
    pub crypto: &'g dyn SignatureVerifier,
    /// Makes the nonces that proofs must have; `None`: they need none.
    pub nonces: Option<&'g NonceKey>,
    /// Whether an audit record may be written of the decision. If not, the claims of a refused JWT are not
    /// read for it.
    pub is_recorded: bool,
    /// The time.
    pub now: UnixSeconds,
}
