//! Principals: what a caller may do in n8n, and by which API key.

use std::sync::Arc;

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
    /// The upstream API key.
    pub api_key: Secret,
    /// When that key expires by its own claims; `None`: never, or it does not say.
    pub key_expiry: Option<UnixSeconds>,
}
