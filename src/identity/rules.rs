//! How the tokens of one provider say who the caller is.

use super::{ClaimsAt, Dialect, KindRules};

/// How the claims of a provider's tokens are read.
#[derive(Clone, Debug)]
pub struct IdentityRules {
    /// Where its claims are.
    pub dialect: Dialect,
    /// Where claims are instead.
    pub claims_at: ClaimsAt,
    /// Take `email` as verified though the token does not say so.
    pub trust_email: bool,
    /// How its tokens say whether an application or a person calls, where the dialect does not know.
    pub kind: KindRules,
    /// Take tokens without `sub` that name a client.
    pub accept_no_subject: bool,
}
