//! What an identity becomes in n8n.

use std::rc::Rc;

use super::Condition;
use crate::n8n::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;

/// An identity that becomes somebody in n8n.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The operator's name for it: `[A-Za-z0-9._-]+`, so that it is safe in headers and audit.
    pub name: Rc<str>,
    /// Which identities it stands for.
    pub matches: Condition,
    /// What it may do whatever its roles are.
    pub grant: ScopeSet,
    /// The most that roles may give it; `None`: all that they give.
    pub allow: Option<ScopeSet>,
    /// The n8n API key that stands for it upstream.
    pub api_key: Secret,
    /// When that key expires by its own word; `None`: never, or it does not say.
    pub key_expiry: Option<UnixSeconds>,
}
