//! Upstream API keys that n8n refused.

use std::time::Duration;

use crate::secret::Secret;
use crate::time::UnixMillis;

/// How long the next key of a principal is used before the refused one is tried again.
const REST: Duration = Duration::from_secs(300);

/// The most keys that are remembered. Each was in the configuration.
const MAX_KEYS: usize = 256;

/// The upstream API keys that n8n refused a while ago, of those that an operator made.
#[derive(Debug, Default)]
pub(super) struct RefusedKeys(Vec<(Secret, UnixMillis)>);

impl RefusedKeys {
    /// n8n refused this key.
    pub(super) fn insert(&mut self, key: &Secret, now: UnixMillis) {
        self.0
            .retain(|(known, since)| known != key && now.since(*since) < REST);
        if self.0.len() < MAX_KEYS {
            self.0.push((key.clone(), now));
        }
    }

    /// Whether n8n refused it a while ago.
    pub(super) fn contains(&self, key: &Secret, now: UnixMillis) -> bool {
        let mut all = self.0.iter();
        // A clock that was set back must not make it last.
        all.any(|(known, since)| known == key && *since <= now && now.since(*since) < REST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis(1_800_000_000_000).saturating_add(Duration::from_secs(seconds))
    }

    #[test]
    fn a_refused_key_rests_for_five_minutes() {
        let mut refused = RefusedKeys::default();
        refused.insert(&key("a"), at(0));
        assert!(refused.contains(&key("a"), at(0)));
        assert!(refused.contains(&key("a"), at(299)));
        assert!(!refused.contains(&key("a"), at(300)));
        assert!(!refused.contains(&key("b"), at(0)));
        refused.insert(&key("a"), at(200));
        assert!(refused.contains(&key("a"), at(499)));
        assert!(
            !refused.contains(&key("a"), at(100)),
            "the clock was set back"
        );
    }

    #[test]
    fn no_more_keys_are_remembered_than_a_configuration_has() {
        let mut refused = RefusedKeys::default();
        for number in 0..MAX_KEYS * 2 {
            refused.insert(&key(&number.to_string()), at(0));
        }
        assert_eq!(refused.0.len(), MAX_KEYS);
    }
}
