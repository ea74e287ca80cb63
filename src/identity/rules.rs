//! How the claims of one provider become an identity.

use super::{ClaimsAt, Dialect, KindRules};

/// How the claims of a provider's tokens are read.
#[derive(Clone, Debug)]
pub struct IdentityRules {
    /// Where the vendor puts its claims.
    pub dialect: Dialect,
    /// The claims that the operator names instead.
    pub claims_at: ClaimsAt,
    /// `email` is verified also if the token does not say so.
    pub trust_email: bool,
    /// The operator's rules for applications and people.
    pub kind: KindRules,
    /// Tokens without `sub` that name a client are accepted.
    pub accept_no_subject: bool,
}
