//! Principals: what a caller may do in n8n, and by which API key.

use std::sync::Arc;

use super::n8n_user::UserRule;
use super::Condition;
use crate::n8n::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;

/// An entry of `principals`.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The operator's name for it: `[A-Za-z0-9._-]+`, so that it is safe in headers and audit.
    pub name: Arc<str>,
    /// The callers that it matches.
    pub matches: Condition,
    /// The n8n scopes that each of these callers has.
    pub grant: ScopeSet,
    /// The most n8n scopes that roles can add; `None`: all.
    pub allow: Option<ScopeSet>,
    /// The credential that n8n gets.
    pub upstream: Upstream,
}

/// The credential that n8n gets for the callers of a principal.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// API keys that an operator made: the first that n8n accepts.
    Keys(Arc<[StaticKey]>),
    /// An API key that the gate makes, for this user.
    User(UserRule),
}

/// An API key that an operator made.
#[derive(Clone, Debug)]
pub struct StaticKey {
    /// The key.
    pub key: Secret,
    /// When it expires by its own claims; `None`: never, or it does not say.
    pub expiry: Option<UnixSeconds>,
}

impl StaticKey {
    /// Whether it has expired by its own claims.
    pub fn has_expired(&self, now: UnixSeconds) -> bool {
        self.expiry.is_some_and(|expiry| expiry <= now)
    }
}

impl Upstream {
    /// The keys that an operator made.
    pub fn static_keys(&self) -> &[StaticKey] {
        match self {
            Self::Keys(keys) => keys,
            Self::User(_) => &[],
        }
    }
}
