//! When upstream API keys expire.

use std::fmt;
use std::time::Duration;

use super::Policy;
use crate::time::UnixSeconds;

const DAY: u64 = 24 * 3600;

/// How long before its end a key is warned of.
const SOON: Duration = Duration::from_secs(14 * DAY);

/// Which API key of which principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOf {
    /// The principal.
    pub principal: String,
    /// Its number in the list of the principal, from 1.
    pub number: usize,
}

impl fmt::Display for KeyOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { principal, number } = self;
        match number {
            1 => write!(formatter, "the n8n API key of principal {principal}"),
            _ => write!(
                formatter,
                "the n8n API key {number} of principal {principal}"
            ),
        }
    }
}

impl Policy {
    /// The API keys that have an end. n8n stores the same end with the key, so that it is
    /// true for a key of n8n. For any other key it does no harm.
    pub fn key_expiries(&self) -> impl Iterator<Item = (KeyOf, UnixSeconds)> + '_ {
        self.instances.iter().flat_map(|instance| {
            let principals = instance.principals.iter();
            principals.flat_map(|principal| {
                let name = principal_label(instance.name.as_deref(), &principal.name);
                let keys = principal.upstream.static_keys().iter().enumerate();
                keys.filter_map(move |(index, key)| {
                    let key_of = KeyOf {
                        principal: name.clone(),
                        number: index.saturating_add(1),
                    };
                    Some((key_of, key.expiry?))
                })
            })
        })
    }

    /// One sentence for each key that has expired.
    pub fn expired_keys(&self, now: UnixSeconds) -> impl Iterator<Item = String> + '_ {
        self.key_expiries()
            .filter(move |(_, expiry)| *expiry <= now)
            .map(|(key, _)| {
                format!(
                    "{key} has expired: n8n refuses it, and its callers get 502 unless the \
                     principal has another key. Hint: make a new key in n8n."
                )
            })
    }

    /// One sentence for each key that expires soon.
    pub fn expiring_keys(&self, now: UnixSeconds) -> impl Iterator<Item = String> + '_ {
        self.key_expiries().filter_map(move |(key, expiry)| {
            let left = expiry.0.checked_sub(now.0).filter(|left| *left > 0)?;
            (left <= SOON.as_secs()).then(|| {
                let days = left.div_ceil(DAY);
                format!(
                    "{key} expires in {days} days at most. Hint: make a new key in n8n, and write \
                     both into api_keys, the old one first."
                )
            })
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
