//! When upstream API keys expire.

use super::Policy;
use crate::time::UnixSeconds;

impl Policy {
    /// The principals whose API keys have an end. n8n stores the same end with the key, so that it is
    /// true for a key of n8n. For any other key it does no harm.
    pub fn key_expiries(&self) -> impl Iterator<Item = (String, UnixSeconds)> + '_ {
        self.instances.iter().flat_map(|instance| {
            let principals = instance.principals.iter();
            principals.filter_map(|principal| {
                let name = principal_label(instance.name.as_deref(), &principal.name);
                Some((name, principal.key_expiry?))
            })
        })
    }

    /// One sentence for each key that has expired.
    pub fn expired_keys(&self, now: UnixSeconds) -> impl Iterator<Item = String> + '_ {
        self.key_expiries()
            .filter(move |(_, expiry)| *expiry <= now)
            .map(|(principal, _)| {
                format!(
                    "the n8n API key of principal {principal} has expired: n8n refuses it, and its \
                     callers get 502. Hint: make a new key in n8n."
                )
            })
    }
}

/// The name of a principal among those of all instances. No name of an instance has a dot.
pub fn principal_label(instance: Option<&str>, principal: &str) -> String {
    match instance {
        Some(instance) => format!("{instance}.{principal}"),
        None => principal.to_owned(),
    }
}
