//! What providers said of tokens, for as long as it may be believed.

use serde_json::{Map, Value};

use crate::formats::json;
use crate::policy::ProviderId;
use crate::time::UnixMillis;
use crate::token::{ActiveResponse, Term, TokenDigest};

/// The most active answers that one worker remembers.
const MAX_ACTIVE: usize = 512;

/// The most bytes that they may take.
const MAX_ACTIVE_BYTES: usize = 1024 * 1024;

/// The most tokens that are remembered for not being active, or for having no answer. Anybody can
/// make them up; so they have a queue of their own, and push out each other.
const MAX_OTHERS: usize = 2048;

/// What a provider said of a token.
#[derive(Debug)]
pub(in crate::facts) enum Word {
    /// It is active. The number is about how many bytes that takes.
    Active(ActiveResponse, usize),
    /// It is not.
    Inactive,
    /// Not whose it is. Anybody may make up such a token, where the endpoint knows none of them.
    Nameless,
    /// Nothing of use: the code of the fault.
    Failed(&'static str),
}

impl Word {
    /// That a token is active.
    pub(super) fn active(claims: Map<String, Value>, term: Term) -> Self {
        let weight = json::weight(&claims);
        Self::Active(ActiveResponse::new(claims, term), weight)
    }

    const fn weight(&self) -> usize {
        match self {
            Self::Active(_, weight) => *weight,
            _ => 0,
        }
    }
}

struct Entry {
    provider: ProviderId,
    token: TokenDigest,
    word: Word,
    term: Term,
}

/// What providers said of tokens. It holds digests, and no token.
///
/// Active answers are here for tokens that are refused all the same, and until the worker's memory
/// of verified tokens has taken them over; so the oldest goes first. Both queues are short enough to
/// be searched from end to end, which only tokens do that this worker has not verified.
#[derive(Default)]
pub(in crate::facts) struct Answers {
    active: Vec<Entry>,
    others: Vec<Entry>,
    bytes: usize,
}

impl Answers {
    /// What a provider said of a token, if that is still to be believed, and until when.
    pub(in crate::facts) fn of(
        &self,
        provider: ProviderId,
        token: &TokenDigest,
        now: UnixMillis,
    ) -> Option<(&Word, Term)> {
        let mut entries = self.active.iter().chain(&self.others);
        let is_it = |entry: &&Entry| entry.token == *token && entry.provider == provider;
        let entry = entries.find(|entry| is_it(entry) && entry.term.holds(now))?;
        Some((&entry.word, entry.term))
    }

    /// Whether the last that a provider said of a token was that it is active, however old that is.
    pub(in crate::facts) fn was_active(&self, provider: ProviderId, token: &TokenDigest) -> bool {
        let mut active = self.active.iter();
        active.any(|entry| entry.token == *token && entry.provider == provider)
    }

    /// Remembers what a provider said of a token.
    pub(in crate::facts) fn remember(
        &mut self,
        provider: ProviderId,
        token: TokenDigest,
        word: Word,
        term: Term,
    ) {
        let is_it = |old: &Entry| old.token == token && old.provider == provider;
        if let Some(place) = self.active.iter().position(is_it) {
            match self.active.get_mut(place) {
                // It goes on to be one that was active, and so is proven.
                Some(old) if matches!(word, Word::Failed(_)) => old.term.until = old.term.since,
                _ => self.forget_active(place),
            }
        }
        if let Some(place) = self.others.iter().position(is_it) {
            self.others.remove(place);
        }
        let weight = word.weight();
        let queue = match weight {
            0 => &mut self.others,
            _ => &mut self.active,
        };
        queue.push(Entry {
            provider,
            token,
            word,
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

    fn forget_active(&mut self, place: usize) {
        let old = self.active.remove(place);
        self.bytes = self.bytes.saturating_sub(old.word.weight());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::token::{bearer, Bearer};

    const THE_PROVIDER: ProviderId = ProviderId(0);

    fn digest(text: &str) -> TokenDigest {
        let value = format!("Bearer {text}").into_bytes();
        let head = crate::http::RequestHead::new(vec![("authorization".to_owned(), value)]);
        match bearer(&head) {
            Ok(Bearer::Token(token)) => TokenDigest::of(&token),
            other => panic!("{other:?}"),
        }
    }

    const TERM: Term = Term {
        since: UnixMillis(1000),
        until: UnixMillis(2000),
    };

    fn active(size: usize) -> Word {
        let claims = json!({"active": true, "sub": "s".repeat(size)});
        Word::active(claims.as_object().unwrap().clone(), TERM)
    }

    #[test]
    fn an_answer_is_believed_from_when_it_came_to_when_it_ends() {
        let mut answers = Answers::default();
        let token = digest("one");
        answers.remember(THE_PROVIDER, token, active(1), TERM);
        let known = |millis| {
            let of = answers.of(THE_PROVIDER, &token, UnixMillis(millis));
            of.is_some()
        };
        assert_eq!(
            [999, 1000, 1999, 2000].map(known),
            [false, true, true, false]
        );
        let another = answers.of(ProviderId(1), &token, UnixMillis(1500));
        assert!(another.is_none(), "each provider speaks for itself");
    }

    #[test]
    fn a_flood_of_made_up_tokens_fills_no_memory_and_pushes_out_no_active_one() {
        let mut answers = Answers::default();
        let good = digest("good");
        answers.remember(THE_PROVIDER, good, active(1), TERM);
        for number in 0..MAX_OTHERS * 2 {
            let token = digest(&number.to_string());
            answers.remember(THE_PROVIDER, token, Word::Inactive, TERM);
        }
        assert_eq!(
            (answers.active.len(), answers.others.len()),
            (1, MAX_OTHERS)
        );
        assert!(answers.of(THE_PROVIDER, &good, TERM.since).is_some());
    }

    #[test]
    fn active_answers_are_bounded_in_number_and_in_bytes() {
        for (size, most) in [(1, MAX_ACTIVE), (16_000, 62)] {
            let mut answers = Answers::default();
            for number in 0..MAX_ACTIVE + 100 {
                let token = digest(&number.to_string());
                answers.remember(THE_PROVIDER, token, active(size), TERM);
            }
            assert_eq!(answers.active.len(), most);
            assert!(answers.bytes <= MAX_ACTIVE_BYTES);
        }
    }

    #[test]
    fn a_newer_word_takes_the_place_of_the_older_one() {
        let mut answers = Answers::default();
        let token = digest("one");
        for word in [
            active(9),
            Word::Inactive,
            Word::Failed("timeout"),
            active(1),
        ] {
            answers.remember(THE_PROVIDER, token, word, TERM);
            assert_eq!(answers.active.len() + answers.others.len(), 1);
        }
        assert_eq!(answers.bytes, active(1).weight());
    }

    #[test]
    fn a_call_that_failed_leaves_a_token_proven_and_its_answer_is_believed_no_longer() {
        let mut answers = Answers::default();
        let (token, other) = (digest("one"), digest("two"));
        for token in [token, other] {
            answers.remember(THE_PROVIDER, token, active(9), TERM);
        }
        answers.remember(THE_PROVIDER, token, Word::Failed("timeout"), TERM);
        let word = |token| {
            let word = answers.of(THE_PROVIDER, token, UnixMillis(1500));
            word.map(|(word, _)| matches!(word, Word::Active(..)))
        };
        assert_eq!((word(&token), word(&other)), (Some(false), Some(true)));
        assert!(answers.was_active(THE_PROVIDER, &token));
        assert_eq!(answers.bytes, active(9).weight() * 2);
        answers.remember(THE_PROVIDER, token, Word::Inactive, TERM);
        assert!(!answers.was_active(THE_PROVIDER, &token));
        assert_eq!(answers.bytes, active(9).weight());
    }

    /// A short object takes many times its length: some 448 bytes.
    #[test]
    fn active_answers_weigh_what_they_take() {
        let claims = json!({"sub": "a", "x": vec![json!({"": 0}); 2_000]});
        let length = claims.to_string().len();
        assert!(length < 16 * 1024);
        let word = Word::active(claims.as_object().unwrap().clone(), TERM);
        assert!(word.weight() >= 2_000 * 448, "{}", word.weight());
    }
}
