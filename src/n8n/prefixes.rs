//! The prefixes of one n8n, made ready for requests.

use std::fmt;

use super::{Endpoints, Prefix};

/// The endpoints of one n8n, and each prefix that follows from them. They are made once, so that no
/// request makes a list or a text of them.
#[derive(Clone)]
pub struct Prefixes {
    endpoints: Endpoints,
    all: Vec<PrefixPath>,
}

/// A prefix and where it is.
#[derive(Clone, Debug)]
pub(super) struct PrefixPath {
    pub(super) prefix: Prefix,
    /// The first byte of the text. Most prefixes are told apart by it.
    first: u8,
    /// How many segments the text has.
    pub(super) length: usize,
    /// In lower case. `*` is any segment.
    text: Box<str>,
}

impl Prefixes {
    /// Makes those of these endpoints.
    pub fn of(endpoints: Endpoints) -> Self {
        let all = endpoints.prefixes().map(|(prefix, text)| PrefixPath {
            prefix,
            first: text.bytes().next().unwrap_or_default(),
            length: text.split('/').count(),
            text: text.into(),
        });
        Self {
            endpoints,
            all: all.into(),
        }
    }

    /// The endpoints.
    pub const fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The longest one with which `path` begins, without regard to case.
    pub(super) fn longest(&self, path: &[u8]) -> Option<&PrefixPath> {
        let path = path.strip_prefix(b"/")?;
        let first = path.first()?.to_ascii_lowercase();
        let all = self.all.iter().filter(|own| own.first == first);
        all.filter(|own| own.begins(path))
            .max_by_key(|own| own.length)
    }

    /// The texts of some of them.
    pub(super) fn texts(&self, wanted: impl Fn(Prefix) -> bool) -> Vec<&str> {
        let wanted = self.all.iter().filter(|own| wanted(own.prefix));
        wanted.map(|own| &*own.text).collect()
    }
}

impl Default for Prefixes {
    fn default() -> Self {
        Self::of(Endpoints::default())
    }
}

/// Shows the endpoints: all else follows from them.
impl fmt::Debug for Prefixes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoints.fmt(formatter)
    }
}

impl PrefixPath {
    /// Whether `path`, without its first slash, begins with these segments.
    fn begins(&self, path: &[u8]) -> bool {
        let is_slash = |byte: &u8| *byte == b'/';
        let mut sent = path.split(is_slash);
        self.text.as_bytes().split(is_slash).all(|own| {
            sent.next()
                .is_some_and(|sent| own == b"*" || sent.eq_ignore_ascii_case(own))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_with_whole_segments_of_a_prefix_in_any_case() {
        let prefixes = Prefixes::default();
        let length = |prefix: Prefix, path: &str| {
            let longest = prefixes.longest(path.as_bytes());
            longest
                .filter(|own| own.prefix == prefix)
                .map(|own| own.length)
        };
        for (prefix, path, expected) in [
            (Prefix::Webhook, "/webhook", Some(1)),
            (Prefix::Webhook, "/WebHook/", Some(1)),
            (Prefix::Webhook, "/webhook/x/y", Some(1)),
            (Prefix::Webhook, "/webhook-test", None),
            (Prefix::Webhook, "/webhoo", None),
            (Prefix::Webhook, "webhook", None),
            (Prefix::WaitingSlack, "/webhook-waiting-SLACK", Some(1)),
            (Prefix::WaitingSlack, "/webhook-waiting-slacks", None),
            (Prefix::WebhookWaiting, "/webhook-waiting-slack", None),
            (
                Prefix::Agent,
                "/rest/projects/7/agents/v2/x/webhooks/slack",
                Some(7),
            ),
            (
                Prefix::Agent,
                "/rest/projects//agents/v2//webhooks",
                Some(7),
            ),
            (Prefix::Agent, "/rest/projects/7/agents/v1/x/webhooks", None),
            (Prefix::Agent, "/rest/projects/7/agents/v2/x", None),
        ] {
            assert_eq!(length(prefix, path), expected, "{path}");
        }
    }
}
