//! Who a caller is, in one normal form whatever provider says it.

mod condition;

pub use condition::Condition;

use serde_json::{Map, Value};

use crate::time::UnixSeconds;

/// The normal form of a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Name of the provider in the configuration.
    pub provider: String,
    /// `iss` of the token.
    pub issuer: String,
    /// `sub` of the token.
    pub subject: Option<String>,
    /// The OAuth client that got the token: `azp`, `appid`, `client_id` or `cid`.
    pub client: Option<String>,
    /// Whether an application or a person calls.
    pub kind: Kind,
    /// The e-mail address, only if the provider vouches for it (or is trusted to).
    pub verified_email: Option<String>,
    /// OAuth scopes that were granted.
    pub scopes: Vec<String>,
    /// Roles that were granted.
    pub roles: Vec<String>,
    /// Groups, by name or by id as the provider sends them.
    pub groups: Vec<String>,
    /// The tenant or organisation.
    pub tenant: Option<String>,
    /// `jti` of the token.
    pub token_id: Option<String>,
    /// `exp` of the token.
    pub expires: UnixSeconds,
    /// Every claim as it came.
    pub claims: Map<String, Value>,
}

/// What sort of caller a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An application that acts for itself (client credentials).
    App,
    /// A person, through some application.
    User,
}

impl Kind {
    /// The word used in configuration, headers and audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::User => "user",
        }
    }
}
