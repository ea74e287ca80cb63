//! A second policy that is only judged.

use super::Policy;

/// A policy that decides about no request: that of `shadow`. It is another type, so that no code takes it for
/// the one in force.
#[derive(Clone, Debug)]
pub struct Shadow(Policy);

impl Shadow {
    /// Makes a policy one that is only judged.
    pub const fn of(policy: Policy) -> Self {
        Self(policy)
    }

    /// The policy, for a decision that is compared and then dropped.
    pub const fn policy(&self) -> &Policy {
        &self.0
    }
}
