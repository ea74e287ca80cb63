//! The token statuses that are known, for as long as they hold.

use super::TokenStatus;
use crate::facts::demand::{FactKey, SourceId};
use crate::facts::fault::FaultCode;
use crate::time::UnixMillis;
use crate::token::Term;

/// The most active statuses that one worker keeps.
const MAX_ACTIVE: usize = 512;

/// The most bytes that they may take.
const MAX_ACTIVE_BYTES: usize = 1024 * 1024;

/// The most tokens that are kept because they are not active, or because the call about them failed. An
/// attacker can make them up. So they have a queue of their own, and replace only each other.
const MAX_OTHERS: usize = 2048;

/// What is known about a token.
#[derive(Debug)]
pub(super) enum Known {
    /// Its status.
    Status(TokenStatus),
    /// None, for this fault.
    Fault(FaultCode),
}

impl Known {
    /// About how many bytes it takes, if it is an active status. The others are all of one size.
    fn weight(&self) -> usize {
        match self {
            Self::Status(TokenStatus::Active(response)) => response.claims().weight(),
            _ => 0,
        }
    }
}

#[derive(Debug)]
struct Entry {
    source: SourceId,
    key: FactKey,
    known: Known,
    weight: usize,
    term: Term,
}

/// The token statuses of one worker. It has digests, and no token.
///
/// Active ones are here for tokens that are refused for another reason, and until the token cache has
/// them. So the oldest goes first. Both queues are short enough to be searched from end to end, which
/// only happens for tokens that are not in the token cache.
#[derive(Debug, Default)]
pub(in crate::facts) struct TokenStatuses {
    active: Vec<Entry>,
    others: Vec<Entry>,
    bytes: usize,
}

impl TokenStatuses {
    /// What is known about a token, if it still holds, and until when.
    pub(super) fn of(
        &self,
        source: SourceId,
        key: &FactKey,
        now: UnixMillis,
    ) -> Option<(&Known, Term)> {
        let mut entries = self.active.iter().chain(&self.others);
        let is_it = |entry: &&Entry| entry.key == *key && entry.source == source;
        let entry = entries.find(|entry| is_it(entry) && entry.term.holds(now))?;
        Some((&entry.known, entry.term))
    }

    /// Whether the last status of a token was active, however old that is.
    pub(super) fn was_active(&self, source: SourceId, key: &FactKey) -> bool {
        let mut active = self.active.iter();
        active.any(|entry| entry.key == *key && entry.source == source)
    }

    /// Keeps what is known about a token, in place of what was.
    pub(super) fn remember(&mut self, source: SourceId, key: FactKey, known: Known, term: Term) {
        let is_it = |old: &Entry| old.key == key && old.source == source;
        if let Some(index) = self.active.iter().position(is_it) {
            match self.active.get_mut(index) {
                // It goes on to be one that was active, and so is proven.
                Some(old) if matches!(known, Known::Fault(_)) => old.term.until = old.term.since,
                _ => self.forget_active(index),
            }
        }
        if let Some(index) = self.others.iter().position(is_it) {
            self.others.remove(index);
        }
        let weight = known.weight();
        let queue = match weight {
            0 => &mut self.others,
            _ => &mut self.active,
        };
        queue.push(Entry {
            source,
            key,
            known,
            weight,
            term,
        });
        self.bytes = self.bytes.saturating_add(weight);
        while self.active.len() > MAX_ACTIVE || self.bytes > MAX_ACTIVE_BYTES {
            self.forget_active(0);
        }
        if self.others.len() > MAX_OTHERS {
            self.others.remove(0);
        }
    }

    fn forget_active(&mut self, index: usize) {
        let old = self.active.remove(index);
        self.bytes = self.bytes.saturating_sub(old.weight);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::token::{bearer, ActiveResponse, Bearer, TokenDigest};

    const THE_SOURCE: SourceId = SourceId(0);

    fn digest(text: &str) -> FactKey {
        let value = format!("Bearer {text}").into_bytes();
        let head = crate::http::RequestHead::new(vec![("authorization".to_owned(), value)]);
        match bearer(&head) {
            Ok(Bearer::Token(token)) => TokenDigest::of(&token).into(),
            other => panic!("{other:?}"),
        }
    }

    const TERM: Term = Term {
        since: UnixMillis(1000),
        until: UnixMillis(2000),
    };

    fn active_with(claims: &serde_json::Value) -> Known {
        let claims = crate::formats::json::Document::from(claims);
        Known::Status(TokenStatus::Active(ActiveResponse::new(claims, TERM)))
    }

    fn active(size: usize) -> Known {
        let claims = json!({"active": true, "sub": "s".repeat(size)});
        active_with(&claims)
    }

    #[test]
    fn a_status_holds_from_when_it_came_to_when_it_ends() {
        let mut statuses = TokenStatuses::default();
        let token = digest("one");
        statuses.remember(THE_SOURCE, token, active(1), TERM);
        let known = |millis| {
            let of = statuses.of(THE_SOURCE, &token, UnixMillis(millis));
            of.is_some()
        };
        assert_eq!(
            [999, 1000, 1999, 2000].map(known),
            [false, true, true, false]
        );
        let another = statuses.of(SourceId(1), &token, UnixMillis(1500));
        assert!(another.is_none(), "each provider is asked for itself");
    }

    #[test]
    fn a_flood_of_made_up_tokens_fills_no_memory_and_pushes_out_no_active_one() {
        let mut statuses = TokenStatuses::default();
        let good = digest("good");
        statuses.remember(THE_SOURCE, good, active(1), TERM);
        for number in 0..MAX_OTHERS * 2 {
            let token = digest(&number.to_string());
            statuses.remember(
                THE_SOURCE,
                token,
                Known::Status(TokenStatus::Inactive),
                TERM,
            );
        }
        assert_eq!(
            (statuses.active.len(), statuses.others.len()),
            (1, MAX_OTHERS)
        );
        assert!(statuses.of(THE_SOURCE, &good, TERM.since).is_some());
    }

    #[test]
    fn active_statuses_are_bounded_in_number_and_in_bytes() {
        for (size, most) in [(1, MAX_ACTIVE), (16_000, 62)] {
            let mut statuses = TokenStatuses::default();
            for number in 0..MAX_ACTIVE + 100 {
                let token = digest(&number.to_string());
                statuses.remember(THE_SOURCE, token, active(size), TERM);
            }
            assert_eq!(statuses.active.len(), most);
            assert!(statuses.bytes <= MAX_ACTIVE_BYTES);
        }
    }

    #[test]
    fn a_newer_status_replaces_the_older_one() {
        let mut statuses = TokenStatuses::default();
        let token = digest("one");
        for known in [
            active(9),
            Known::Status(TokenStatus::Inactive),
            Known::Fault(FaultCode::Timeout),
            active(1),
        ] {
            statuses.remember(THE_SOURCE, token, known, TERM);
            assert_eq!(statuses.active.len() + statuses.others.len(), 1);
        }
        assert_eq!(statuses.bytes, active(1).weight());
    }

    #[test]
    fn a_call_that_failed_leaves_a_token_proven_and_ends_its_status() {
        let mut statuses = TokenStatuses::default();
        let (token, other) = (digest("one"), digest("two"));
        for token in [token, other] {
            statuses.remember(THE_SOURCE, token, active(9), TERM);
        }
        statuses.remember(THE_SOURCE, token, Known::Fault(FaultCode::Timeout), TERM);
        let status = |token| {
            let known = statuses.of(THE_SOURCE, token, UnixMillis(1500));
            known.map(|(known, _)| matches!(known, Known::Status(TokenStatus::Active(_))))
        };
        assert_eq!((status(&token), status(&other)), (Some(false), Some(true)));
        assert!(statuses.was_active(THE_SOURCE, &token));
        assert_eq!(statuses.bytes, active(9).weight() * 2);
        statuses.remember(
            THE_SOURCE,
            token,
            Known::Status(TokenStatus::Inactive),
            TERM,
        );
        assert!(!statuses.was_active(THE_SOURCE, &token));
        assert_eq!(statuses.bytes, active(9).weight());
    }

    /// A short value takes many times its length: some 48 bytes.
    #[test]
    fn active_statuses_weigh_what_they_take() {
        let claims = json!({"sub": "a", "x": vec![json!({"": 0}); 2_000]});
        let length = claims.to_string().len();
        assert!(length < 16 * 1024);
        let known = active_with(&claims);
        assert!(known.weight() >= 2_000 * 2 * 48, "{}", known.weight());
    }
}
