//! What a provider says of single tokens: what is remembered, what is being asked, and when it may
//! be asked again.

mod answers;
mod fault;
mod question;
mod read;

pub(super) use answers::{Answers, Word};
pub use fault::IntrospectionFault;
pub use question::question;

use std::time::Duration;

use super::backoff;
use super::{CallId, FetchAnswer, Hints, Outage};
use crate::policy::{Introspection, Protocol};
use crate::time::UnixMillis;
use crate::token::{ActiveAnswer, Term, TokenDigest};

/// The most calls of one worker and provider that are under way at a time. Strangers can make up
/// any number of tokens.
pub const MAX_CALLS: usize = 32;

/// Calls beyond those, for tokens that were proven: signed, or active a moment ago.
const FOR_PROVEN: usize = 8;

/// Added to a call's own time limit before it is given up as lost.
const LOST_AFTER: Duration = Duration::from_secs(2);

/// How long a token rests that a provider gave no usable answer about.
const REST: Duration = Duration::from_secs(5);

/// The most failures in a row that count: nobody waits longer than eight seconds for a provider
/// that is well again.
const MOST_FAILURES: u32 = 4;

/// Reads a document as the provider's answer about a token, given now: what it says of an active one,
/// or `None` of one that is not.
///
/// # Errors
///
/// Whatever would be wrong with such an answer if it came from the provider.
pub fn read_answer(
    asked: &Introspection,
    document: Vec<u8>,
    now: UnixMillis,
) -> Result<Option<ActiveAnswer>, IntrospectionFault> {
    let hints = Hints {
        content_type: Some(b"application/json".to_vec()),
        ..Hints::default()
    };
    let answer = FetchAnswer::Response {
        status: 200,
        hints,
        body: document,
    };
    let claims = read::read(&asked.protocol, answer)?;
    let until = now.saturating_add(asked.ttl);
    Ok(claims.map(|claims| ActiveAnswer::new(claims, Term { since: now, until })))
}

/// The calls to one provider about tokens.
#[derive(Debug)]
pub(super) struct Inquiries {
    asked: Introspection,
    calls: Vec<Call>,
    failures: u32,
    /// When the last failure came: those of calls that were under way by then are no news.
    failed: UnixMillis,
    last_fault: Option<&'static str>,
    not_before: UnixMillis,
    /// How long it rests.
    pause: Duration,
    /// Whether it asked for that itself.
    was_asked_for: bool,
}

/// A call that is under way.
#[derive(Debug)]
struct Call {
    id: CallId,
    token: TokenDigest,
    begun: UnixMillis,
}

/// What an answer led to.
pub(super) struct Told {
    /// The token that it is about.
    pub(super) token: TokenDigest,
    /// What is to be remembered of it.
    pub(super) word: (Word, Term),
    /// Why it is of no use.
    pub(super) fault: Option<IntrospectionFault>,
    /// Whether nobody is asked about any token for a while.
    pub(super) rests: bool,
}

impl Inquiries {
    pub(super) const fn new(asked: Introspection) -> Self {
        Self {
            asked,
            calls: Vec::new(),
            failures: 0,
            failed: UnixMillis(0),
            last_fault: None,
            not_before: UnixMillis(0),
            pause: Duration::ZERO,
            was_asked_for: false,
        }
    }

    /// How long a request waits for an answer: it may have to wait for its turn, too.
    pub(super) const fn longest(&self) -> Duration {
        self.asked.timeout.saturating_mul(2)
    }

    /// Why nobody is asked about this token now.
    pub(super) fn outage(
        &self,
        token: &TokenDigest,
        now: UnixMillis,
        is_proven: bool,
    ) -> Option<Outage> {
        let rests = now < self.not_before && !self.may_probe(is_proven);
        (rests && !self.is_asking(token)).then(|| Outage {
            retry_after: self.not_before.since(now),
            fault: self.last_fault,
        })
    }

    /// Whether a provider that rests is asked all the same: about one token at a time that nobody
    /// can have made up, unless it wants to be left alone. It may be a made-up one that it stumbled
    /// over, or what stands before it; that must not keep the others out.
    fn may_probe(&self, is_proven: bool) -> bool {
        is_proven && !self.was_asked_for && self.calls.is_empty()
    }

    /// Whether a call about this token is under way.
    pub(super) fn is_asking(&self, token: &TokenDigest) -> bool {
        self.calls.iter().any(|call| call.token == *token)
    }

    /// Whether one more call may begin: some are kept for tokens that nobody can make up.
    pub(super) fn may_ask(&self, now: UnixMillis, is_proven: bool) -> bool {
        let kept = if is_proven { FOR_PROVEN } else { 0 };
        let has_room = self.calls.len() < MAX_CALLS.saturating_add(kept);
        (now >= self.not_before && has_room) || self.may_probe(is_proven)
    }

    /// Begins a call.
    pub(super) fn begin(&mut self, id: CallId, token: TokenDigest, now: UnixMillis) {
        let begun = now;
        self.calls.push(Call { id, token, begun });
    }

    /// Whether this call's answer is still waited for.
    pub(super) fn awaits(&self, id: CallId) -> bool {
        self.calls.iter().any(|call| call.id == id)
    }

    /// A call whose answer the host should have brought long ago. A clock that was set back makes
    /// neither a call nor a pause last.
    pub(super) fn lost_call(&mut self, now: UnixMillis) -> Option<CallId> {
        self.not_before = self.not_before.min(now.saturating_add(self.pause));
        self.failed = self.failed.min(now);
        for call in &mut self.calls {
            call.begun = call.begun.min(now);
        }
        let limit = self.asked.timeout.saturating_add(LOST_AFTER);
        let lost = self.calls.iter().find(|call| now.since(call.begun) > limit);
        lost.map(|call| call.id)
    }

    /// Takes the answer to a call that is awaited.
    pub(super) fn answered(
        &mut self,
        id: CallId,
        answer: FetchAnswer,
        now: UnixMillis,
    ) -> Option<Told> {
        let place = self.calls.iter().position(|call| call.id == id)?;
        let Call { token, begun, .. } = self.calls.swap_remove(place);
        let asked_for = answer.retry_after();
        let term = |length| Term {
            since: now,
            until: now.saturating_add(length),
        };
        let told = |word, fault, rests| {
            Some(Told {
                token,
                word,
                fault,
                rests,
            })
        };
        match read::read(&self.asked.protocol, answer) {
            Ok(said) => {
                // What the provider asked for stands, though a call from before it ends well.
                if begun >= self.failed || !self.was_asked_for {
                    self.failures = 0;
                    self.last_fault = None;
                    self.not_before = UnixMillis(0);
                }
                let (word, term) = match said {
                    Some(claims) => {
                        let term = term(self.asked.ttl);
                        (Word::active(claims, term), term)
                    }
                    None => (Word::Inactive, term(self.asked.inactive_ttl)),
                };
                told((word, term), None, false)
            }
            Err(fault) if fault.is_of_one_token(self.asked.protocol == Protocol::UserInfo) => {
                let word = Word::Failed(fault.as_str());
                let asked_for = asked_for.unwrap_or_default();
                let rest = REST.max(asked_for.min(backoff::LONGEST_ASKED_FOR));
                told((word, term(rest)), Some(fault), false)
            }
            Err(fault) => {
                if begun >= self.failed {
                    self.failures = self.failures.saturating_add(1).min(MOST_FAILURES);
                }
                self.failed = now;
                self.last_fault = Some(fault.as_str());
                let pause = backoff::pause(self.failures, asked_for, now.0 ^ id.0);
                self.not_before = now.saturating_add(pause);
                self.pause = pause;
                self.was_asked_for = asked_for.is_some();
                let word = Word::Failed(fault.as_str());
                told((word, term(pause)), Some(fault), true)
            }
        }
    }
}
