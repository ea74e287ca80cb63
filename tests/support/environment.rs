//! Environments for configurations that name variables.
#![allow(dead_code, reason = "each test uses only a part of it")]

use std::collections::BTreeSet;

use n8n_idp_gate::config::Environment;
use n8n_idp_gate::secret::Secret;

/// The variables that are set. Each has its own value.
pub(crate) enum Variables<'v> {
    /// Every variable.
    All,
    /// Only these variables.
    Only(&'v BTreeSet<String>),
}

impl Environment for Variables<'_> {
    fn secret(&self, name: &str) -> Option<Secret> {
        let is_set = match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        };
        // Some secrets are in base64.
        let filled = name.len().next_multiple_of(4);
        let name = name.replace('_', "/");
        is_set.then(|| Secret::new(format!("the/key/of//{name:+<filled$}")))
    }
}
